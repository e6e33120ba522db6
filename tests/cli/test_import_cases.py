"""What the importer makes of tables that are easily misread: each is read as meant, or refused with a remedy."""
import gzip
import pathlib
import sys
import unittest
from unittest import mock

from support import ROOT, AnalysisTest

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py
    import numpy as np
    import pandas as pd
    import metasieve
    from metasieve.commands import UsageError
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")

USUAL = {"label": "y", "positive": "yes", "group": "g", "group_value": "F"}
COMMAND = ("--label", "y", "--positive", "yes", "--group", "g", "--group-value", "F")
SHARED = ROOT.parent / "shared" / "cases"


def people(rows=400, **more):
    """A table of text: numbers a and b, words c, group g, label y that follows from a; and more columns."""
    random = np.random.default_rng(1)
    a = random.normal(size=rows)
    table = pd.DataFrame({"a": [f"{x:.3f}" for x in a], "b": [f"{x:.3f}" for x in random.normal(size=rows) + 1],
                          "c": random.choice(list("xyz"), rows), "g": random.choice(["F", "M"], rows),
                          "y": np.where(a + random.normal(size=rows) > 0, "yes", "no")}, dtype=object)
    return table.assign(**more)


class Cases(AnalysisTest):
    def read(self, table, name="t.csv", **options):
        """The Dataset of a table, or of a file's content."""
        path = self.folder / name
        content = table if isinstance(table, bytes) else table.encode() if isinstance(table, str) else \
            table.to_csv(index=False).encode()
        path.write_bytes(content)
        return metasieve.read_table(path, **USUAL | options)

    def refused(self, *parts, error=ValueError, **options):
        """Checks that reading fails with one line that has all parts, and the name of the file."""
        with self.assertRaises(error) as caught:
            self.read(**options)
        said = str(caught.exception)
        self.assertNotIn("\n", said)
        for part in (*parts, "t.csv" if error is ValueError else ""):
            self.assertIn(part, said)
        return said

    def notes(self, data):
        return "\n".join(data.notes)

    def assert_numbers(self, data, name, values):
        np.testing.assert_array_equal(data.x[name], np.array(values, "f4"))


class Header(Cases):
    def test_two_columns_of_one_name_are_refused(self):
        for name in ("y", "g", "b"):
            table = people()
            twice = pd.concat([table, table[[name]]], axis=1)
            self.refused(f"two columns are called '{name}'", "rename or remove", table=twice)

    def test_a_table_without_header(self):
        text = people().to_csv(index=False, header=False)
        data = self.read(text, no_header=True, label="5", group="4")
        self.assertEqual(len(data.y), 400)
        self.assertEqual(data.feature_names[:2], ["1", "2"])
        wide = pd.DataFrame(np.arange(8).reshape(2, 4)).astype(str).assign(g=["F", "M"], y=["yes", "no"])
        self.assertIn("most names of the header are numbers", self.notes(self.read(wide)))

    def test_a_column_that_is_called_like_a_level_stays(self):
        table = people().rename(columns={"b": "c=y"})
        data = self.read(table)
        self.assertEqual(sorted(data.feature_names), ["a", "c=x", "c=y", "c=y (level of c)", "c=z"])
        self.assert_numbers(data, "c=y", table["c=y"].astype(float))
        self.assert_numbers(data, "c=y (level of c)", table["c"] == "y")
        table = table.rename(columns={"a": "c=y (level of c)"})
        self.assertEqual(len(set(self.read(table).feature_names)), 5)

    def test_a_word_that_means_nothing_is_apart_from_gaps(self):
        data = self.read(people(v=["missing" if i % 7 else "" for i in range(400)]))
        self.assertIn("58 missing values made a level of their own, '(missing)'", self.notes(data))
        self.assert_numbers(data, "v=missing", np.arange(400) % 7 > 0)

    def test_names_as_long_as_300_characters(self):
        name = "a" * 300
        path = self.folder / "t.csv"
        people().rename(columns={"a": name}).to_csv(path, index=False)
        said = self.succeed("import", "csv", path, *COMMAND, "--output", "t.h5")
        self.assertLess(max(map(len, said.splitlines())), 200)
        with h5py.File(self.folder / "t.h5") as file:
            self.assertEqual(file.attrs["feature_names"][0].decode(), name)

    def test_names_of_data_sets_that_evaluations_would_cut_are_refused(self):
        path = self.folder / "t.csv"
        people().to_csv(path, index=False)
        words = ("import", "csv", path, *COMMAND)
        self.succeed(*words, "--output", "n" * 63 + ".h5")
        self.refuse(3, "must be at most 63", *words, "--output", "n" * 64 + ".h5")


