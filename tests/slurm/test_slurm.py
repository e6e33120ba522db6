"""The scripts of jobs/ on a real SLURM of four nodes with two cores each; tests/slurm/run.sh starts it."""

import csv
import os
import pathlib
import re
import shutil
import signal
import tempfile
import threading
import unittest

import h5py

from cluster_jobs import command, finished, iterating, log, ranks, sbatch, show, submit, support, wait_until

LAUNCHERS = {"mpirun": "mpirun", "srun": "srun --mpi=pmix"}
TASKS = ("--suite.tasks", "24", "--suite.validation_tasks", "4", *support.FAMILY)
TRAIN = (*TASKS, "--policy.hidden", "8,4", "--meta.batch", "8", "--meta.validate_every", "0")
SHORT = (*TRAIN, "--meta.iterations", "10")
# A checkpoint soon tells that it iterates. Only a signal stops it: within a minute's limit there is no margin.
STEADY = (*TRAIN, "--output.checkpoint_every", "100", "--output.log_every", "500", "--run.margin_minutes", "0")
LONG = (*STEADY, "--meta.iterations", "3000")
ENDLESS = (*STEADY, "--meta.iterations", "10000000")

folder = pathlib.Path()  # all nodes see it
limited = {}  # by launcher, jobs that run into their time limit while the other tests go on


def setUpModule():
    global folder
    if not os.environ.get("SLURM_CONF", "").startswith("/run/cluster/"):
        raise unittest.SkipTest("tests/slurm/run.sh runs these")
    folder = pathlib.Path(tempfile.mkdtemp())
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    os.environ["METASIEVE_BIN"] = str(support.BINARY)
    os.environ.update(site("mpirun"))
    for launcher in LAUNCHERS:
        limited[launcher] = train(f"limited_{launcher}", LONG, "--time=1", "--signal=B:USR1@55", **site(launcher))
        threading.Thread(target=stand_still_until_signalled, args=(launcher,), daemon=True).start()


def site(launcher):
    """A site file with the partition of this cluster."""
    path = folder / f"{launcher}.sh"
    path.write_text(f"partition=batch\nlauncher=({LAUNCHERS[launcher]})\n")
    return {"METASIEVE_SITE": str(path)}


def train(name, options, *sbatch_options, **env):
    """The job, submitted as a user does without submit.py; its log and its folder are called `name`."""
    return sbatch(f"--output={folder}/{name}.log", *sbatch_options, "jobs/train.sbatch", *options,
                  "--output", folder / name, **env)


def policy_of_a_local_run(name, options):
    run = support.execute(support.words(support.ALONE, "train", *options, "--output", folder / name), folder,
                          threads=2, timeout=120)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    return (folder / name / "policy.h5").read_bytes()


def stand_still_until_signalled(launcher):
    """Stands in for a training of hours: SLURM looks at time limits twice a minute."""
    stopped = iterating(folder / f"limited_{launcher}", 2)
    for rank in stopped:
        os.kill(rank, signal.SIGSTOP)
    try:
        wait_until(lambda: "== SIGUSR1" in log(limited[launcher]), lambda: "SLURM sends USR1", 90)
    finally:
        for rank in stopped:
            os.kill(rank, signal.SIGCONT)


class ClusterTest(unittest.TestCase):
    def assert_ended(self, job, state, code):
        for task in finished(job):
            self.assertEqual((task["JobState"], task["ExitCode"]), (state, f"{code}:0"), log(job))

    def assert_last_line(self, job, expected):
        self.assertRegex(log(job).splitlines()[-1], f"^== metasieve {expected}")


class ATimeLimit(ClusterTest):
    def test_checkpoints_requeues_and_ends_with_the_bits_of_an_uninterrupted_run(self):
        expected = policy_of_a_local_run("uninterrupted", LONG)

        for launcher, job in limited.items():
            with self.subTest(launcher):
                self.assert_ended(job, "COMPLETED", 0)
                text = log(job)
                self.assertGreaterEqual(int(show(job)[0]["Restarts"]), 1)
                self.assertRegex(text, r"metasieve: stopped by SIGUSR1 after iteration \d+ of 3000")
                self.assertIn("stopped early (75)", text)
                self.assertIn("; requeueing, 1 of at most 20 times", text)
                self.assertRegex(text, r"start 2, .*\n(.*\n)+resuming from .*: iteration \d+ of 3000")
                self.assert_last_line(job, "train: done after ")
                self.assertEqual((folder / f"limited_{launcher}" / "policy.h5").read_bytes(), expected)


