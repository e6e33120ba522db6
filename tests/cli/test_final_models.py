"""`python3 -m metasieve compare --model`: metrics, statistics, and scikit-learn's models on the splits and selections of
`metasieve evaluate`."""
import csv
import subprocess
import sys
import unittest

import h5py
import numpy as np

from support import MODULE, ROOT, AnalysisTest, execute, words, write_dataset

sys.path[:0] = [str(ROOT / "analysis"), str(MODULE)]
try:
    import pandas as pd
    from scipy import stats  # noqa: F401, what the statistics need
    from metasieve import findings, metrics, statistics
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")
try:
    from metasieve import commands, final_models
    MISSING = None
except (ImportError, commands.UsageError) as error:
    MISSING = error

# Rows of label 0 and 1 in each of three groups, and how many of them are predicted 1.
ROWS, HITS = np.array([[4, 4, 2], [4, 2, 4]]), np.array([[1, 2, 0], [3, 1, 2]])
SELECTIONS = ["baseline", "greedy", "reweighing", "roh", "meta_hard", "meta_soft"]


def rows_of(hits, rows):
    """Returns predictions, labels and groups with these cells, in no order."""
    found = np.array([(k < hits[label, group], label, group) for label in (0, 1) for group in range(rows.shape[1])
                      for k in range(rows[label, group])], "u1")
    return np.random.default_rng(3).permutation(found).T


class Metrics(unittest.TestCase):
    def assert_metrics(self, found, **expected):
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, atol=1e-12, err_msg=name)

    def test_three_groups_by_hand(self):
        predicted, y, group = rows_of(HITS, ROWS)
        hits, rows = metrics.cells_of(predicted, y, group, 3)
        np.testing.assert_array_equal(hits, HITS)
        np.testing.assert_array_equal(rows, ROWS)
        # False positive rates 1/4, 2/4, 0; true positive rates 3/4, 1/2, 1/2; positive rates 4/8, 3/6, 2/6.
        self.assert_metrics(metrics.metrics_of(hits, rows), accuracy=13 / 20, balanced_accuracy=(6 / 10 + 7 / 10) / 2,
                            positive_rate=9 / 20, eo_gap=1 / 2, eopp_gap=1 / 4, dp_gap=1 / 2 - 1 / 3,
                            worst_group_accuracy=1 / 2)

    def test_a_group_without_rows_in_a_cell_is_not_compared(self):
        rows, hits = ROWS.copy(), HITS.copy()
        rows[0, 1] = hits[0, 1] = 0  # the false positive rate 2/4
        self.assert_metrics(metrics.metrics_of(hits, rows), eo_gap=1 / 4, eopp_gap=1 / 4)
        rows[1, 0] = hits[1, 0] = rows[1, 1] = hits[1, 1] = 0  # one group has rows of label 1
        self.assert_metrics(metrics.metrics_of(hits, rows), eo_gap=np.nan, eopp_gap=np.nan, dp_gap=1 / 3 - 0.25,
                            accuracy=7 / 10, worst_group_accuracy=4 / 6)
        self.assertTrue(np.isnan(metrics.floors_of(hits, rows)["eo_floor"]))
        rows[1] = hits[1] = 0  # no row of label 1 at all
        self.assert_metrics(metrics.metrics_of(hits, rows), balanced_accuracy=np.nan, accuracy=5 / 6)

    def test_one_group_has_no_gap(self):
        found = metrics.metrics_of(HITS[:, :1], ROWS[:, :1])
        self.assertEqual(list(found), ["accuracy", "balanced_accuracy", "positive_rate"])
        self.assertEqual(found["accuracy"], 6 / 8)

    def test_many_resamples_are_judged_as_one_by_one(self):
        hits = np.random.default_rng(1).binomial(ROWS, 0.5, (7, 2, 3))
        together = metrics.metrics_of(hits, ROWS)
        for k, one in enumerate(hits):
            self.assert_metrics(metrics.metrics_of(one, ROWS), **{name: value[k] for name, value in together.items()})

    def test_gaps_by_chance(self):
        rows = np.full((2, 2), 100)
        # Equal rates of 1/2: variances 1/400 of each group's rate, 1/800 of all its rows.
        found = metrics.floors_of(rows / 2, rows)
        self.assertAlmostEqual(found["dp_floor"], np.sqrt(2 / np.pi * 2 / 800))
        self.assertAlmostEqual(found["eo_floor"], np.sqrt(2 / np.pi * 4 / 400))
        rows = np.full((2, 3), 100)  # the mean range of three standard normals is 1.693
        self.assertAlmostEqual(metrics.floors_of(rows / 2, rows)["dp_floor"], 1.693 * np.sqrt(1 / 800), delta=1e-3)