class Values(Cases):
    def test_labels_that_differ_in_case_or_a_full_stop_are_no_negatives(self):
        table = people()
        yes = (table["y"] == "yes").to_numpy()
        for third, more in (("Yes", "yes"), ("yes.", "yes"), ("y es", "yes")):
            with self.subTest(third):
                table["y"] = np.where(yes & (np.arange(400) % 2 == 1), third, np.where(yes, "yes", "no"))
                self.refused("column 'y' (--label) has more values than two", f"{third} (", "--rest-negative",
                             "differ in case, blanks or a full stop alone: --positive", table=table)
                data = self.read(table, positive=["yes", third])
                self.assertEqual(int(data.y.sum()), int(yes.sum()))
                self.assertIn("differ in case, blanks or a full stop alone", self.notes(data))

    def test_a_third_label_needs_a_word_of_the_user(self):
        table = people()
        table.loc[::8, "y"] = "unknown"
        counts = table["y"].value_counts()
        self.refused("column 'y'", f"yes ({counts['yes']})", f"no ({counts['no']})", "unknown (50)", "--negative",
                     table=table)
        self.refused("unknown (50)", table=table, negative="no")
        for options in ({"rest_negative": True}, {"negative": ["no", "unknown"]}, {"negative": "no,unknown"}):
            data = self.read(table, **options)
            self.assertEqual((int(data.y.sum()), len(data.y)), (counts["yes"], 400))
            self.assertIn(f"label 0: {400 - counts['yes']} rows, y = no ({counts['no']}), unknown (50)", data.notes)
        data = self.read(table, missing="unknown")
        self.assertEqual((int(data.y.sum()), len(data.y)), (counts["yes"], 350))
        self.refused("--negative yes: is --positive too", table=table, negative=["yes", "no"], error=UsageError)
        self.refused("keep one", table=table, negative="no", rest_negative=True, error=UsageError)

    def test_what_became_1_and_0_is_said_with_counts(self):
        table = people()
        data = self.read(table)
        yes, female = (table["y"] == "yes").sum(), (table["g"] == "F").sum()
        share = {g: f"{100 * (table['y'][table['g'] == g] == 'yes').mean():.1f} % with label 1" for g in "FM"}
        for line in (f"label 1: {yes} rows, y = yes ({yes})", f"label 0: {400 - yes} rows, y = no ({400 - yes})",
                     f"group 1: {female} rows, {share['F']}, g = F ({female})",
                     f"group 0: {400 - female} rows, {share['M']}, g = M ({400 - female})"):
            self.assertIn(line, data.notes)

    def test_groups_by_range(self):
        table = people(age=[str(20 + i % 50) for i in range(400)])
        age = table["age"].astype(int)
        for value, rows, name in (
                ("25", age == 25, "age=25"), ("<25", age < 25, "age<25"), (">= 60", age >= 60, "age>=60"),
                ("25:40", age.between(25, 40), "25<=age<=40"), ("20,21", age < 22, "age=20 or age=21"),
                (["20", "21"], age < 22, "age=20 or age=21"),
                (["<25", ">60"], (age < 25) | (age > 60), "age<25 or age>60")):
            with self.subTest(value):
                data = self.read(table, group="age", group_value=value, drop="g")
                np.testing.assert_array_equal(data.group, rows)
                self.assertEqual(data.group_name, name)
                self.assertEqual("alone, of 50 numbers" in self.notes(data), value == "25")
        table["age"] = np.where(age < 25, "<25", "more")  # words win
        self.assertEqual(int(self.read(table, group="age", group_value="<25").group.sum()), int((age < 25).sum()))
        table.loc[0, "age"] = "30"
        self.refused("must have only numbers for a range", table=table, group="age", group_value=">60",
                     error=UsageError)

    def test_a_group_of_one_row_and_three_positives_are_imported(self):
        table = people()
        table["g"], table["y"] = "M", "no"
        table.loc[4, "g"] = "F"
        table.loc[[1, 2, 3], "y"] = "yes"
        data = self.read(table)
        self.assertEqual((int(data.group.sum()), int(data.y.sum())), (1, 3))
        self.assertIn("warning: few rows in a group: g=F (1); fewer than 30 are too few to judge by", data.notes)
        self.assertIn("warning: few rows with label 1 in a group: g=M (3); g=F (0); fewer than 10 are too few to judge "
                      "by", data.notes)
        self.assertIn("warning: few rows with label 0 in a group: g=F (1); fewer than 10", self.notes(data))
        self.assertNotIn("too few", self.notes(self.read(people())))
        self.assertIn("20 rows; fewer than 200 are too few to judge a method", self.notes(self.read(people(20))))

    def test_other_values_of_the_split_are_said(self):
        table = people(part=["test train val".split()[i % 3] for i in range(400)])
        data = self.read(table, split="part", test_value="test")
        self.assertEqual(int(data.split.sum()), 134)
        self.assertIn("training part: 266 rows, part = train (133), val (133)", data.notes)
        self.assertIn("warning: column 'part' has more values than two", self.notes(data))
        self.assertEqual(int(self.read(table, split="part", test_value=["test", "val"]).split.sum()), 267)