class AChain(ClusterTest):
    def test_generates_trains_and_evaluates_in_turn(self):
        chain = ("chain", *SHORT, "--held-out", "6", "--output", "chain", "--time", "5")
        jobs = submit(*chain, folder=folder)  # elsewhere than in the repository

        self.assertEqual(list(jobs), ["generate", "heldout", "train", "evaluate"])
        for job in jobs.values():
            self.assert_ended(job, "COMPLETED", 0)
        for first, then in (("generate", "train"), ("heldout", "evaluate"), ("train", "evaluate")):
            self.assertLessEqual(show(jobs[first])[0]["EndTime"], show(jobs[then])[0]["StartTime"])
        inspected = support.execute(support.words(support.ALONE, "inspect", "chain/evaluation.h5"), folder)
        self.assertIn("meta_hard", inspected.stdout)

    def test_jobs_that_wait_for_one_that_failed_are_cancelled(self):
        jobs = submit("chain", *SHORT, "--suite.sede=1", "--output", folder / "broken")

        self.assert_ended(jobs["generate"], "FAILED", 2)
        self.assertIn("suite.sede", log(jobs["generate"]))
        self.assert_last_line(jobs["generate"], "generate: FAILED with exit code 2: ")
        for name in ("train", "evaluate"):
            self.assert_ended(jobs[name], "CANCELLED", 0)


class ADeath(ClusterTest):
    @classmethod
    def setUpClass(cls):
        cls.jobs = {launcher: train(f"killed_{launcher}", ENDLESS, "--nodes=2", "--ntasks-per-node=1", **site(launcher))
                    for launcher in LAUNCHERS}
        cls.cancelled = train("cancelled", ENDLESS, "--ntasks-per-node=1", **site("srun"))

    def test_of_one_rank_ends_the_job_with_a_clear_log(self):
        for launcher, job in self.jobs.items():
            with self.subTest(launcher):
                os.kill(iterating(folder / f"killed_{launcher}", 2)[1], signal.SIGKILL)

                # 137 is SIGKILL's. srun gives the highest code of its tasks: the other rank may meet the closed
                # connection before it is told to end, and dies of SIGPIPE, 141.
                codes = {"mpirun": "137", "srun": "(137|141)"}[launcher]
                for task in finished(job, 40):
                    self.assertEqual(task["JobState"], "FAILED", log(job))
                    self.assertRegex(task["ExitCode"], f"^{codes}:0$", log(job))
                self.assert_last_line(job, f"train: FAILED with exit code {codes}: a rank died.*submit the same command")
                self.assertEqual(ranks(folder / f"killed_{launcher}"), [])

    def test_by_scancel_is_told_and_not_requeued(self):
        iterating(folder / "cancelled", 1)

        command(["scancel", self.cancelled])

        self.assert_ended(self.cancelled, "CANCELLED", 143)
        self.assert_last_line(self.cancelled, "train: ENDED BY SLURM after .* submit the same command again")
        self.assertEqual(show(self.cancelled)[0]["Restarts"], "0")
        self.assertIn("stopped by SIGTERM", log(self.cancelled))  # srun leaves ranks the time for a checkpoint


class Requeues(ClusterTest):
    def test_are_bounded(self):
        job = train("bounded", (*ENDLESS, "--run.max_minutes", "0.02"), METASIEVE_MAX_REQUEUES="1")

        self.assert_ended(job, "FAILED", 75)
        self.assertEqual(show(job)[0]["Restarts"], "1")
        self.assertIn("requeueing, 1 of at most 1 times", log(job))
        self.assert_last_line(job, r"train: STOPPED EARLY \(75\) after 1 requeues, ")


class AScalingStudy(ClusterTest):
    def test_is_a_job_for_each_point_and_one_table(self):
        config = folder / "scaling.ini"
        config.write_text("[scaling]\nkinds = strong\nrepeats = 2\n")
        *points, collect = submit("--config", config, "--output", folder / "scaling", "--nodes", "1,2", *SHORT,
                                  script="scaling.sh").values()

        self.assertEqual(len(points), 2)
        for job in (*points, collect):
            self.assert_ended(job, "COMPLETED", 0)
        with h5py.File(folder / "scaling/scaling.h5") as file:
            measured = [(row["ranks"], row["nodes"], row["repeat"]) for row in file["points"]]
        self.assertEqual(sorted(measured), [(2, 1, 1), (2, 1, 2), (4, 2, 1), (4, 2, 2)])