class Statistics(unittest.TestCase):
    def test_interval_of_repeated_splits_by_hand(self):
        # s = .1; standard error .1 sqrt(1/3 + 1/2) = .0912871; t(2) at 97.5 % is 4.302653; with two degrees of freedom
        # the tail beyond t is (1 - t / sqrt(2 + t^2)) / 2.
        found = statistics.of_splits(np.array([0.1, np.nan, 0.2, 0.3]), 0.5)
        np.testing.assert_allclose(found, [0.2, 0.2 - 0.392777, 0.2 + 0.392777, 0.159832, 3], atol=1e-6)

    def test_too_few_or_equal_values(self):
        nan = np.nan
        for values, expected in (([0.4], [0.4, nan, nan, nan, 1]), ([nan], [nan, nan, nan, nan, 0]),
                                 ([0.0, 0.0], [0, 0, 0, 1, 2]), ([0.5, 0.5], [0.5, 0.5, 0.5, 0, 2])):
            np.testing.assert_array_equal(statistics.of_splits(np.array(values), 0.43), expected)

    def test_holm(self):
        # In order: .005 <= .05/4, .01 <= .05/3, .03 > .05/2, and with it all that follow fail.
        self.assertEqual(statistics.holm([0.01, 0.04, 0.03, 0.005]).tolist(), [True, False, False, True])
        self.assertEqual(statistics.holm([0.02, np.nan]).tolist(), [True, False])
        self.assertEqual(statistics.holm([0.04, np.nan]).tolist(), [False, False])  # an undefined test counts
        self.assertEqual(statistics.holm([]).tolist(), [])

    def test_resamples_are_of_each_cell_and_the_same_for_all_fits(self):
        y, group = np.repeat([0, 1], 200), np.tile([0, 1], 200)
        # Always 1 in group 0, a coin in group 1: the rate of group 0 is the same in each resample.
        predicted = np.where(group == 0, 1, np.arange(400) // 2 % 2)[:, None].repeat(2, axis=1)
        found = statistics.resampled_metrics(predicted, y, group, 2, seed=5)
        np.testing.assert_array_equal(found["eo_gap"][:, 0], found["eo_gap"][:, 1])
        # dp_gap = 1 - the rate of 200 coins, of which two halves are drawn for themselves.
        self.assertAlmostEqual(found["dp_gap"][:, 0].mean(), 0.5, delta=0.005)
        self.assertAlmostEqual(found["dp_gap"][:, 0].std(), np.sqrt(0.25 / 200), delta=0.004)
        constant = statistics.resampled_metrics((group == 0)[:, None], y, group, 2, seed=5)
        self.assertEqual(constant["accuracy"].std(), 0)

        estimate = statistics.of_resamples(np.array([0.5]), found["dp_gap"][:, 0])
        self.assertAlmostEqual(estimate.high - estimate.low, 2 * 1.96 * np.sqrt(0.25 / 200), delta=0.015)
        self.assertAlmostEqual(estimate.p, 2 / 1001)
        self.assertTrue(np.isnan(statistics.of_resamples(np.array([0.5]), np.array([])).low))

    def test_changes_are_paired_and_undefined_values_left_out(self):
        nan = np.nan
        fits = pd.DataFrame({"method": ["baseline", "meta_soft"] * 3 + ["meta_soft"] * 3,
                             "split": [0, 0, 1, 1, 2, 2, 0, 1, 2], "policy": [0] * 6 + [1] * 3,
                             "accuracy": [0.6, 0.7, 0.7, 0.8, 0.8, 0.9, 0.7, 0.8, 0.9],
                             "eo_gap": [0.4, 0.1, nan, 0.3, 0.2, 0.1, 0.3, 0.3, 0.1]})
        repeats = statistics.Repeats(fits, 0.5)
        base, ours = ({row["metric"]: row for row in repeats.summary() if row["method"] == method}
                      for method in ("baseline", "meta_soft"))
        self.assertAlmostEqual(ours["accuracy"]["baseline_change"], 0.1)
        self.assertAlmostEqual(ours["accuracy"]["baseline_change_low"], 0.1)  # the same in each split, unlike the levels
        self.assertLess(ours["accuracy"]["low"], 0.5)
        self.assertEqual((base["eo_gap"]["splits"], ours["eo_gap"]["splits"], ours["eo_gap"]["policies"]), (2, 3, 2))
        # Mean over the policies first: .2 and .1 against .4 and .2, in the splits where both are defined.
        self.assertAlmostEqual(ours["eo_gap"]["baseline_change"], -0.15)
        self.assertAlmostEqual(ours["eo_gap"]["baseline_relative"], -0.5)
        pair, = repeats.paired(["meta_soft"], ["eo_gap"])
        self.assertEqual((pair["peer"], pair["won"], pair["splits"]), ("baseline", 1.0, 2))


class FakeTable:
    """As final_models.Table."""
    def __init__(self, rows=1000, cells=((50, 50), (50, 50)), has_test_part=False, untrained=()):
        self.rows, self.cells, self.groups, self.untrained = rows, np.array(cells), ["men", "women"], untrained
        self.has_test_part = has_test_part


def cells(change, p=0.001, accuracy=0.0, gap=0.3, floor=0.05):
    """Records of "baseline" and "roh", whose gaps change by so much of that of the baseline."""
    def record(mean, change, p):
        return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "baseline_change": change, "baseline_p": p,
                "baseline_change_low": change - 0.01, "baseline_change_high": change + 0.01,
                "baseline_relative": change / mean}
    found = {}
    for method, share, gain in (("baseline", 0, 0), ("roh", change, accuracy)):
        found[method] = {"accuracy": record(0.7, gain, p), "balanced_accuracy": record(0.7, gain, p),
                         "positive_rate": record(0.4, 0, 1), "eo_floor": record(floor, 0, 1),
                         "dp_floor": record(floor, 0, 1), "eo_gap": record(gap, gap * share, p),
                         "dp_gap": record(gap, gap * share, p)}
    return found


