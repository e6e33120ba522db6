"""analysis/score_example.py: what it trains on, what it judges by, and what it refuses."""
import contextlib
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

try:
    import h5py
    import numpy as np
    import sklearn  # noqa: F401, what the example needs
    MISSING = None
except ImportError as error:
    MISSING = error

from support import BINARY, ROOT, SHORT, TINY, BinaryTest, write_dataset

EXAMPLE = ROOT / "analysis" / "score_example.py"
SCORES = [("row", "i8"), ("score", "f8"), ("weight", "f8"), ("selected", "u1"), ("y", "u1"), ("z", "u1")]

# Trusts the rows whose label was not flipped, and writes what it was asked.
FAKE = """#!{python}
import sys, h5py, numpy as np
options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
with h5py.File(options["--dataset"]) as file:
    y, clean, z, split = (file[name][:] for name in ("y", "y_clean", "z", "split"))
    right = (y == clean) & (split == 0)
    print(sys.argv[1], options["--policy"], len(y), split.sum(), (y != clean).sum(), (y != clean)[split == 1].sum(),
          file.attrs["filetype"], file.attrs["complete"], file=open({log!r}, "a"))
scores = np.array(list(zip(range(len(y)), np.where(split, np.nan, right), 0.9 * right, right, y, z)), dtype={dtype!r})
with h5py.File(options["--output"], "w") as file:
    file["scores"] = scores
"""


def setUpModule():
    if MISSING:
        raise unittest.SkipTest(f"{MISSING} in {sys.executable}")


def noisy_dataset(path, rows=600, noise=0.3):
    """Labels that the first column tells; of the training part the positives are often called negative."""
    write_dataset(path, rows, split=True)
    random = np.random.default_rng(2)
    with h5py.File(path, "r+") as file:
        clean, split = (file["x"][:, 0] > 0).astype("u1"), file["split"][:]
        file["y_clean"] = clean
        file["y"][:] = np.where((random.random(rows) < 2 * noise) & (split == 0), 0, clean)
    return path


def perfect_scores(path):
    """What a policy that knows all would say."""
    with h5py.File(path) as file:
        y, clean, z, split = (file[name][:] for name in ("y", "y_clean", "z", "split"))
    kept = (y == clean) & (split == 0)
    return np.array(list(zip(range(len(y)), np.where(split, np.nan, kept), kept, kept, y, z)), dtype=SCORES)


