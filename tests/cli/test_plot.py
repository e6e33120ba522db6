"""`python3 -m metasieve plot`: what each kind draws, its words, and what it refuses."""
import csv
import math
import sys
import unittest

from support import ROOT, AnalysisTest, write_tables

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py
    import numpy as np
    import pandas as pd
    from metasieve import read
    from metasieve.plots import comparison, frontier, groups, learning, noise, response, simulation, style, suite as suites
    from metasieve.plots import sweep as sweeps
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")
from evaluation_tables import ACCURACY, CURVES, FRONTIER, GAP, RACES, add_groups, write_evaluation


def metadata(tasks, families=("a", "b")):
    """Returns /metadata of tasks with noise rates 0 .. 0.3 and a label bias that grows with them; separability is 1."""
    random = np.random.default_rng(1)
    share = np.linspace(0, 1, tasks)
    table = {"task_id": np.arange(tasks), "n_samples": 100 + (900 * share).astype(int),
             "n_features": 5 + np.arange(tasks) % 16, "separability": np.ones(tasks),
             "train_actual_noise_rate": 0.3 * share, "train_minority_rate": random.uniform(0.1, 0.9, tasks),
             "train_pos_rate": random.uniform(0.2, 0.8, tasks), "feature_shift": random.uniform(0, 1, tasks),
             "label_bias": 0.5 * share, "train_dp_gap": random.uniform(0, 0.4, tasks),
             "test_dp_gap": random.uniform(0, 0.4, tasks),
             "family": np.array(families, object)[np.arange(tasks) % len(families)]}
    return pd.DataFrame(table)


class Suites(unittest.TestCase):
    def setUp(self):
        self.addCleanup(style.plt.close, "all")

    def test_every_task_is_counted_once_in_each_of_six_named_histograms(self):
        for tasks, families in ((100, "ab"), (100_000, "abcdefgh")):
            figure = suites.plot_diversity(metadata(tasks, tuple(families)))
            self.assertEqual(len(figure.axes), 6)
            for axis in figure.axes:
                drawn = sum(bar.get_height() for container in axis.containers for bar in container)
                # Stacked: bars of later families start where those of earlier ones end.
                self.assertEqual(drawn, tasks, axis.get_xlabel())
                self.assertTrue(axis.get_xlabel())
            self.assertEqual([axis.get_ylabel() for axis in figure.axes], ["tasks", "", "", "tasks", "", ""])
            names = [text.get_text() for text in figure.legends[0].get_texts()]
            self.assertEqual(names[-1], "mean of all tasks")
            self.assertEqual(set(names[:-1]), set(families) if len(families) < 7 else {*"abcde", "others"})

    def test_groups_have_a_histogram_where_not_every_task_has_two(self):
        two, several = metadata(40).assign(groups=2), metadata(40).assign(groups=2 + np.arange(40) % 5)
        self.assertNotIn("groups of a task", [axis.get_xlabel() for axis in suites.plot_diversity(two).axes])
        self.assertNotIn("groups", suites.diversity_table(two))
        figure = suites.plot_diversity(several)
        self.assertEqual(len(figure.axes), 7)
        axis, = [axis for axis in figure.axes if axis.get_xlabel() == "groups of a task"]
        self.assertEqual(sum(bar.get_height() for container in axis.containers for bar in container), 40)
        self.assertEqual(axis.get_title(loc="right"), "2 to 6, mean 4")
        self.assertEqual(list(suites.diversity_table(several)["groups"]), list(several["groups"]))

    def test_mean_and_range_are_said(self):
        axis = suites.plot_diversity(metadata(101)).axes[2]
        self.assertEqual(axis.get_xlabel(), "training labels that are wrong")
        self.assertEqual(axis.get_title(loc="right"), "0 % to 30 %, mean 15 %")
        mean, = [line for line in axis.lines if line.get_label() == "mean of all tasks"]
        self.assertAlmostEqual(mean.get_xdata()[0], 0.15)

    def cells(self, figure):
        """Returns {(parameter, parameter): text} of a picture of correlations."""
        axis = figure.axes[0]
        words = [text.get_text() for text in axis.get_yticklabels()]
        return {(words[round(y)], words[round(x)]): text.get_text()
                for text in axis.texts for x, y in [text.get_position()]}

    def test_correlations_are_those_of_the_parameters_that_differ(self):
        cells = self.cells(suites.plot_correlation(metadata(200).assign(groups=2)))
        self.assertEqual(len(cells), 81)  # neither separability nor groups
        self.assertEqual(cells["label bias", "wrong labels"], "1.00")
        self.assertNotIn(("separability", "rows"), cells)
        self.assertFalse([text for text in cells.values() if text == "\N{MINUS SIGN}0.00"])
        several = metadata(200)
        several["groups"] = 2 + (several["label_bias"] > 0.25)
        cells = self.cells(suites.plot_correlation(several))
        self.assertEqual(len(cells), 100)
        self.assertEqual(cells["groups", "wrong labels"], "0.87")

    def test_undefined_correlations_say_so(self):
        table = metadata(200)
        table.loc[1:, "test_dp_gap"] = np.where(np.arange(199) < 99, 0.25, np.nan)
        table.loc[:99, "feature_shift"] = 0.5
        table.loc[0, "test_dp_gap"] = 0.3
        figure = suites.plot_correlation(table)
        self.assertEqual(self.cells(figure)["feature shift", "DP gap, test (clean)"], "–")
        self.assertIn("undefined", figure.texts[-1].get_text())

    def test_a_suite_of_equal_tasks_has_no_correlations(self):
        with self.assertRaisesRegex(ValueError, "no two parameters differ"):
            suites.plot_correlation(metadata(1))

    def test_a_suite_without_tasks_is_refused(self):
        for plot in (suites.plot_diversity, suites.plot_correlation):
            with self.assertRaisesRegex(ValueError, "has no tasks"):
                plot(metadata(4).iloc[:0])


