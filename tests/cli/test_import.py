"""`python3 -m metasieve import`. The published files are looked for in METASIEVE_DATA, else in ../shared/data."""

import hashlib
import os
import pathlib
import subprocess
import sys
import unittest

from support import ROOT, AnalysisTest, analysis

try:
    import h5py
    import numpy as np
    import pandas  # noqa: F401, what the importer needs
    MISSING = None
except ImportError as error:
    MISSING = error

DATA = pathlib.Path(os.environ.get("METASIEVE_DATA", ROOT.parent / "shared" / "data"))


def setUpModule():
    if MISSING:
        raise unittest.SkipTest(f"{MISSING} in {sys.executable}")


class Importer(AnalysisTest):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "out.h5"

    def imported(self, *arguments):
        said = self.succeed("import", *arguments, "--output", self.output)
        file = h5py.File(self.output, "r")
        self.addCleanup(file.close)
        return file, said

    def refused(self, code, part, *arguments):
        """Checks for one line on standard error, this exit code, and no file."""
        self.refuse(code, part, "import", *arguments)
        self.assertFalse(self.output.exists())


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
        # The first two persons that the filters keep: 69, other, no relapse; 34, African-American, relapse.
        self.assertEqual(file["x"][:2, 0].tolist(), [69, 34])
        self.assertEqual((file["z"][:2].tolist(), file["y"][:2].tolist()), ([0, 1], [0, 1]))

    def test_adult(self):
        file = self.check("adult", "adult.data", 30162, 9782, 7508,
                          ["age", "education-num", "capital-gain", "capital-loss", "hours-per-week"])
        self.assertEqual(file["x"][0].tolist(), [39, 13, 2174, 0, 40])

    def test_official_adult_has_the_published_test_part(self):
        if not (DATA / "adult.test").exists():
            self.skipTest(f"{DATA / 'adult.test'} is not there; set METASIEVE_DATA")
        file, text = self.imported("adult", "--official", "--source", DATA)
        y, z, split = file["y"][:], file["z"][:], file["split"][:]
        self.assertEqual((split.dtype, len(split), int(split.sum())), (np.dtype("uint8"), 45222, 15060))
        self.assertEqual((int(y[split == 0].sum()), int(z[split == 0].sum())), (7508, 9782))
        self.assertEqual((int(y[split == 1].sum()), int(z[split == 1].sum())), (3700, 4913))
        self.assertEqual(file["x"][0].tolist(), [39, 13, 2174, 0, 40])
        # The first person of adult.test: 25, male, earns little; the fourth complete one earns more.
        self.assertEqual(file["x"][30162].tolist(), [25, 7, 0, 0, 40])
        self.assertEqual((y[30162:30166].tolist(), z[30162:30166].tolist()), ([0, 0, 1, 1], [0, 0, 0, 0]))
        self.assertEqual(file.attrs["source"], b"adult.data+adult.test")
        self.assertEqual(file.attrs["source_sha256"].decode(),
                         "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d+"
                         "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05")
        self.assertIn(b"official = True", file.attrs["config"])
        self.assertIn("45222 rows", text)
        self.assertIn("15060 in the test part", text)

    def test_official_is_for_adult_and_needs_its_whole_test_file(self):
        for name in ("compas", "german"):
            self.refused(2, "--official", name, "--official", "--source", DATA, "--output", self.output)
        if not (DATA / "adult.test").exists():
            self.skipTest(f"{DATA / 'adult.test'} is not there; set METASIEVE_DATA")
        (self.folder / "adult.data").symlink_to((DATA / "adult.data").resolve())
        official = ("adult", "--official", "--source", self.folder, "--output", self.output)
        self.refused(3, "adult.test: cannot be read", *official)
        lines = (DATA / "adult.test").read_text().splitlines()
        (self.folder / "adult.test").write_text("\n".join(lines[:1000]) + "\n")
        self.refused(3, "rows are left; must be 15060", *official)

    def test_roh(self):
        if not (DATA / "roh2021/xz_train.npy").exists():
            self.skipTest(f"{DATA / 'roh2021'} is not there; set METASIEVE_DATA")
        file, text = self.imported("roh", "--source", DATA)
        y, clean, split = (file[name][:] for name in ("y", "y_clean", "split"))
        self.assertEqual((file["x"].shape, int(split.sum())), ((3000, 2), 1000))
        self.assertEqual(int((y != clean)[split == 0].sum()), 200)  # their 10 %
        self.assertEqual(int((y != clean)[split == 1].sum()), 0)
        self.assertTrue(np.allclose(file["x"][0], [0.9120828, 0.8598784]))
        self.assertEqual(len(file.attrs["source_sha256"].decode().split("+")), 5)
        self.assertIn("1000 in the test part", text)

    def test_arrays_of_another_shape_are_refused(self):
        folder = self.folder / "roh2021"
        folder.mkdir()
        roh = ("roh", "--source", self.folder, "--output", self.output)
        self.refused(3, "xz_train.npy: cannot be read", *roh)
        np.save(folder / "xz_train.npy", np.zeros((5, 3)))
        self.refused(3, "has shape (5, 3); must have (2000, 3)", *roh)
        (folder / "xz_train.npy").write_bytes(b"nothing")
        self.refused(3, "is no array", *roh)

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
        self.assertIn("column 'age': 1 missing values set to the median of all rows, 35", text)
        self.assertIn("column 'job': 1 missing values made a level of their own", text)
        self.assertEqual(file.attrs["positive_label"], b"income=high")
        self.assertEqual(file.attrs["group_name"], b"sex=female")

    def test_the_file_says_what_it_is(self):
        file, _ = self.imported(*self.arguments())
        self.assertEqual(file.attrs["filetype"], b"metasieve-dataset")
        self.assertEqual((file.attrs["version"].dtype, file.attrs["version"].tolist()), (np.dtype("<i4"), [1, 2]))
        self.assertEqual(file.attrs["complete"], 1)
        self.assertIn(b"[import]\nkind = csv\n", file.attrs["config"])
        self.assertEqual(file.attrs["source_sha256"].decode(), hashlib.sha256(TABLE.encode()).hexdigest())

    def test_numbers_as_values(self):
        self.table.write_text("a,y,z\n1,0,2\n2,1,3\n3,1,2\n")
        file, _ = self.imported("csv", self.table, "--label", "y", "--positive", "1.0", "--group", "z",
                                "--group-value", "2")
        self.assertEqual((file["y"][:].tolist(), file["z"][:].tolist()), ([0, 1, 1], [1, 0, 1]))

    def test_words_stay_as_they_are_written(self):
        """Words that pandas would read as booleans or numbers; a byte order mark; blanks around names and words."""
        self.table.write_text("\ufeffcode, y ,z\n01,true,A \n2,false,B\n1.0,true,B\n", encoding="utf-8")
        file, _ = self.imported("csv", self.table, "--label", "y", "--positive", "true", "--group", "z",
                                "--group-value", "A")
        self.assertEqual(file.attrs["feature_names"].tolist(), [b"code"])
        self.assertEqual(file["x"][:, 0].tolist(), [1, 2, 1])
        self.assertEqual((file["y"][:].tolist(), file["z"][:].tolist()), ([1, 0, 1], [1, 0, 0]))

    def test_other_separators_and_words_for_missing(self):
        for separator in (";", "\t", "|"):
            with self.subTest(separator):
                self.table.write_text(TABLE.replace(",", separator).replace("40", "unknown"))
                file, text = self.imported(*self.arguments(), "--drop", "note", "--missing", "unknown")
                self.assertEqual(file["x"][:, 0].tolist(), [30, 30, 30, 50, 20])  # the median of 30, 50, 20
                self.assertIn("column 'age': 2 missing values set to the median", text)
        self.table.write_text(TABLE.replace(",", "~"))
        file, _ = self.imported(*self.arguments(), "--separator", "~")
        self.assertEqual(len(file["y"]), 5)

    def test_split(self):
        self.table.write_text("age,sex,income,part\n" + "\n".join(
            f"{i},{'fe' * (i // 2 % 2)}male,{'high' if i % 2 else 'low'},{'train' if i < 8 else 'test' * (i < 12)}"
            for i in range(13)) + "\n")
        file, text = self.imported(*self.arguments(), "--split", "part", "--test-value", "test")
        self.assertEqual(file["split"][:].tolist(), [0] * 8 + [1] * 4)
        self.assertEqual(file["split"].dtype, np.dtype("uint8"))
        self.assertEqual(file["x"].shape, (12, 1))
        self.assertIn("1 rows without 'income' or 'sex' or 'part' left out", text)
        self.assertIn("4 in the test part", text)

    def with_parts(self, rows):
        """Imports rows of age, job, sex, income and part, the test part those of part `test`."""
        self.table.write_text("age,job,sex,income,part\n" + "\n".join(rows) + "\n")
        return self.arguments(split="part", **{"test-value": "test"})

    def test_test_rows_have_no_say_in_what_is_learnt(self):
        train = ["10,clerk,female,high,train", ",clerk,male,low,train", "20,smith,female,low,train",
                 "30,smith,male,high,train"]
        learnt = []
        for test, x, note in [
                (["1000,clerk,female,high,test", "2000,,male,low,test", ",smith,male,low,test"],
                 [[1000, 1, 0], [2000, 0, 0], [20, 0, 1]],
                 "1 test rows have a value that no training row has, such as 'missing'"),
                (["7,baker,female,high,test", "8,clerk,male,low,test", "9,judge,male,low,test"],
                 [[7, 0, 0], [8, 1, 0], [9, 0, 0]],
                 "2 test rows have a value that no training row has, such as 'baker'")]:
            file, text = self.imported(*self.with_parts(train + test))
            learnt.append((file.attrs["feature_names"].tolist(), file["x"][:4].tolist()))
            self.assertEqual(file["x"][4:].tolist(), x)
            self.assertIn("missing values set to the median of the training rows, 20", text)
            self.assertIn(note, text)
            file.close()
        self.assertEqual(learnt, [([b"age", b"job=clerk", b"job=smith"],
                                   [[10, 1, 0], [20, 1, 0], [20, 0, 1], [30, 0, 1]])] * 2)

    def test_two_values_are_one_column_unless_the_test_part_has_a_third(self):
        train = ["1,clerk,female,high,train", "2,smith,male,low,train", "3,smith,female,low,train"]
        for third, names, x in [("smith", [b"job=smith"], [[0], [1], [1], [0], [1]]),
                                ("judge", [b"job=clerk", b"job=smith"], [[1, 0], [0, 1], [0, 1], [1, 0], [0, 0]])]:
            with self.subTest(third):
                arguments = self.with_parts(train + ["4,clerk,female,high,test", f"5,{third},male,low,test"])
                file, text = self.imported(*arguments, "--drop", "age")
                self.assertEqual((file.attrs["feature_names"].tolist(), file["x"][:].tolist()), (names, x))
                self.assertEqual("such as 'judge'; they are in no level" in text, third == "judge")
                file.close()

    def test_columns_that_only_the_test_part_tells_are_refused(self):
        out = ("--output", self.output)
        test = ["9,clerk,female,high,test", "tall,smith,male,low,test"]
        self.refused(3, "column 'age' has numbers in the training part, and words such as 'tall' in 1 rows of the test "
                        "part; --missing tall makes", *self.with_parts(
                            ["1,clerk,female,high,train", "2,smith,male,low,train", *test]), *out)
        self.refused(3, "column 'age' is empty in the training part; use --drop age", *self.with_parts(
            [",clerk,female,high,train", ",smith,male,low,train", *test]), *out)

    def test_splits_that_are_refused(self):
        out = ("--output", self.output)
        self.refused(2, "--split and --test-value go together", *self.arguments(), "--split", "note", *out)
        self.refused(2, "--split and --test-value go together", *self.arguments(**{"test-value": "a"}), *out)
        self.refused(2, "--test-value z: column 'note' has no such value",
                     *self.arguments(split="note", **{"test-value": "z"}), *out)
        self.refused(2, "must be different columns", *self.arguments(split="sex", **{"test-value": "male"}), *out)
        self.refused(3, "only one label is left in the test part",
                     *self.arguments(split="note", **{"test-value": "a"}), *out)

    def test_one_column_has_one_role(self):
        out = ("--output", self.output)
        self.refused(2, "--label, --group: must be different columns", *self.arguments(group="income"), *out)
        self.refused(2, "--drop sex: is the label, the group or the split", *self.arguments(), "--drop", "sex", *out)
        self.refused(2, "is the table itself", *self.arguments(), "--output", self.table)
        self.assertEqual(self.table.read_text(), TABLE)

    def test_a_column_of_row_numbers_is_no_feature(self):
        self.table.write_text(",age,sex,income\n0,3,female,high\n1,2,male,low\n")
        file, text = self.imported(*self.arguments())
        self.assertEqual(file.attrs["feature_names"].tolist(), [b"age"])
        self.assertIn("a column without a name left out", text)

    def test_usage(self):
        out = ("--output", self.output)
        self.refused(2, "nearest is 'income'", *self.arguments(label="incme"), *out)
        self.refused(2, "nearest is 'sex'", *self.arguments(group="sexe"), *out)
        self.refused(2, "the only one: is ':' the --separator?", *self.arguments(separator=":"), *out)
        self.refused(2, "--separator ab: must be one character", *self.arguments(separator="ab"), *out)
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
        refused("more fields than its header", "age,sex,income\n1,female,high,\n2,male,low,\n")
        refused("two columns are called 'age'", "age, age,sex,income\n1,1,female,high\n2,1,male,low\n")
        refused("words such as 'tall'; --missing tall makes them", "age,sex,income\n" + "".join(
            f"{'tall' if i == 7 else i},{'fe' * (i % 2)}male,{'high' if i % 3 else 'low'}\n" for i in range(50)))
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
        self.assertEqual(analysis("import", *self.arguments(), "--output", output).returncode, 0)
        before = output.read_bytes()
        self.assertEqual(analysis("import", *self.arguments(positive="rich"), "--output", output).returncode, 2)
        self.assertEqual(output.read_bytes(), before)
        self.assertEqual([path.name for path in output.parent.iterdir()], ["out.h5"])

    def test_the_script_of_earlier_releases_still_imports_and_names_the_command(self):
        script = ROOT / "analysis/import_dataset.py"
        run = subprocess.run([sys.executable, script, *map(str, self.arguments()), "--output", self.output],
                             capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stderr, r"\A.*python3 -m metasieve import.*\n\Z")
        self.assertTrue(self.output.is_file())


if __name__ == "__main__":
    unittest.main()
