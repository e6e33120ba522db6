"""`train --resume`: the same bytes as a run that nobody stopped, whatever stopped it and on whatever ranks it goes on."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import h5py
import numpy as np

from support import ALONE, MPI, FilesTest, children, execute, messages, words

# Some 3 ms an iteration, 300 of them: a signal on sight of a checkpoint comes long before the end.
TRAIN = ("train", "--suite.tasks", "10", "--suite.validation_tasks", "2", "--suite.mixture", "some:1",
         "--family.some.samples", "1000:3000", "--family.some.features", "5:8", "--meta.batch", "4", "--meta.iterations",
         "300", "--meta.validate_every", "100", "--meta.support", "0", "--policy.hidden", "32,16",
         "--policy.precision", "float64", "--output.save_gradients", "true")
LONG = (*(word if word != "300" else "100000" for word in TRAIN[:-2]), "--output.checkpoint_every", "10")
NO_TIME = ("--run.max_minutes", "1e-9")  # has passed: one iteration is made


class Resume(FilesTest):
    @classmethod
    def setUpClass(cls):
        cls.undisturbed = pathlib.Path(tempfile.mkdtemp(prefix="metasieve."))
        cls.addClassCleanup(shutil.rmtree, cls.undisturbed, ignore_errors=True)
        run = execute(words(ALONE, *TRAIN, "--output", "whole"), cls.undisturbed)
        assert run.returncode == 0 and messages(run) == [], run.stderr

    def setUp(self):
        super().setUp()
        shutil.copytree(self.undisturbed, self.folder, dirs_exist_ok=True)

    def start(self, *arguments, ranks=2):
        process = subprocess.Popen(words(ranks, *arguments), cwd=self.folder, text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=os.environ | MPI | {"OMP_NUM_THREADS": "1"},
                                   # a shell ignores it for what it starts in the background
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.addCleanup(process.kill)
        return process

    def stop_by(self, number, *more, ranks=2, times=1):
        """A run that gets a signal once it has written a checkpoint."""
        process = self.start(*TRAIN, "--output", "run", "--output.checkpoint_every", "10", *more, ranks=ranks)
        self.wait_for("run/checkpoint.h5")
        for _ in range(times):
            process.send_signal(number)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def wait_for(self, name):
        end = time.monotonic() + 30
        while not (self.folder / name).exists():
            self.assertLess(time.monotonic(), end, f"{name} does not appear")
            time.sleep(0.002)

    def resume(self, *more, **options):
        return self.execute(*TRAIN, "--output", "run", "--resume", *more, **options)

    def assert_same_as_whole(self):
        whole, run = self.folder / "whole", self.folder / "run"
        self.assertEqual((run / "policy.h5").read_bytes(), (whole / "policy.h5").read_bytes())
        first, second = self.open("whole/results.h5"), self.open("run/results.h5")
        for name in ("history", "validation", "failures", "meta_gradient"):
            a, b = first[name][()], second[name][()]
            if name == "history":
                a["seconds"] = b["seconds"] = 0
            self.assertEqual(a.tobytes(), b.tobytes(), name)
        self.assertEqual(list(second["history"]["iteration"]), list(range(1, 301)))
        sessions = second["sessions"][()]
        ends = list(sessions["last_iteration"])
        self.assertEqual(list(sessions["first_iteration"]), [1] + [end + 1 for end in ends[:-1]])
        self.assertEqual(ends[-1], 300)
        self.assertEqual(sorted(sessions["started"]), list(sessions["started"]))
        self.assertEqual([*run.glob("*.part")], [])
        return sessions

    def test_after_signals_on_other_ranks_and_threads(self):
        for number, name in ((signal.SIGUSR1, "SIGUSR1"), (signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")):
            with self.subTest(name):
                shutil.rmtree(self.folder / "run", ignore_errors=True)
                # mpirun itself dies of SIGTERM and SIGINT, so these go to the program without mpirun.
                stopped = self.stop_by(number, ranks=2 if name == "SIGUSR1" else ALONE)

                self.assert_refused(stopped, 75, rf"stopped by {name} after iteration \d+ of 300, kept in "
                                                 r"run/checkpoint.h5; run the same command with --resume to go on")
                done = self.open("run/checkpoint.h5").attrs["trained_iterations"]
                self.assertLess(done, 300)

                run = self.resume(ranks=3, threads=2)

                self.assertEqual((run.returncode, messages(run)), (0, []), run.stderr)
                self.assertIn(f"resuming from run/checkpoint.h5: iteration {done} of 300", run.stdout)
                sessions = self.assert_same_as_whole()
                self.assertEqual(list(sessions["ranks"])[-1], 3)
                self.assertEqual(list(sessions["threads"])[-1], 2)

    def test_checkpoints_by_the_clock(self):
        """Without any by iterations; what the clock has kept is gone on from after a kill."""
        process = self.start(*TRAIN, "--output", "run", "--output.checkpoint_every", "0", "--output.checkpoint_minutes",
                             "0.0005", ranks=2)
        self.wait_for("run/checkpoint_prev.h5")
        os.kill(children(process.pid)[0], signal.SIGKILL)
        process.communicate(timeout=60)
        self.assertFalse((self.folder / "run/policy.h5").exists())

        run = self.resume(ranks=1)

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assert_same_as_whole()

    def test_a_second_interrupt_ends_it_at_once(self):
        process = self.start("train", "--suite.tasks", "4000", "--output", "new", ranks=ALONE)
        time.sleep(1)  # while it prepares the tasks
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, (-signal.SIGINT, 75))  # 75: it was faster than the second one

    def test_an_interrupt_is_ignored_where_the_shell_says_so(self):
        script = 'trap "" INT; exec "$@"'
        process = subprocess.Popen(["sh", "-c", script, "sh", *words(ALONE, *LONG, "--output", "run")],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=os.environ | MPI | {"OMP_NUM_THREADS": "1"})
        self.addCleanup(process.kill)
        self.wait_for("run/checkpoint.h5")
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 75)
        self.assertIn("stopped by SIGTERM", err)

    def test_a_second_signal_changes_nothing(self):
        stopped = self.stop_by(signal.SIGUSR1, times=20)

        self.assert_refused(stopped, 75, "stopped by SIGUSR1")
        self.succeed("verify", "run/checkpoint.h5")
        self.assertEqual(self.resume().returncode, 0)
        self.assert_same_as_whole()

    def test_in_many_short_sessions(self):
        """Each makes some iterations, though its time is up at once."""
        ranks = [ALONE, 2, 1, 3]
        for i in range(8):
            run = self.resume(*NO_TIME, ranks=ranks[i % 4])
            self.assert_refused(run, 75, "stopped by the time limit after iteration")
        self.assertEqual(self.resume(ranks=2).returncode, 0)
        self.assertGreaterEqual(len(self.assert_same_as_whole()), 9)

    def test_a_damaged_checkpoint_is_reported_and_the_previous_one_used(self):
        damages = {
            "flipped bit": lambda data: data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 4])
            + data[len(data) // 2 + 1:],
            "cut": lambda data: data[:len(data) // 3],
            "empty": lambda data: b"",
            "zeros": lambda data: bytes(len(data)),
            "missing": None,
        }
        self.stop_by(signal.SIGUSR1)
        stopped = {name: (self.folder / "run" / name).read_bytes() for name in ("checkpoint.h5", "checkpoint_prev.h5")}
        with h5py.File(self.folder / "run/checkpoint_prev.h5") as file:
            before = file.attrs["trained_iterations"]
        for name, damage in damages.items():
            with self.subTest(name):
                shutil.rmtree(self.folder / "run")
                (self.folder / "run").mkdir()
                (self.folder / "run/checkpoint_prev.h5").write_bytes(stopped["checkpoint_prev.h5"])
                if damage:
                    (self.folder / "run/checkpoint.h5").write_bytes(damage(stopped["checkpoint.h5"]))
                    wrong = self.execute("verify", "run/checkpoint.h5")
                    self.assert_refused(wrong, 3, f"goes on from checkpoint_prev.h5 there, iteration {before}")

                run = self.resume(*NO_TIME)

                said = messages(run)
                self.assertEqual((run.returncode, len(said)), (75, 2), run.stderr)
                self.assertRegex(said[0], "warning: run/checkpoint.h5.*; going on from run/checkpoint_prev.h5")
                self.assertIn(f"iteration {before} of 300", run.stdout)
                self.succeed("verify", "run/checkpoint_prev.h5")  # the damaged one has not pushed it out
                self.assertEqual(self.resume().returncode, 0)
                self.assert_same_as_whole()

    def test_two_damaged_checkpoints_are_refused(self):
        self.stop_by(signal.SIGUSR1)
        for name in ("checkpoint.h5", "checkpoint_prev.h5"):
            path = self.folder / "run" / name
            path.write_bytes(path.read_bytes()[:-1])

        for ranks in (ALONE, 2):
            self.assert_refused(self.resume(ranks=ranks), 3, "run/checkpoint.h5: .*; and run/checkpoint_prev.h5: ")

    def test_other_mathematics_is_refused_by_name_and_harmless_keys_are_not(self):
        self.stop_by(signal.SIGUSR1)
        before = (self.folder / "run/checkpoint.h5").read_bytes()
        for ranks in (ALONE, 2):
            run = self.resume("--meta.seed", "2", "--inner.ridge", "0.5", ranks=ranks)
            self.assert_refused(run, 2, r"checkpoint.h5 was made with other settings: inner.ridge = 0.5 \(was 0.001\), "
                                        r"meta.seed = 2 \(was 1\);")
        run = self.execute(*(word.replace("1000:3000", "1000:2500") for word in TRAIN), "--output", "run", "--resume")
        self.assert_refused(run, 2, "family.some.samples = 1000:2500")
        fewer = [word if word != "300" else "5" for word in TRAIN]
        self.assert_refused(self.execute(*fewer, "--output", "run", "--resume"), 2, "beyond meta.iterations = 5")
        with h5py.File(self.folder / "run/checkpoint.h5") as file:
            done = int(file.attrs["trained_iterations"])
        fewer = [word if word != "300" else str(done + 2) for word in TRAIN]  # the learning rate would have fallen
        self.assert_refused(self.execute(*fewer, "--output", "run", "--resume"), 2, "learning rate would have fallen")
        self.assertEqual((self.folder / "run/checkpoint.h5").read_bytes(), before)

        run = self.resume("--output.log_every", "7", "--output.checkpoint_every", "0", "--run.max_minutes", "100")

        self.assertEqual((run.returncode, messages(run)), (0, []), run.stderr)
        self.assert_same_as_whole()

    def test_more_iterations(self):
        """Up to where the learning rate falls, the beginning is that of the longer run."""
        short = [word if word != "300" else "150" for word in TRAIN]
        self.succeed(*short, "--output", "run", "--run.max_minutes", "100", "--output.checkpoint_every", "60")
        shutil.move(self.folder / "run/checkpoint_prev.h5", self.folder / "run/checkpoint.h5")  # of 120 > 105

        run = self.resume()

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("iterations from 106 on had the smaller learning rate", run.stdout)
        self.assertEqual(list(self.open("run/results.h5")["history"]["iteration"]), list(range(1, 301)))

    def test_a_suite_file_may_stand_for_the_generator_but_not_another_suite(self):
        self.generate(1)
        self.generate(2)
        self.stop_by(signal.SIGUSR1)

        other = self.resume("--suite", "2.h5")
        same = self.resume("--suite", "1.h5", ranks=2)

        self.assert_refused(other, 2, "was trained on other tasks")
        self.assertEqual(same.returncode, 0, same.stderr)
        self.assert_same_as_whole()

    def generate(self, seed):
        words_of = [word for pair in zip(TRAIN[1::2], TRAIN[2::2]) for word in pair
                    if pair[0].startswith(("--suite", "--family"))]
        self.succeed("generate", *words_of, "--suite.seed", seed, "--output", f"{seed}.h5")

    def test_a_finished_run_is_not_taken_for_one_of_another_suite(self):
        self.generate(2)
        shutil.copytree(self.folder / "whole", self.folder / "run")

        for ranks in (ALONE, 2):
            run = self.resume("--suite", "2.h5", ranks=ranks)
            self.assert_refused(run, 2, "run/checkpoint.h5 was trained on other tasks")

    def test_failed_tasks_are_told_and_their_run_goes_on_when_more_may_fail(self):
        """Three of the eight training tasks have only one class."""
        self.generate(1)
        with h5py.File(self.folder / "1.h5", "r+") as file:
            file["train/y"][: file["train/row_offset"][3]] = 1
        command = (*TRAIN, "--suite", "1.h5", "--output", "run")

        failed = self.execute(*command, "--run.max_failed", "0.2", ranks=2)

        self.assert_refused(failed, 4, r"task fits failed, more than run.max_failed = 0.2: tasks 0 \(one_class\), ")
        self.assertIn("labels are all alike, or raise run.max_failed and --resume", failed.stderr)
        done = self.open("run/checkpoint.h5").attrs["trained_iterations"]
        failures = self.open("run/results.h5")["failures"][()]
        self.assertEqual(sorted(failures["task_id"]), [0, 1, 2])
        self.assertEqual(failures["count"].sum(), self.open("run/results.h5")["history"]["failed_tasks"].sum())
        self.assert_refused(self.execute(*command, "--run.max_failed", "0.2", "--resume"), 4, "max_failed")

        run = self.execute(*command, "--resume")

        self.assertEqual((run.returncode, messages(run)), (0, []), run.stderr)
        self.assertLess(done, 300)
        self.assertIn("left out: tasks 0 (one_class), ", run.stdout)
        history, failures = (h5py.File(self.folder / "run/results.h5")[name][()] for name in ("history", "failures"))
        self.assertEqual(failures["count"].sum(), history["failed_tasks"].sum())
        again = self.execute(*command, "--resume")
        self.assertIn("left out: tasks 0 (one_class), ", again.stdout)
        with h5py.File(self.folder / "run/results.h5") as file:
            self.assertEqual(file["failures"][()].tobytes(), failures.tobytes())
        self.assert_refused(self.execute(*command, "--run.max_failed", "0.2", "--resume"), 4, "max_failed")

    def test_one_run_a_folder(self):
        process = self.start(*LONG, "--output", "run")
        self.wait_for("run/checkpoint.h5")

        second = self.execute(*LONG, "--output", "run", "--resume", ranks=2)

        self.assert_refused(second, 3, "cannot write to run: another run is writing there")
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 75)

    def test_dry_run_tells_what_is_left(self):
        self.stop_by(signal.SIGUSR1)
        before = (self.folder / "run/checkpoint.h5").read_bytes()

        left = self.resume("--dry-run")
        other = self.resume("--meta.seed", "2", "--dry-run", ranks=2)

        self.assertRegex(left.stdout, r"for the \d+ % of the iterations that are left")
        self.assert_refused(other, 2, "meta.seed = 2")
        self.assertEqual((self.folder / "run/checkpoint.h5").read_bytes(), before)

    def test_finished_run_is_left_as_it_is(self):
        shutil.copytree(self.folder / "whole", self.folder / "run")
        (self.folder / "run/policy.h5").unlink()  # killed between the last checkpoint and this file

        run = self.resume(ranks=2)

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(len(self.assert_same_as_whole()), 1)

    def test_nothing_to_resume_starts_from_the_beginning(self):
        run = self.resume(ranks=2)

        self.assertEqual((run.returncode, messages(run)), (0, []), run.stderr)
        self.assertIn("no checkpoint in run: starting from the beginning", run.stdout)
        self.assert_same_as_whole()

    def test_a_forgotten_resume_keeps_the_unfinished_run(self):
        self.stop_by(signal.SIGUSR1)
        kept = (self.folder / "run/checkpoint.h5").read_bytes()

        run = self.execute(*TRAIN, "--output", "run")

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("run/checkpoint_unfinished.h5", run.stdout)
        self.assertEqual((self.folder / "run/checkpoint_unfinished.h5").read_bytes(), kept)
        shutil.copy(self.folder / "run/checkpoint_unfinished.h5", self.folder / "run/checkpoint.h5")
        self.assertEqual(self.execute(*TRAIN, "--output", "run").returncode, 0)
        self.assertEqual((self.folder / "run/checkpoint_unfinished.h5").read_bytes(), kept)
        self.assertEqual((self.folder / "run/checkpoint_unfinished_2.h5").read_bytes(), kept)

    def test_a_finished_policy_is_kept_as_a_numbered_backup(self):
        shutil.copytree(self.folder / "whole", self.folder / "run")
        files = {name: (self.folder / "run" / name).read_bytes() for name in ("policy.h5", "results.h5")}

        run = self.succeed(*TRAIN, "--meta.seed", "5", "--output", "run", ranks=2)

        self.assertEqual(run.stdout.count("note: "), 1)
        self.assertIn("note: a finished run is in run; its files are kept as #policy.h5.1# and #results.h5.1#\n",
                      run.stdout)
        second = (self.folder / "run/policy.h5").read_bytes()
        self.assertNotEqual(second, files["policy.h5"])
        self.succeed(*TRAIN, "--meta.seed", "5", "--output", "run", "--resume")  # is finished: replaces its own
        self.assertIn("kept as #policy.h5.2# and #results.h5.2#\n",
                      self.succeed(*TRAIN, "--output", "run").stdout)
        for name, content in files.items():
            self.assertEqual((self.folder / f"run/#{name}.1#").read_bytes(), content)
        self.assertEqual((self.folder / "run/#policy.h5.2#").read_bytes(), second)
        self.assertEqual((self.folder / "run/policy.h5").read_bytes(), files["policy.h5"])

    def test_a_backup_is_made_though_the_new_run_is_stopped_and_resumed(self):
        shutil.copytree(self.folder / "whole", self.folder / "run")
        before = (self.folder / "run/policy.h5").read_bytes()

        stopped = self.execute(*TRAIN, "--meta.seed", "5", "--output", "run", *NO_TIME)
        self.assertEqual(stopped.returncode, 75, stopped.stderr)
        self.assertFalse((self.folder / "run/policy.h5").exists())
        self.succeed(*TRAIN, "--meta.seed", "5", "--output", "run", "--resume")

        self.assertEqual((self.folder / "run/#policy.h5.1#").read_bytes(), before)
        self.assertFalse((self.folder / "run/#policy.h5.2#").exists())

    def test_gradients_that_an_earlier_session_did_not_keep_are_nan(self):
        self.stop_by(signal.SIGUSR1)
        without = [word if word != "true" else "false" for word in TRAIN]
        shutil.rmtree(self.folder / "run")
        stopped = self.execute(*without, "--output", "run", *NO_TIME)
        self.assertEqual(stopped.returncode, 75, stopped.stderr)
        done = self.open("run/checkpoint.h5").attrs["trained_iterations"]

        self.assertEqual(self.resume().returncode, 0)

        gradient = self.open("run/results.h5")["meta_gradient"][()]
        self.assertTrue(np.isnan(gradient[:done]).all())
        self.assertTrue(np.isfinite(gradient[done:]).all())

    def test_gradients_that_a_later_session_does_not_keep_are_left_out(self):
        self.stop_by(signal.SIGUSR1)
        without = [word if word != "true" else "false" for word in TRAIN]

        for limit in (NO_TIME, ()):
            run = self.execute(*without, "--output", "run", "--resume", *limit)

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotIn("meta_gradient", self.open("run/results.h5"))

    def test_signal_while_tasks_are_prepared(self):
        many = [word if word != "10" else "2000" for word in TRAIN]
        process = self.start(*many, "--output", "run", ranks=2)
        self.wait_for("run/progress.json")  # once signals are caught
        process.send_signal(signal.SIGUSR1)
        out, err = process.communicate(timeout=60)

        run = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        self.assert_refused(run, 75, "stopped by SIGUSR1 while the tasks were prepared")

    def test_slurm_end_of_job_less_the_margin(self):
        end = str(int(time.time()) + 40)
        run = execute(words(ALONE, *TRAIN, "--output", "run", "--run.margin_minutes", "0.67"), self.folder,
                      SLURM_JOB_ID="1", SLURM_JOB_END_TIME=end)

        self.assert_refused(run, 75, "stopped by the time limit after iteration")

    def test_slurm_that_does_not_tell_the_end_is_asked(self):
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "squeue").write_text("#!/bin/sh\necho \"$@\" >asked\necho 0:39\n")
        (tools / "squeue").chmod(0o755)
        run = execute(words(ALONE, *TRAIN, "--output", "run", "--run.margin_minutes", "0.65"), self.folder,
                      SLURM_JOB_ID="17", PATH=f"{tools}:{os.environ['PATH']}")

        self.assert_refused(run, 75, "stopped by the time limit after iteration")
        self.assertIn("--jobs 17", (self.folder / "asked").read_text())

