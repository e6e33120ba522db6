"""docs/examples: each example runs, and its models are better where the rows that it trusts are right."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

try:
    import h5py
    import sklearn  # noqa: F401, what the example needs
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")

from support import BINARY, MODULE, ROOT, SHORT, TINY, BinaryTest, write_dataset

SCORES = [("row", "i8"), ("score", "f8"), ("weight", "f8"), ("selected", "u1"), ("y", "u1"), ("z", "u1")]

# Trusts exactly the training rows whose label was not flipped, and logs what it was given.
FAKE = """#!{python}
import sys, h5py, numpy as np
options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
with h5py.File(options["--dataset"]) as file:
    y, clean, z, split = (file[name][:] for name in ("y", "y_clean", "z", "split"))
    print(sys.argv[1], options["--policy"], len(y), split.sum(), (y != clean).sum(), (y != clean)[split == 1].sum(),
          file.attrs["filetype"], file.attrs["complete"], file=open({log!r}, "a"))
right = (y == clean) & (split == 0)
scores = np.array(list(zip(range(len(y)), np.where(split, np.nan, right), 0.9 * right, right, y, z)), dtype={dtype!r})
with h5py.File(options["--output"], "w") as file:
    file.attrs["filetype"], file.attrs["complete"] = "metasieve-scores", 1
    file["scores"] = scores
"""


class Score(BinaryTest):
    def run_example(self, *arguments):
        """Returns {(model, way): numbers}."""
        run = subprocess.run([sys.executable, ROOT / "docs/examples/score.py", *map(str, arguments)], cwd=self.folder,
                             env=os.environ | {"PYTHONPATH": str(ROOT / "analysis")}, capture_output=True, text=True,
                             timeout=120)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("means over 2 splits", run.stdout)
        rows, model = {}, None
        for line in run.stdout.splitlines():
            words = re.split("  +", line.strip())
            if line.startswith("  "):
                rows[model, words[0]] = [float(number) for number in re.findall(r"[-+]?\d+\.\d+", line)]
            else:
                model = words[0]
        self.assertEqual(len(rows), 9)
        return rows

    def test_rows_with_right_labels_are_worth_more_than_all_rows(self):
        source, fake, log = write_dataset(self.folder / "d.h5", 600), self.folder / "fake", self.folder / "log"
        with h5py.File(source, "r+") as file:
            file["y"][:] = file["x"][:, 0] > 0
            clean = file["y"][:].mean()
        fake.write_text(FAKE.format(python=sys.executable, log=str(log), dtype=SCORES))
        fake.chmod(0o755)

        rows = self.run_example(source, "--splits", 2, "--label-noise", 0.4, "--policy", "p.h5", "--metasieve", fake)

        self.assertTrue(0.3 < clean < 0.7)
        # 420 training rows, 168 of them flipped; none of the 180 test rows.
        self.assertEqual(log.read_text().splitlines(), ["score p.h5 600 180 168 0 metasieve-dataset 1"] * 2)
        for model in ("gradient boosting", "random forest"):
            for way in ("sample_weight", "selected rows"):
                accuracy, _, gain, _ = rows[model, way]
                self.assertGreater(accuracy, 0.95)
                self.assertGreater(gain, 5)
                self.assertAlmostEqual(gain, 100 * (accuracy - rows[model, "all rows"][0]), delta=0.11)

    def test_runs_on_what_metasieve_score_writes(self):
        self.succeed("train", *TINY, *SHORT, "--output", "run")
        write_dataset(self.folder / "d.h5", 200)
        pathlib.Path(self.folder, "c.ini").write_text("[evaluate]\nadapt_steps = 0\n")
        self.run_example("d.h5", "--splits", 2, "--policy", "run/policy.h5", "--metasieve", BINARY, "--config", "c.ini")


class Compas(unittest.TestCase):
    def test_shows_what_is_rejected_and_what_it_brings(self):
        data = pathlib.Path(os.environ.get("METASIEVE_DATA", ROOT.parent / "shared/data"))
        table = data / "compas-scores-two-years.csv"
        if not table.exists() or not [*MODULE.glob("metasieve/_core*")]:
            self.skipTest(f"needs {table}, and a build with METASIEVE_PYTHON")
        run = subprocess.run([sys.executable, ROOT / "docs/examples/compas.py", table], capture_output=True, text=True,
                             env=os.environ | {"PYTHONPATH": f"{ROOT / 'analysis'}:{MODULE}"}, timeout=120)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        found = re.findall(r"(?m)^(\w+ rows) +accuracy 0\.(\d+)  false alarms African-American 0\.(\d+)  "
                           r"Caucasian 0\.(\d+)$", run.stdout)
        self.assertEqual([name for name, *_ in found], ["all rows", "trusted rows"])
        apart = {name: abs(int(first) - int(second)) for name, _, first, second in found}
        self.assertLess(apart["trusted rows"], apart["all rows"])
        rejected = int(re.match(r"of the wrong labels (\d+) % are not selected", run.stdout)[1])
        self.assertGreater(rejected, 45)  # 30 % of all rows are not


if __name__ == "__main__":
    unittest.main()
