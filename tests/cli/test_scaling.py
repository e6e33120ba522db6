"""`metasieve scaling`: what it measures and writes, how it goes on, and what several jobs make of one study."""

import fcntl
import os
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np

from support import ALONE, FAMILY, MPI, FilesTest, execute, in_parallel, text, words

STUDY = ("scaling", "--suite.tasks", "11", "--suite.validation_tasks", "1", *FAMILY, "--meta.iterations", "3",
         "--meta.batch", "4", "--policy.hidden", "8,4", "--scaling.weak_tasks", "5", "--scaling.repeats", "2")
PHASES = ["generate", "features", "make", "policy", "inner", "idle", "wait", "reduce", "update", "validate", "io"]


def key(row):
    return text(row["kind"]), int(row["ranks"]), int(row["threads"]), int(row["repeat"])


class Scaling(FilesTest):
    def study(self, *more, ranks, **options):
        return self.succeed(*STUDY, "--output", "study", *more, ranks=ranks, **options)

    def files(self):
        return sorted(path.name for path in (self.folder / "study/points").iterdir())

    def test_strong_and_weak_on_ranks_and_threads(self):
        run = self.study("--scaling.threads", "1,2", ranks=2)

        file = self.open("study/scaling.h5")
        self.assert_root(file, "scaling", reproducible=False)
        points = file["points"][:]
        every = [(kind, ranks, threads, repeat) for kind in ("strong", "weak") for ranks in (1, 2)
                 for threads in (1, 2) for repeat in (1, 2)]
        self.assertEqual([key(row) for row in points], every)
        for row in points:
            cores = row["ranks"] * row["threads"]
            weak = text(row["kind"]) == "weak"
            self.assertEqual((row["tasks"], row["batch"]), (5 * cores, 4 * cores) if weak else (10, 4), key(row))
            self.assertEqual((row["iterations"], row["nodes"]), (3, 1))
            self.assertEqual(row["oversubscribed"], cores > len(os.sched_getaffinity(0)), key(row))
            self.assertTrue(1 <= row["imbalance"] and 1 <= row["shard_imbalance"] and 0 < row["allreduce_share"])
        strong = points[points["kind"] == b"strong"]
        self.assertEqual(len(set(strong["policy_hash"])), 1)  # whatever ranks and threads
        two = points[(points["kind"] == b"weak") & (points["ranks"] * points["threads"] == 2)]
        self.assertEqual((len(two), len(set(two["policy_hash"]))), (4, 1))
        self.assertEqual(len(set(points["policy_hash"])), 4)  # 1, 2, 4 cores' tasks, and strong
        self.assertEqual(len(set(strong["work"])), 1)
        self.assertGreater(two["work"][0], 1.2 * points[points["kind"] == b"weak"]["work"][0])

        self.assertEqual(len(file.attrs["machines"]), 1)
        self.assertRegex(text(file.attrs["machines"][0]), r"^\d+ processors a node, ")
        self.assertIn("Open MPI", text(file.attrs["machines"][0]))
        self.assertEqual([text(host) for host in file.attrs["hosts"]], [os.uname().nodename])
        self.assertRegex(run.stdout, r"strong scaling, median of up to 2 repeat")
        self.assertRegex(run.stdout, r"(?m)^ +2 +2 +1 +0\.\d+ .* %( +oversubscribed)?$")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["study"])
        self.assertEqual(self.files(), sorted(f"{kind}_r{r}_t{t}.h5" for kind in ("strong", "weak")
                                              for r in (1, 2) for t in (1, 2)))

        self.assert_phases(file, points)
        self.assertIn("sound metasieve-scaling file", self.succeed("verify", "study/scaling.h5").stdout)
        self.assertRegex(self.succeed("inspect", "study/scaling.h5").stdout, r"/points\n +records +\d+\n +fields\n +kind +strong \d+, weak \d+\n")

    def assert_phases(self, file, points):
        """/points sums up /timing, and its iterations /iterations."""
        timing, iterations = file["timing"][:], file["iterations"][:]
        self.assertEqual(len(timing), len(PHASES) * points["ranks"].sum())
        for row in points:
            for phase in PHASES:
                of = timing[[key(one) == key(row) and text(one["phase"]) == phase for one in timing]]
                self.assertEqual(list(of["rank"]), list(range(row["ranks"])))
                found = row[f"{phase}_min"], row[f"{phase}_mean"], row[f"{phase}_max"]
                seconds = of["seconds"]
                np.testing.assert_allclose(found, (seconds.min(), seconds.mean(), seconds.max()), err_msg=phase)
                if phase in ("features", "policy", "inner", "reduce", "validate", "io"):
                    self.assertGreater(seconds.min(), 0, phase)
            mine = iterations[[key(one) == key(row) for one in iterations]]
            self.assertEqual(list(mine["iteration"]), [1, 2, 3])
            self.assertAlmostEqual(mine["seconds"].mean(), row["seconds_per_iteration"])
            if row["ranks"] == 1:  # others may begin an iteration before rank 0, whose time it is
                within = sum(row[f"{phase}_mean"] for phase in ("make", "policy", "inner", "idle", "wait", "reduce"))
                self.assertLessEqual(within, 1.001 * 3 * row["seconds_per_iteration"])
            self.assertLess(3 * row["seconds_per_iteration"], row["seconds"])

    def test_strong_scaling_trains_the_policy_that_train_makes(self):
        """The hash is FNV-1a of the parameters: of the file that `train` writes, layer by layer."""
        self.study("--scaling.kinds", "strong", ranks=2)
        self.succeed("train", *STUDY[1:STUDY.index("--scaling.weak_tasks")], "--output", "run")
        layers = self.open("run/policy.h5")["layers"]
        values = np.concatenate([layers[f"{i}/{name}"][:].ravel() for i in range(3) for name in ("weight", "bias")])
        wanted = 0xCBF29CE484222325
        for byte in values.astype("<f8").tobytes():
            wanted = (wanted ^ byte) * 0x100000001B3 % 2 ** 64
        self.assertEqual(set(self.open("study/scaling.h5")["points"]["policy_hash"].tolist()), {wanted})

    def test_finished_points_are_kept_and_a_larger_job_adds_its_own(self):
        small = self.study("--scaling.ranks", "1,3", "--scaling.kinds", "strong", ranks=ALONE)
        self.assertIn("1 point(s) of more than 1 ranks are left to a larger job", small.stdout)
        self.assertEqual(self.files(), ["strong_r1_t1.h5"])
        kept = (self.folder / "study/points/strong_r1_t1.h5").read_bytes()

        large = self.study("--scaling.ranks", "1,3", "--scaling.kinds", "strong", "--output.log_every", "7", ranks=3)
        self.assertIn("strong, 1 rank(s) x 1 thread(s): measured before", large.stdout)
        self.assertEqual((self.folder / "study/points/strong_r1_t1.h5").read_bytes(), kept)
        self.assertEqual([key(row)[1] for row in self.open("study/scaling.h5")["points"]], [1, 1, 3, 3])

    def test_one_machine_is_one_however_ranks_are_bound(self):
        """A launcher may bind each rank to one core: the points of more ranks then may use more of them."""
        if shutil.which("taskset") is None:
            self.skipTest("no taskset here")
        core = str(min(os.sched_getaffinity(0)))
        run = execute(["taskset", "-c", core, *words(ALONE, *STUDY, "--output", "study", "--scaling.kinds", "strong",
                                                     "--scaling.ranks", "1")], self.folder)
        self.assertEqual(run.returncode, 0, run.stderr)
        both = self.study("--scaling.ranks", "1,2", "--scaling.kinds", "strong", ranks=2)
        self.assertNotIn("different machines", both.stdout)
        self.assertEqual(len(self.open("study/scaling.h5").attrs["machines"]), 1)

    def test_two_jobs_at_once_make_one_study_of_two_points(self):
        runs = in_parallel([lambda ranks=ranks: execute(
            words(ranks, *STUDY, "--output", "study", "--scaling.kinds", "weak", "--scaling.ranks", ranks), self.folder)
            for ranks in (1, 2)])
        self.assertEqual([run.returncode for run in runs], [0, 0], runs)
        (self.folder / "study/scaling.h5").unlink()
        collected = self.succeed("scaling", "--output", "study", "--collect")
        self.assertIn("wrote study/scaling.h5 (4 trainings)", collected.stdout)
        self.assertEqual([key(row)[1] for row in self.open("study/scaling.h5")["points"]], [1, 1, 2, 2])

    def test_a_point_that_another_job_measures_is_left_to_it(self):
        scratch = self.folder / "study/points/strong_r1_t1.part"
        scratch.mkdir(parents=True)
        holder = os.open(scratch, os.O_RDONLY)
        self.addCleanup(os.close, holder)
        fcntl.flock(holder, fcntl.LOCK_EX)
        run = self.study("--scaling.ranks", "1", ranks=ALONE)
        self.assertIn("strong, 1 rank(s) x 1 thread(s): another job is measuring it", run.stdout)
        self.assertEqual([name for name in self.files() if name.endswith(".h5")], ["weak_r1_t1.h5"])

    def test_a_signal_stops_the_training_at_a_point(self):
        endless = [*STUDY, "--output", "study", "--scaling.kinds", "strong", "--scaling.ranks", "1,2"]
        endless[endless.index("--meta.iterations") + 1] = "1000000"
        process = subprocess.Popen(words(2, *endless), cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=os.environ | MPI | {"OMP_NUM_THREADS": "1"})
        self.addCleanup(process.kill)
        end = time.monotonic() + 30
        while not (self.folder / "study/points/strong_r1_t1.part").exists():
            self.assertLess(time.monotonic(), end, "does not begin")
            time.sleep(0.01)
        time.sleep(0.3)  # into the training; a signal before it stops it as well
        process.send_signal(signal.SIGUSR1)
        out, err = process.communicate(timeout=60)
        stopped = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        self.assert_refused(stopped, 75, r"stopped by SIGUSR1; finished points are kept: run the same command again")
        self.assertEqual(self.files(), ["strong_r1_t1.part"])

    def test_a_stopped_study_keeps_its_points_and_goes_on(self):
        self.study("--scaling.ranks", "1", "--scaling.kinds", "strong", ranks=ALONE)
        (self.folder / "study/scaling.h5").unlink()
        wanted = ("--scaling.ranks", "1,2", "--scaling.kinds", "strong")
        stopped = self.execute(*STUDY, "--output", "study", *wanted, "--run.max_minutes", "1e-6", ranks=2)
        self.assert_refused(stopped, 75, r"stopped by the time limit; finished points are kept")
        self.assertEqual(len(self.open("study/scaling.h5")["points"]), 2)

        more = self.study(*wanted, ranks=2)
        self.assertIn("strong, 1 rank(s) x 1 thread(s): measured before", more.stdout)
        self.assertEqual([key(row)[1] for row in self.open("study/scaling.h5")["points"]], [1, 1, 2, 2])

    def test_what_a_killed_job_left_is_no_obstacle(self):
        (self.folder / "study/points/strong_r1_t1.part/run").mkdir(parents=True)
        (self.folder / "study/points/strong_r1_t1.part/run/checkpoint.h5").write_text("half of one")
        (self.folder / "study/points/strong_r1_t1.h5.part").write_text("half of one")
        self.study("--scaling.ranks", "1", "--scaling.kinds", "strong", ranks=ALONE)
        self.assertEqual(self.files(), ["strong_r1_t1.h5"])

    def test_strong_scaling_on_a_suite_from_a_file(self):
        suite = ("--suite.tasks", "8", "--suite.validation_tasks", "1", *FAMILY, "--output", "suite.h5")
        self.succeed("generate", *suite)
        self.study("--suite", "suite.h5", "--scaling.ranks", "1", ranks=ALONE)
        points = self.open("study/scaling.h5")["points"][:]
        self.assertEqual([(text(row["kind"]), row["tasks"]) for row in points], [("strong", 7)] * 2 + [("weak", 5)] * 2)
        run = self.execute(*STUDY, "--scaling.ranks", "1", "--output", "study")
        self.assert_refused(run, 2, "was measured with another --suite")

    def test_dry_run_tells_every_point_and_writes_nothing(self):
        run = self.study("--dry-run", "--scaling.ranks", "1,2,4", "--scaling.kinds", "strong", ranks=2)
        self.assertIn("dry run: nothing is written", run.stdout)
        self.assertRegex(run.stdout, r"strong, 2 rank\(s\) x 1 thread\(s\), 2 repeat\(s\) of\n  tasks +11 .*\n(.*\n)*"
                                     r"  memory per rank +\d+ MB")
        self.assertIn("strong, 4 rank(s) x 1 thread(s): left to a larger job", run.stdout)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_refusals(self):
        self.study("--scaling.ranks", "1", "--scaling.kinds", "strong", ranks=ALONE)
        before = (self.folder / "study/scaling.h5").read_bytes()
        cases = [
            (2, r"study/points was measured with other settings: meta.seed = 2 \(was 1\)", ["--meta.seed", "2"]),
            (2, r"scaling.repeats = 3 \(was 2\)", ["--scaling.repeats", "3"]),
            (2, "scaling.ranks: this job has 1 rank", ["--scaling.ranks", "2,4"]),
            (2, "scaling.ranks = 0: must be auto, or ", ["--scaling.ranks", "0"]),
            (2, "scaling.ranks = 2,x: must be auto, or ", ["--scaling.ranks", "2,x"]),
            (2, "scaling.kinds = big: must be strong, weak", ["--scaling.kinds", "big"]),
            (2, "unknown option --scaling.thread: did you mean --scaling.threads", ["--scaling.thread", "2"]),
        ]
        for code, message, more in cases:
            study = list(STUDY)
            if more[0] in study:
                at = study.index(more[0])
                del study[at:at + 2]
            with self.subTest(more):
                self.assert_refused(self.execute(*study, *more, "--output", "study"), code, message)
        self.assertEqual((self.folder / "study/scaling.h5").read_bytes(), before)
        self.assert_refused(self.execute("scaling", "--output", "none", "--collect"), 3, "no point is measured yet")
        self.assert_refused(self.execute("scaling"), 2, "scaling needs --output")
        (self.folder / "study/points/weak_r1_t1.h5").write_text("no HDF5")
        self.assert_refused(self.execute("scaling", "--output", "study", "--collect"), 3, "weak_r1_t1.h5")

    def test_policies_that_differ_between_points_are_an_internal_error(self):
        """As they would be if the nodes' processors rounded differently."""
        self.study("--scaling.kinds", "strong", ranks=2)
        with h5py.File(self.folder / "study/points/strong_r2_t1.h5", "r+") as file:
            rows = file["points"][:]
            rows["policy_hash"] += 1
            file["points"][:] = rows
        self.assert_refused(self.execute("scaling", "--output", "study", "--collect"), 70,
                            r"policies of the same training differ: strong scaling, 1 rank\(s\) .* 2 rank\(s\)")
