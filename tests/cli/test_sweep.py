#!/usr/bin/env python3
"""metasieve sweep: which points there are, that they go on after anything that can happen to a job, and what is
collected. METASIEVE_SWEEP_POINTS=1000 sets the size of the large ones (default 60)."""

import csv
import os
import re
import signal
import subprocess
import time
import unittest

import h5py

from support import (ALONE, MPI, FilesTest, children, execute, in_parallel, messages, text, tree, words,
                     write_dataset)

POINTS = int(os.environ.get("METASIEVE_SWEEP_POINTS", "60"))
TIMEOUT = 60 + POINTS  # generous: the machine may have other work

INI = """
[suite]
tasks = 4
validation_tasks = 1
mixture = tiny:1

[family.tiny]
samples = 60:100
features = 5:6

[meta]
iterations = 3
batch = 2

[policy]
features = basic
hidden = 8,4

[evaluate]
methods = baseline, meta_hard

[sweep]
policy.keep = 0.6, 0.7, 0.8
meta.fairness_weight = 0, 1
evaluate_tasks = 2
"""

CLOCKS = ("seconds", "core_seconds", "ranks", "threads")  # of a row, what depends on who made it


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def without_clocks(rows):
    return [{name: value for name, value in row.items() if name not in CLOCKS} for row in rows]


def status_of(point):
    """The lines of a point's status.txt; nothing while there is none."""
    try:
        lines = (point / "status.txt").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


def set_status(point, **values):
    status = status_of(point) | {name: str(value) for name, value in values.items()}
    (point / "status.txt").write_text("".join(f"{name} = {value}\n" for name, value in status.items()))