class Numbers(Cases):
    def test_words_among_numbers_are_refused_or_missing_or_levels(self):
        values = [str(18 + i % 70) for i in range(400)]
        values[3] = values[7] = "unknown"
        table = people(age=values)
        self.refused("column 'age' has numbers, and in 2 rows words such as 'unknown'", "--missing unknown",
                     "--words age", table=table)
        data = self.read(table, missing="unknown")
        self.assertEqual(data.x.shape[1], 6)
        self.assertEqual(data.x["age"][3], np.median([float(v) for v in values if v != "unknown"]))
        few = people(children=["0123456789"[i % 4] if i % 5 else "many" for i in range(400)])
        self.assertEqual([n for n in self.read(few, words="children").feature_names if n.startswith("children")],
                         [f"children={level}" for level in ("0", "1", "2", "3", "many")])

    def test_thousands_decimals_and_percent(self):
        number = np.arange(400) * 137 + 100100
        for values, options, right, remedy in (
                ([f"{n:,}" for n in number], {"thousands": ","}, number, "--thousands ,"),
                ([f"{n:,}".replace(",", "'") for n in number], {"thousands": "'"}, number, "--thousands \"'\""),
                ([f"{n},5" for n in range(400)], {"decimal": ","}, np.arange(400) + 0.5, "--decimal ,"),
                ([f"{n:,}".replace(",", ".") + ",5" for n in number], {"decimal": ",", "thousands": "."}, number + 0.5,
                 "--thousands . --decimal ,"),
                ([f"{n % 60}%" for n in range(400)], {"percent": True}, np.arange(400) % 60 / 100, "--percent"),
                ([f"{n % 60} %" for n in range(400)], {"percent": True}, np.arange(400) % 60 / 100, "--percent")):
            with self.subTest(values[1]):
                table = people(v=values)
                plain = table.drop(columns=["a", "b"])
                self.refused("column 'v' has numbers that are written in another way", values[0], remedy, table=plain)
                self.assert_numbers(self.read(plain, **options), "v", right)

    def test_units_are_refused_and_codes_are_words(self):
        for values, said in (([f"${i}" for i in range(400)], "remove '$'"),
                             ([f"{i} kg" for i in range(400)], "remove 'kg'"),
                             ([f"id {i}" for i in range(400)], "looks like a name; use --drop v")):
            self.refused("column 'v'", said, table=people(v=values))
        data = self.read(people(v=[f"A{i % 4}" for i in range(400)]))
        self.assertEqual([name for name in data.feature_names if name[0] == "v"], ["v=A0", "v=A1", "v=A2", "v=A3"])

    def test_numbers_that_mean_a_missing_value_are_numbers(self):
        values = [("-999", "-999.0", str(i % 40))[min(i % 10, 2)] for i in range(400)]
        data = self.read(people(v=values), missing="-999")
        self.assertEqual(int(data.columns.set_index("name").loc["v", "missing"]), 80)
        median = np.median([float(v) for v in values if not v.startswith("-999")])
        self.assertEqual(set(data.x["v"][[0, 1, 10, 11]]), {np.float32(median)})
        self.assertIn("is -999 in 80 rows: a missing value? (--missing -999)", self.notes(self.read(people(v=values))))
        self.assertIn("--missing none: no such value", self.notes(self.read(people(), missing="none")))

    def test_integers_of_16_and_more_digits_stay_apart(self):
        for first in (9007199254740993, 12345678901234567890123):
            with self.subTest(first):
                values = [first + 7 * ((i * 37) % 400) for i in range(400)]
                data = self.read(people(v=list(map(str, values))))
                self.assertEqual(data.x["v"].nunique(), 400)
                difference = np.array([value - values[0] for value in values], float)
                np.testing.assert_allclose(data.x["v"] - data.x["v"][0], difference)
                self.assertIn("float32 cannot tell its values apart; stored as differences to ", self.notes(data))
        text = [str(9007199254740993 + i) if i % 3 else "" for i in range(400)]  # gaps make pandas read floats
        self.assertGreater(self.read(people(v=text)).x["v"].nunique(), 250)

    def test_what_float32_holds_is_stored_as_it_is(self):
        values = [str(1600000000 + 86400 * i) for i in range(400)]
        self.assert_numbers(self.read(people(v=values)), "v", [float(v) for v in values])

    def test_dates_are_dates(self):
        dates = [f"20{i % 20:02}-0{1 + i % 9}-{1 + i % 28:02}" if i % 7 == 0 else "" for i in range(400)]
        said = self.refused("column 'v' has dates or times, such as '2000-01-01'", "--date v", "--drop v",
                            table=people(v=dates))
        self.assertNotIn("numbers", said.replace("a number of days", ""))
        data = self.read(people(v=dates), date="v")
        self.assertEqual(data.x["v"][0], 10957)  # days from 1970-01-01 to 2000-01-01
        self.assertNotIn("v", self.read(people(v=dates), drop="v").feature_names)
        for date in ("31.12.2010", "12/31/10", "2010/12/31", "3-Jan-2010", "2010-12-31 12:30", "23:59"):
            self.refused("has dates or times", table=people(v=date))
        self.refused("--date needs dates such as 2010-01-31", table=people(v="31.12.2010"), date="v")