class ASweep(ClusterTest):
    def test_runs_as_an_array_of_which_two_are_at_work_at_once(self):
        config = folder / "sweep.ini"
        config.write_text("[sweep]\nmeta.seed = 1, 2, 3, 4\npolicy.keep = 0.6, 0.8\n")
        jobs = submit("sweep", "--config", config, "--output", folder / "sweep", "--array", "0-7%2",
                      "--ranks-per-node", "1", *SHORT)

        self.assert_ended(jobs["sweep-collect"], "COMPLETED", 0)
        tasks = show(jobs["sweep"])
        self.assertEqual(sorted(int(task["ArrayTaskId"]) for task in tasks), list(range(8)))
        for task in tasks:
            self.assertEqual((task["JobState"], task["ExitCode"]), ("COMPLETED", "0:0"), log(task["JobId"]))
            at_once = [other for other in tasks if other["StartTime"] <= task["StartTime"] < other["EndTime"]]
            self.assertLessEqual(len(at_once), 2)
        with (folder / "sweep/sweep.csv").open() as table:
            rows = list(csv.DictReader(table))
        self.assertEqual(len({(row["meta.seed"], row["policy.keep"]) for row in rows}), 8)

    def test_requeues_the_task_that_was_stopped_and_no_other(self):
        config = folder / "endless.ini"
        config.write_text("[sweep]\nmeta.iterations = 5, 6, 10000000\n")
        array = submit("sweep", "--config", config, "--output", folder / "endless", "--array", "0-2", "--ranks-per-node",
                       "1", *STEADY, METASIEVE_MAX_REQUEUES="1")["sweep"]
        for start in (1, 2):
            self.stop_once_it_iterates(array, start)

        ended = sorted((task["ArrayTaskId"], task["JobState"], task["ExitCode"], task["Restarts"])
                       for task in finished(array))
        self.assertEqual(ended, [("0", "COMPLETED", "0:0", "0"), ("1", "COMPLETED", "0:0", "0"),
                                 ("2", "FAILED", "75:0", "1")])

    def stop_once_it_iterates(self, array, start):
        """The task of number 2, by the signal that SLURM sends ahead of a time limit."""
        task = f"{array}_2"
        wait_until(lambda: re.search(rf"start {start}, .*\n(.*\n)+?iteration \d+/10000000 ", log(task)),
                   lambda: f"start {start} of {task} iterates; its log:\n{log(task)}", 90)
        command(["scancel", "--signal=USR1", "--batch", task])


class Training(ClusterTest):
    def test_four_nodes_give_the_bits_of_a_local_run(self):
        jobs = {launcher: train(launcher, SHORT, "--nodes=4", **site(launcher)) for launcher in LAUNCHERS}
        expected = policy_of_a_local_run("local", SHORT)

        for launcher, job in jobs.items():
            with self.subTest(launcher):
                self.assert_ended(job, "COMPLETED", 0)
                text = log(job)
                nodes = "".join(f"   node{n + 1}: rank {2 * n} on .*, rank {2 * n + 1} on .*\n" for n in range(4))
                self.assertRegex(text, r"== 8 ranks x 1 threads on node\[1-4\]\n" + nodes)
                self.assertIn(" 8 rank(s) x 1 thread(s)", text)
                self.assertNotIn("warning", text)
                self.assert_last_line(job, "train: done after ")
                self.assertEqual((folder / launcher / "policy.h5").read_bytes(), expected)

    def test_threads_and_binding_are_what_was_asked_for(self):
        job = submit("train", *SHORT, "--output", folder / "threads", "--nodes", "2", "--ranks-per-node", "1",
                     "--threads", "2", "--time", "5")["train"]

        self.assert_ended(job, "COMPLETED", 0)
        text = log(job)
        self.assertTrue(re.search(r"   node\d: rank 0 on 0-1\n   node\d: rank 1 on 0-1\n", text), text)
        self.assertIn(" 2 rank(s) x 2 thread(s)", text)
        self.assertNotIn("warning", text)

    def test_cores_that_stay_idle_are_told(self):
        job = train("idle", SHORT, "--ntasks-per-node=1", "--cpus-per-task=1", "--exclusive")

        self.assert_ended(job, "COMPLETED", 0)
        self.assertIn("== warning: 1 of 2 cores stay idle", log(job))


if __name__ == "__main__":
    unittest.main()
