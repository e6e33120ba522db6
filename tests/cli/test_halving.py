#!/usr/bin/env python3
"""metasieve sweep with sweep.halving and sweep.keep = table: who is promoted, that nothing depends on ranks, jobs and
kills, and what is kept."""

import math
import os
import signal
import subprocess
import unittest

import h5py

import test_sweep
from support import ALONE, MPI, children, tree, words

RATES = "1e-4, 1e-3, 3e-3, 2e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1"
RUNGS = (1, 3, 9)
INI = test_sweep.INI.replace("iterations = 3", "iterations = 9\nvalidate_every = 0") \
    .replace("policy.keep = 0.6, 0.7, 0.8\nmeta.fairness_weight = 0, 1", f"meta.learning_rate = {RATES}\nhalving = 3") \
    + "\n[run]\nmax_failed = 1\n"
FULL = ("--sweep.halving", "0", "--meta.validate_every", "1")


def promoted(losses, factor=3):
    """The rungs that each point passes, by {point: [loss after each rung]} of the full grid."""
    passed, members = dict.fromkeys(losses, 1), sorted(losses)
    for rung in range(len(RUNGS) - 1):
        ranked = sorted(members, key=lambda i: (losses[i][rung], i))
        members = sorted(ranked[:math.ceil(len(members) / factor)])
        for i in members:
            passed[i] = rung + 2
    return passed


class HalvingTest(test_sweep.SweepTest):
    def setUp(self):
        super().setUp()
        self.ini.write_text(INI)

    def table(self, folder):
        return test_sweep.without_clocks(self.collected(folder))

    def point(self, folder, row):
        return self.folder / folder / "points" / row["hash"]

    def passed(self, folder):
        """Rungs that all points together have passed."""
        losses = [test_sweep.status_of(point).get("losses", "") for point in (self.folder / folder).glob("points/*")]
        return sum(len(text.split(",")) for text in losses if text)