class Text(Cases):
    def test_a_stray_quote_is_refused_with_its_lines(self):
        lines = people().to_csv(index=False).splitlines()
        for line, word in ((52, '"z'), (62, 'z"')):
            fields = lines[line - 1].split(",")
            lines[line - 1] = ",".join([*fields[:2], word, *fields[3:]])
        self.refused("column 'c'", "line 52", "line 62", "10 rows are lost", table="\n".join(lines) + "\n")
        for wrong, said in (('1,2,"x,F,yes', "line 402"), ('1,2,"x"x,F,yes', "line 402"), ("1,2,x,F", "line 402 has 4"),
                            ("1,2,x,F,yes,", "line 402: 6")):
            self.refused(said, table=people().to_csv(index=False) + wrong + "\n")

    def test_quotes_that_are_meant_are_read(self):
        table = people(note=['a "big" one,\nin two lines' if i % 2 else "5\" pipe" for i in range(400)])
        data = self.read(table)
        self.assertEqual(len(data.y), 400)
        self.assertIn("read 601 lines as 400 rows of 6 columns, separator ',' (fields in quotes run over several lines",
                      data.notes[0])

    def test_separators(self):
        table = people()
        text = table.to_csv(index=False, sep=";")
        for content, separator in ((f"sep=;\n{text}", "';'"), (f'"sep=;"\r\n{text}', "';'"), (text, "';'"),
                                   (table.to_csv(index=False, sep="\t"), "tab"),
                                   (table.rename(columns={"a": "a;b;c;d;e;f;g"}).to_csv(index=False), "','")):
            data = self.read(content)
            self.assertIn(f"as 400 rows of 5 columns, separator {separator}", data.notes[0])
        self.assert_numbers(self.read(f"sep=;\n{text}"), "a", table["a"].astype(float))

    def test_a_name_with_other_separators_in_quotes_does_not_mislead(self):
        text = people().rename(columns={"a": "\0"}).to_csv(index=False).replace("\0", '"a;b;c;d;e;f"')
        self.assertIn("separator ','", self.read(text).notes[0])

    def test_compressed_tables(self):
        table = people()
        data = self.read(gzip.compress(table.to_csv(index=False).encode()), name="t.csv.gz")
        self.assert_numbers(data, "a", table["a"].astype(float))
        self.refused("is a spreadsheet or another zip archive", table=b"PK" + bytes(100))
        self.refused("cannot be decompressed", table=gzip.compress(b"a,b\n" * 1000)[:-9])

    def test_encodings(self):
        table = people(c=["xé"[i % 2] for i in range(400)])
        content = table.to_csv(index=False).encode("latin1")
        self.refused("byte 0xe9 in line 3 is not utf-8", "--encoding", "latin1", table=content)
        self.assertIn("c=é", self.read(content, encoding="latin1").feature_names)
        wide = table.to_csv(index=False).encode("utf-16")
        self.refused("--encoding", "utf-16", table=wide)
        self.assertIn("c=é", self.read(wide, encoding="utf-16").feature_names)
        self.refused("--encoding klingon: is no encoding", table=content, encoding="klingon", error=UsageError)

    def test_parquet_is_read_where_pandas_can(self):
        table = people().assign(n=np.arange(400) % 3 + 0.5)
        with mock.patch("pandas.read_parquet", return_value=table):
            data = self.read(b"PAR1", name="t.parquet")
        self.assert_numbers(data, "n", table["n"])
        with mock.patch("pandas.read_parquet", side_effect=ImportError("no engine")):
            with self.assertRaisesRegex(ValueError, "needs pyarrow"):
                self.read(b"PAR1", name="t.parquet")