def history(iterations=40):
    t = np.arange(1, iterations + 1)
    return pd.DataFrame({"iteration": t, "loss": 1 / t, "gradient_norm": 10.0 / t})


def validation(with_loss=True):
    table = pd.DataFrame({"iteration": [0, 20, 40], "accuracy": [0.7, 0.8, 0.85], "dp_gap": [0.3, 0.2, 0.1],
                          "eo_gap": [0.4, 0.3, 0.2], "baseline_accuracy": [0.75] * 3, "baseline_dp_gap": [0.35] * 3,
                          "baseline_eo_gap": [0.45] * 3, "noise_rate_selected": [0.2, 0.1, 0.05],
                          "noise_rate_all": [0.21] * 3})
    return table.assign(loss=[0.9, 0.5, 0.4]) if with_loss else table


class PlotTest(AnalysisTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(style.plt.close, "all")

    def is_drawn(self, name="p"):
        return (self.folder / f"{name}.png").exists()

    def width(self, name="p"):
        """Returns the width of a picture in pixels, from its header."""
        return int.from_bytes((self.folder / f"{name}.png").read_bytes()[16:20], "big")


class Learning(PlotTest):
    def axes(self, **tables):
        figure = learning.plot(read(write_tables(self.folder / "results.h5", "results", **tables)))
        return figure, {axis.get_ylabel(): axis for axis in figure.axes}

    def test_losses_gaps_and_gradient_are_drawn_with_the_untrained_level(self):
        figure, axes = self.axes(history=history(), validation=validation())
        self.assertEqual(set(axes), {"loss (accuracy and fairness)", "accuracy on validation tasks",
                                     "norm of the meta-gradient", "demographic-parity gap", "equalised-odds gap",
                                     "wrong labels among the selected rows"})
        for words, untrained, baseline, last in (("loss (accuracy and fairness)", 0.9, None, 0.4),
                                                 ("accuracy on validation tasks", 0.7, 0.75, 0.85),
                                                 ("demographic-parity gap", 0.3, 0.35, 0.1),
                                                 ("equalised-odds gap", 0.4, 0.45, 0.2)):
            lines = {line.get_label(): line.get_ydata() for line in axes[words].lines}
            self.assertEqual(lines["untrained policy"][0], untrained, words)
            self.assertEqual(lines["validation tasks"][-1], last, words)
            self.assertEqual(lines["all rows kept"][0] if baseline else None, baseline, words)
            self.assertEqual(axes[words].get_xlabel(), "meta-iteration")
        batches = {line.get_label(): line for line in axes["loss (accuracy and fairness)"].lines}
        np.testing.assert_allclose(batches["training, each batch"].get_ydata(), history()["loss"])
        np.testing.assert_allclose(batches["training, running mean"].get_ydata()[3], (1 / 3 + 1 / 4) / 2)
        self.assertEqual(axes["norm of the meta-gradient"].get_yscale(), "log")
        self.assertIn("untrained policy", [text.get_text() for text in figure.legends[0].get_texts()])

    def test_a_run_without_validation_and_one_without_its_loss_are_drawn(self):
        figure, axes = self.axes(history=history(), validation=validation().iloc[:0])
        self.assertIn("no validation tasks", [text.get_text() for text in axes["equalised-odds gap"].texts])
        figure, axes = self.axes(history=history(), validation=validation(with_loss=False))
        self.assertNotIn("untrained policy", [line.get_label() for line in axes["loss (accuracy and fairness)"].lines])

    def test_command_writes_pictures_and_the_numbers_of_both_tables(self):
        write_tables(self.folder / "results.h5", "results", history=history(), validation=validation())
        self.succeed("plot", "learning", "results.h5", "--output", "l")
        table = pd.read_csv(self.folder / "l.csv").set_index("iteration")
        self.assertEqual(len(table), 41)
        self.assertEqual(table.loc[0, "validation_eo_gap"], 0.4)
        self.assertEqual(table.loc[20, ["loss", "validation_accuracy"]].tolist(), [0.05, 0.8])

    def test_empty_and_other_files_are_refused_in_one_line(self):
        write_tables(self.folder / "empty.h5", "results", history=history(0), validation=validation().iloc[:0])
        write_tables(self.folder / "scores.h5", "scores", scores=history())
        write_tables(self.folder / "bare.h5", "results", validation=validation())
        for name, said in (("empty.h5", "no iteration was made"), ("scores.h5", "is a file of type scores"),
                           ("bare.h5", "has no table /history")):
            self.refuse(3, f"{name}: {said}", "plot", "learning", name, "--output", "l")
        self.assertFalse(list(self.folder.glob("l.*")))


def evaluated(rates, source="biased", reductions=(("meta_hard", 0.8), ("random", 0.0)), policies=1):
    """Returns a row for each task, method and policy; the reduction of meta_hard falls with the noise rate."""
    rows = [{"source": source, "split": task, "method": method, "noise_rate_all": rate, "failed": 0,
             "noise_reduction": value - rate * (method == "meta_hard"), "noise_reduction_defined": int(rate > 0),
             "policy": policy}
            for task, rate in enumerate(rates) for method, value in reductions for policy in range(policies)]
    return pd.DataFrame(rows)


class Noise(PlotTest):
    def table(self, rows):
        return noise.table_of(read(write_tables(self.folder / "e.h5", "evaluation", evaluation=rows)))

    def test_bins_hold_as_many_tasks_each_and_have_their_means(self):
        rates = np.linspace(0.01, 0.3, 60)
        table = self.table(evaluated(rates, policies=2))
        chosen = table[table["method"] == "meta_hard"]
        self.assertEqual(chosen["tasks"].tolist(), [10] * 6)
        np.testing.assert_allclose(chosen["noise_rate"], rates.reshape(6, 10).mean(axis=1))
        np.testing.assert_allclose(chosen["reduction"], 0.8 - rates.reshape(6, 10).mean(axis=1))
        self.assertTrue((chosen["low"] < chosen["reduction"]).all())

        axis = noise.plot(table).axes[0]
        drawn = {tuple(np.round(np.array(container[0].get_ydata(), float), 6)) for container in axis.containers}
        self.assertIn(tuple(np.round(chosen["reduction"], 6)), drawn)
        self.assertEqual(axis.get_xlabel(), "wrong labels among all training rows")
        self.assertEqual(axis.get_ylabel(), "noise reduction in the selection")

    def test_sources_of_one_noise_rate_stand_side_by_side(self):
        rows = pd.concat([evaluated([0.1] * 10, "compas"), evaluated([0.2] * 10, "german")])
        figure = noise.plot(self.table(rows))
        self.assertEqual(len(figure.axes), 1)
        self.assertEqual([text.get_text() for text in figure.axes[0].get_xticklabels()],
                         ["compas\n10 % of the labels wrong", "german\n20 % of the labels wrong"])

    def test_clean_labels_are_refused(self):
        with self.assertRaisesRegex(ValueError, "no task has flipped"):
            self.table(evaluated([0.0] * 4))


class Response(PlotTest):
    def test_a_panel_a_feature_strongest_first_with_the_spread_of_the_policies(self):
        quantiles = np.linspace(0, 1, 11)
        rows = pd.DataFrame([{"source": "compas", "policy": policy, "feature": feature, "quantile": q, "value": q,
                              "score": q, "keep": 0.5 + strength * (q - 0.5) + 0.1 * policy}
                             for feature, strength in (("weak_one", 0.1), ("strong", 0.8), ("flat", 0.0))
                             for policy in (0, 1) for q in quantiles])
        table = response.table_of(read(write_tables(self.folder / "e.h5", "evaluation", response=rows)))
        figure = response.plot(table)
        axes = [axis for axis in figure.axes if axis.get_title()]
        self.assertEqual([axis.get_title() for axis in axes], ["strong", "weak one", "flat"])
        line, = axes[0].lines
        np.testing.assert_allclose(line.get_ydata(), 0.55 + 0.8 * (quantiles - 0.5))
        band = axes[0].collections[0].get_paths()[0].vertices
        self.assertAlmostEqual(band[:, 1].max(), 1.0)
        self.assertEqual(figure._supylabel.get_text(), "mean keep weight")

    def test_of_many_features_the_strongest_are_shown(self):
        table = pd.DataFrame([{"source": "compas", "feature": f"f{number}", "quantile": q, "keep": q * number / 100,
                               "keep_low": 0.0, "keep_high": 1.0} for number in range(40) for q in (0.0, 1.0)])
        titles = [axis.get_title() for axis in response.plot(table).axes if axis.get_title()]
        self.assertEqual(titles, [f"f{number}" for number in range(39, 39 - response.MOST, -1)])


def swept(**keys):
    """Points over all combinations of these values; accuracy is highest at the last of all, the EO gap lowest at the
    first."""
    names = [name.replace("__", ".") for name in keys]
    grid = pd.MultiIndex.from_product(keys.values(), names=names).to_frame(index=False)
    number = np.arange(len(grid))
    table = pd.DataFrame({"index": number, "hash": [f"{i:x}" for i in number],
                          "state": np.where(number == 1, "failed", "done").astype(object)})
    table = table.join(grid).assign(seconds=1.0)
    for method, shift in (("baseline", 0.0), ("meta_hard", 0.1)):
        for metric, values in (("accuracy", 0.7 + 0.01 * number * (shift > 0)),
                               ("eo_gap", 0.2 + 0.01 * number - shift)):
            for part, side in (("mean", 0), ("low", -0.01), ("high", 0.01)):
                table[f"{method}.{metric}.{part}"] = values + shift + side
    return table


class Sweeps(PlotTest):
    def pictures(self, points, method=None):
        sweep = read(write_tables(self.folder / "s.h5", "sweep", points=points))
        return {ending: figure for ending, figure, _ in sweeps.plots(sweep, method)}

    def test_maps_have_the_means_of_their_points_and_a_frame_around_the_best(self):
        points = swept(meta__clip=[0.1, 1.0], policy__keep=[0.6, 0.7, 0.8])
        figure = self.pictures(points)["_maps"]
        axis = figure.axes[0]
        words = axis.get_title(), axis.get_xlabel(), axis.get_ylabel()
        self.assertEqual(words, ("accuracy", "meta.clip", "policy.keep"))
        cells = np.ma.filled(axis.images[0].get_array().astype(float), np.nan)
        np.testing.assert_allclose(cells, [[0.80, 0.83], [np.nan, 0.84], [0.82, 0.85]])  # one point has failed
        self.assertEqual([text.get_text() for text in axis.get_yticklabels()], ["0.6", "0.7", "0.8"])
        self.assertEqual(axis.patches[0].get_xy(), (0.5, 1.5))
        self.assertEqual([axis for axis in figure.axes if axis.get_title() == "EO gap"][0].patches[0].get_xy(),
                         (-0.5, -0.5))

    def test_effects_have_every_point_the_means_and_the_baseline(self):
        points = swept(policy__features=["basic", "full"], meta__clip=[0.1, 1.0, 10.0])
        axes = self.pictures(points)["_effects"].axes
        self.assertEqual([axis.get_ylabel() for axis in axes], ["accuracy", "", "EO gap", ""])
        self.assertEqual([axis.get_xlabel() for axis in axes], ["", "", "policy.features", "meta.clip"])
        self.assertEqual([text.get_text() for text in axes[2].get_xticklabels()], ["basic", "full"])
        self.assertEqual(axes[1].get_xscale(), "log")
        marks, means, baseline = axes[0].lines
        self.assertEqual(len(marks.get_xdata()), 5)
        np.testing.assert_allclose(means.get_ydata(), [np.mean([0.80, 0.82]), np.mean([0.83, 0.84, 0.85])])
        np.testing.assert_allclose(baseline.get_ydata(), 0.7)

    def test_parallel_coordinates_have_a_line_a_point(self):
        figure = self.pictures(swept(meta__clip=[0.1, 1.0], policy__keep=[0.6, 0.8]))["_parallel"]
        axis = figure.axes[0]
        lines = [line.get_ydata() for line in axis.lines if len(line.get_xdata()) == 4]
        self.assertEqual(len(lines), 3)
        np.testing.assert_allclose(lines[-1], [1, 1, 1, 1])
        self.assertEqual([text.get_text() for text in axis.get_xticklabels()],
                         ["meta.\nclip", "policy.\nkeep", "accuracy", "EO gap"])

    def test_many_drawn_values_are_scattered_and_one_key_needs_no_map(self):
        random = np.random.default_rng(2)
        points = swept(meta__clip=list(np.geomspace(0.01, 10, 30)))
        self.assertEqual(list(self.pictures(points)), ["_effects"])
        points["policy.keep"] = random.uniform(0.5, 0.9, 30)
        points = points[["index", "hash", "state", "meta.clip", "policy.keep", *points.columns[4:-1]]]
        axis = self.pictures(points)["_maps"].axes[0]
        self.assertEqual((len(axis.images), len(axis.collections[0].get_offsets()), axis.get_xscale()), (0, 29, "log"))

    def test_sweeps_with_nothing_to_draw_are_refused_in_one_line(self):
        points = swept(meta__clip=[0.1, 1.0])
        for name, table, arguments, said in (
                ("failed.h5", points.iloc[1:], (), "no point is done"),
                ("one.h5", points.iloc[:1], (), "nothing to compare"),
                ("other.h5", pd.concat([points, swept(meta__clip=[2.0])]), ("--method", "roh"),
                 "has not evaluated roh; it has baseline, meta_hard")):
            write_tables(self.folder / name, "sweep", points=table)
            self.refuse(3, said, "plot", "sweep", name, "--output", "p", *arguments)

    def test_what_metasieve_wrote_beside_the_sweep_is_not_written_over(self):
        write_tables(self.folder / "sweep.h5", "sweep", points=swept(meta__clip=[0.1, 1.0, 2.0]))
        figure, table = style.plt.figure(), pd.DataFrame({"a": [1]})
        with self.assertRaisesRegex(ValueError, "sweep.csv belongs to"):
            style.save(figure, table, self.folder / "sweep.png")
        self.succeed("plot", "sweep", "sweep.h5", "--output", "sweep")
        self.assertEqual(sorted(file.name for file in self.folder.iterdir()),
                         ["sweep.h5", "sweep_effects.csv", "sweep_effects.png", "sweep_effects.svg"])


class Commands(PlotTest):
    def test_suite_noise_and_response_write_pictures_and_their_numbers(self):
        write_tables(self.folder / "suite.h5", "suite", metadata=metadata(50))
        rows = pd.DataFrame([{"source": "a", "policy": 0, "feature": "loss", "quantile": q, "value": q, "score": q,
                              "keep": q} for q in (0.0, 1.0)])
        write_tables(self.folder / "e.h5", "evaluation", evaluation=evaluated(np.linspace(0.1, 0.3, 20)), response=rows)
        for kind, file, rows in (("suite", "suite.h5", {"x_diversity": 50, "x_correlation": 9}),
                                 ("noise", "e.h5", {"x": 8}), ("response", "e.h5", {"x": 2})):
            self.succeed("plot", kind, file, "--output", "x.png")
            for name, count in rows.items():
                self.assertEqual(len(pd.read_csv(self.folder / f"{name}.csv")), count)
                self.assertTrue((self.folder / f"{name}.png").read_bytes().startswith(b"\x89PNG"))
                self.assertIn(b"<svg", (self.folder / f"{name}.svg").read_bytes())


def write_summary(path, sources, methods=("baseline", "greedy", "meta_hard")):
    """Writes the fields that the plot reads; accuracy of method k is 0.7 + k / 100."""
    names = [("source", "S64"), ("method", "S32"), ("metric", "S32"), ("mean", "f8"), ("low", "f8"), ("high", "f8"),
             ("splits", "i8")]
    rows = [(source, method, metric, mean, mean - 0.01, mean + 0.01, 10)
            for source in sources
            for k, method in enumerate(methods)
            for metric, mean in [("accuracy", 0.7 + k / 100), ("eo_gap", 0.3 - k / 10), ("dp_gap", 0.2)]]
    with h5py.File(path, "w") as file:
        file.attrs["filetype"] = "metasieve-evaluation"
        file.attrs["complete"] = 1
        file["summary"] = np.array(rows, dtype=names)


class Comparison(PlotTest):
    def test_each_method_is_drawn_at_its_means_with_a_legend(self):
        write_summary(self.folder / "e.h5", ["compas"])
        panels = comparison.panels_of([self.folder / "e.h5"])
        figure = comparison.plot(panels, "eo_gap")
        axis = figure.axes[0]
        points = {(round(float(c[0].get_xdata()[0]), 6), round(float(c[0].get_ydata()[0]), 6)) for c in axis.containers}
        self.assertEqual(points, {(0.3, 0.7), (0.2, 0.71), (0.1, 0.72)})
        self.assertIn("compas", axis.get_title())
        self.assertIn("equalised-odds", axis.get_xlabel())
        self.assertIn("metasieve, hard", [text.get_text() for text in figure.legends[0].get_texts()])

    def test_command_writes_a_picture_with_a_panel_a_source(self):
        write_summary(self.folder / "e.h5", ["a", "b", "all"])
        self.succeed("plot", "comparison", "e.h5", "--output", "p.png")
        self.assertEqual((self.folder / "p.png").read_bytes()[:4], b"\x89PNG")
        self.assertIn(b"<svg", (self.folder / "p.svg").read_bytes())
        lines = (self.folder / "p.csv").read_text().splitlines()
        self.assertEqual(lines[0], "source,method,metric,mean,low,high")
        self.assertEqual(len(lines), 1 + 2 * 3 * 3)

    def test_sources_can_be_chosen(self):
        write_summary(self.folder / "e.h5", ["a", "b"])
        for name, only in (("one", ["b"]), ("both", ["a", "b"])):
            self.succeed("plot", "comparison", "e.h5", "--output", name, "--only", *only)
        self.assertLess(self.width("one"), 0.6 * self.width("both"))
        self.refuse(3, "none of the files has a source called c", "plot", "comparison", "e.h5", "--output", "p",
                    "--only", "c")

    def test_a_panel_of_which_all_methods_are_left_out_is_not_drawn(self):
        write_summary(self.folder / "few.h5", ["a"], ["baseline", "greedy"])
        write_summary(self.folder / "more.h5", ["b"])
        write_summary(self.folder / "pooled.h5", ["all"])
        two = ("--leave-out", "baseline", "greedy")

        for name, words in (("some", ("few.h5", "more.h5", *two)), ("one", ("more.h5", *two)),
                            ("all", ("few.h5", "more.h5"))):
            self.succeed("plot", "comparison", *words, "--output", name)
        self.assertEqual(self.width("some"), self.width("one"))
        self.assertLess(self.width("one"), 0.6 * self.width("all"))
        for words in (("few.h5", *two), ("few.h5", "more.h5", *two, "meta_hard"), ("pooled.h5",)):
            self.refuse(3, "nothing is left to draw", "plot", "comparison", *words, "--output", "p")
        self.assertFalse(self.is_drawn())

    def test_undefined_gaps_make_no_picture_but_a_note_in_a_panel(self):
        write_summary(self.folder / "e.h5", ["a", "b"])
        with h5py.File(self.folder / "e.h5", "a") as file:
            rows = file["summary"][:]
            rows["mean"][(rows["source"] == b"a") & (rows["metric"] == b"eo_gap")] = np.nan
            file["summary"][...] = rows
        self.refuse(3, "e.h5: nothing to draw: all values of the picture are undefined", "plot", "comparison", "e.h5",
                    "--output", "p", "--only", "a")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["e.h5"])

        self.succeed("plot", "comparison", "e.h5", "--output", "p")
        axes = comparison.plot(comparison.panels_of([self.folder / "e.h5"])).axes
        texts = [[text.get_text() for text in axis.texts] for axis in axes]
        self.assertEqual(texts, [["undefined for all methods"], []])

    def test_other_files_are_refused_in_one_line(self):
        (self.folder / "text.h5").write_text("no HDF5")
        with h5py.File(self.folder / "policy.h5", "w") as file:
            file.attrs["filetype"] = "metasieve-policy"
        for name in ["text.h5", "policy.h5", "missing.h5"]:
            self.refuse(3, name, "plot", "comparison", name, "--output", "p")
        self.assertFalse(self.is_drawn())