class Rungs(HalvingTest):
    def test_winners_are_those_by_the_losses_of_the_full_grid(self):
        self.sweep("F", *FULL)
        out = self.sweep("H").stdout
        self.assertIn("rungs: 9 for 1/9, 3 for 1/3, 1 for all of their iterations\n", out)
        self.assertIn("all 9 points are done or dropped in H", out)
        full, found = self.collected("F"), self.table("H")
        losses, numbers = {}, {}
        for i, row in enumerate(full):
            with h5py.File(self.point("F", row) / "results.h5") as results:
                validation = {int(record["iteration"]): record for record in results["validation"]}
                numbers[i] = {int(record["iteration"]): float(record["loss"]) for record in results["history"]}
            losses[i] = [float(validation[end]["loss"]) for end in RUNGS]
        expected = promoted(losses)
        self.assertEqual([int(row["rung"]) for row in found], [expected[i] for i in range(9)])
        self.assertEqual(sorted(expected.values()), [1] * 6 + [2] * 2 + [3])
        for i, row in enumerate(found):
            end = RUNGS[expected[i] - 1]
            self.assertEqual(row["meta.learning_rate"], full[i]["meta.learning_rate"])
            self.assertEqual((row["state"], int(row["iterations"])), ("done" if end == 9 else "dropped", end))
            for name, value in (("validation.loss", losses[i][expected[i] - 1]), ("loss", numbers[i][end])):
                self.assertEqual(float(row[name]), value)
            self.assertEqual(row["meta_hard.accuracy.mean"] == "", end < 9, "only the last rung is evaluated")
            if end == 9:
                for name in row.keys() & full[i].keys() - {"hash"}:
                    self.assertEqual(row[name], full[i][name], name)
                self.succeed("train", "--config", self.ini, "--output", "T", "--meta.learning_rate",
                             row["meta.learning_rate"])
                self.assertEqual((self.point("H", row) / "policy.h5").read_bytes(),
                                 (self.folder / "T/policy.h5").read_bytes())
        self.assertRegex(out, f"least validation loss is that of point {list(expected.values()).index(3)} ")

    def test_the_table_does_not_depend_on_ranks_groups_and_jobs(self):
        rows = None
        for folder, more, ranks in (("A", (), ALONE), ("B", (), 3), ("C", ("--sweep.ranks_per_point", "2"), 3),
                                    ("D", ("--sweep.ranks_per_point", "2"), 4),
                                    ("E", ("--sweep.ranks_per_point", "0"), 2)):
            self.sweep(folder, *more, ranks=ranks)
            found = self.table(folder)
            rows = rows or found
            self.assertEqual(found, rows, folder)
        jobs = [self.start("J", ranks=1), self.start("J", ranks=1)]
        codes = {job.wait(test_sweep.TIMEOUT) for job in jobs}
        self.assertLessEqual(codes, {0, 75})
        self.assertIn(0, codes)
        self.assertEqual(self.table("J"), rows)
        said = []
        for _ in range(3):
            said += [self.sweep("P", "--point", i, ranks=ALONE).stdout for i in range(9)]
        self.assertEqual(self.table("P"), rows)
        self.assertRegex(said[0], r"point 0 \(\w+\) waits for the other points after rung 1 of 3")
        self.assertRegex("".join(said), r"is dropped after rung 1 of 3\n")

    def test_killed_at_any_rung_it_ends_as_an_undisturbed_one(self):
        more = ("--sweep.meta.seed", "1, 2, 3", "--sweep.attempts", "100")  # 27 + 9 + 3 trainings
        self.sweep("A", *more)
        expected = self.table("A")
        for when in (5, 20, 29):
            job = self.start("B", *more)
            self.wait_until(lambda: self.passed("B") >= when, f"{when} trainings are done")
            for pid in (*children(job.pid), job.pid):
                os.kill(pid, signal.SIGKILL)
            job.wait(test_sweep.TIMEOUT)
        self.sweep("B", *more, ranks=3)
        self.assertEqual(self.table("B"), expected)
        self.assertEqual(self.passed("B"), 39, "no point trained further than it was promoted")

    def test_a_failed_point_blocks_no_rung_and_may_be_repeated(self):
        self.sweep("A")
        expected = self.table("A")
        best = next(i for i, row in enumerate(expected) if row["state"] == "done")
        obstacle = self.point("B", expected[best]) / "policy.h5"
        obstacle.mkdir(parents=True)
        self.sweep("B", code=4)
        found = self.table("B")
        self.assertEqual([row["state"] for row in found].count("failed"), 1)
        self.assertEqual(found[best]["state"], "failed")
        self.assertEqual(sorted(int(row["rung"]) for row in found), [0] + [1] * 5 + [2] * 2 + [3])
        obstacle.rmdir()
        self.sweep("B", "--retry")
        self.assertEqual(self.table("B"), expected, "who was promoted in its place is dropped")

    def test_a_point_whose_loss_is_undefined_is_dropped(self):
        self.sweep("D", "--sweep.meta.learning_rate", "1e300, 1e-3, 3e-3")
        rows = self.table("D")
        self.assertEqual((rows[0]["state"], rows[0]["rung"], rows[0]["validation.loss"]), ("dropped", "1", ""))
        self.assertEqual(sorted(row["rung"] for row in rows), ["1", "1", "2"])

    def test_changed_files_and_lost_states_are_made_good(self):
        self.sweep("A")
        expected = self.table("A")
        done, dropped = [next(row for row in expected if row["state"] == state) for state in ("done", "dropped")]
        (self.point("A", done) / "status.txt").unlink()
        with open(self.point("A", dropped) / "results.h5", "ab") as file:
            file.write(b"more")
        self.assertIn("left", [row["state"] for row in self.table("A")])
        self.sweep("A")
        self.assertEqual(self.table("A"), expected)

    def test_list_and_status_show_the_rungs(self):
        self.sweep("D")
        self.assertEqual(sorted(row[2][0] for row in self.listed()), ["1"] * 6 + ["2"] * 2 + ["3"])
        out = self.succeed(*self.arguments("D", "--status")).stdout
        self.assertRegex(out, r"in D: 1 done, 8 dropped, 0 failed, 0 left\n")
        self.assertIn("rung 1: 9 of 9 points have passed it\nrung 2: 3 of 3 points have passed it\n"
                      "rung 3: 1 of 1 points have passed it\n", out)
        out = self.succeed(*self.arguments("D", "--list", "--sweep.meta.fairness_weight", "0, 1")).stdout
        self.assertIn("compares validation losses, and meta.fairness_weight changes what they measure", out)
        out = self.succeed(*self.arguments("D", "--list", "--sweep.rungs", "2")).stdout
        self.assertIn("rungs: 9 for 1/3, 3 for all of their iterations", out)

    def test_bad_values_are_refused_in_one_line(self):
        for more, names in ((("--sweep.halving", "x"), r"sweep\.halving = x: must be an integer from 0"),
                            (("--sweep.halving", "2.5"), r"sweep\.halving = 2\.5: must be an integer"),
                            (("--sweep.rungs", "y"), r"sweep\.rungs = y: must be an integer from 0"),
                            (("--sweep.keep", "tables"), r"sweep\.keep = tables: must be points \| table"),
                            (("--suite.validation_tasks", "0"),
                             r"sweep\.halving = 3: it ranks by .* suite\.validation_tasks must be > 0"),
                            (("--suite.validation_tasks", "0", "--sweep.halving", "1", "--sweep.keep", "table"),
                             r"sweep\.keep = table: it ranks by .* suite\.validation_tasks must be > 0")):
            with self.subTest(more):
                self.assert_refused(self.execute(*self.arguments("D", *more)), 2, names)
        self.assertFalse((self.folder / "D").exists())


