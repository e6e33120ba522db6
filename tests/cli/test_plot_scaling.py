"""`python3 -m metasieve plot scaling`: its model, its advice, its pictures, and what it refuses."""
import sys
import unittest

from support import ROOT, AnalysisTest, write_tables

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py
    import numpy as np
    import pandas as pd
    from metasieve.plots import scaling, scaling_model
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")

TRUE = {"serial": 2e-4, "work": 1.5, "thread_imbalance": 0.6, "rank_imbalance": 0.3, "reduction": 5e-5}
PHASES = ["generate", "features", "make", "policy", "inner", "idle", "wait", "reduce", "update", "validate", "io"]
ITERATIONS = 20


def trainings(ranks=(1, 2, 4, 8), threads=(1, 2), kinds=("strong", "weak"), noise=0.0, repeats=3, truth=None,
              cores=None):
    """/points of a study on a machine with these parameters."""
    truth = truth or TRUE
    random = np.random.default_rng(3)
    rows = pd.DataFrame([{"kind": kind, "ranks": r, "threads": t, "repeat": repeat} for kind in kinds for r in ranks
                         for t in threads for repeat in range(1, repeats + 1)])
    grown = np.where(rows["kind"] == "weak", rows["ranks"] * rows["threads"], 16)
    rows["nodes"] = np.maximum(1, rows["ranks"] // 2)
    rows["batch"] = rows["tasks"] = 64 * grown
    rows["iterations"] = ITERATIONS
    rows["work"] = 0.1 * grown
    seconds = {name: truth[name] * term for name, term in scaling_model.terms(rows).items()}
    share = {"policy": 0.25 * seconds["work"], "inner": 0.75 * seconds["work"], "idle": seconds["thread_imbalance"],
             "wait": seconds["rank_imbalance"], "reduce": seconds["reduction"], "update": seconds["serial"]}
    factor = 1 + noise * random.normal(size=len(rows))
    for phase in PHASES:
        mean = share.get(phase, 0.01 if phase in ("generate", "features", "io") else 0 * rows["work"])
        for part in ("min", "mean", "max"):
            rows[f"{phase}_{part}"] = ITERATIONS * factor * mean if phase in share else mean
    rows["seconds_per_iteration"] = factor * sum(seconds.values())
    rows["seconds"] = ITERATIONS * rows["seconds_per_iteration"]
    rows["oversubscribed"] = (rows["ranks"] * rows["threads"] > (cores or 1000)).astype("u1")
    return rows


class ScalingPlots(AnalysisTest):
    def assert_parameters(self, found, wanted, relative):
        for name, value in wanted.items():
            self.assertAlmostEqual(found[name], value, delta=relative * value + 1e-12, msg=name)

    def test_the_model_finds_the_parameters_that_made_the_trainings(self):
        self.assert_parameters(scaling_model.fit(trainings()), TRUE, 1e-6)
        self.assert_parameters(scaling_model.fit(trainings(noise=0.05)), TRUE, 0.05)
        self.assert_parameters(scaling_model.fit(trainings(ranks=(1, 2), kinds=("strong",))), TRUE, 1e-6)

    def test_what_does_not_occur_is_zero_and_never_negative(self):
        none = TRUE | {"thread_imbalance": 0, "rank_imbalance": 0, "reduction": 0}
        self.assert_parameters(scaling_model.fit(trainings(truth=none, noise=0.05)), none, 0.05)
        alone = scaling_model.fit(trainings(ranks=(1,), threads=(1,)))  # says nothing of these
        self.assertEqual([alone[name] for name in ("thread_imbalance", "rank_imbalance", "reduction")], [0, 0, 0])

    def test_not_negative_least_squares_on_a_known_case(self):
        columns = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
        np.testing.assert_allclose(scaling_model.not_negative(columns, np.array([3.0, 5.0, 7.0])), [1, 2])
        # The free solution is (7, -1): what is left of it without the second column is the mean.
        np.testing.assert_allclose(scaling_model.not_negative(columns, np.array([6.0, 5.0, 4.0])), [5, 0])

    def test_the_largest_of_some_normal_numbers(self):
        """Compares with a simulation."""
        random = np.random.default_rng(5)
        for count in (1, 2, 8, 100):
            mean = random.normal(size=(20000, count)).max(axis=1).mean()
            self.assertAlmostEqual(scaling_model.largest_of(count), mean, delta=0.04, msg=str(count))

    def test_intervals_hold_the_parameters_and_shrink_to_them_without_noise(self):
        for noise in (0.0, 0.05):
            for name, (low, high) in scaling_model.bootstrap(trainings(noise=noise), samples=60).items():
                slack = 0.05 * TRUE[name] if noise else 1e-9
                self.assertTrue(low - slack <= TRUE[name] <= high + slack, f"{name}: {low} {high}")
                self.assertLess(high - low, (0.2 if noise else 1e-9) * TRUE[name] + 1e-12)

    def test_efficiency_is_work_per_core_and_second_against_the_fewest_cores(self):
        rows = trainings(ranks=(1, 4), threads=(1,))
        rows.loc[rows["kind"] == "strong", "seconds_per_iteration"] = np.repeat([8.0, 2.5], 3)
        rows.loc[rows["kind"] == "weak", "seconds_per_iteration"] = np.repeat([2.0, 2.5], 3)
        rows.loc[(rows["kind"] == "weak") & (rows["ranks"] == 4), "work"] *= 1.25  # drew larger tasks
        rows.loc[1, "seconds_per_iteration"] = 10.0  # a repeat that was disturbed
        summary = scaling.summary_of(rows).set_index(["kind", "ranks"])
        self.assertAlmostEqual(summary.loc[("strong", 4), "efficiency"], 0.8)
        self.assertAlmostEqual(summary.loc[("strong", 4), "speed_up"], 3.2)
        self.assertAlmostEqual(summary.loc[("weak", 4), "efficiency"], 1.0)
        self.assertAlmostEqual(summary.loc[("strong", 1), "efficiency_least"], 0.8)
        self.assertEqual(summary.loc[("strong", 1), "seconds_most"], 10.0)

    def test_recommends_the_most_ranks_that_are_worth_it(self):
        truth = TRUE | {"thread_imbalance": 0, "rank_imbalance": 0, "reduction": 0}
        # Amdahl: efficiency = (s + w) / (s C + w), w = 2.4 s of one core; 0.8 at C = 1 + w / (4 s).
        truth["serial"] = 2.4 / (4 * 19)  # C = 20, beyond the largest measured
        rows = trainings(threads=(1,), kinds=("strong",), truth=truth)
        summary, parameters = scaling.summary_of(rows), scaling_model.fit(rows)
        said = scaling.recommendation(scaling.with_model(summary, parameters), parameters, "strong", 0.8)
        self.assertIn("strong: 8 node(s), 16 rank(s) x 1 thread(s)", said)
        said = scaling.recommendation(scaling.with_model(summary, parameters), parameters, "strong", 0.5)
        self.assertIn("at least 16 node(s), 32 rank(s)", said)  # as far as the model is asked
        said = scaling.recommendation(scaling.with_model(summary, parameters), parameters, "strong", 0.95)
        self.assertIn("strong: 2 node(s), 4 rank(s)", said)

    def test_two_numbers_of_ranks_support_no_prediction(self):
        rows = trainings(ranks=(1, 2), threads=(1,))
        summary, parameters = scaling.summary_of(rows), scaling_model.fit(rows)
        said = scaling.recommendation(scaling.with_model(summary, parameters), parameters, "weak", 0.8)
        self.assertIn("measured on 1 and 2 rank(s) only, which does not support a prediction", said)
        self.assertIn("are 2 (2 rank(s) x 1 thread(s)", said)

    def test_draws_points_bars_model_and_ideal_with_names_and_units(self):
        rows = trainings(noise=0.02, cores=8)
        parameters = scaling_model.fit(rows)
        summary = scaling.with_model(scaling.summary_of(rows), parameters)
        figure = scaling.plot_efficiency(summary, parameters)
        self.assertEqual([axis.get_title().split(" ")[0] for axis in figure.axes], ["strong", "weak"])
        self.assertEqual(figure.axes[0].get_ylabel(), "parallel efficiency")
        for axis, kind in zip(figure.axes, ("strong", "weak")):
            self.assertEqual(axis.get_xlabel(), "cores (ranks x threads)")
            lines = {line.get_label(): line for line in axis.lines}
            self.assertEqual(set(lines["ideal"].get_ydata()), {1})
            drawn = {(2 ** round(np.log2(x)), round(float(y), 6)) for container in axis.containers
                     for x, y in zip(*container[0].get_data())}
            wanted = summary[summary["kind"] == kind]
            self.assertEqual(drawn, {(c, round(e, 6)) for c, e in zip(wanted["cores"], wanted["efficiency"])})
            model = lines["model, 1 thread(s) a rank"]  # that of the most ranks with cores to themselves
            at_eight = np.interp(8, model.get_xdata(), model.get_ydata())
            row, = wanted[(wanted["ranks"] == 8) & (wanted["threads"] == 1)].to_dict("records")
            self.assertAlmostEqual(at_eight, row["model_efficiency"], 6)
            self.assertEqual(model.get_ydata()[0], 1)
            names = [text.get_text() for text in axis.get_legend().get_texts()]
            self.assertIn("2 thread(s) a rank, more threads than cores", names)

    def test_bars_of_the_phases_add_up_to_the_iteration(self):
        rows = trainings(repeats=1)
        figure = scaling.plot_phases(scaling.phases_of(rows))
        above = figure.axes[0]
        self.assertEqual([axis.get_ylabel() for axis in figure.axes[:2]],
                         ["core-seconds an iteration", "seconds an iteration"])
        self.assertEqual([text.get_text() for text in above.get_xticklabels()],
                         ["1 x 1", "1 x 2", "2 x 1", "2 x 2", "4 x 1", "4 x 2", "8 x 1", "8 x 2"])
        tops = np.sum([[bar.get_height() for bar in container] for container in above.containers], axis=0)
        strong = rows[rows["kind"] == "strong"].assign(cores=rows["ranks"] * rows["threads"])
        strong = strong.sort_values(["cores", "ranks"])
        np.testing.assert_allclose(tops, strong["cores"] * strong["seconds_per_iteration"])
        named = {text.get_text() for axis in figure.axes for legend in [axis.get_legend()] if legend
                 for text in legend.get_texts()}
        self.assertTrue({"policy", "inner fit", "waiting for slower ranks", "allreduce", "features"} <= named, named)
        self.assertNotIn("tasks made again", named)  # took no time

    def test_command_writes_pictures_tables_and_what_it_found(self):
        write_tables(self.folder / "study.h5", "scaling", points=trainings(noise=0.02))
        said = self.succeed("plot", "scaling", "study.h5", "--output", "out/scaling")
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()),
                         [f"scaling_{name}.{suffix}" for name in ("efficiency", "phases")
                          for suffix in ("csv", "png", "svg")])
        self.assertRegex(said, r"rank_imbalance +0\.\d+ +\[0\.\d+, 0\.\d+\]")
        self.assertRegex(said, r"strong: .*predicted efficiency")
        table = pd.read_csv(self.folder / "out" / "scaling_efficiency.csv")
        self.assertEqual(len(table), 16)
        np.testing.assert_allclose(table["model_seconds"], table["seconds_per_iteration"], rtol=0.1)

    def test_oversubscribed_points_are_drawn_but_not_believed(self):
        rows = trainings(ranks=(1, 2), threads=(1,), cores=1)
        rows.loc[rows["oversubscribed"] == 1, "wait_mean"] *= 100
        write_tables(self.folder / "some.h5", "scaling", points=rows)
        said = self.succeed("plot", "scaling", "some.h5", "--output", "out")
        self.assertRegex(said, r"rank_imbalance +0 ")
        self.assertIn("strong: nothing to recommend: only 1 number of cores", said)
        write_tables(self.folder / "all.h5", "scaling", points=rows[rows["ranks"] == 2])
        said = self.succeed("plot", "scaling", "all.h5", "--output", "out")
        self.assertIn("every point has more threads than cores", said)

    def test_other_files_are_refused_in_one_line(self):
        (self.folder / "text.h5").write_text("no HDF5")
        write_tables(self.folder / "empty.h5", "scaling", points=trainings().iloc[:0])
        with h5py.File(self.folder / "other.h5", "w") as file:
            file.attrs["filetype"] = "metasieve-evaluation"
        for name, part in (("text.h5", "file signature"), ("none.h5", "no such file"), ("empty.h5", "has no points"),
                           ("other.h5", "must be 'metasieve-scaling'")):
            self.refuse(3, part, "plot", "scaling", name, "--output", "out/scaling")
        self.assertFalse((self.folder / "out").exists())
        self.refuse(2, "must be > 0 and < 1", "plot", "scaling", "text.h5", "--output", "o", "--efficiency", "2")


if __name__ == "__main__":
    unittest.main()
