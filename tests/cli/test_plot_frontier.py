"""analysis/plot_frontier.py: the curves and points it draws, its labels, and what it refuses."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

from support import ROOT

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py
    import pandas as pd
    from metasieve_analysis import frontier, read
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")

from evaluation_tables import ACCURACY, CURVES, FRONTIER, GAP, write_evaluation


class PlotFrontier(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "e.h5"

    def tables(self, *sources):
        return read(write_evaluation(self.file, sources, with_frontier=True))

    def plot(self, evaluation):
        return frontier.plot(frontier.panels_of(evaluation, "eo_gap"), "eo_gap")

    def run_script(self, *arguments):
        return subprocess.run([sys.executable, ROOT / "analysis" / "plot_frontier.py", *map(str, arguments)],
                              capture_output=True, text=True, timeout=120)

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
        """They are perfectly fair, and far below the others."""
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
            done = self.run_script(self.file, "--output", self.folder / "p.png", "--gap", gap)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual((self.folder / "p.png").read_bytes()[:4], b"\x89PNG")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["e.h5", "p.csv", "p.png", "p.svg"])
        table = pd.read_csv(self.folder / "p.csv").set_index(["method", "setting", "metric"])["mean"]
        self.assertEqual(round(table["meta_hard", 0.5, "dp_gap"], 6), 0.15)
        self.assertEqual(round(table["meta_hard", 0.5, "accuracy"], 6), 0.74)

    def test_other_files_are_refused_in_one_line(self):
        write_evaluation(self.folder / "without.h5", ["compas"])
        (self.folder / "text.h5").write_text("no HDF5")
        for name, part in (("without.h5", "has no /frontier"), ("text.h5", "file signature"), ("none.h5", "none.h5")):
            done = self.run_script(self.folder / name, "--output", self.folder / "p.png")
            self.assertEqual(done.returncode, 3, name)
            self.assertIn(part, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertFalse((self.folder / "p.png").exists())

    def test_a_file_without_curves_for_a_source_has_its_points(self):
        tables = self.tables("compas", "adult")
        self.assertEqual(tables["frontier"].columns.tolist(), [name for name, _ in FRONTIER])
        curves = tables["frontier"]
        curves.drop(index=curves.index[curves["source"] != "adult"], inplace=True)
        texts = [text.get_text() for text in self.plot(tables).axes[0].texts]
        self.assertIn("metasieve, hard", texts)
        self.assertNotIn("10", texts)


if __name__ == "__main__":
    unittest.main()
