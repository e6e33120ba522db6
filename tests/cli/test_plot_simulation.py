"""analysis/plot_simulation.py: what it draws of the tables of a simulated scaling study."""
import csv
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import ROOT

sys.path.insert(0, str(ROOT / "analysis"))
try:
    from metasieve_analysis import simulation
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")

NODES = [1, 16, 1024]
STUDIES = {"weak": {"64 tasks a rank": [1, 0.98, 0.96], "640 tasks a rank": [1, 0.99, 0.985]},
           "strong": {"default suite": [1, 0.5, 0.01], "ten times larger": [1, 0.9, 0.2]}}


class PlotSimulation(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="metasieve."))
        self.addCleanup(shutil.rmtree, self.folder)
        for kind, studies in STUDIES.items():
            with (self.folder / f"{kind}.csv").open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["study", "ranks", "threads", "step_seconds", "scaling"])
                for study, efficiencies in studies.items():
                    writer.writerows([study, n, 1, 0.1, e] for n, e in zip(NODES, efficiencies))

    def run_script(self, output):
        return subprocess.run([sys.executable, ROOT / "analysis/plot_simulation.py", self.folder, "--output", output],
                              text=True, capture_output=True, timeout=60)

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
            done = self.run_script(self.folder / name)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue((self.folder / name).read_bytes().startswith(start))

    def test_other_tables_are_refused_in_one_line(self):
        (self.folder / "weak.csv").write_text("study,ranks\na,1\n")
        done = self.run_script(self.folder / "p.png")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (3, 1), done.stderr)
        self.assertIn("weak.csv: has no threads", done.stderr)
        (self.folder / "weak.csv").unlink()
        done = self.run_script(self.folder / "p.png")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (3, 1), done.stderr)
        self.assertFalse((self.folder / "p.png").exists())


if __name__ == "__main__":
    unittest.main()