class Findings(unittest.TestCase):
    FITS = pd.DataFrame({"method": ["baseline", "roh"], "positive_rate": [0.4, 0.4], "eo_gap": 0.3, "dp_gap": 0.3})

    def found(self, cells, table=FakeTable(), fits=FITS):
        return findings.findings_of(table, fits, cells)

    def assert_finds(self, found, kind, said):
        self.assertIn((kind, True), [(own, said in text) for own, text in found], found)

    def test_a_gap_is_lowered_or_not(self):
        said = "at a cost of at most 1 point, the EO gap is lowered most by roh, -50 % at -0.5 points"
        self.assert_finds(self.found(cells(-0.5, accuracy=-0.005)), "fairness", said)
        self.assert_finds(self.found(cells(-0.5, accuracy=-0.015)), "fairness", "only at a cost of more than 1 point")
        for no_help in (cells(-0.2), cells(-0.5, p=0.03), cells(-0.5, accuracy=-0.03)):  # small, Holm, balanced accuracy
            self.assert_finds(self.found(no_help), "fairness", "none lowers the EO gap by a quarter beyond chance")
        self.assert_finds(self.found(cells(-0.5, gap=0.07)), "fairness", "near what a fair model shows by chance")

    def test_accuracy_is_raised_or_not(self):
        self.assert_finds(self.found(cells(0, accuracy=0.02)), "accuracy", "raised most by roh, +2.00 points [+1.00, +3.00]")
        for chance in (cells(0, accuracy=0.02, p=0.02), cells(0, accuracy=-0.01)):
            self.assert_finds(self.found(chance), "accuracy", "no selection of rows raises it here beyond chance")

    def test_what_is_too_small_is_said_and_not_judged(self):
        small = self.found(cells(-0.5), FakeTable(rows=199))
        self.assertEqual([kind for kind, _ in small], ["small"])
        cell = self.found(cells(-0.5), FakeTable(cells=((50, 50), (50, 9))))
        self.assert_finds(cell, "small", "group 'women' has 9 test rows of label 1 a split: too few to judge its "
                                         "rates (fewer than 10)")
        self.assertEqual([kind for kind, _ in cell], ["small", "accuracy"])
        part = self.found(cells(0), FakeTable(has_test_part=True, untrained=["women"]))
        self.assert_finds(part, "small", "group 'women' has no training row")
        self.assert_finds(part, "test_part", "cover the chance of its test rows only")

    def test_useless_models_and_undefined_gaps_are_counted(self):
        fits = pd.DataFrame({"method": ["baseline", "roh", "roh"], "positive_rate": [0.4, 0.99, 0.01],
                             "eo_gap": [np.nan, 0.1, 0.1], "dp_gap": 0.1})
        found = self.found(cells(0), fits=fits)
        self.assert_finds(found, "constant", "models: roh 2")
        self.assert_finds(found, "undefined", "left out: baseline 1")