class Frontier(PlotTest):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "e.h5"

    def tables(self, *sources):
        return read(write_evaluation(self.file, sources, with_frontier=True))

    def plot(self, evaluation):
        return frontier.plot(frontier.panels_of(evaluation, "eo_gap"), "eo_gap")

    def test_curves_go_in_the_order_of_their_settings(self):
        curves = frontier.curves_of(self.tables("compas"), "compas", "dp_gap")
        self.assertEqual({method: [point[0] for point in points] for method, points in curves.items()}, CURVES)
        self.assertEqual([round(gap["mean"], 6) for _, gap, _ in curves["meta_hard"]], [0.25, 0.15, 0.05])
        self.assertEqual([round(accuracy["mean"], 6) for _, _, accuracy in curves["meta_hard"]], [0.75, 0.74, 0.73])

    def test_methods_with_a_curve_are_lines_and_the_others_points(self):
        axis = self.plot(self.tables("compas")).axes[0]
        lines = [line.get_xdata().tolist() for line in axis.lines if len(line.get_xdata()) == 3]
        self.assertEqual([[round(x, 6) for x in line] for line in lines], [[0.3, 0.2, 0.1]] * 2)
        points = {(round(float(c[0].get_xdata()[0]), 6), round(float(c[0].get_ydata()[0]), 6))
                  for c in axis.containers if c[0] is not None}
        self.assertEqual(points, {(round(GAP[name], 6), round(ACCURACY[name], 6))
                                  for name in ("baseline", "greedy", "reweighing")})

    def test_everything_is_named_where_it_is_and_inside_its_panel(self):
        figure = self.plot(self.tables("compas", "adult"))
        self.assertEqual(len(figure.axes), 2)
        renderer = figure.canvas.get_renderer()
        for axis in figure.axes:
            texts = {text.get_text(): text.get_window_extent(renderer) for text in axis.texts if text.get_text()}
            for name in ("all rows", "lowest loss", "metasieve, hard", "fairness penalty", "0", "2", "0.1", "10"):
                self.assertIn(name, texts)
            frame = axis.get_window_extent(renderer)
            for name, box in texts.items():
                self.assertTrue(frame.x0 <= box.x0 and box.x1 <= frame.x1, name)
                self.assertFalse([other for other in texts if other != name and box.overlaps(texts[other])], name)
        self.assertIn("95 % intervals", figure.texts[-1].get_text())

    def test_undefined_values_are_left_out(self):
        write_evaluation(self.file, ["compas"], with_frontier=True)
        with h5py.File(self.file, "r+") as file:
            for name in ("summary", "frontier"):
                rows = file[name][:]
                rows["mean"][(rows["metric"] == b"eo_gap") & ((rows["method"] == b"greedy")
                                                              | (rows["method"] == b"penalised"))] = float("nan")
                file[name][:] = rows
        figure = self.plot(read(self.file))
        texts = [text.get_text() for text in figure.axes[0].texts]
        self.assertNotIn("lowest loss", texts)
        self.assertNotIn("fairness penalty", texts)
        self.assertIn("metasieve, hard", texts)

    def test_constant_models_are_left_out(self):
        """Constant models are perfectly fair and useless."""
        tables = self.tables("compas")
        rows = tables["frontier"]
        strongest = rows["setting"].isin([2, 10]) & (rows["metric"] == "positive_rate")
        rows.loc[strongest & (rows["method"] == "meta_hard"), "mean"] = 0.01
        rows.loc[strongest & (rows["method"] == "penalised"), "mean"] = 0.99
        curves = frontier.curves_of(tables, "compas", "eo_gap")
        self.assertEqual({method: [point[0] for point in points] for method, points in curves.items()},
                         {"meta_hard": [0, 0.5], "penalised": [0.1, 1]})

    def test_command_writes_pictures_their_numbers_and_nothing_else(self):
        self.tables("compas")
        for gap in ("eo_gap", "dp_gap"):
            self.succeed("plot", "frontier", "e.h5", "--output", "p.png", "--gap", gap)
            self.assertEqual((self.folder / "p.png").read_bytes()[:4], b"\x89PNG")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["e.h5", "p.csv", "p.png", "p.svg"])
        table = pd.read_csv(self.folder / "p.csv").set_index(["method", "setting", "metric"])["mean"]
        self.assertEqual(round(table["meta_hard", 0.5, "dp_gap"], 6), 0.15)
        self.assertEqual(round(table["meta_hard", 0.5, "accuracy"], 6), 0.74)

    def test_other_files_are_refused_in_one_line(self):
        write_evaluation(self.folder / "without.h5", ["compas"])
        (self.folder / "text.h5").write_text("no HDF5")
        for name, part in (("without.h5", "has no /frontier"), ("text.h5", "file signature"), ("none.h5", "none.h5")):
            self.refuse(3, part, "plot", "frontier", name, "--output", "p.png")
        self.assertFalse(self.is_drawn())

    def test_a_file_without_curves_for_a_source_has_its_points(self):
        tables = self.tables("compas", "adult")
        self.assertEqual(tables["frontier"].columns.tolist(), [name for name, _ in FRONTIER])
        curves = tables["frontier"]
        curves.drop(index=curves.index[curves["source"] != "adult"], inplace=True)
        texts = [text.get_text() for text in self.plot(tables).axes[0].texts]
        self.assertIn("metasieve, hard", texts)
        self.assertNotIn("10", texts)


