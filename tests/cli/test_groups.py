"""Data sets with two, three, many groups and with one: evaluate and score, with h5py as the reader of every file."""

import re

import h5py
import numpy as np

from support import ALONE, TRAIN, FilesTest, in_parallel, text, unittest, write_dataset

RACES = ["White", "Black, not Hispanic", "größer"]
RELATIVE = ("--policy.features", "relative")  # features that serve any number of groups
RATES = ["accuracy", "positive_rate", "true_positive_rate", "false_positive_rate"]
GROUPS = ["source", "split", "policy", "method", "group", "rows", "positives", *RATES]
SUMMARY = """source method group name rows metric mean low high baseline_change baseline_change_low
baseline_change_high baseline_relative splits policies policy_sd""".split()
T_2 = 4.302652730  # Student's t with 2 degrees of freedom, 97.5 %, of the tables


def mean(values):
    """The mean of what is defined; NaN, without a word, of nothing."""
    defined = values[~np.isnan(values)]
    return defined.mean() if defined.size else np.nan


def spread(rates):
    """Largest less least of the defined rates; NaN of fewer than two."""
    defined = rates[~np.isnan(rates)]
    return defined.max() - defined.min() if defined.size > 1 else np.nan


class Groups(FilesTest):
    def evaluate(self, *words, **options):
        return self.succeed("evaluate", "--evaluate.splits", "3", *words, **options)

    def test_the_groups_of_a_file_make_up_its_metrics(self):
        write_dataset(self.folder / "two.h5", rows=150)
        write_dataset(self.folder / "three.h5", rows=240, groups=RACES)
        write_dataset(self.folder / "parts.h5", rows=260, groups=RACES, split=True, seed=3)
        in_parallel([lambda s=seed: self.succeed(*TRAIN, *RELATIVE, "--meta.seed", s, "--output", s) for seed in "12"])
        words = ("--policy", "1/policy.h5", "2/policy.h5", "--dataset", "two.h5", "three.h5", "parts.h5")
        run, _ = in_parallel([lambda: self.evaluate(*words, "--output", "e.h5"),
                              lambda: self.evaluate(*words, "--output", "ranks.h5", ranks=3)])

        file, ranks = self.open("e.h5"), self.open("ranks.h5")
        groups, summary, evaluation = (file[name][()] for name in ("groups", "group_summary", "evaluation"))
        for name in file:
            self.assertEqual(file[name][()].tobytes(), ranks[name][()].tobytes(), name)
        self.assertEqual(list(groups.dtype.names), GROUPS)
        self.assertEqual(list(summary.dtype.names), SUMMARY)
        self.assertEqual(evaluation["failed"].sum(), 0)
        names = {"two": ["not every third", "every third"], "three": RACES, "parts": RACES}
        for fit in evaluation:
            self.check_fit(fit, groups, len(names[text(fit["source"])]))
        self.assertEqual(len(groups), sum(len(names[text(fit["source"])]) for fit in evaluation))
        self.assertEqual(len(summary), sum(len(names[source]) * len(np.unique(evaluation["method"])) * len(RATES)
                                           for source in names))
        for row in summary:
            self.assertEqual(text(row["name"]), names[text(row["source"])][row["group"]])
            self.check_summary(row, groups)
        with h5py.File(self.folder / "parts.h5") as data:
            test = data["split"][()] == 1
            for group in range(3):
                rows = groups[(groups["source"] == b"parts") & (groups["group"] == group)]
                mine = test & (data["z"][()] == group)
                self.assertEqual(set(rows["rows"]), {mine.sum()})
                self.assertEqual(set(rows["positives"]), {data["y"][mine].sum()})
        self.assertEqual(len(re.findall("(?m)^  group, baseline -> meta_soft +rows", run.stdout)), 3)
        self.assertRegex(run.stdout, r"(?m)^  größer +\d+  [01]\.\d+ -> [01]\.\d+  ")
        self.check_pair(run.stdout, summary)

    def check_fit(self, fit, groups, count):
        """The metrics of a fit, from those of its groups alone."""
        same = np.all([groups[name] == fit[name] for name in ("source", "split", "method", "policy")], axis=0)
        mine = groups[same]
        where = " ".join(str(fit[name]) for name in ("source", "split", "method", "policy"))
        self.assertEqual(mine["group"].tolist(), list(range(count)), where)
        rows, positives = mine["rows"], mine["positives"]
        self.assertEqual(rows.sum(), {b"two": 45, b"three": 72, b"parts": 65}[fit["source"]])
        self.assertTrue((rows > 0).all() and (positives < rows).all() and (positives > 0).all(), where)
        accuracy, positive, true, false = (mine[rate] for rate in RATES)
        np.testing.assert_allclose(accuracy * rows, true * positives + (1 - false) * (rows - positives), atol=1e-9)
        np.testing.assert_allclose(positive * rows, true * positives + false * (rows - positives), atol=1e-9)
        for metric, value in (("accuracy", (accuracy * rows).sum() / rows.sum()),
                              ("positive_rate", (positive * rows).sum() / rows.sum()),
                              ("worst_group_accuracy", accuracy.min()),
                              ("dp_gap", spread(positive)), ("eopp_gap", spread(true)),
                              ("eo_gap", max(spread(true), spread(false)))):
            self.assertAlmostEqual(fit[metric], value, 12, f"{where} {metric}")

    def check_summary(self, row, groups):
        mine = groups[(groups["source"] == row["source"]) & (groups["group"] == row["group"])]
        of_label = {"true_positive_rate": mine["positives"], "false_positive_rate": mine["rows"] - mine["positives"]}
        metric, where = text(row["metric"]), str(row)
        self.assertAlmostEqual(row["rows"], of_label.get(metric, mine["rows"]).mean(), 9)

        def values_of(method):  # by split, the mean over the policies
            rows = mine[mine["method"] == method]
            return np.array([mean(rows[rows["split"] == split][metric]) for split in np.unique(mine["split"])])

        values, base = values_of(row["method"]), values_of(b"baseline")
        self.assertEqual(row["splits"], (~np.isnan(values)).sum())
        self.assertEqual(row["policies"], 2 if re.match(b"meta|trained", row["method"]) else 1)
        self.assertAlmostEqual(row["mean"], mean(values), 12, where)
        self.assertAlmostEqual(row["baseline_change"], mean(values - base), 12, where)
        for name, numbers in (("", values), ("baseline_change_", values - base)):
            middle = row["mean" if not name else "baseline_change"]
            low, high = row[f"{name}low"], row[f"{name}high"]
            if row["source"] == b"parts":  # over its test rows
                self.assertTrue(low <= middle + 1e-9 and middle <= high + 1e-9, where)
            else:  # Nadeau and Bengio (2003)
                test = {b"two": 45 / 105, b"three": 72 / 168}[row["source"]]
                half = T_2 * np.std(numbers, ddof=1) * np.sqrt(1 / 3 + test)
                np.testing.assert_allclose([low, high], [middle - half, middle + half], atol=1e-8, err_msg=where)

    def check_pair(self, out, summary):
        """The pair that the console names has the largest difference of mean rates."""
        found = re.findall(r"(?m)^  EO gap (\d\.\d+) of baseline's mean rates: (true|false) positive rate of (.*?) "
                           r"(\d\.\d+), of (.*?) (\d\.\d+)", out)
        self.assertEqual(len(found), 3, out)
        for source, (gap, kind, high, _, low, _) in zip((b"two", b"three", b"parts"), found):
            of = summary[(summary["source"] == source) & (summary["method"] == b"baseline")]
            rates = {one: {text(row["name"]): row["mean"] for row in of
                           if row["metric"] == f"{one}_positive_rate".encode()} for one in ("true", "false")}
            self.assertAlmostEqual(rates[kind][high] - rates[kind][low],
                                   max(spread(np.array([*of_kind.values()])) for of_kind in rates.values()))
            self.assertAlmostEqual(float(gap), rates[kind][high] - rates[kind][low], delta=0.0051)

    def test_one_group(self):
        """There is no gap: none is printed, none is judged, and in the file it is 0."""
        write_dataset(self.folder / "data.h5", rows=300, groups=["all"])
        write_dataset(self.folder / "parts.h5", rows=300, groups=["all"], split=True)
        self.succeed(*TRAIN, *RELATIVE, "--output", "out")
        policy = ("--policy", "out/policy.h5")

        run, _, scored = in_parallel([
            lambda: self.evaluate(*policy, "--dataset", "data.h5", "parts.h5", "--output", "e.h5"),
            lambda: self.evaluate(*policy, "--dataset", "data.h5", "parts.h5", "--output", "ranks.h5", ranks=2),
            lambda: self.succeed("score", *policy, "--dataset", "data.h5", "--output", "s.h5")])

        self.assertNotRegex(run.stdout, "gap|roh_|worst gr|group, baseline|group 0")
        self.assertRegex(run.stdout, r"(?m)^the policy on data: accuracy [^,]* \[[^,]*,[^,]*\] against the fit on all")
        file = self.open("e.h5")
        evaluation, groups = file["evaluation"][()], file["groups"][()]
        for name in file:
            self.assertEqual(file[name][()].tobytes(), self.open("ranks.h5")[name][()].tobytes(), name)
        self.assertEqual(evaluation["failed"].sum(), 0)
        for metric in ("dp_gap", "eo_gap", "eopp_gap", "roh_dp", "roh_eo", "dp_floor", "eo_floor", "minority_share"):
            self.assertEqual(set(evaluation[metric]), {0}, metric)
        self.assertEqual(len(groups), len(evaluation))
        for name in ("accuracy", "positive_rate"):
            np.testing.assert_array_equal(groups[name], evaluation[name])
        self.assertEqual(set(groups["rows"]), {90, 75})
        self.assertEqual({text(row["name"]) for row in file["group_summary"][()]}, {"all"})
        kinds = {text(row["kind"]) for row in file["findings"][()]}
        self.assertIn("accuracy", kinds)
        self.assertNotIn("fairness", kinds)
        self.assertRegex(scored.stdout, r"(?m)^  label 0: \d+ of \d+$")
        self.assertNotIn("group", scored.stdout)
        self.assertEqual(set(self.open("s.h5")["scores"]["z"]), {0})

    def test_scores_of_three_groups(self):
        write_dataset(self.folder / "data.h5", groups=RACES)
        self.succeed(*TRAIN, *RELATIVE, "--output", "out")

        run = self.succeed("score", "--policy", "out/policy.h5", "--dataset", "data.h5", "--output", "s.h5", ranks=2)

        scores, data = self.open("s.h5")["scores"][()], self.open("data.h5")
        np.testing.assert_array_equal(scores["z"], data["z"][()])
        self.assertEqual(scores["selected"].sum(), 56)
        table = np.genfromtxt(self.folder / "s.csv", delimiter=",", names=True)
        np.testing.assert_array_equal(table["z"], scores["z"])
        for label in (0, 1):
            for group, name in enumerate(RACES):
                mine = (scores["y"] == label) & (scores["z"] == group)
                kept = scores["selected"][mine].sum()
                self.assertIn(f"  label {label}, group {group} ({name}): {kept} of {mine.sum()}\n", run.stdout)

    def test_small_groups_are_named_and_gaps_are_not_judged(self):
        path = write_dataset(self.folder / "data.h5", rows=300, groups=RACES)
        with h5py.File(path, "r+") as file:
            z = np.arange(300) % 2
            z[:20] = 2  # about six of them are for testing
            file["z"][...] = z
        self.succeed(*TRAIN, *RELATIVE, "--output", "out")

        run = self.evaluate("--policy", "out/policy.h5", "--dataset", "data.h5", "--output", "e.h5")

        findings = self.open("e.h5")["findings"][()]
        small = findings[findings["kind"] == b"small"]
        self.assertEqual([text(row["group"]) for row in small], ["größer"])
        self.assertIn(text(small[0]["metric"]), ("true_positive_rate", "false_positive_rate"))
        self.assertRegex(text(small[0]["text"]), r"^WARNING: group 'größer' has \d test rows? of label [01] a split")
        self.assertIn(text(small[0]["text"]), run.stdout)
        self.assertNotIn(b"fairness", findings["kind"])

    def test_dry_run_counts_many_groups(self):
        """Within 20 % and 60 kB, as of other sources."""
        write_dataset(self.folder / "data.h5", rows=600, groups=[f"group {i}" for i in range(20)])
        self.succeed(*TRAIN, *RELATIVE, "--output", "out")
        words = ("--policy", "out/policy.h5", "--dataset", "data.h5", "--output", "e.h5")

        said = float(re.search(r"e.h5, ([\d.]+) MB", self.evaluate(*words, "--dry-run").stdout)[1]) * 1e6
        out = self.evaluate(*words).stdout

        size = (self.folder / "e.h5").stat().st_size
        self.assertLess(abs(said - size), 0.2 * size + 6e4, (said, size))
        self.assertRegex(out, r"(?m)^  8 more groups, see /group_summary$")

    def test_resume_keeps_the_groups(self):
        write_dataset(self.folder / "data.h5", rows=240, groups=RACES)
        self.succeed(*TRAIN, *RELATIVE, "--output", "out")
        words = ("--policy", "out/policy.h5", "--dataset", "data.h5")
        self.evaluate(*words, "--output", "whole.h5")

        stopped = self.execute("evaluate", "--evaluate.splits", "3", *words, "--output", "e.h5", "--run.max_minutes",
                               "1e-9")
        self.assertEqual(stopped.returncode, 75, stopped.stderr)
        self.evaluate(*words, "--output", "e.h5", "--resume", ranks=2)

        for name in ("groups", "group_summary"):
            self.assertEqual(self.open("e.h5")[name][()].tobytes(), self.open("whole.h5")[name][()].tobytes(), name)

    def test_a_policy_for_two_groups_scores_no_others(self):
        write_dataset(self.folder / "data.h5", rows=240, groups=RACES)
        self.succeed(*TRAIN, "--policy.features", "context", "--output", "out")
        for command in (("score",), ("score", "--dry-run"), ("evaluate",)):
            for ranks in (ALONE, 2):
                with self.subTest(command, ranks=ranks):
                    run = self.execute(*command, "--policy", "out/policy.h5", "--dataset", "data.h5", "--output",
                                       "scores.h5", ranks=ranks)
                    self.assertEqual(run.returncode, 2)
                    self.assertIn("policy.features = context: serves two groups, and a task has 3", run.stderr)
                    self.assertFalse((self.folder / "scores.h5").exists())

    def test_suites_have_no_table_of_groups(self):
        """Their groups have no identity from task to task; where each task has one, there is no gap either."""
        self.succeed(*TRAIN, *RELATIVE, "--output", "out")
        for groups in ("1", "3"):
            with self.subTest(groups):
                suite = ("--suite.tasks", "6", "--suite.validation_tasks", "0", "--suite.mixture", "tiny:1,more:1")
                self.succeed("generate", *suite, "--family.tiny.samples", "150", "--family.more.samples", "160",
                             "--family.tiny.groups", groups, "--family.more.groups", groups, "--output", "suite.h5")

                run = self.succeed("evaluate", "--policy", "out/policy.h5", "--suite", "suite.h5", "--output", "e.h5")

                with h5py.File(self.folder / "e.h5") as file:
                    self.assertFalse({"groups", "group_summary"} & set(file))
                    self.assertEqual(file["detection"]["group"].max(), int(groups) - 1)
                    self.assertEqual(b"fairness" in file["findings"]["kind"], groups == "3")
                (self.assertNotIn if groups == "1" else self.assertIn)("EO gap", run.stdout)


if __name__ == "__main__":
    unittest.main()
