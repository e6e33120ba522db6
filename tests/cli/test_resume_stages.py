"""generate and evaluate, stopped or killed and gone on with on other ranks, end with the results of one run."""

import fcntl
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import h5py

from support import ALONE, MPI, TRAIN, FilesTest, execute, messages, tree, words, write_dataset

# Long enough for a signal to come in time.
SUITE = ("--suite.tasks", "60", "--suite.validation_tasks", "2", "--suite.mixture", "small:1",
         "--family.small.samples", "2000:3000", "--family.small.features", "18:20")
FEW = ("--suite.tasks", "9", "--suite.validation_tasks", "2", "--suite.mixture", "tiny:1",
       "--family.tiny.samples", "60:100", "--family.tiny.features", "5:6")
ADAPTED = ("--evaluate.methods", "meta_hard,roh,trained_soft", "--evaluate.adapt_steps", "20")
SPLITS = ("--evaluate.splits", "5")
MANY_SPLITS = ("--evaluate.splits", "60")
NO_TIME = ("--run.max_minutes", "1e-9")
AT_ONCE = ("--output.checkpoint_minutes", "1e-9")
SIGNALLED = {signal.SIGUSR1: "stopped by SIGUSR1", signal.SIGTERM: "stopped by SIGTERM"}


def tables(path):
    """All of an evaluation but when and by which configuration it was made."""
    with h5py.File(path) as file:
        return {name: file[name][()].tobytes() for name in file}


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(data)