def evaluation(path, *settings):
    """Runs `metasieve evaluate` on a data set. Returns its file, opened."""
    output = path.with_name("evaluation.h5")
    run = execute(words(0, "evaluate", "--config", ROOT / "configs/compare.ini", "--policy", ROOT / "configs/policy.h5",
                        "--dataset", path, "--output", output, *settings), path.parent)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    return h5py.File(output)


class SameStatistics(AnalysisTest):
    """The statistics and findings of the figures of `metasieve evaluate` are those that its file has."""
    METRICS = ["accuracy", "balanced_accuracy", "positive_rate", "eo_gap", "dp_gap", "eopp_gap", "worst_group_accuracy",
               "eo_floor", "dp_floor", "noise_rate_selected"]

    def check(self, rows, groups, *settings):
        path = write_dataset(self.folder / "d.h5", rows=rows, columns=4, groups=groups)
        with evaluation(path, "--evaluate.methods", ",".join(SELECTIONS), "--evaluate.adapt_steps", 20, *settings) as file:
            table, summary, found = (file[name][...] for name in ("evaluation", "summary", "findings"))
        fits = pd.DataFrame({"method": [name.decode() for name in table["method"]], "split": table["split"],
                             "policy": table["policy"]})
        for metric in self.METRICS:
            is_known = table[f"{metric}_defined"] if f"{metric}_defined" in table.dtype.names else True
            fits[metric] = np.where(is_known, table[metric], np.nan)
        test_rows = -(-3 * rows // 10)
        own = statistics.Repeats(fits, test_rows / (rows - test_rows)).summary()
        theirs = {(row["method"].decode(), row["metric"].decode()): row for row in summary}
        for row in own:
            for name in ("mean", "low", "high", "baseline_change", "baseline_change_low", "baseline_change_high",
                         "baseline_relative", "splits"):
                np.testing.assert_allclose(row[name], theirs[row["method"], row["metric"]][name], rtol=0, atol=1e-9,
                                           err_msg=f"{row['method']} {row['metric']} {name}")

        cells = {}
        for row in own:
            cells.setdefault(row["method"], {})[row["metric"]] = row
        with h5py.File(path) as data:
            y, z = data["y"][...], data["z"][...]
        _, of_all = metrics.cells_of(y, y, z, len(groups))
        table = FakeTable(rows, of_all.astype(int) * test_rows // rows)
        table.groups = groups
        self.assertEqual(findings.findings_of(table, fits, cells),
                         [(row["kind"].decode(), row["text"].decode()) for row in found if row["kind"] != b"hidden"])
        return [row["kind"].decode() for row in found]

    def test_two_groups(self):
        kinds = self.check(600, ["A", "B"], "--evaluate.splits", 8)
        self.assertEqual(kinds, ["fairness", "fairness", "accuracy"])

    def test_three_groups_and_more_noise(self):
        self.check(900, ["A", "B", "C"], "--evaluate.splits", 10, "--evaluate.label_noise", 0.3)

    def test_groups_that_are_too_small(self):
        kinds = self.check(400, [f"group {k}" for k in range(30)], "--evaluate.splits", 4)
        self.assertTrue({"small", "accuracy"} <= set(kinds) and "fairness" not in kinds, kinds)

    def test_a_small_table_and_one_repeat(self):
        self.assertIn("small", self.check(150, ["A", "B"], "--evaluate.splits", 4))
        self.assertIn("fairness", self.check(400, ["A", "B"], "--evaluate.splits", 1))


@unittest.skipIf(MISSING, f"{MISSING}")
class SameAsEvaluate(AnalysisTest):
    """Splits, flips, selections and metrics are those of `metasieve evaluate`: with its regression as final model, the
    figures of each split agree."""

    def assert_same(self, path, *settings, **options):
        with evaluation(path, "--evaluate.methods", ",".join([*SELECTIONS, "oracle"]), *settings) as file:
            evaluated = {(int(row["split"]), row["method"].decode()): row for row in file["evaluation"][...]}

        class Regression(final_models.LogisticRegression):
            """The final model of `evaluate`: mean loss + ridge/2 |beta|^2, here times 1/ridge."""
            def fit(self, x, y, sample_weight):
                return super().fit(x, y, sample_weight / sample_weight.sum())

        own, final_models.MODELS["logistic"] = final_models.MODELS["logistic"], Regression(C=1 / 1e-3, tol=1e-9)
        self.addCleanup(final_models.MODELS.__setitem__, "logistic", own)
        fits, _, task = final_models.fits_of(["logistic"], final_models.Table(path), True, [
            final_models.load_policy(str(ROOT / "configs/policy.h5"))], final_models.Settings(**options))
        found = fits["logistic"]

        self.assertTrue({(row.split, row.method) for row in found.itertuples()} <= set(evaluated))
        self.assertEqual(sorted(set(found["method"]) - {"oracle"}), sorted(SELECTIONS))
        one_row = 1.001 / len(task.test_y)  # of which the two solvers may judge one otherwise, at the boundary
        for row in found.to_dict("records"):
            theirs = evaluated[row["split"], row["method"]]
            where = row["split"], row["method"]
            self.assertAlmostEqual(row["noise_rate_selected"], theirs["noise_rate_selected"], 12, where)  # rows, weights
            if row["method"] == "roh":  # there the sampler's own model is judged
                continue
            self.assertAlmostEqual(row["accuracy"], theirs["accuracy"], delta=one_row, msg=where)
            self.assertAlmostEqual(row["positive_rate"], theirs["positive_rate"], delta=one_row, msg=where)
            if abs(row["accuracy"] - theirs["accuracy"]) < 1e-9 and row["positive_rate"] == theirs["positive_rate"]:
                for metric in ("balanced_accuracy", "eo_gap", "dp_gap", "eopp_gap", "worst_group_accuracy"):
                    self.assertAlmostEqual(row[metric], theirs[metric], 9, (where, metric))
        return found

    def test_random_splits(self):
        path = write_dataset(self.folder / "d.h5", rows=600, columns=4)
        found = self.assert_same(path, "--evaluate.splits", 3, "--evaluate.seed", 7, splits=3, seed=7)
        self.assertEqual(len(found), 3 * len(SELECTIONS))  # no oracle: the labels before the flips may be wrong
        noise = found.set_index(["split", "method"])["noise_rate_selected"]
        self.assertAlmostEqual(noise[0, "baseline"], 42 / 420)  # 10 % of 420 training rows
        self.assertNotAlmostEqual(noise[0, "reweighing"], noise[1, "reweighing"])

    def test_fairness_its_weight_and_noise_are_passed_on(self):
        path = write_dataset(self.folder / "d.h5", rows=400, columns=4)
        keys = {"splits": 2, "seed": 3, "fairness": "dp", "label_noise": 0.2, "adapt_fairness_weight": 2.0}
        self.assert_same(path, *(word for key, value in keys.items() for word in (f"--evaluate.{key}", value)), **keys)

    def test_a_test_part_and_clean_labels_of_its_own(self):
        path = write_dataset(self.folder / "d.h5", rows=600, columns=4, split=True)
        with h5py.File(path, "a") as file:
            file["y_clean"] = file["y"][...]
            file["y"][::5] = 1 - file["y"][::5]
        found = self.assert_same(path)
        self.assertEqual((set(found["split"]), len(found)), ({0}, len(SELECTIONS) + 1))  # and the oracle


@unittest.skipIf(MISSING, f"{MISSING}")
class Models(unittest.TestCase):
    def test_rows_of_weight_0_are_not_learnt(self):
        random = np.random.default_rng(2)
        x, x_test = random.normal(size=(200, 2)), random.normal(size=(50, 2))
        y = (x[:, 0] > 0).astype("u1")
        weights = (np.arange(200) % 3 > 0).astype(float)
        for name, model in final_models.MODELS.items():
            with self.subTest(name):
                found = final_models.predictions(model, x, y, weights, x_test)
                self.assertGreater((found == (x_test[:, 0] > 0)).mean(), 0.8)
                wrong, far = np.where(weights > 0, y, 1 - y), np.where(weights[:, None] > 0, x, 100)
                np.testing.assert_array_equal(found, final_models.predictions(model, far, wrong, weights, x_test))

    def test_weights_count(self):
        x, y = np.ones((100, 1)), np.arange(100) % 2
        for name, model in final_models.MODELS.items():
            for label in (0, 1):
                found = final_models.predictions(model, x, y, np.where(y == label, 3.0, 1.0), x[:3])
                self.assertEqual(found.tolist(), [label] * 3, name)

    def test_rows_of_one_label(self):
        y = np.arange(10) % 2
        for name, model in final_models.MODELS.items():
            found = final_models.predictions(model, np.ones((10, 1)), y, (y == 1).astype(float), np.ones((3, 1)))
            self.assertEqual(found.tolist(), [1, 1, 1], name)


@unittest.skipIf(MISSING, f"{MISSING}")
class CommandLine(AnalysisTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.data = write_dataset(self.folder / "loans.h5", rows=300, columns=3, groups=["A", "B", "C"])
        self.alone = write_dataset(self.folder / "alone.h5", rows=300, columns=3, groups=["all"])

    def words(self, *more):
        return ["compare", "--source", self.folder, "--data", "--dataset", self.data, "--output", self.out, *more]

    def compare(self, *more):
        return self.succeed(*self.words("--set", "evaluate.splits=3", *more), OMP_NUM_THREADS="1")

    def test_every_model_has_a_report_a_table_and_pictures(self):
        self.out.mkdir()
        for name in ("comparison.md", "comparison_forest.md", "comparison_logistic_aware.png"):
            (self.out / name).write_text("of an earlier run")

        printed = self.compare("--model", "boosting", "logistic", "--dataset", self.alone)

        made = [f"comparison_{model}{ending}" for model in ("boosting", "logistic") for ending in (
            ".md", ".csv", *(f"_{half}.{kind}" for half in ("aware", "blind") for kind in ("png", "svg", "csv")))]
        self.assertEqual(sorted(path.name for path in self.out.iterdir()),
                         sorted([*made, "comparison.md", "comparison_forest.md"]))  # those are of other runs
        self.assertIn("removed the results of an earlier run", printed)
        text = (self.out / "comparison_boosting.md").read_text()
        self.assertTrue(text.startswith("# Comparison on real data: gradient boosting\n"))
        self.assertIn("scikit-learn's `HistGradientBoostingClassifier`", text)
        self.assertEqual([line for line in text.splitlines() if line.startswith("## ")],
                         ["## loans: the final model sees the group", "## alone: policy for models that see the group",
                          "## loans: the final model does not see the group",
                          "## alone: policy for models that do not see the group"])
        loans, alone = text.split("## alone")[:2]
        table = [line.split("|")[1].strip() for line in loans.split("| method")[1].splitlines() if line[:2] == "| "]
        self.assertEqual(table[1:7], SELECTIONS)
        self.assertIn("EO gap", loans)
        self.assertIn("Groups: A; B; C. Means over 3 splits; 10.0 % of the training labels are flipped.", loans)
        self.assertIn("- **Accuracy**: ", alone)
        self.assertNotRegex(alone.split("![")[0], "gap|Fairness")

        with open(self.out / "comparison_boosting.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        of = {(row["data"], row["model"], row["method"], row["metric"]): row for row in rows}
        self.assertEqual(len(of), len(rows))
        self.assertEqual({key[:3] for key in of}, {(data, half, method) for data in ("loans", "alone")
                                                   for half in ("aware", "blind") for method in SELECTIONS})
        self.assertNotIn(("alone", "aware", "roh", "eo_gap"), of)
        for method in SELECTIONS:
            row = of["loans", "aware", method, "accuracy"]
            self.assertLess(float(row["low"]), float(row["mean"]))
            self.assertAlmostEqual(float(row["mean"]) - float(row["change"]),
                                   float(of["loans", "aware", "baseline", "accuracy"]["mean"]))
            self.assertEqual(row["splits"], "3")

    def test_methods_a_forest_and_two_policies(self):
        trained, policy = ["trained_hard", "trained_soft"], ROOT / "configs/policy.h5"
        self.compare("--model", "forest", "--set", "evaluate.methods=trained_soft,trained_hard", "--policy", policy, policy)
        with open(self.out / "comparison_forest.csv", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["metric"] == "accuracy" and row["model"] == "aware"]
        self.assertEqual([(row["method"], row["policies"]) for row in rows],
                         [("baseline", "1"), *((method, "2") for method in trained)])

    def test_a_test_part_has_intervals_of_its_rows(self):
        write_dataset(self.data, rows=400, columns=3, split=True)
        printed = self.compare("--model", "logistic")
        self.assertIn("intervals cover the chance of its test rows only", printed)
        with open(self.out / "comparison_logistic.csv", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["metric"] == "accuracy":
                    self.assertLess(float(row["low"]), float(row["high"]))

    def test_refusals_are_one_line(self):
        for said, more in (("invalid choice: 'svm'", ("--model", "svm")),
                           ("--set evaluate.methods=roh,best: must be some of baseline,",
                            ("--set", "evaluate.methods=roh,best")),
                           ("penalised is none of these ways to select rows", ("--set", "evaluate.methods=penalised")),
                           ("evaluate.splits=0: must be an integer >= 1", ("--set", "evaluate.splits=0")),
                           ("evaluate.splits=two: must be an integer >= 1", ("--set", "evaluate.splits=two")),
                           ("evaluate.label_noise=0.5: must be a number >= 0 and < 0.5",
                            ("--set", "evaluate.label_noise=0.5")),
                           ("must be dp or eo", ("--set", "evaluate.fairness=both")),
                           ("must be a number >= 0", ("--set", "evaluate.adapt_fairness_weight=nan")),
                           ("evaluate.adapt_steps: has no effect with --model", ("--set", "evaluate.adapt_steps=5")),
                           ("inner.ridge: has no effect with --model", ("--set", "inner.ridge=5")),
                           ("--frontier: has no effect with --model", ("--frontier",)),
                           ("--config: has no effect with --model", ("--config", self.data)),
                           ("two data sets are called alone", ("--dataset", self.alone, self.alone))):
            with self.subTest(said):
                self.refuse(2, said, *self.words("--model", "logistic", *more))
        bad = self.folder / "bad.h5"
        bad.write_bytes(self.data.read_bytes())
        with h5py.File(bad, "a") as file:
            file["x"][3, 1] = np.nan
        self.refuse(3, f"{bad}: ", *self.words("--model", "logistic", "--dataset", bad))
        self.assertEqual([*self.out.glob("*")], [])


class WithoutModules(AnalysisTest):
    def test_the_remedy_is_said(self):
        for module, said in (("metasieve._core", "METASIEVE_PYTHON=ON"), ("sklearn", "python3-sklearn"),
                             ("scipy", "python3-sklearn")):
            script = (f"import sys; sys.modules[{module!r}] = None; from metasieve.commands import main; "
                      "sys.exit(main(sys.argv[1:]))")
            run = subprocess.run([sys.executable, "-c", script, "compare", "--model", "forest", "--source", self.folder,
                                  "--output", self.folder / "out"], capture_output=True, text=True, timeout=60,
                                 env={"PYTHONPATH": str(ROOT / "analysis")})
            self.assertEqual((run.returncode, run.stderr.count("\n")), (2, 1), run.stderr)
            self.assertRegex(run.stderr, f"metasieve compare: --model.*{said}")
            self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