class Tables(HalvingTest):
    def test_a_table_has_the_same_rows_and_keeps_the_best_policy(self):
        for folder, more in (("H", ()), ("G", ("--sweep.halving", "0"))):
            with self.subTest(folder):
                self.sweep(folder + "points", *more)
                out = self.sweep(folder, *more, "--sweep.keep", "table").stdout
                expected, found = self.table(folder + "points"), self.table(folder)
                self.assertEqual(found, expected)
                with self.open(f"{folder}/sweep.h5") as file, self.open(f"{folder}points/sweep.h5") as other:
                    self.assertEqual(file["summary"][:].tobytes(), other["summary"][:].tobytes())
                done = [row for row in found if row["state"] == "done" and row["validation.loss"]]
                best = min(done, key=lambda row: float(row["validation.loss"]))
                self.assertIn(f"that of point {best['index']} ({best['hash']})", out)
                for row in found:
                    names = {path.name for path in self.point(folder, row).iterdir()}
                    kept = {"claim", "row.h5", "status.txt"} | ({"policy.h5"} if row is best else set())
                    self.assertEqual(names, kept)
                    self.succeed("verify", self.point(folder, row) / "row.h5")
                self.assertEqual((self.point(folder, best) / "policy.h5").read_bytes(),
                                 (self.point(folder + "points", best) / "policy.h5").read_bytes())
                before = tree(self.folder / folder / "points")
                self.sweep(folder, *more, "--sweep.keep", "table")
                self.assertEqual(tree(self.folder / folder / "points"), before)
                with open(self.point(folder, found[0]) / "row.h5", "ab") as file:
                    file.write(b"more")
                self.assertEqual(self.table(folder)[0]["state"], "left")
                self.sweep(folder, *more, "--sweep.keep", "table")
                self.assertEqual(self.table(folder), expected)

    def test_folders_become_rows_later_and_killed_it_loses_nothing(self):
        more = ("--sweep.meta.seed", "1, 2, 3", "--sweep.attempts", "100")
        self.sweep("A", *more)
        expected = self.table("A")
        self.sweep("A", *more, "--sweep.keep", "table")
        self.assertEqual(len(list((self.folder / "A/points").glob("*/policy.h5"))), 1)
        self.assertEqual(self.table("A"), expected)
        for row in expected[:3]:  # as if it was killed before it removed the rest
            (self.point("A", row) / "log.txt").write_text("left over")
        self.sweep("A", *more, "--sweep.keep", "table")
        self.assertEqual(list((self.folder / "A/points").glob("*/log.txt")), [])
        self.assertEqual(self.table("A"), expected)


class Jobs(HalvingTest):
    def test_status_names_the_slurm_job_of_a_running_point(self):
        long = ("--sweep.halving", "0", "--sweep.meta.learning_rate", "1e-3", "--meta.iterations", "1000000")
        one = {"SLURM_JOB_ID": "77"}
        for folder, slurm, named in (
                ("D", one, "SLURM job 77, since "),
                ("E", one | {"SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "4"}, "SLURM job 70_4, since ")):
            end = {"SLURM_JOB_END_TIME": "4000000000", "OMP_NUM_THREADS": "1"}
            job = subprocess.Popen(words(ALONE, *self.arguments(folder, *long)), cwd=self.folder,
                                   env=os.environ | MPI | end | slurm, stdout=subprocess.DEVNULL)
            self.addCleanup(job.wait)
            self.addCleanup(job.kill)
            points = self.folder / folder / "points"
            self.wait_until(lambda: any(test_sweep.status_of(point).get("state") == "running"
                                        for point in points.glob("*")), "a point runs")
            out = self.succeed(*self.arguments(folder, *long, "--status")).stdout
            self.assertRegex(out, rf"running: 0 \(\w+\) on \S+, process {job.pid}, {named}")


if __name__ == "__main__":
    unittest.main()