ALONE = {"all": (300, 100, (0.8, 0.7, 0.3), (0.81, 0.65, 0.28))}


class Groups(PlotTest):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "e.h5"

    def panels(self, of=RACES, **options):
        add_groups(write_evaluation(self.file, ["compas"]), "compas", of, **options)
        return groups.panels_of([self.file])

    def test_each_group_has_its_rates_before_and_after_with_their_intervals(self):
        axes = groups.plot(self.panels()).axes
        self.assertEqual([axis.get_xlabel() for axis in axes],
                         ["accuracy", "true positive rate", "false positive rate"])
        names = [text.get_text() for text in axes[0].get_yticklabels()]
        self.assertEqual(names, ["African-American (370)", "Caucasian (230)", "Hispanic (62)", "Asian (20) †",
                                 "Other (4) †"])
        for axis, metric in zip(axes, range(3)):
            drawn = {(round(float(bar[0].get_ydata()[0])), round(float(bar[0].get_xdata()[0]), 6)): bar
                     for bar in axis.containers if len(bar[0].get_xdata())}
            wanted = {(place, rates[metric]) for place, (_, _, *both) in enumerate(RACES.values()) for rates in both
                      if not math.isnan(rates[metric])}
            self.assertEqual(set(drawn), wanted)
            for (place, mean), bar in drawn.items():
                counts = list(RACES.values())[place][:2]
                rows = (sum(counts), counts[1], counts[0])[metric]
                ends = bar[2][0].get_segments()[0][:, 0]
                np.testing.assert_allclose(ends, [mean - rows ** -0.5, mean + rows ** -0.5])
                self.assertEqual(bar[0].get_alpha(), groups.PALE if min(counts) < 10 else 1)

    def test_what_is_undefined_says_so_where_it_would_be(self):
        _, rate, false = groups.plot(self.panels()).axes
        self.assertEqual([(text.get_text(), round(text.get_position()[1])) for text in rate.texts],
                         [("undefined", 4)] * 2)
        self.assertEqual(list(false.texts), [])

    def test_a_split_alone_has_no_interval(self):
        axis = groups.plot(self.panels(splits=1)).axes[0]
        self.assertEqual([bar for bar in axis.containers if len(bar[0].get_xdata()) and bar.has_xerr], [])

    def test_names_and_marks_are_apart_for_two_groups_and_for_sixteen(self):
        rates = (0.7, 0.6, 0.2), (0.7, 0.5, 0.2)
        for count in (2, 16):
            names = [f"race={race}, sex={sex}, region=north" for race in ("Amer-Indian-Eskimo", "Asian-Pac-Islander",
                     "A long name of a group in full", "not race=White", "$x$", "Other", "A", "B")
                     for sex in ("Female", "Male")][:count]
            figure = groups.plot(self.panels({name: (30, 30, *rates) for name in names}))
            figure.draw_without_rendering()
            texts = figure.axes[0].get_yticklabels()
            boxes = [text.get_window_extent() for text in texts]
            self.assertTrue(all(box.x0 >= 0 for box in boxes))
            self.assertTrue(all(above.y0 > below.y1 for above, below in zip(boxes, boxes[1:])))
            shown = [text.get_text() for text in texts]
            self.assertEqual(len(set(shown)), count)
            self.assertEqual(shown[0], "Amer-Indian-Eskimo, Female, north (60)")
            self.assertEqual([text for text in shown if "…" in text], [
                f"A long name of a…{end} (60)" for end in ("l, Female, north", "ull, Male, north")][:count - 2])
            marks = sorted(figure.axes[0].transData.transform((0, bar[0].get_ydata()[0]))[1]
                           for bar in figure.axes[0].containers if len(bar[0].get_xdata()))
            self.assertGreater(min(np.diff(marks)) / figure.dpi * 72, 6)  # points, the height of a mark

    def test_names_are_cut_only_where_one_is_long(self):
        self.assertEqual(groups.shortened(["race=White", "not sex=F"]), ["race=White", "not sex=F"])
        self.assertEqual(groups.shortened(["race=White, sex=F", "not race=White", "25<=age<60, sex=F", "x" * 40]),
                         ["White, F", "not race=White", "25<=age<60, F", "x" * 17 + "…" + "x" * 16])

    def test_command_writes_pictures_of_all_data_sets_and_their_numbers(self):
        write_evaluation(self.file, ["compas", "adult", "loans"])
        for source, of in (("compas", RACES), ("adult", dict(list(RACES.items())[:2])), ("loans", ALONE)):
            add_groups(self.file, source, of)
        self.succeed("plot", "groups", "e.h5", "--output", "p")
        table = pd.read_csv(self.folder / "p.csv")
        self.assertEqual(list(table), ["source", "group", "rows", "too_few_rows", "method", "metric", "mean", "low",
                                       "high", "splits"])
        self.assertEqual(table.groupby("source")["mean"].size().to_dict(), {"adult": 12, "compas": 30})
        asian = table[(table["group"] == "Asian") & (table["method"] == "meta_hard")].set_index("metric")
        self.assertEqual(asian["mean"].to_dict(), {"accuracy": 0.6, "true_positive_rate": 0.38,
                                                   "false_positive_rate": 0.25})
        self.assertEqual(set(asian["too_few_rows"]), {1})
        self.succeed("plot", "groups", "e.h5", "--output", "a", "--only", "adult", "--method", "meta_hard")
        self.assertEqual(set(pd.read_csv(self.folder / "a.csv")["source"]), {"adult"})

    def test_soft_weights_are_shown_where_there_are_some(self):
        add_groups(write_evaluation(self.file, ["compas"]), "compas", {
            name: (*counts, *rates, rates[1]) for name, (*counts, first, second) in RACES.items()
            for rates in [(first, second)]}, methods=("baseline", "meta_hard", "meta_soft"))
        figure = groups.plot(groups.panels_of([self.file]))
        self.assertEqual([text.get_text() for text in figure.legends[0].get_texts()], ["all rows", "metasieve, soft"])

    def test_files_without_groups_are_refused_in_one_line(self):
        write_evaluation(self.file, ["compas"])
        self.refuse(3, "e.h5: has no /group_summary", "plot", "groups", "e.h5", "--output", "p")
        add_groups(self.file, "compas", ALONE)
        self.refuse(3, "e.h5: no groups given: fairness is not in question", "plot", "groups", "e.h5", "--output", "p")
        self.panels()
        self.refuse(3, "compas: roh was not evaluated; has baseline, meta_hard", "plot", "groups", "e.h5", "--output",
                    "p", "--method", "roh")
        self.assertFalse(self.is_drawn())


