"""analysis/import_dataset.py. The published files are looked for in METASIEVE_DATA, else in ../shared/data."""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import h5py
    import numpy as np
    import pandas  # noqa: F401, what the importer needs
    MISSING = None
except ImportError as error:
    MISSING = error

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("METASIEVE_DATA", ROOT.parent / "shared" / "data"))


def setUpModule():
    if MISSING:
        raise unittest.SkipTest(f"{MISSING} in {sys.executable}")


class Importer(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.output = self.folder / "out.h5"

    def run_importer(self, *arguments):
        return subprocess.run([sys.executable, ROOT / "analysis" / "import_dataset.py", *map(str, arguments)],
                              capture_output=True, text=True, timeout=120)

    def imported(self, *arguments):
        result = self.run_importer(*arguments, "--output", self.output)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        file = h5py.File(self.output, "r")
        self.addCleanup(file.close)
        return file, result.stdout

    def refused(self, code, part, *arguments):
        """One line on standard error, this exit code, no file."""
        result = self.run_importer(*arguments)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(part, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("import_dataset.py: "), result.stderr)
        self.assertFalse(self.output.exists())
        self.assertEqual(list(self.folder.glob("*.part")), [])


class PublishedFiles(Importer):
    def check(self, name, source, rows, group_rows, positives, features):
        if not (DATA / source).exists():
            self.skipTest(f"{DATA / source} is not there; set METASIEVE_DATA")
        file, _ = self.imported(name, "--source", DATA)
        self.assertEqual(file["x"].shape, (rows, len(features)))
        self.assertEqual(file["x"].dtype, np.dtype("<f4"))
        self.assertEqual((int(file["z"][:].sum()), int(file["y"][:].sum())), (group_rows, positives))
        self.assertEqual([text.decode() for text in file.attrs["feature_names"]], features)
        self.assertEqual(file.attrs["source_sha256"].decode(),
                         hashlib.sha256((DATA / source).read_bytes()).hexdigest())
        self.assertEqual(file.attrs["source"].decode(), source)
        return file

    def test_compas(self):
        file = self.check("compas", "compas-scores-two-years.csv", 6172, 3175, 2809,
                          ["age", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count"])
        # The first two persons of the table that the filters keep: 69, other, no relapse; 34, African-American, relapse.
        self.assertEqual(file["x"][:2, 0].tolist(), [69, 34])
        self.assertEqual((file["z"][:2].tolist(), file["y"][:2].tolist()), ([0, 1], [0, 1]))

    def test_adult(self):
        file = self.check("adult", "adult.data", 30162, 9782, 7508,
                          ["age", "education-num", "capital-gain", "capital-loss", "hours-per-week"])
        self.assertEqual(file["x"][0].tolist(), [39, 13, 2174, 0, 40])

    def test_german(self):
        file = self.check("german", "german.data", 1000, 851, 300,
                          ["duration", "credit-amount", "installment-rate", "age", "existing-credits", "people-liable"])
        self.assertEqual(file["x"][1].tolist(), [48, 5951, 2, 22, 1, 1])
        self.assertEqual((file["z"][:3].tolist(), file["y"][:3].tolist()), ([1, 0, 1], [0, 1, 0]))

    def test_part_of_a_published_file_is_refused(self):
        source = DATA / "german.data"
        if not source.exists():
            self.skipTest(f"{source} is not there; set METASIEVE_DATA")
        (self.folder / "german.data").write_text("\n".join(source.read_text().splitlines()[:900]) + "\n")
        self.refused(3, "900 rows are left; must be 1000", "german", "--source", self.folder, "--output", self.output)

    def test_wrong_files_are_refused(self):
        self.refused(3, "No such file", "adult", "--source", self.folder, "--output", self.output)
        (self.folder / "adult.data").write_text("a,b\n1,2\n")
        self.refused(3, "has 2 columns; must have 15", "adult", "--source", self.folder, "--output", self.output)
        (self.folder / "compas-scores-two-years.csv").write_text("age\n1\n")
        self.refused(3, "has no column 'priors_count'", "compas", "--source", self.folder, "--output", self.output)
        (self.folder / "german.data").write_bytes(b"\xff\xfe\x00\n")
        self.refused(3, "german.data", "german", "--source", self.folder, "--output", self.output)


TABLE = """\
age,sex,job,tall,income,note
30,female,clerk,yes,high,a
40,male,smith,no,low,b
,female,,yes,low,c
50,male,clerk,no,high,d
60,female,smith,no,,e
20, female ,baker,yes,low,f
"""


class Csv(Importer):
    def setUp(self):
        super().setUp()
        self.table = self.folder / "table.csv"
        self.table.write_text(TABLE)

    def arguments(self, **changes):
        options = {"label": "income", "positive": "high", "group": "sex", "group-value": "female", **changes}
        return ["csv", self.table, *(word for key, value in options.items() for word in (f"--{key}", value))]

    def test_columns_and_missing_values(self):
        file, text = self.imported(*self.arguments(), "--drop", "note")
        self.assertEqual([name.decode() for name in file.attrs["feature_names"]],
                         ["age", "job=baker", "job=clerk", "job=missing", "job=smith", "tall=yes"])
        # Without the row that has no income; the missing age is the median of 30, 40, 50, 20.
        self.assertEqual(file["x"][:, 0].tolist(), [30, 40, 35, 50, 20])
        self.assertEqual(file["x"][2].tolist(), [35, 0, 0, 1, 0, 1])
        self.assertEqual(file["y"][:].tolist(), [1, 0, 0, 1, 0])
        self.assertEqual(file["z"][:].tolist(), [1, 0, 1, 0, 1])
        self.assertIn("1 rows without 'income' or 'sex' left out", text)
        self.assertIn("column 'age': 1 missing values set to the median 35", text)
        self.assertIn("column 'job': 1 missing values made a level of their own", text)
        self.assertEqual(file.attrs["positive_label"], b"income=high")
        self.assertEqual(file.attrs["group_name"], b"sex=female")

    def test_the_file_says_what_it_is(self):
        file, _ = self.imported(*self.arguments())
        self.assertEqual(file.attrs["filetype"], b"metasieve-dataset")
        self.assertEqual((file.attrs["version"].dtype, file.attrs["version"].tolist()), (np.dtype("<i4"), [1, 0]))
        self.assertEqual(file.attrs["complete"], 1)
        self.assertIn(b"[import]\nkind = csv\n", file.attrs["config"])
        self.assertEqual(file.attrs["source_sha256"].decode(), hashlib.sha256(TABLE.encode()).hexdigest())

    def test_numbers_as_values(self):
        self.table.write_text("a,y,z\n1,0,2\n2,1,3\n3,1,2\n")
        file, _ = self.imported("csv", self.table, "--label", "y", "--positive", "1.0", "--group", "z", "--group-value", "2")
        self.assertEqual((file["y"][:].tolist(), file["z"][:].tolist()), ([0, 1, 1], [1, 0, 1]))

    def test_usage(self):
        out = ("--output", self.output)
        self.refused(2, "nearest is 'income'", *self.arguments(label="incme"), *out)
        self.refused(2, "nearest is 'sex'", *self.arguments(group="sexe"), *out)
        self.refused(2, "nearest is 'note'", *self.arguments(), "--drop", "notes", *out)
        self.refused(2, "--positive rich: column 'income' has no such value; it has high, low",
                     *self.arguments(positive="rich"), *out)
        self.refused(2, "--output", *self.arguments())
        self.refused(2, "invalid choice", "xml", *out)
        self.refused(2, "required")

    def test_bad_tables(self):
        out = ("--output", self.output)

        def refused(part, table):
            self.table.write_text(table)
            self.refused(3, part, *self.arguments(), *out)

        refused("column 'income' (--label) is high in all rows", "age,sex,income\n1,female,high\n2,male,high\n")
        refused("column 'sex' (--group) is female in all rows", "age,sex,income\n1,female,high\n2,female,low\n")
        refused("has no rows", "age,sex,income\n")
        refused("is no table", "")
        refused("no row has both", "age,sex,income\n1,,high\n2,male,\n")
        refused("no column is left", "sex,income\nfemale,high\nmale,low\n")
        refused("column 'age' is empty; use --drop age", "age,sex,income\n,female,high\n,male,low\n")
        refused("column 'age' has infinite values", "age,sex,income\n1,female,high\ninf,male,low\n")
        refused("column 'age' has a value beyond float32", "age,sex,income\n1e99,female,high\n2,male,low\n")
        names = "".join(f"person {i},{'fe' * (i % 2)}male,{'high' if i % 3 else 'low'}\n" for i in range(50))
        refused("it looks like a name; use --drop age", "age,sex,income\n" + names)

    def test_no_such_table(self):
        self.table.unlink()
        self.refused(3, "No such file", *self.arguments(), "--output", self.output)

    def test_outputs_that_cannot_be_written(self):
        for output in (self.table / "out.h5", "/proc/out.h5", "/dev/null"):
            with self.subTest(output):
                self.refused(3, f"cannot write {output}", *self.arguments(), "--output", output)
        self.assertFalse(pathlib.Path("/dev/null").is_file())

    def test_what_was_there_stays_on_failure_and_folders_are_made(self):
        output = self.folder / "new" / "folder" / "out.h5"
        self.assertEqual(self.run_importer(*self.arguments(), "--output", output).returncode, 0)
        before = output.read_bytes()
        self.assertEqual(self.run_importer(*self.arguments(positive="rich"), "--output", output).returncode, 2)
        self.assertEqual(output.read_bytes(), before)
        self.assertEqual([path.name for path in output.parent.iterdir()], ["out.h5"])


if __name__ == "__main__":
    unittest.main()