class Rows(Cases):
    def test_rows_without_a_label_keep_the_numbers_of_the_others(self):
        table = people(who=[f"p{i}" for i in range(400)])
        table.loc[::5, "y"] = ""
        data = self.read(table, id="who")
        kept = np.flatnonzero(table["y"] != "")
        np.testing.assert_array_equal(data.row, kept)
        self.assertEqual(data.id, [f"p{i}" for i in kept])
        np.testing.assert_array_equal(data.y, table["y"][kept] == "yes")
        self.assertIn("note: 80 rows without 'y' or 'g' left out: 80 without 'y' (row 0, 5, 10, ...)", data.notes)

    def test_row_id_weight_and_clean_labels_are_in_the_file(self):
        table = people(who=["NA", "é", *(f"p{i}" for i in range(2, 400))], w=[str(i % 3) for i in range(400)])
        table["clean"] = np.where(np.arange(400) % 10 == 3, "yes", table["y"])
        table.loc[7, "g"] = ""
        table.to_csv(self.folder / "t.csv", index=False)
        self.succeed("import", "csv", "t.csv", *COMMAND, "--id", "who", "--weight", "w", "--clean", "clean", "--output",
                     "t.h5")
        with h5py.File(self.folder / "t.h5") as file:
            self.assertEqual(file.attrs["version"].tolist(), [1, 2])
            self.assertEqual((file["row"].dtype, file["weight"].dtype), (np.dtype("<i8"), np.dtype("<f8")))
            self.assertIsNone(h5py.check_string_dtype(file["id"].dtype).length)
            rows = np.delete(np.arange(400), 7)
            np.testing.assert_array_equal(file["row"][:], rows)
            self.assertEqual(file["id"].asstr()[:].tolist(), table["who"][rows].tolist())
            np.testing.assert_array_equal(file["weight"][:], rows % 3)
            self.assertEqual(metasieve.read(self.folder / "t.h5")["id"][1], "é")
            np.testing.assert_array_equal(file["y_clean"][:], table["clean"][rows] == "yes")
            self.assertEqual([name.decode() for name in file.attrs["feature_names"]], ["a", "b", "c=x", "c=y", "c=z"])

    def test_weights_clean_labels_and_ids_that_are_refused_or_warned_of(self):
        self.refused("column 'w' (--weight) is -1 in 400 rows", table=people(w="-1"), weight="w")
        self.refused("column 'w' (--weight) is 0 in all in 400 rows", table=people(w="0"), weight="w")
        self.refused("column 'k' (--clean) has 'maybe' in 400 rows", table=people(k="maybe"), clean="k")
        self.refused("column 'k' (--clean) is empty in 200 rows", table=people(k=["yes", ""] * 200), clean="k")
        self.assertIn("'p' occurs more than once", self.notes(self.read(people(k="p"), id="k")))
        self.refused("must be different columns", table=people(), id="g", error=UsageError)