class WithoutGroups(PlotTest):
    def setUp(self):
        super().setUp()
        self.file = add_groups(write_evaluation(self.folder / "e.h5", ["loans", "compas"], True), "loans", ALONE)

    def texts(self, figure):
        return [text.get_text() for text in figure.findobj(style.plt.Text) if text.get_text()]

    def test_a_panel_shows_the_accuracy_alone(self):
        panels = comparison.panels_of([self.file], ["loans"])
        figure = comparison.plot(panels)
        axis, = figure.axes
        self.assertEqual([text.get_text() for text in axis.get_yticklabels()],
                         ["all rows", "lowest loss", "reweighing (Kamiran-Calders)", "metasieve, hard"])
        drawn = [(round(float(bar[0].get_xdata()[0]), 6), bar[0].get_ydata()[0]) for bar in axis.containers]
        self.assertEqual(drawn, [(round(accuracy, 6), place) for place, accuracy in enumerate(ACCURACY.values())])
        self.assertNotRegex(" ".join(self.texts(figure)), r"gap|fair|odds|left")
        self.assertEqual(set(comparison.table_of(panels)["metric"]), {"accuracy"})

    def test_beside_it_a_panel_with_groups_is_as_ever(self):
        loans, compas = comparison.plot(comparison.panels_of([self.file])).axes
        self.assertEqual((loans.get_title(), loans.get_xlabel(), loans.get_ylabel()),
                         ("loans (10 repeats, no groups)", "accuracy on test rows", ""))
        self.assertEqual((compas.get_title(), compas.get_ylabel()), ("compas (10 repeats)", "accuracy on test rows"))
        self.assertIn("equalised-odds", compas.get_xlabel())
        self.assertEqual(len(compas.containers), 4)

    def test_a_frontier_has_no_panel_for_it(self):
        panels = frontier.read_panels([self.file], "eo_gap")
        self.assertEqual([source for source, *_ in panels], ["compas"])
        self.refuse(3, "none of the files has a source called loans", "plot", "frontier", "e.h5", "--output", "p",
                    "--only", "loans")
        add_groups(self.file, "compas", ALONE)
        self.refuse(3, "e.h5: no groups given: fairness is not in question", "plot", "frontier", "e.h5", "--output",
                    "p")
        self.assertFalse(self.is_drawn())

    def test_a_sweep_without_groups_has_no_gaps(self):
        points = swept(meta__clip=[0.1, 1.0, 2.0])
        gaps = [name for name in points if "_gap." in name]
        self.assertIn("eo_gap", sweeps.metrics_of(points, "meta_hard"))
        points[gaps] = 0.0
        self.assertEqual(sweeps.metrics_of(points, "meta_hard"), ["accuracy"])


