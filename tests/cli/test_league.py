"""`python3 -m metasieve league`: all methods on many tables under several corruptions of the labels."""
import argparse
import sys
import unittest

import numpy as np
import pandas as pd

try:
    import scipy  # noqa: F401, for the critical difference
except ImportError as error:
    raise unittest.SkipTest(str(error))

from support import BINARY, MPI, ROOT, AnalysisTest, write_dataset

sys.path.insert(0, str(ROOT / "analysis"))
from metasieve import league

FEW = ("--methods", "reweighing,meta_soft", "--splits", "2", "--ranks", "1", "--metasieve", BINARY)


class League(AnalysisTest):
    def setUp(self):
        super().setUp()
        (self.folder / "data/league").mkdir(parents=True)
        random = np.random.default_rng(1)
        x = random.normal(size=(240, 3))
        table = pd.DataFrame(x, columns=["a", "b", "c"])
        table["label"] = np.where(x[:, 0] + random.normal(scale=0.5, size=240) > 0, "yes", "no")
        table["group"] = np.where(random.random(240) > 0.4, "yes", "no")
        table.to_csv(self.folder / "data/league/one.csv", index=False)
        write_dataset(self.folder / "data/two.h5", 240)
        (self.folder / "data/notes.csv").write_text("a,b\n1,2\n")  # no table of a league

    def run_league(self, *words):
        return self.succeed("league", "data", "--output", "out", *FEW, *words, **MPI)

    def test_evaluates_each_corruption_once_and_goes_on_where_it_stopped(self):
        said = self.run_league("--corruptions", "flips:0.1,hidden:0.3")
        self.assertEqual(said.count("+ "), 2)
        table = pd.read_csv(self.folder / "out/league.csv")
        self.assertEqual([*table], [*league.KEYS, *league.METRICS, "rank"])
        self.assertEqual(len(table), 2 * 2 * 3)
        self.assertTrue((table.loc[table["method"] == "baseline", "J"] == 0).all())
        self.assertEqual(set(table["table"]), {"one", "two"})
        page = (self.folder / "out/league.md").read_text()
        for words in ("## flips:0.1", "## hidden:0.3", "Critical difference of mean ranks", "metasieve, soft"):
            self.assertIn(words, page)
        mean = table.groupby(["method", "corruption"])[["J", "rank"]].mean().loc["meta_soft", "hidden:0.3"]
        self.assertIn(f"{mean['J']:+.2f} ({mean['rank']:.1f}) |", page)
        self.assertTrue((self.folder / "out/league_picture.png").stat().st_size > 1000)

        again = self.run_league("--corruptions", "flips:0.1,hidden:0.3")
        self.assertEqual((again.count("kept, it was made by the same command"), again.count("+ ")), (2, 0))
        self.assertEqual((self.folder / "out/league.md").read_text(), page)
        self.assertIn("+ ", self.run_league("--corruptions", "flips:0.2"))

    def test_wrong_words_are_refused(self):
        common = ("league", "data", "--output", "out", *FEW)
        self.refuse(2, "--tables three: data has no such table; it has two, one", *common, "--tables", "three")
        self.refuse(2, "has no table; must have .csv files", "league", "out", "--output", "other", *FEW)
        self.refuse(2, "--metasieve none: does not exist", *common[:-1], "none")


class Figures(unittest.TestCase):
    """Computed by hand."""

    def values(self):
        rows = [("t", "baseline", 0, 70, 20), ("t", "baseline", 1, 72, 24), ("t", "roh", 0, 71, 10),
                ("t", "roh", 1, 72, 12), ("t", "meta_soft", 0, 72, 12), ("t", "meta_soft", 1, 74, 12),
                ("t", "oracle", 0, 90, 0), ("t", "oracle", 1, 90, 0)]
        found = pd.DataFrame(rows, columns=["table", "method", "split", "accuracy", "gap"])
        return found.assign(corruption="none", balanced_accuracy=50, J=found["accuracy"] - 0.25 * found["gap"])

    def test_gains_ranks_and_wins(self):
        gains = league.gains_of(self.values())
        means = league.table_of(gains).set_index("method")
        self.assertEqual(list(means["J"]), [0, 0.5 + 0.25 * 11, 2 + 0.25 * 10, 19 + 0.25 * 22])
        self.assertEqual(list(means["rank"].dropna()), [3, 2, 1])  # the oracle has none
        wins = league.wins_of(gains, "meta_soft", {"t": 0.4}).set_index("method")
        self.assertEqual(list(wins.loc["roh", ["tables", "wins", "losses"]]), [1, 1, 0])
        self.assertNotIn("oracle", wins.index)

    def test_critical_difference_is_that_of_demsar(self):
        """Demsar (2006), table 5: q at 5 % is 2.343 for 3 methods, 2.728 for 5."""
        for methods, q in ((3, 2.343), (5, 2.728)):
            expected = q * (methods * (methods + 1) / (6 * 14)) ** 0.5
            self.assertAlmostEqual(league.critical_difference(methods, 14), expected, 2)

    def test_a_gap_that_is_undefined_costs_nothing(self):
        rows = pd.DataFrame({"source": ["t"], "method": ["baseline"], "split": [0], "accuracy": [0.7],
                             "eo_gap": [np.nan], "balanced_accuracy": [0.6], "failed": [0]})

        class Evaluation:
            def table(self, name):
                return rows
        found = league.values_of(Evaluation(), "none", argparse.Namespace(gap="eo_gap", weight=0.25))
        self.assertAlmostEqual(found["J"][0], 70)


if __name__ == "__main__":
    unittest.main()