class Columns(Cases):
    def test_the_report_has_a_line_for_each_column(self):
        table = people(note="text", v=[str(i % 40) if i % 4 else "" for i in range(400)])
        report = self.read(table, drop="note").columns.set_index("name")
        self.assertEqual(report["kind"].to_dict(), {"a": "number", "b": "number", "c": "words", "g": "group",
                                                    "y": "label", "note": "left out", "v": "number"})
        self.assertEqual(report.loc["note", "remark"], "--drop")
        self.assertEqual((report.loc["c", "levels"], report.loc["v", "missing"]), (3, 100))

    def test_columns_that_tell_the_label_or_the_group_are_pointed_at(self):
        table = people()
        leak = (table["y"] == "yes").to_numpy() + np.random.default_rng(2).normal(size=400) / 10
        table = table.assign(score=[f"{x:.3f}" for x in leak], sex=table["g"].map({"F": "she", "M": "he"}),
                             outcome=table["y"].map({"yes": "good", "no": "bad"}))
        notes = self.notes(self.read(table))
        self.assertIn("warning: column 'score' alone predicts the label (AUC ", notes)
        self.assertIn("warning: column 'outcome' alone predicts the label (AUC 1.000); --drop outcome leaves", notes)
        self.assertIn("warning: column 'sex' alone predicts the group (AUC 1.000)", notes)
        self.assertNotIn("column 'a' alone", notes)
        levels = [f"w{i % 150}" for i in range(400)]  # words that are rare predict nothing
        self.assertNotIn("column 'v' alone", self.notes(self.read(people(v=levels))))

    def test_identifiers_are_pointed_at(self):
        self.assertIn("column 'v' counts up by row: an identifier?",
                      self.notes(self.read(people(v=[str(1000 + 3 * i) for i in range(400)]))))
        self.refused("column 'v' has 400 different words in 400 rows: it looks like a name; use --drop v, or --id v",
                     table=people(v=[f"person {i}" for i in range(400)]))
        self.assertIn("'v' is different in each row", self.notes(self.read(people(rows=12, v=list("abcdefghijkl")))))
        self.assertIn("'v' has one value only", self.notes(self.read(people(v="1"))))

    def test_every_column_that_cannot_be_used_is_counted(self):
        table = people(v="2010-01-01", w="2011-01-01")
        self.refused("column 'v' has dates", "(and 1 more columns: w)", table=table)

    def test_levels_that_differ_in_case_are_pointed_at(self):
        report = self.read(people(v=["Clerk", "clerk", "smith"][:3] * 133 + ["smith"])).columns.set_index("name")
        self.assertEqual(report.loc["v", "remark"], "'Clerk', 'clerk' differ in case, blanks or a full stop alone")

    def test_lists_of_columns(self):
        table = people(v="1", w="2").rename(columns={"w": "v,b"})
        for options, names in (({"columns": "a,b"}, ["a", "b"]), ({"columns": ["a", "b"]}, ["a", "b"]),
                               ({"drop": ["a,b", "c", "v"]}, ["v,b"]), ({"drop": ["v,b", "c"]}, ["a", "b", "v"])):
            self.assertEqual(self.read(table, **options).feature_names, names)
        kinds = self.read(table, columns="a").columns.set_index("name")["kind"].to_dict()
        self.assertEqual(kinds, {"a": "number", "b": "left out", "c": "left out", "g": "group", "y": "label",
                                 "v": "left out", "v,b": "left out"})
        self.refused("--drop a: is in --columns too", table=table, columns="a", drop="a", error=UsageError)
        self.refused("--columns y: is the label", table=table, columns="y", error=UsageError)
        self.refused("nearest is 'a'", table=table, columns="aa", error=UsageError)

    def test_lists_do_not_swallow_the_file(self):
        people(v="1", w="2").to_csv(self.folder / "t.csv", index=False)
        for words in ((*COMMAND, "--drop", "v", "w", "t.csv"), ("--drop", "v,w", *COMMAND, "t.csv"),
                      ("t.csv", "--drop", "v", *COMMAND, "--drop", "w")):
            with self.subTest(words):
                said = self.succeed("import", "csv", "--output", "o.h5", *words)
                self.assertIn("o.h5: 400 rows, 5 columns", said)
        words = ("import", "csv", *COMMAND, "--output", "o.h5")
        self.refuse(2, "required: FILE", *words)
        self.refuse(2, "--decimal ;: must be", *words, "t.csv", "--decimal", ";")
        self.refuse(2, "--thousands .: must be", *words, "t.csv", "--thousands", ".")

    def test_python_and_the_command_make_the_same(self):
        table = people(v=[f"{i},5" for i in range(400)])
        table.to_csv(self.folder / "t.csv", index=False, sep=";")
        self.succeed("import", "csv", "t.csv", *COMMAND, "--decimal", ",", "--drop", "b", "a", "--output", "t.h5")
        data = metasieve.read_table(self.folder / "t.csv", **USUAL, decimal=",", drop=["a", "b"])
        file = metasieve.read(self.folder / "t.h5")
        for name, values in (("x", data.x), ("y", data.y), ("z", data.group), ("row", data.row)):
            np.testing.assert_array_equal(file[name], values)
        self.assertEqual((file["x"].dtype, data.x.dtypes.unique().tolist()), (np.float32, [np.dtype("f4")]))
        self.assertEqual(file.attributes["feature_names"], data.feature_names)
        with self.assertRaises(TypeError):
            metasieve.read_table("t.csv", label="y", positive="yes", grup="g")


