"""--profile: a table of where the time of a run went."""

import json
import math
import re

from support import ALONE, SHORT, TINY, TRAIN, FilesTest, in_parallel, write_dataset

HEADER = ["phase", "min", "s", "mean", "s", "max", "s", "max/mean", "share", "GFLOP", "GFLOP/s", "a", "core"]
METHODS = ("baseline", "greedy", "random", "meta_hard")
FASTEST = 1000  # GFLOP/s: far beyond any core


class Row:
    """A line of the table."""

    def __init__(self, line):
        self.phase, *rest = line.split()
        self.least, self.mean, self.most, self.imbalance = map(float, rest[:4])
        self.share = float(rest[4].rstrip("%"))
        self.gflop, self.rate = map(float, rest[5:]) if len(rest) > 5 else (None, None)


def tables(output):
    """The rows of each table in an output, by phase."""
    lines, found = output.splitlines(), []
    for start, line in enumerate(lines):
        if re.match(r"profile of \d+ rank\(s\) x \d+ thread\(s\)$", line):
            end = next(i for i in range(start, len(lines)) if lines[i].split()[:1] == ["all"])
            assert lines[start + 1].split() == HEADER, lines[start + 1]
            found.append({row.phase: row for row in map(Row, lines[start + 2:end + 1])})
    return found


class ProfileTest(FilesTest):
    def assert_table(self, table, phases):
        self.assertEqual(list(table), [*phases, "rest", "all"])
        *parts, whole = table.values()
        self.assertEqual(whole.share, 100)
        self.assertAlmostEqual(sum(row.share for row in parts), 100, delta=0.05 * len(parts))
        self.assertAlmostEqual(sum(row.mean for row in parts), whole.mean, delta=0.0006 * len(parts))
        for row in table.values():
            self.assertTrue(0 <= row.least <= row.mean <= row.most <= whole.most, row.phase)
            self.assertGreaterEqual(row.imbalance, 1)
            if row.rate is not None:
                self.assertTrue(row.gflop > 0 and math.isfinite(row.rate) and 0 < row.rate < FASTEST, row.phase)

    def test_every_command_prints_one(self):
        write_dataset(self.folder / "data.h5")
        generated, trained = in_parallel([
            lambda: self.succeed("generate", *TINY, "--output", "suite.h5", "--profile"),
            lambda: self.succeed(*TRAIN, "--output", "run", "--profile", ranks=2)])
        policy = ("--policy", "run/policy.h5")
        methods = ("--evaluate.methods", ",".join(METHODS))
        evaluated, scored, frontier = in_parallel([
            lambda: self.succeed("evaluate", *policy, "--suite", "suite.h5", *methods, "--output", "e.h5",
                                 "--profile", ranks=2),
            lambda: self.succeed("score", *policy, "--dataset", "data.h5", "--output", "scores.h5", "--profile"),
            lambda: self.succeed("evaluate", *policy, "--dataset", "data.h5", *methods, "--output", "f.h5",
                                 "--frontier", "--evaluate.splits", "2", "--evaluate.frontier_weights", "0,1",
                                 "--profile")])

        ends = ["idle", "gather", "tables", "write"]
        training = "tasks features make policy inner idle reduce update validate checkpoint write".split()
        for run, phases in (
                (generated, ["make", "idle", "write"]), (trained, training),
                (evaluated, ["read", "make", "features", *METHODS, "response", *ends]),
                (frontier, ["read", "make", "features", *METHODS, "frontier", "response", *ends]),
                (scored, ["read", "features", "score", "write"])):
            table, = tables(run.stdout)
            self.assert_table(table, phases)
        for run, counted in ((trained, {"policy"}), (evaluated, {"response"}), (scored, set())):
            table, = tables(run.stdout)
            self.assertEqual({row.phase for row in table.values() if row.rate is not None}, counted)

    def test_counts_do_not_depend_on_ranks_and_threads(self):
        runs = in_parallel([lambda ranks=ranks, threads=threads: self.succeed(
            *TRAIN, "--output", f"run{ranks}{threads}", "--profile", ranks=ranks, threads=threads)
            for ranks, threads in ((ALONE, 1), (2, 1), (3, 1), (1, 2))])

        counts = [{row.phase: row.gflop for row in tables(run.stdout)[0].values()} for run in runs]
        self.assertTrue(counts[0]["policy"] > 0)
        for other in counts[1:]:
            self.assertEqual(other, counts[0])
        written = [self.open(f"run{name}/results.h5")["flops"][()].tolist() for name in ("01", "21", "31", "12")]
        self.assertEqual([row[0] for row in written[0]], [b"policy"])
        self.assertAlmostEqual(written[0][0][1], 1e9 * counts[0]["policy"], delta=1e-5 * written[0][0][1])
        for other in written[1:]:
            self.assertEqual(other, written[0])

    def test_points_of_sweeps_and_studies_have_one_each(self):
        (self.folder / "sweep.ini").write_text("[sweep]\npolicy.keep = 0.6, 0.7\nevaluate_tasks = 2\n")
        sweep, scaling = in_parallel([
            lambda: self.succeed("sweep", "--config", "sweep.ini", *TINY, *SHORT, "--evaluate.methods",
                                 ",".join(METHODS), "--output", "sweep", "--profile"),
            lambda: self.succeed("scaling", *TINY, *SHORT, "--scaling.kinds", "strong", "--scaling.ranks", "1",
                                 "--scaling.threads", "1", "--scaling.repeats", "2", "--output", "scaling",
                                 "--profile")])

        self.assertEqual(tables(sweep.stdout), [])
        logs = sorted((self.folder / "sweep" / "points").glob("*/log.txt"))
        self.assertEqual(len(logs), 2)
        for log in logs:
            training, evaluation = tables(log.read_text())
            self.assertIn("policy", training)
            self.assertIn("baseline", evaluation)
        table, = tables(scaling.stdout)
        self.assertIn("wait", table)

    def test_nothing_changes_without_it(self):
        plain, profiled = in_parallel([
            lambda: self.succeed(*TRAIN, "--output", "plain"),
            lambda: self.succeed(*TRAIN, "--output", "profiled", "--profile")])

        self.assertEqual(tables(plain.stdout), [])
        self.assertRegex(plain.stdout, r"(?m)^  phase         min s    mean s     max s   max/mean$")
        self.assertNotIn("flops", self.open("plain/results.h5"))
        self.assertEqual((self.folder / "plain/policy.h5").read_bytes(),
                         (self.folder / "profiled/policy.h5").read_bytes())
        self.succeed("verify", "profiled/results.h5")
        shown = json.loads(self.succeed("inspect", "profiled/results.h5", "--json").stdout)
        self.assertIn("/flops", [each["name"] for each in shown["data_sets"]])

    def test_a_run_that_was_complete_has_nothing_to_tell(self):
        self.succeed(*TRAIN, "--output", "run")

        again = self.succeed(*TRAIN, "--output", "run", "--profile", "--resume")

        self.assertEqual(tables(again.stdout), [])