NODES = [1, 16, 1024]
STUDIES = {"weak": {"64 tasks a rank": [1, 0.98, 0.96], "640 tasks a rank": [1, 0.99, 0.985]},
           "strong": {"default suite": [1, 0.5, 0.01], "ten times larger": [1, 0.9, 0.2]}}


class Simulation(PlotTest):
    def setUp(self):
        super().setUp()
        for kind, studies in STUDIES.items():
            with (self.folder / f"{kind}.csv").open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["study", "ranks", "threads", "step_seconds", "scaling"])
                for study, efficiencies in studies.items():
                    writer.writerows([study, n, 1, 0.1, e] for n, e in zip(NODES, efficiencies))

    def test_each_study_is_a_line_of_its_own_look(self):
        figure = simulation.plot(simulation.read(self.folder))
        self.assertEqual(len(figure.axes), 2)
        for axis, studies in zip(figure.axes, STUDIES.values()):
            drawn = {line.get_label(): line for line in axis.lines if line.get_label() in studies}
            self.assertEqual({name: line.get_ydata().tolist() for name, line in drawn.items()}, studies)
            self.assertEqual([line.get_xdata().tolist() for line in drawn.values()], [NODES] * 2)
            looks = [(line.get_color(), line.get_marker(), line.get_linestyle()) for line in drawn.values()]
            for of_both in zip(*looks):
                self.assertNotEqual(*of_both)
            self.assertEqual([text.get_text() for text in axis.get_legend().get_texts()], list(studies))

    def test_axes_are_named_and_nodes_logarithmic(self):
        weak, strong = simulation.plot(simulation.read(self.folder)).axes
        for axis in (weak, strong):
            self.assertIn("nodes", axis.get_xlabel())
            self.assertIn("efficiency", axis.get_ylabel())
            places = [axis.transData.transform((n, 0))[0] for n in NODES]
            self.assertAlmostEqual((places[1] - places[0]) / (places[2] - places[0]), math.log(16) / math.log(1024))
        goal = [line for line in weak.lines if len(set(line.get_ydata())) == 1]
        self.assertEqual([line.get_ydata()[0] for line in goal], [simulation.GOAL])

    def test_command_writes_a_picture(self):
        for name, start in (("s.png", b"\x89PNG"), ("s.svg", b"<?xml")):
            self.succeed("plot", "simulation", ".", "--output", name)
            self.assertTrue((self.folder / name).read_bytes().startswith(start))

    def test_other_tables_are_refused_in_one_line(self):
        (self.folder / "weak.csv").write_text("study,ranks\na,1\n")
        self.refuse(3, "weak.csv: has no threads", "plot", "simulation", ".", "--output", "p")
        (self.folder / "weak.csv").unlink()
        self.refuse(3, "weak.csv: No such file", "plot", "simulation", ".", "--output", "p")
        self.assertFalse(self.is_drawn())


if __name__ == "__main__":
    unittest.main()