class SweepTest(FilesTest):
    def setUp(self):
        super().setUp()
        self.ini = self.folder / "sweep.ini"
        self.ini.write_text(INI)

    def arguments(self, folder, *more):
        return ("sweep", "--config", self.ini, "--output", folder, *more)

    def sweep(self, folder, *more, ranks=2, code=0, timeout=TIMEOUT):
        run = self.execute(*self.arguments(folder, *more), ranks=ranks, timeout=timeout)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def listed(self, *more):
        """[(hash, state, values)] of --list."""
        run = self.succeed(*self.arguments("D", "--list", *more))
        rows = re.findall(r"^ +(\d+)  ([0-9a-f]{16})  (\w+) +(.*)$", run.stdout, re.MULTILINE)
        self.assertEqual([int(row[0]) for row in rows], list(range(len(rows))))
        return [(name, state, values.split()) for _, name, state, values in rows]

    def collected(self, folder):
        self.succeed("sweep", "--output", folder, "--collect")
        return rows_of(self.folder / folder / "sweep.csv")

    def points(self, folder="D"):
        return sorted((self.folder / folder / "points").iterdir())

    def many(self, count=POINTS):
        return ("--sweep.meta.seed", ",".join(map(str, range(1, (count + 5) // 6 + 1))))

    def start(self, folder, *more, ranks=2):
        command = words(ranks, *self.arguments(folder, *more))
        process = subprocess.Popen(command, cwd=self.folder, env=os.environ | MPI | {"OMP_NUM_THREADS": "1"},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def wait_until(self, condition, what):
        end = time.monotonic() + TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}")
            time.sleep(0.01)

    def done(self, folder):
        return sum(status_of(point).get("state") == "done" for point in (self.folder / folder).glob("points/*"))


class Points(SweepTest):
    def values(self, *more):
        return [row[2] for row in self.listed(*more)]

    def test_lists_are_crossed_the_last_one_fastest(self):
        self.assertEqual(self.values(), [[keep, weight] for keep in ("0.6", "0.7", "0.8") for weight in ("0", "1")])

    def test_lists_together_are_walked_in_step(self):
        run = self.values("--sweep.meta.clip", "1, 2, 3", "--sweep.together", "policy.keep, meta.clip")
        self.assertEqual(run, [[keep, clip, weight] for keep, clip in (("0.6", "1"), ("0.7", "2"), ("0.8", "3"))
                               for weight in ("0", "1")])

    def test_values_with_commas_are_divided_by_semicolons(self):
        run = self.values("--sweep.policy.hidden", "8,4; 16", "--sweep.policy.keep", "0.6")
        self.assertEqual([row[2] for row in run], ["8,4", "16", "8,4", "16"])

    def test_samples_are_drawn_and_crossed_with_lists(self):
        sampled = ("--sweep.policy.keep", "uniform(0.2, 0.9)", "--sweep.meta.batch", "log(1, 100)", "--sweep.samples",
                   "10", "--sweep.meta.fairness_weight", "0, 1")
        run, again, seeded, random = in_parallel([
            lambda more=more: self.values(*sampled, *more)
            for more in ((), (), ("--sweep.seed", "2"), ("--sweep.sampling", "random"))])
        self.assertEqual(len(run), 20)
        keeps = sorted({float(row[0]) for row in run})
        self.assertEqual(len(keeps), 10)
        for stratum, keep in enumerate(keeps):  # a Latin hypercube has one in each
            self.assertAlmostEqual(keep, 0.2 + 0.07 * (stratum + 0.5), delta=0.035 + 1e-6)
        batches = [row[1] for row in run]
        self.assertTrue(all(re.fullmatch(r"\d+", batch) and 1 <= int(batch) <= 100 for batch in batches), batches)
        self.assertEqual(run, again)
        self.assertNotEqual(run, seeded)
        self.assertNotEqual(run, random)

    def test_knobs_of_families_are_swept(self):
        run = self.values("--sweep.family.tiny.samples", "60:70, 100", "--sweep.policy.keep", "0.5")
        self.assertEqual([row[2] for row in run], ["60:70", "100"] * 2)
        run = self.values("--sweep.family.tiny.groups", "uniform(2, 5)", "--sweep.samples", "4", "--sweep.policy.keep",
                          "0.5", "--sweep.meta.fairness_weight", "1")
        self.assertEqual(sorted(row[2] for row in run), ["2", "3", "4", "5"])  # whole, one of each stratum

    def test_points_that_are_the_same_are_listed_once(self):
        self.assertEqual(len(self.listed("--sweep.policy.keep", "0.6, 0.60, 0.7")), 4)

    def test_bad_values_are_refused_before_anything_is_made(self):
        cases = [
            (("--sweep.policy.keep", "0.5, 2"), r"point 2: policy\.keep = 2: must be a number > 0 and < 1"),
            (("--sweep.policy.kep", "0.5"), r"sweep\.policy\.kep: did you mean sweep\.policy\.keep\?"),
            (("--sweep.smaples", "5"), r"sweep\.smaples: did you mean sweep\.samples\?"),
            (("--sweep.policy.keep", ""), r"--sweep\.policy\.keep needs a value"),
            (("--sweep.policy.keep", "0.5,,0.6"), r"sweep\.policy\.keep = 0\.5,,0\.6: has an empty value"),
            (("--sweep.policy.keep", "uniform(0.5)", "--sweep.samples", "3"), r"uniform\(LOW, HIGH\), two numbers"),
            (("--sweep.policy.keep", "log(0, 1)", "--sweep.samples", "3"), r"> 0 with LOW < HIGH"),
            (("--sweep.policy.keep", "uniform(0.5, 0.6)"), r"sweep\.samples must say how many"),
            (("--sweep.samples", "5"), r"sweep\.samples = 5: no swept key is"),
            (("--sweep.together", "policy.keep, meta.fairness_weight"), r"policy\.keep has 3 values and meta\.fair.* 2"),
            (("--sweep.together", "policy.kep, meta.clip"), r"policy\.kep is not swept; did you mean policy\.keep\?"),
            (("--sweep.output.log_every", "1, 2"), r"sweep\.output\.log_every = 1, 2: it changes no result"),
            (("--sweep.suite.validation_tasks", "1, 4"), r"point 1: suite\.validation_tasks = 4: must be less than"),
            (("--sweep.suite.seed", "1, 1000000007"), r"point 1: sweep\.evaluate_seed = .*suite\.seed is the same"),
            (("--sweep.family.other.samples", "60"), r"family\.other\.samples = 60: suite\.mixture = tiny:1 does not"),
            (("--sweep.attempts", "0"), r"sweep\.attempts = 0: must be an integer from 1"),
            (("--point", "6"), r"--point 6: the sweep has points 0 to 5"),
            (("--point", "x"), r"--point x: must be a number of --list"),
            (("--list", "--status"), r"at most one of --list, --point, --collect and --status"),
        ]
        runs = in_parallel([lambda more=more: self.execute(*self.arguments("D", *more)) for more, _ in cases])
        for run, (more, names) in zip(runs, cases):
            with self.subTest(more):
                self.assert_refused(run, 2, names)
        self.assertFalse((self.folder / "D/points").exists())

    def test_needs_a_configuration_unless_the_folder_has_one(self):
        self.assert_refused(self.execute("sweep", "--output", "D", "--status"), 2, r"sweep needs --config, .*sweep\.ini")

    def test_other_commands_take_the_file_and_leave_its_sweep(self):
        self.succeed("train", "--config", self.ini, "--output", "T")
        self.assertNotIn("sweep", text(self.open("T/results.h5").attrs["config"]))
        self.ini.write_text(INI + "smaples = 3\n")
        self.assert_refused(self.execute("train", "--config", self.ini, "--output", "T"), 2, "did you mean sweep.samples")

    def test_dry_run_writes_nothing(self):
        run = self.succeed(*self.arguments("D", "--dry-run"), ranks=2)
        self.assertRegex(run.stdout, r"6 points of policy\.keep, meta\.fairness_weight in D: 0 done, 0 failed, 6 left")
        self.assertRegex(run.stdout, r"2 group\(s\) of 1 rank\(s\).*\n.*memory per rank +\d+ MB, of point \d\n.*files.*\n +time +about .* 6 points left")
        self.assertFalse((self.folder / "D").exists())
        big = self.execute(*self.arguments("D", "--dry-run", "--sweep.suite.tasks", "4, 1000000", "--sweep.policy.keep",
                                           "0.7", "--family.tiny.samples", "10000000"))
        self.assert_refused(big, 2, "does not fit: 1 rank.* GB")


class Results(SweepTest):
    def test_one_row_a_point_in_csv_and_hdf5(self):
        out = self.sweep("D").stdout
        self.assertRegex(out, r"6 points of policy\.keep, meta\.fairness_weight in D: 0 done, 0 failed, 6 left")
        self.assertRegex(out, r"all 6 points are done in D; metasieve sweep --output D --collect")
        rows = self.collected("D")
        listed = self.listed()
        self.assertEqual([(row["hash"], row["state"], [row["policy.keep"], row["meta.fairness_weight"]])
                          for row in rows], listed)
        self.assertTrue(all(state == "done" for _, state, _ in listed))
        for row, point in zip(rows, [self.folder / "D/points" / name for name, _, _ in listed]):
            with h5py.File(point / "results.h5") as results, h5py.File(point / "evaluation.h5") as evaluation:
                self.assertEqual(float(row["loss"]), results["history"]["loss"][-1])
                for name in ("accuracy", "loss"):
                    self.assertEqual(float(row[f"validation.{name}"]), results["validation"][name][-1])
                self.assertIn(f"keep = {row['policy.keep']}\n", text(results.attrs["config"]))
                for record in evaluation["summary"]:
                    column = f"{text(record['method'])}.{text(record['metric'])}"
                    for end, field in ((".mean", "mean"), (".low", "low"), (".high", "high")):
                        expected = float(record[field])
                        self.assertEqual(row[column + end], "" if expected != expected else row[column + end])
                        if expected == expected:
                            self.assertEqual(float(row[column + end]), expected)
        with self.open("D/sweep.h5") as file:
            self.assert_root(file, "sweep", False)
            table = file["points"][:]
            self.assertEqual(list(table.dtype.names), list(rows[0]))
            self.assertEqual(table["policy.keep"].dtype, "f8")
            for record, row in zip(table, rows):
                for name, value in row.items():
                    if name in ("hash", "state"):
                        self.assertEqual(text(record[name]), value)
                    else:
                        self.assertEqual(str(float(record[name])), str(float(value or "nan")), name)
            self.assertEqual(sorted(set(file["summary"]["index"])), list(range(6)))
        self.assertRegex(self.succeed("verify", "D/sweep.h5").stdout, "sound metasieve-sweep file")
        self.assertRegex(self.succeed("inspect", "D/sweep.h5").stdout, r"/points\n +records +6\n")

    def test_a_point_is_what_train_makes_of_its_settings(self):
        self.sweep("D", "--sweep.policy.keep", "0.7", "--sweep.meta.fairness_weight", "1")
        self.succeed("train", "--config", self.ini, "--output", "T", "--policy.keep", "0.7", "--meta.fairness_weight", "1")
        self.assertEqual((self.points()[0] / "policy.h5").read_bytes(), (self.folder / "T/policy.h5").read_bytes())

    def test_groups_of_ranks_and_an_array_find_the_same(self):
        rows = None
        for folder, more, ranks in (("A", (), 2), ("B", ("--sweep.ranks_per_point", "2"), 4),
                                    ("C", ("--sweep.ranks_per_point", "0"), 3)):
            self.sweep(folder, *more, ranks=ranks)
            found = without_clocks(self.collected(folder))
            rows = rows or found
            self.assertEqual(found, rows)
        for index in range(6):
            run = self.sweep("D", "--point", index, ranks=ALONE)
            self.assertIn(f"point {index} (", run.stdout)
        self.assertEqual(without_clocks(self.collected("D")), rows)

    def test_trains_on_a_suite_and_evaluates_on_data_sets(self):
        self.succeed("generate", "--config", self.ini, "--output", "suite.h5")
        for seed, name in enumerate(("one", "two")):
            write_dataset(self.folder / f"{name}.h5", seed=seed)
        more = ("--suite", "suite.h5", "--dataset", "one.h5", "two.h5", "--evaluate.splits", "3")
        self.sweep("D", *more)
        row = self.collected("D")[0]  # from D/sweep.ini alone
        self.assertIn("one.meta_hard.accuracy.mean", row)
        self.assertIn("two.baseline.eo_gap.high", row)
        write_dataset(self.folder / "two.h5", seed=7)
        self.assertTrue(all(state == "left" for _, state, _ in self.listed(*more)), "another data set, other points")

    def test_without_an_evaluation(self):
        self.sweep("D", "--sweep.evaluate_tasks", "0")
        self.assertEqual([point for point in self.points() if (point / "evaluation.h5").exists()], [])
        self.assertEqual({row["state"] for row in self.collected("D")}, {"done"})


class GoingOn(SweepTest):
    def test_done_points_are_skipped_and_a_changed_sweep_is_told(self):
        self.sweep("D")
        before = tree(self.folder / "D/points")
        self.assertRegex(self.sweep("D").stdout, "6 done, 0 failed, 0 left")
        self.assertEqual(tree(self.folder / "D/points"), before)
        out = self.sweep("D", "--sweep.policy.keep", "0.7, 0.8, 0.9").stdout
        self.assertRegex(out, r"changed since the last run here: .*sweep\.policy\.keep = 0\.7, 0\.8, 0\.9 \(was 0\.6, ")
        self.assertRegex(out, r"6 points of .*: 4 done, 0 failed, 2 left \(2 new\)")
        self.assertRegex(out, r"note: 2 points there .* are of another configuration")
        rows = self.collected("D")
        self.assertEqual([row["policy.keep"] for row in rows], ["0.7", "0.7", "0.8", "0.8", "0.9", "0.9"])
        self.assertEqual({row["state"] for row in rows}, {"done"})
        out = self.succeed(*self.arguments("D", "--list", "--meta.clip", "3")).stdout
        self.assertRegex(out, r"0 done, 0 failed, 6 left\n.*note: 8 points there")
        out = self.succeed(*self.arguments("D", "--list", "--output.log_every", "3", "--run.margin_minutes", "3")).stdout
        self.assertRegex(out, "6 done", "what changes no result changes no point")

    def test_a_point_that_fails_is_reported_and_repeated_on_request(self):
        values = ("--sweep.meta.learning_rate", "1e-3, 1e300")
        poison = (*values, "--run.max_failed", "0")
        run = self.sweep("D", *poison, code=4)
        self.assertRegex(messages(run)[0], r"6 of 12 points failed: 1 \([0-9a-f]{16}\): .*; \.\.\.; remove .*--retry")
        self.assertEqual(len(messages(run)), 1)
        status = self.succeed(*self.arguments("D", "--status", *poison)).stdout
        self.assertRegex(status, r"6 done, 6 failed, 0 left")
        self.assertRegex(status, r"failed: 1 \(\w+\), exit code 4: .*max_failed")
        self.assertRegex(status, r"core-hours: \S+ spent, about 0 left")
        before = tree(self.folder / "D/points")
        self.sweep("D", *poison, code=4)
        self.assertEqual(tree(self.folder / "D/points"), before, "failed points are left alone")
        self.assertEqual([row["state"] for row in self.collected("D")].count("failed"), 6)
        run = self.execute(*self.arguments("D", *poison, "--point", "1"))
        self.assert_refused(run, 4, r"point 1 \(\w+\) failed: .*--retry")
        self.sweep("D", *values, "--retry", "--run.max_failed", "1")
        self.assertEqual({row["state"] for row in self.collected("D")}, {"done"})

    def test_a_point_whose_process_dies_is_tried_twice(self):
        slow = ("--sweep.meta.fairness_weight", "1", "--sweep.policy.keep", "0.7", "--meta.iterations", "100000")
        point = self.folder / "D/points" / self.listed(*slow)[0][0]
        for death in (1, 2):
            job = self.start("D", *slow)
            self.wait_until(lambda: status_of(point).get("state") == "running" and
                            status_of(point).get("attempts") == str(death), f"it runs for the {death}. time")
            pid = int(re.search(r"process (\d+)", status_of(point)["place"])[1])
            os.kill(pid, signal.SIGKILL)
            self.assertNotEqual(job.wait(TIMEOUT), 0)
            self.assertRegex(self.succeed(*self.arguments("D", "--status", *slow)).stdout, "died, to be begun again: 0 ")
        run = self.sweep("D", *slow, code=4)
        self.assertRegex(messages(run)[0], r"1 of 1 points failed: 0 \(\w+\): its process died 2 time\(s\), the last on ")
        run = self.execute(*self.arguments("D", *slow, "--point", "0"))
        self.assertEqual(run.returncode, 70, run.stderr)
        self.assertNotIn("running", self.succeed(*self.arguments("D", "--status", *slow)).stdout)

    def kill_job(self, folder, more, when, victims):
        """Starts it, and kills the processes `victims(job)` once `when` points are done."""
        job = self.start(folder, *more)
        self.wait_until(lambda: self.done(folder) >= when, f"{when} points are done")
        for pid in victims(job):
            os.kill(pid, signal.SIGKILL)
        self.assertNotEqual(job.wait(TIMEOUT), 0)

    def test_poisoned_and_killed_it_ends_as_an_undisturbed_one(self):
        seeds = max(POINTS // 6, 3)
        rates = ["1e-3"] * seeds
        rates[seeds // 2] = "1e300"  # six points that fail
        more = ("--sweep.meta.seed", ",".join(map(str, range(1, seeds + 1))), "--sweep.meta.learning_rate",
                ",".join(rates), "--sweep.together", "meta.seed, meta.learning_rate", "--run.max_failed", "0")
        count = 6 * seeds
        self.sweep("A", *more, code=4)
        expected = without_clocks(self.collected("A"))
        states = [row["state"] for row in expected]
        self.assertEqual([states.count("done"), states.count("failed")], [count - 6, 6])

        self.kill_job("B", more, count // 4, lambda job: children(job.pid)[:1])  # as a point that kills its process
        self.kill_job("B", more, count // 2, lambda job: [*children(job.pid), job.pid])
        done = self.done("B")
        self.assertLess(done, count - 6)
        out = self.sweep("B", *more, code=4).stdout
        self.assertRegex(out, f"{done} done, [0-6] failed, ")
        self.assertEqual(without_clocks(self.collected("B")), expected)
        for a, b in zip(self.points("A"), self.points("B")):
            if (a / "policy.h5").exists():
                self.assertEqual((a / "policy.h5").read_bytes(), (b / "policy.h5").read_bytes())

    def test_a_point_that_needs_too_much_memory_fails_alone(self):
        more = ("--sweep.suite.tasks", "3000000, 4", "--sweep.policy.keep", "0.7", "--sweep.meta.fairness_weight", "0")
        limited = ["sh", "-c", "ulimit -v 1200000; exec \"$@\"", "sh", *words(ALONE, *self.arguments("D", *more))]
        run = execute(limited, self.folder, timeout=TIMEOUT)
        self.assert_refused(run, 4, r"1 of 2 points failed: 0 \(\w+\): out of memory: ")
        self.assertEqual(self.done("D"), 1)

    def test_a_signal_stops_it_and_it_goes_on(self):
        long = ("--sweep.policy.keep", "0.6, 0.7", "--meta.iterations", "6000")
        job = self.start("B", *long)
        logs = lambda: [log.read_text() for log in (self.folder / "B").glob("points/*/log.txt")]
        self.wait_until(lambda: sum("iteration" in log for log in logs()) >= 2, "both groups are at work")
        job.send_signal(signal.SIGUSR1)
        _, err = job.communicate(timeout=TIMEOUT)
        self.assertEqual(job.returncode, 75, err)
        self.assertRegex(err, r"metasieve: stopped by SIGUSR1 with \d of 4 points done, .*; run the same command")
        kept = [p for p in self.points("B") if status_of(p)["state"] == "left"]
        self.assertTrue(kept)
        self.sweep("B", *long, "--resume")
        self.assertRegex((kept[0] / "log.txt").read_text(), "resuming from .*: iteration [1-9]")
        self.sweep("A", *long)
        self.assertEqual(without_clocks(self.collected("B")), without_clocks(self.collected("A")))

    def test_a_time_limit_stops_it_after_some_progress(self):
        limit = ("--run.max_minutes", "1e-9", "--sweep.policy.keep", "0.7", "--sweep.meta.fairness_weight", "1")
        run = self.sweep("D", *limit, code=75, ranks=ALONE)
        self.assertRegex(messages(run)[0], "stopped by the time limit with 0 of 1 points done")
        for _ in range(20):
            run = self.execute(*self.arguments("D", *limit))
            if run.returncode == 0:
                break
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_two_runs_at_once_make_each_point_once(self):
        more = self.many()
        jobs = [self.start("D", *more, ranks=1), self.start("D", *more, ranks=1)]
        codes = {job.wait(TIMEOUT) for job in jobs}
        self.assertLessEqual(codes, {0, 75})
        self.assertIn(0, codes)
        for point in self.points():
            self.assertEqual((point / "log.txt").read_text().count("no checkpoint in"), 1, point)
        self.assertEqual({row["state"] for row in self.collected("D")}, {"done"})

    def test_all_may_run_an_array_at_once(self):
        runs = in_parallel([lambda i=i: self.execute(*self.arguments("D", "--point", i)) for i in range(6)])
        self.assertEqual([run.returncode for run in runs], [0] * 6, runs)
        self.assertEqual({row["state"] for row in self.collected("D")}, {"done"})

    def test_a_damaged_status_is_no_obstacle(self):
        self.sweep("D")
        first, second, third, *_ = self.points()
        (first / "status.txt").write_bytes(b"\xff\x00 state = nonsense")
        set_status(second, state="running", attempts=1)
        (second / "claim").write_text("elsewhere, process 1, since 2001")  # of a killed process: nobody locks it
        self.assertRegex(self.sweep("D").stdout, "4 done, 0 failed, 2 left")
        self.assertEqual(status_of(first)["state"], "done")
        self.assertEqual(status_of(second)["state"], "done")
        bits = bytearray((third / "evaluation.h5").read_bytes())
        bits[len(bits) // 2] ^= 1
        (third / "evaluation.h5").write_bytes(bits)
        self.assertEqual(sorted(row["state"] for row in self.collected("D")), ["done"] * 5 + ["left"])
        self.assertRegex(self.sweep("D").stdout, "5 done, 0 failed, 1 left")
        self.assertEqual({row["state"] for row in self.collected("D")}, {"done"})


if __name__ == "__main__":
    unittest.main()
