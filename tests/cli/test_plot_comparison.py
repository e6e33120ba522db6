"""analysis/plot_comparison.py: what it draws, and what it refuses."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "analysis"))
try:
    from metasieve_analysis import comparison
except ImportError as error:
    raise unittest.SkipTest(f"matplotlib is missing: {error}")


def write_evaluation(path, sources, methods=("baseline", "greedy", "meta_hard")):
    """A file with the fields that the plot reads; accuracy of method k is 0.7 + k / 100."""
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


class PlotComparison(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_each_method_is_drawn_at_its_means_with_a_legend(self):
        write_evaluation(self.folder / "e.h5", ["compas"])
        panels = comparison.panels_of([self.folder / "e.h5"])
        figure = comparison.plot(panels, "eo_gap")
        axis = figure.axes[0]
        points = {(round(float(c[0].get_xdata()[0]), 6), round(float(c[0].get_ydata()[0]), 6)) for c in axis.containers}
        self.assertEqual(points, {(0.3, 0.7), (0.2, 0.71), (0.1, 0.72)})
        self.assertIn("compas", axis.get_title())
        self.assertIn("equalised-odds", axis.get_xlabel())
        self.assertIn("metasieve, hard", [text.get_text() for text in figure.legends[0].get_texts()])

    def test_command_writes_a_picture_with_a_panel_a_source(self):
        write_evaluation(self.folder / "e.h5", ["a", "b", "all"])
        done = subprocess.run([sys.executable, ROOT / "analysis" / "plot_comparison.py", self.folder / "e.h5",
                               "--output", self.folder / "p.png"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.folder / "p.png").read_bytes()[:4], b"\x89PNG")
        self.assertIn(b"<svg", (self.folder / "p.svg").read_bytes())
        lines = (self.folder / "p.csv").read_text().splitlines()
        self.assertEqual(lines[0], "source,method,metric,mean,low,high")
        self.assertEqual(len(lines), 1 + 2 * 3 * 3)

    def test_sources_can_be_chosen(self):
        write_evaluation(self.folder / "e.h5", ["a", "b"])
        command = [sys.executable, ROOT / "analysis" / "plot_comparison.py", self.folder / "e.h5", "--output",
                   self.folder / "p.png", "--only"]
        wide = {}
        for name, only in (("one", ["b"]), ("both", ["a", "b"])):
            subprocess.run([*command, *only], check=True, capture_output=True, timeout=60)
            wide[name] = int.from_bytes((self.folder / "p.png").read_bytes()[16:20], "big")  # width, in the header
        self.assertLess(wide["one"], 0.6 * wide["both"])
        refused = subprocess.run([*command, "c"], capture_output=True, text=True, timeout=60)
        self.assertEqual((refused.returncode, refused.stderr.count("\n")), (3, 1))
        self.assertIn("none of the files has a source called c", refused.stderr)

    def test_a_panel_of_which_all_methods_are_left_out_is_not_drawn(self):
        write_evaluation(self.folder / "few.h5", ["a"], ["baseline", "greedy"])
        write_evaluation(self.folder / "more.h5", ["b"])
        write_evaluation(self.folder / "pooled.h5", ["all"])

        def width(*arguments):
            """Of the picture in pixels, or what is said instead."""
            picture = self.folder / "p.png"
            picture.unlink(missing_ok=True)
            done = subprocess.run([sys.executable, ROOT / "analysis" / "plot_comparison.py", *arguments, "--output",
                                   picture], cwd=self.folder, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, picture.exists()), (3, False) if done.stderr else (0, True), done.stderr)
            return done.stderr or int.from_bytes(picture.read_bytes()[16:20], "big")

        none, two = "plot_comparison: nothing is left to draw\n", ("--leave-out", "baseline", "greedy")
        self.assertEqual(width("few.h5", "more.h5", *two), width("more.h5", *two))
        self.assertLess(width("more.h5", *two), 0.6 * width("few.h5", "more.h5"))
        self.assertEqual(width("few.h5", *two), none)
        self.assertEqual(width("few.h5", "more.h5", *two, "meta_hard"), none)
        self.assertEqual(width("pooled.h5"), none)

    def test_other_files_are_refused_in_one_line(self):
        (self.folder / "text.h5").write_text("no HDF5")
        with h5py.File(self.folder / "policy.h5", "w") as file:
            file.attrs["filetype"] = "metasieve-policy"
        for name in ["text.h5", "policy.h5", "missing.h5"]:
            done = subprocess.run([sys.executable, ROOT / "analysis" / "plot_comparison.py", self.folder / name,
                                   "--output", self.folder / "p.png"], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 3, name)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn(name, done.stderr)
            self.assertFalse((self.folder / "p.png").exists())


if __name__ == "__main__":
    unittest.main()