class SharedCases(unittest.TestCase):
    """The files of ../shared/cases, where they are: read (rows, columns, positives), or refused with these words."""
    RIGHT = {"dup_label": "two columns are called 'y'", "dup_group": "two columns are called 'g'",
             "period": "--positive '>50K' '>50K.'", "casevar": "--positive Yes yes", "three": "unknown (53)",
             "unknown_num": "--missing unknown", "thousands": "--thousands ,", "pct": "--percent",
             "miss999": (400, 6, 217), "nanlabel": (320, 5, 167), "bigint": (400, 6, 217), "collide": (400, 5, 217),
             "strayquote": "line 52", "sepline": (400, 5, 217), "latin1": "--encoding", "base": (400, 5, 217),
             "sparse_dates2": "has dates", "split3": (400, 5, 217), "agegroup": (400, 5, 217),
             "longname": (400, 5, 217), "onegroup1": (400, 5, 217), "onegroup3": (400, 5, 217), "imbal3": (600, 1, 3),
             "wide": (60, 300, 25), "n4": (4, 3, 2)}
    OPTIONS = {"period": {"positive": ">50K"}, "imbal3": {"group": "s"}, "wide": {"group": "s"},
               "miss999": {"missing": "-999"}, "split3": {"split": "part", "test_value": "test"},
               "agegroup": {"group": "age", "group_value": "<25"}}

    def test_all(self):
        if not SHARED.is_dir():
            self.skipTest(f"{SHARED} is not there")
        for name, right in self.RIGHT.items():
            options = USUAL | self.OPTIONS.get(name, {})
            path = next(pathlib.Path(SHARED).glob(f"{name}.csv*"))
            with self.subTest(name):
                if isinstance(right, str):
                    with self.assertRaisesRegex(ValueError, f"(?s){path.name}.*") as caught:
                        metasieve.read_table(path, **options)
                    self.assertIn(right, str(caught.exception))
                else:
                    data = metasieve.read_table(path, **options)
                    self.assertEqual((*data.x.shape, int(data.y.sum())), right)


if __name__ == "__main__":
    unittest.main()