class Resumed(FilesTest):
    @classmethod
    def setUpClass(cls):
        """What all evaluations here read."""
        cls.inputs = pathlib.Path(tempfile.mkdtemp(prefix="metasieve."))
        cls.addClassCleanup(shutil.rmtree, cls.inputs, ignore_errors=True)
        write_dataset(cls.inputs / "one.h5", rows=300)
        write_dataset(cls.inputs / "two.h5", rows=200, seed=2)
        for command in (TRAIN + ("--output", "p"), ("generate", *FEW, "--output", "suite.h5")):
            run = execute(words(ALONE, *command), cls.inputs)
            assert run.returncode == 0, run.stderr

    def evaluate(self, *more):
        return ("evaluate", "--policy", self.inputs / "p/policy.h5", *ADAPTED, *more)

    def on_data(self, *more):
        return self.evaluate("--dataset", self.inputs / "one.h5", self.inputs / "two.h5", *SPLITS, *more)

    def on_suite(self, *more):
        return self.evaluate("--suite", self.inputs / "suite.h5", "--frontier", "--evaluate.frontier_weights", "0,1",
                             "--evaluate.frontier_tolerances", "0.1", *more)

    def partial(self, name="out.h5"):
        return self.folder / f"{name}.partial"

    def assert_stopped(self, run, by):
        self.assertEqual(run.returncode, 75, run.stdout + run.stderr)
        said = messages(run)
        self.assertEqual(len(said), 1, run.stderr)
        self.assertRegex(said[0], rf"^metasieve: {by} after \d+ of \d+ tasks; finished ones are kept in "
                                  "out.h5.partial; run the same command with --resume to go on$")
        self.assertFalse((self.folder / "out.h5").exists())
        return int(said[0].split(" after ")[1].split()[0])

    def interrupt(self, number, *command, ranks, again=False):
        """Sends the signal once something new has been kept. None if the run was too fast for it."""
        before = set(self.partial().glob("*"))
        process = subprocess.Popen(words(ranks, *command), cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=os.environ | MPI | {"OMP_NUM_THREADS": "1"})
        try:
            deadline = time.monotonic() + 60
            while process.poll() is None and set(self.partial().glob("*")) == before:
                self.assertLess(time.monotonic(), deadline, "nothing is kept")
                time.sleep(0.001)
            for _ in range(2 if again else 1):
                process.send_signal(number)
                time.sleep(0.001)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        if process.returncode == 0:
            return None
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def stop_by_signals(self, *command):
        """By each of them in turn; each run goes on where the one before was."""
        done = 0
        for number, ranks in ((signal.SIGUSR1, 2), (signal.SIGTERM, ALONE), (signal.SIGKILL, ALONE),
                              (signal.SIGUSR1, ALONE)):
            for _ in range(5):
                run = self.interrupt(number, *command, ranks=ranks, again=number == signal.SIGUSR1)
                if run:
                    break
                (self.folder / "out.h5").unlink()  # the machine was too busy to signal in time: all from the start
                done = 0
            else:
                self.fail("ended before the signal five times")
            if number == signal.SIGKILL:
                self.assertEqual(run.returncode, -signal.SIGKILL)
                self.assertFalse((self.folder / "out.h5").exists())
                continue
            now = self.assert_stopped(run, SIGNALLED[number])
            self.assertGreater(now, done)
            done = now

    # ----------------------------------------------------------------------------------------------- generate

    def test_suite_made_a_few_tasks_a_run_has_the_same_bytes(self):
        command = ("generate", *FEW, "--output", "out.h5")
        self.succeed("generate", *FEW, "--output", "whole.h5")
        for (ranks, threads), expected in zip(((ALONE, 1), (2, 1), (ALONE, 2), (3, 1)), (1, 3, 4, 7)):
            run = self.execute(*command, "--resume", *NO_TIME, ranks=ranks, threads=threads)
            self.assertEqual(self.assert_stopped(run, "stopped by the time limit"), expected)

        run = self.succeed(*command, "--resume", ranks=3, threads=2)

        self.assertIn("resuming: 7 of 9 tasks are kept in out.h5.partial\n", run.stdout)
        self.assertEqual((self.folder / "out.h5").read_bytes(), (self.folder / "whole.h5").read_bytes())
        self.assertFalse(self.partial().exists())

    def test_runs_without_time_end_at_last(self):
        for count in itertools.count(1):
            run = self.execute("generate", *FEW, "--output", "out.h5", "--resume", *NO_TIME)
            if run.returncode == 0:
                break
            self.assertEqual(self.assert_stopped(run, "stopped by the time limit"), count)
        self.assertEqual(count, 9)

    def test_suite_stopped_by_signals_has_the_same_bytes(self):
        command = ("generate", *SUITE, *AT_ONCE, "--output", "out.h5", "--resume")
        self.succeed("generate", *SUITE, *AT_ONCE, "--output", "whole.h5")
        self.stop_by_signals(*command)

        self.succeed(*command, ranks=2, threads=2)

        self.assertEqual((self.folder / "out.h5").read_bytes(), (self.folder / "whole.h5").read_bytes())
        self.assertFalse(self.partial().exists())

    def test_tasks_of_one_class_are_told(self):
        family = ("--suite.mixture", "rare:1", "--suite.tasks", "20", "--suite.validation_tasks", "2",
                  "--family.rare.samples", "20", "--family.rare.features", "5", "--family.rare.positive", "0.05",
                  "--family.rare.label_noise", "0", "--family.rare.label_bias", "1")
        run = self.succeed("generate", *family, "--output", "rare.h5", ranks=2)

        with h5py.File(self.folder / "rare.h5") as file:
            rate = file["metadata"]["train_pos_rate"]
        ids = [i for i, value in enumerate(rate) if value in (0, 1)]
        self.assertGreater(len(ids), 5)
        first = ", ".join(map(str, ids[:5]))
        self.assertIn(f"; {len(ids)} task(s) with only one class among the training labels: {first}, ...\n",
                      run.stdout)

    # ----------------------------------------------------------------------------------------------- evaluate

    def test_evaluation_made_a_few_tasks_a_run_has_the_same_tables(self):
        for command, total in ((self.on_data(), 10), (self.on_suite(), 9)):
            self.succeed(*command, "--output", "whole.h5")
            kept = 0
            for ranks, threads in ((ALONE, 2), (3, 1), (2, 1)):
                run = self.execute(*command, "--output", "out.h5", "--resume", *NO_TIME, ranks=ranks, threads=threads)
                before, kept = kept, self.assert_stopped(run, "stopped by the time limit")
                self.assertGreater(kept, before)
                self.assertLessEqual(kept, before + max(ranks, 1))

            run = self.succeed(*command, "--output", "out.h5", "--resume", ranks=2, threads=2)

            self.assertIn(f"resuming: {kept} of {total} tasks are kept in out.h5.partial\n", run.stdout)
            self.assertEqual(tables(self.folder / "out.h5"), tables(self.folder / "whole.h5"))
            self.assertFalse(self.partial().exists())
            (self.folder / "out.h5").unlink()

    def test_evaluation_stopped_by_signals_has_the_same_tables(self):
        long = self.evaluate("--dataset", self.inputs / "one.h5", self.inputs / "two.h5", *MANY_SPLITS, *AT_ONCE)
        self.succeed(*long, "--output", "whole.h5", ranks=2)
        self.stop_by_signals(*long, "--output", "out.h5", "--resume")

        self.succeed(*long, "--output", "out.h5", "--resume", ranks=3)

        self.assertEqual(tables(self.folder / "out.h5"), tables(self.folder / "whole.h5"))
        self.assertFalse(self.partial().exists())

    def test_too_many_failed_fits_end_with_exit_code_4(self):
        """The evaluation is there all the same."""
        path = write_dataset(self.folder / "huge.h5")
        with h5py.File(path, "r+") as file:
            x = file["x"][()]
            x[0], x[1] = 3e38, -3e38
            file["x"][...] = x
        command = self.evaluate("--dataset", "huge.h5", *SPLITS, "--inner.ridge", "1e-300")

        run = self.execute(*command, "--output", "out.h5", "--run.max_failed", "0.01", ranks=2)
        rows = self.open("out.h5")["evaluation"][()]
        bad = rows[rows["failed"] == 1]
        self.assertGreater(len(bad), 0)
        splits = ", ".join(dict.fromkeys(f"huge {split}" for split in bad["split"]))
        self.assert_refused(run, 4, rf"{len(bad)} of {len(rows)} fits failed \(.* %\), more than run.max_failed = "
                                    rf"0.01: in {splits}; try a larger inner.ridge")
        self.assertIn("wrote out.h5", run.stdout)
        self.assertFalse(self.partial().exists())
        self.succeed(*command, "--output", "out.h5", "--run.max_failed", len(bad) / len(rows))

    # ------------------------------------------------------------------------------------- two runs at a time

    def test_a_second_run_with_the_same_output_is_refused(self):
        command = ("generate", *SUITE[2:], "--suite.tasks", "300", *AT_ONCE, "--output", "new/out.h5")
        first = subprocess.Popen(words(ALONE, *command), cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=os.environ | MPI | {"OMP_NUM_THREADS": "1"})
        self.addCleanup(first.kill)
        deadline = time.monotonic() + 60
        while first.poll() is None and not [*self.partial("new/out.h5").glob("*")]:
            self.assertLess(time.monotonic(), deadline, "nothing is kept")
            time.sleep(0.001)
        first.send_signal(signal.SIGSTOP)
        try:
            before = tree(self.folder)
            for ranks in (ALONE, 2):
                self.assert_refused(self.execute(*command, ranks=ranks), 3,
                                    "cannot write new/out.h5: another run is writing it; wait until it has ended, or "
                                    "give another --output")
            self.assertEqual(tree(self.folder), before)
            self.succeed("generate", *FEW, "--output", "new/other.h5")
        finally:
            first.send_signal(signal.SIGCONT)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
        self.assertIn(first.returncode, (0, 75))
        self.assertFalse((self.folder / "new/out.h5.lock").exists())

    def test_every_command_that_writes_one_file_looks_for_another_run(self):
        (self.folder / "out.h5.lock").touch()  # a run that was killed has left it
        on_data = ("--policy", self.inputs / "p/policy.h5", "--dataset", self.inputs / "one.h5")
        commands = (("generate", *FEW), ("evaluate", *on_data, "--evaluate.splits", "2", "--evaluate.methods",
                                         "meta_hard"), ("score", *on_data))
        for command in commands:
            with self.subTest(command[0]), open(self.folder / "out.h5.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.assert_refused(self.execute(*command, "--output", "out.h5"), 3,
                                    "cannot write out.h5: another run is writing it")
                self.assertEqual([path.name for path in self.folder.iterdir()], ["out.h5.lock"])
                self.succeed(*command, "--output", "out.h5", "--dry-run")
        for command in commands:
            with self.subTest(command[0]):
                self.succeed(*command, "--output", "out.h5")
                self.assertFalse((self.folder / "out.h5.lock").exists())

    # -------------------------------------------------------------------------------------------- the journal

    def stopped(self, command, *more):
        self.assert_stopped(self.execute(*command, "--output", "out.h5", *NO_TIME, *more), "stopped by the time limit")

    def test_other_settings_or_inputs_are_refused(self):
        generate = ("generate", *FEW)
        self.stopped(generate)
        before = tree(self.partial())
        self.assert_refused(self.execute(*generate, "--output", "out.h5", "--resume", "--suite.seed", "5", ranks=2), 2,
                            r"out.h5.partial was made with other settings \(suite.seed\); give those settings again")
        self.assertEqual(tree(self.partial()), before)
        self.succeed(*generate, "--output", "out.h5", "--resume", "--run.max_minutes", "100")  # says nothing of tasks
        (self.folder / "out.h5").unlink()

        self.stopped(self.on_data())
        before = tree(self.partial())
        write_dataset(self.folder / "one.h5", rows=300, seed=9)
        shutil.copy(self.inputs / "p/policy.h5", self.folder)
        with h5py.File(self.folder / "policy.h5", "r+") as file:
            file["layers/2/bias"][0] += 1
            del file["layers/2/bias"].attrs["checksum"]  # else it is refused as damaged
        changes = ((self.on_data("--evaluate.seed", "9"), "evaluate.seed"), (self.on_data("--frontier"), "--frontier"),
                   (self.evaluate("--dataset", "one.h5", self.inputs / "two.h5", *SPLITS), "--dataset 1"),
                   (self.evaluate("--dataset", self.inputs / "one.h5", *SPLITS), "--dataset 2"),
                   (("evaluate", "--policy", "policy.h5", *self.on_data()[3:]), "--policy 1"),
                   (("generate", *FEW), ".*command.*"))
        runs = [self.execute(*command, "--output", "out.h5", "--resume") for command, _ in changes]
        for run, (_, name) in zip(runs, changes):
            self.assert_refused(run, 2, rf"made with other settings \({name}\)")
        self.assertEqual(tree(self.partial()), before)

        # These change no result.
        self.succeed(*self.on_data(), "--output", "out.h5", "--resume", "--output.checkpoint_minutes", "3",
                     "--run.margin_minutes", "2")

    def test_without_resume_it_starts_anew_and_says_so(self):
        command = ("generate", *FEW)
        run = self.succeed(*command, "--output", "out.h5", "--resume")
        self.assertIn("nothing to resume in out.h5.partial: starting from the beginning\n", run.stdout)
        (self.folder / "out.h5").unlink()
        self.stopped(command)
        self.assertTrue(self.partial().exists())

        run = self.succeed(*command, "--output", "out.h5", "--suite.seed", "3", ranks=2)

        self.assertIn("removed out.h5.partial of an earlier run: starting from the beginning\n", run.stdout)
        self.assertFalse(self.partial().exists())

    def test_damage_only_costs_time(self):
        self.succeed(*self.on_suite(), "--output", "whole.h5")
        for spoil, reported in ((lambda path: flip(path, -1), 1), (lambda path: flip(path, 3), 1),
                                (lambda path: os.truncate(path, path.stat().st_size - 1), 0),
                                (lambda path: path.write_bytes(b""), 0)):
            for _ in range(3):
                self.stopped(self.on_suite(), "--resume")
            spoil(self.partial() / "0002-00000.journal")

            run = self.execute(*self.on_suite(), "--output", "out.h5", "--resume", ranks=2)

            self.assertEqual(run.returncode, 0, run.stderr)
            line = "metasieve: out.h5.partial: 1 damaged record(s); what they held is done again"
            self.assertEqual(messages(run), [line] * reported)
            self.assertEqual(tables(self.folder / "out.h5"), tables(self.folder / "whole.h5"))
            self.assertFalse(self.partial().exists())
            (self.folder / "out.h5").unlink()