class ScoreExample(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_example(self, *arguments, **env):
        return subprocess.run([sys.executable, EXAMPLE, *map(str, arguments)], env=os.environ | env,
                              capture_output=True, text=True, timeout=120)

    def table(self, run):
        """{(model, way): numbers}"""
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        rows, model = {}, None
        for line in run.stdout.splitlines():
            if line.startswith("  "):
                way, numbers = re.fullmatch(r"  (all rows|sample_weight|selected rows)(.*)", line).groups()
                rows[model, way] = [float(number) for number in re.findall(r"[-+]?\d+\.\d+", numbers)]
            elif "accuracy" in line:
                model = re.split("  +", line)[0]
        return rows

    def test_trusted_rows_are_worth_more_than_all_rows(self):
        dataset = noisy_dataset(self.folder / "d.h5")
        with h5py.File(self.folder / "s.h5", "w") as file:
            file["scores"] = perfect_scores(dataset)

        rows = self.table(self.run_example("--dataset", dataset, "--scores", self.folder / "s.h5"))

        self.assertEqual(len(rows), 9)
        for model in ("logistic regression", "gradient boosting", "random forest"):
            base = rows[model, "all rows"]
            for way in ("sample_weight", "selected rows"):
                self.assertGreater(rows[model, way][0], 0.95)
                self.assertGreater(rows[model, way][0], base[0] + 0.1)
                self.assertAlmostEqual(rows[model, way][5], 100 * (rows[model, way][0] - base[0]), delta=0.11)

    def test_csv_says_the_same(self):
        dataset, scores = noisy_dataset(self.folder / "d.h5"), perfect_scores(self.folder / "d.h5")
        with h5py.File(self.folder / "s.h5", "w") as file:
            file["scores"] = scores
        (self.folder / "s.csv").write_text("row,score,weight,selected,y,z\n" + "".join(
            ",".join(map(str, row)) + "\n" for row in scores.tolist()))

        outputs = [self.run_example("--dataset", dataset, "--scores", self.folder / name).stdout
                   for name in ("s.h5", "s.csv")]

        self.assertIn("gain", outputs[0])
        self.assertEqual(*outputs)

    def test_metrics_are_those_of_the_test_part(self):
        sys.path.insert(0, str(ROOT / "analysis"))
        import score_example
        y, z = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 1, 1, 0, 0, 1, 1])
        predicted = np.array([0, 0, 0, 1, 1, 1, 0, 0])
        # Group 0: 2 of 4 positive, group 1: 1 of 4. Label 1: all of group 0, none of group 1.
        self.assertEqual(score_example.quality(predicted, y, z), [5 / 8, (3 / 4 + 2 / 4) / 2, 1 / 4, 1, 3 / 8])

    def test_make_splits_flips_and_scores_each_split(self):
        source, fake, log = write_dataset(self.folder / "d.h5", 400), self.folder / "fake", self.folder / "log"
        fake.write_text(FAKE.format(python=sys.executable, log=str(log), dtype=SCORES))
        fake.chmod(0o755)

        run = self.run_example("--make", source, "--splits", 2, "--label-noise", 0.25, "--policy", "p.h5",
                               "--metasieve", fake)

        self.assertEqual(len(self.table(run)), 9)
        self.assertIn("means over 2 split", run.stdout)
        # 280 training rows, 70 of them flipped; none of the 120 test rows.
        self.assertEqual(log.read_text().splitlines(), ["score p.h5 400 120 70 0 metasieve-dataset 1"] * 2)

    def test_refusals_are_one_line(self):
        dataset = noisy_dataset(self.folder / "d.h5")
        whole = write_dataset(self.folder / "whole.h5")
        with h5py.File(self.folder / "s.h5", "w") as file:
            file["scores"] = perfect_scores(dataset)
        with h5py.File(self.folder / "short.h5", "w") as file:
            file["scores"] = perfect_scores(dataset)[:80]
        for code, part, arguments in [
                (3, "has no split", ("--dataset", whole, "--scores", self.folder / "short.h5")),
                (3, "of another data set", ("--dataset", dataset, "--scores", self.folder / "short.h5")),
                (3, "scores", ("--dataset", dataset, "--scores", dataset)),
                (3, "none.h5", ("--dataset", self.folder / "none.h5", "--scores", self.folder / "s.h5")),
                (3, "nowhere", ("--make", dataset, "--policy", "p.h5", "--metasieve", self.folder / "nowhere")),
                (5, "", ("--make", dataset, "--policy", "p.h5", "--metasieve", self.failing())),
                (2, "--make needs --policy", ("--make", dataset)),
                (2, "give --dataset and --scores", ("--dataset", dataset))]:
            with self.subTest(arguments):
                run = self.run_example(*arguments)
                self.assertEqual(run.returncode, code, run.stderr)
                self.assertIn(part, run.stderr)
                self.assertEqual(run.stdout, "")
                if code == 3:
                    self.assertEqual(run.stderr.count("\n"), 1, run.stderr)

    def test_a_file_that_cannot_be_read_is_named(self):
        dataset, broken = noisy_dataset(self.folder / "d.h5"), self.folder / "broken.h5"
        with h5py.File(self.folder / "s.h5", "w") as file:
            file["scores"] = perfect_scores(dataset)
        with h5py.File(self.folder / "other.h5", "w") as file:
            file["scores"] = np.zeros(600)
        for content in (b"no HDF5", (self.folder / "s.h5").read_bytes()[:3000], b""):
            broken.write_bytes(content)
            for arguments in (("--dataset", broken, "--scores", self.folder / "s.h5"),
                              ("--dataset", dataset, "--scores", broken), ("--make", broken, "--policy", "p.h5")):
                with self.subTest(arguments, bytes=len(content)):
                    run = self.run_example(*arguments)
                    self.assertEqual((run.returncode, run.stdout), (3, ""), run.stderr)
                    self.assertRegex(run.stderr, rf"\Ascore_example.py: {broken}: .+\n\Z")
        for dataset, scores, part in ((dataset, dataset, f"{dataset}: has no /scores"),
                                      (self.folder / "s.h5", dataset, "s.h5: has no /x"),
                                      (dataset, self.folder / "other.h5", "no table of `metasieve score`")):
            run = self.run_example("--dataset", dataset, "--scores", scores)
            self.assertEqual((run.returncode, run.stderr.count("\n")), (3, 1), run.stderr)
            self.assertIn(part, run.stderr)

    def test_a_change_of_no_gap_is_no_number(self):
        """The fit on all rows has no gap, or a gap is undefined."""
        sys.path.insert(0, str(ROOT / "analysis"))
        import score_example
        for base, other, shown in ((0, 0, "-"), (0, 0.1, "-"), (np.nan, 0.1, "-"), (0.2, np.nan, "-"),
                                   (0.2, 0.1, "-50 %"), (0.2, 0.0, "-100 %")):
            found = [{"model": [[0.7, 0.7, 0.1, gap, 0.5] for gap in (base, other, other)]}]
            with self.subTest(base=base, other=other), contextlib.redirect_stdout(io.StringIO()) as text:
                score_example.print_table(found)
            self.assertTrue(text.getvalue().splitlines()[-1].endswith(f" {shown}"), text.getvalue())
            self.assertNotIn("inf", text.getvalue())

    def failing(self):
        path = self.folder / "failing"
        path.write_text("#!/bin/sh\nexit 5\n")
        path.chmod(0o755)
        return path

    def test_without_scikit_learn_the_package_is_named(self):
        (self.folder / "sklearn.py").write_text("raise ImportError(\"No module named 'sklearn'\")\n")
        run = self.run_example("--help", PYTHONPATH=str(self.folder))
        self.assertEqual(run.returncode, 3)
        self.assertRegex(run.stderr, r"\Ascore_example.py: No module named 'sklearn'; install scikit-learn .*\n\Z")


class WithTheBinary(BinaryTest):
    def test_the_example_runs_on_what_metasieve_score_writes(self):
        if "--policy" not in self.execute("score", "--help").stdout:
            self.skipTest("this metasieve has no score command")
        self.succeed("train", *TINY, *SHORT, "--output", "run")
        write_dataset(self.folder / "d.h5", 200)

        run = subprocess.run([sys.executable, EXAMPLE, "--make", "d.h5", "--splits", "2", "--policy", "run/policy.h5",
                              "--metasieve", str(BINARY)], cwd=self.folder, capture_output=True, text=True, timeout=120)

        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(run.stdout.count("sample_weight"), 3)


if __name__ == "__main__":
    unittest.main()
