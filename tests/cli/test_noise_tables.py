"""Tables of pure noise: labels, groups and features are independent coins, so no method changes the accuracy. Intervals
and findings of `metasieve evaluate` must rarely say otherwise."""
import h5py
import numpy as np

from support import ROOT, BinaryTest, unittest, write_dataset

TABLES, ROWS, COLUMNS = 100, 300, 6


class NoiseTables(BinaryTest):
    def test_intervals_and_findings_are_rarely_wrong(self):
        random = np.random.default_rng(16)
        paths = []
        for number in range(TABLES):
            path = write_dataset(self.folder / f"noise{number}.h5", rows=ROWS, columns=COLUMNS)
            with h5py.File(path, "r+") as file:
                file["x"][...] = random.normal(size=(ROWS, COLUMNS))
                for name in ("y", "z"):
                    file[name][...] = random.integers(0, 2, ROWS)
            paths.append(path)
        output = self.folder / "evaluation.h5"
        self.succeed("evaluate", "--config", ROOT / "configs/compare.ini", "--policy", ROOT / "configs/policy.h5",
                     "--dataset", *paths, "--output", output, timeout=500)
        with h5py.File(output) as file:
            summary, findings = file["summary"][...], file["findings"][...]
        changes = summary[summary["metric"] == b"accuracy"]
        changes = changes[changes["method"] != b"baseline"]
        wrong = (changes["baseline_change_low"] > 0) | (changes["baseline_change_high"] < 0)
        shares = {method.decode(): wrong[changes["method"] == method].mean() for method in np.unique(changes["method"])}
        print("intervals without 0:", shares)
        self.assertEqual(len(changes), TABLES * len(shares))
        for method, share in shares.items():
            self.assertLessEqual(share, 0.08, method)
        claims = {row["source"] for row in findings if row["kind"] in (b"accuracy", b"fairness") and row["method"]}
        print("tables with a claim:", len(claims) / TABLES)
        self.assertLessEqual(len(claims) / TABLES, 0.05)
        self.assertTrue(np.all(changes["baseline_change_high"] > changes["baseline_change_low"]))


if __name__ == "__main__":
    unittest.main()
