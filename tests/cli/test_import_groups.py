"""How the importer makes the sensitive groups: values, combinations, cuts, merged small ones, or none."""
import os
import pathlib
import subprocess
import sys
import unittest

from support import BINARY, ROOT

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py
    import numpy as np
    import pandas as pd
    import metasieve
    from test_import_cases import Cases, people
    from metasieve.commands import UsageError
    from metasieve.importing import hints
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")

DATA = pathlib.Path(os.environ.get("METASIEVE_DATA", ROOT.parent / "shared" / "data"))
ROWS = {"white": 180, "black": 120, "asian": 60, "other": 40}  # of column r


def table(rows=ROWS, **more):
    """people() with a column r of these values, mixed by row."""
    values = np.repeat(list(rows), list(rows.values()))
    return people(len(values), r=np.random.default_rng(3).permutation(values), **more)


class Groups(Cases):
    def groups(self, table, group, **options):
        """The Dataset of a table by these groups. Checks that each row has a number, each number a name and rows."""
        data = self.read(table, **{"group": group, "group_value": []} | options)
        count = len(data.group_names)
        self.assertEqual((len(data.group), data.group.dtype), (len(data.y), np.dtype("uint8")))
        self.assertEqual(sorted(set(data.group.tolist())), list(range(count)))
        self.assertEqual(len(set(data.group_names)), count)
        return data

    def names(self, data):
        """The name of each row's group."""
        return np.array(data.group_names, dtype=object)[data.group]

    def refuses(self, table, group, *parts, error=UsageError, **options):
        return self.refused(*parts, table=table, error=error, **{"group": group, "group_value": []} | options)


class Values(Groups):
    def test_every_value_is_a_group_and_the_largest_is_0(self):
        t = table()
        data = self.groups(t, "r")
        self.assertEqual(data.group_names, ["r=white", "r=black", "r=asian", "r=other"])
        np.testing.assert_array_equal(self.names(data), "r=" + t["r"])
        self.assertEqual(data.group_name, "r")
        self.assertNotIn("r=white", data.feature_names)
        self.assertIn("g=M", data.feature_names)

    def test_two_values_without_group_value_are_numbered_by_size(self):
        t = people(g=["M" if i % 3 else "F" for i in range(400)])
        data = self.groups(t, "g")
        self.assertEqual((data.group_names, data.group_name), (["g=M", "g=F"], "g"))
        np.testing.assert_array_equal(data.group, t["g"] == "F")
        t["g"] = t["g"].map({"F": "M", "M": "F"})
        self.assertEqual(self.groups(t, "g").group_names, ["g=F", "g=M"])
        ties = self.groups(people(g=["M", "F", "X", "D"] * 100), "g")
        self.assertEqual(ties.group_names, ["g=D", "g=F", "g=M", "g=X"])

    def test_named_values_are_group_1_against_the_rest(self):
        t = table()
        for value, names in (("black", ["not r=black", "r=black"]),
                             (["black", "asian"], ["not r=black or r=asian", "r=black or r=asian"]),
                             ("white,black,asian", ["r=other", "r=white or r=black or r=asian"])):
            data = self.read(t, group="r", group_value=value)
            self.assertEqual((data.group_names, data.group_name), (names, names[1]))
            self.assertEqual(data.group.dtype, bool)  # a mask of rows, as ever
            np.testing.assert_array_equal(data.group, t["r"].isin(
                value if isinstance(value, list) else value.split(",")))
        few = self.read(table({"white": 395, "black": 3, "asian": 2}), group="r", group_value="asian")
        self.assertEqual(int(few.group.sum()), 2)  # nothing is merged
        self.assertNotIn("merged", self.notes(few))

    def test_numbers_that_are_written_in_two_ways_are_one_group(self):
        data = self.groups(people(v=["1", "1.0", "01", "2"] * 100), "v")
        self.assertEqual((data.group_names, np.bincount(data.group).tolist()), (["v=1", "v=2"], [300, 100]))

    def test_values_that_differ_in_case_are_pointed_at(self):
        self.assertIn("column 'g': 'F', 'f' differ in case", self.notes(self.groups(people(g=["F", "f"] * 200), "g")))

    def test_rows_without_a_value_are_left_out(self):
        t = table()
        t.loc[[5, 7], "r"], t.loc[[7, 9], "g"] = "", ""
        data = self.groups(t, ["r", "g"])
        np.testing.assert_array_equal(data.row, np.delete(np.arange(400), [5, 7, 9]))
        self.assertIn("note: 3 rows without 'y' or 'r' or 'g' left out: 2 without 'r' (row 5, 7), 2 without 'g' (row "
                      "7, 9)", data.notes)
        t["r"] = ""
        self.refuses(t, ["r", "g"], "no row has 'y' and 'r' and 'g'", error=ValueError)

    def test_no_group_is_one_group(self):
        for options in ({}, {"group": None}, {"group": []}):
            data = self.groups(people(), **{"group": []} | options)
            self.assertEqual((data.group_names, data.group_name, int(data.group.max())), (["all"], "all", 0))
            self.assertIn("note: without --group all rows are one group: fairness is not in question", data.notes)
            self.assertIn("g=M", data.feature_names)
            self.assertNotIn("few", self.notes(data))
        self.assertIn("few rows with label 1 in a group: all (5)", self.notes(self.groups(
            people(y=["yes" if i < 5 else "no" for i in range(400)]), [])))

    def test_one_value_is_no_group(self):
        self.refuses(people(g="F"), "g", "all rows are in one group, g=F (--group)", "leave --group out",
                     error=ValueError)

    def test_what_belongs_to_no_column_is_refused(self):
        for options in ({"group_value": "F"}, {"smallest_group": 5}):
            self.refuses(people(), [], "needs --group", **options)
        for wrong in ("few", -1, 2.5):
            self.refuses(people(), "g", f"--smallest-group {wrong}: must be a whole number", smallest_group=wrong)
        self.refuses(table(), "q", "--group q: ", "no such column; nearest is")
        self.refuses(table(), ["r", "r"], "--group r: is there twice")
        self.refuses(table(), "y", "--label, --group: must be different columns")
        self.refuses(table(), ["r", "g"], "--drop g: is the label, the group", drop="g")
        self.refuses(table(), ["r", "g"], "--group-value F: needs one column without cuts in --group; without "
                     "--group-value each value, cut or combination is a group", group_value="F")
        self.refuses(people(), "b:<1,>=1", "--group-value <1: needs one column", group_value="<1")
        self.refuses(people(), ",", "--group: names no column")

    def test_names_are_harmless_and_may_be_long(self):
        odd = ["a\nb", "\x1b[31mred\x07", "two\u2028lines", "x" * 5000]
        data = self.groups(people(v=[odd[i % 4] for i in range(400)]), "v")
        self.assertEqual(sorted(data.group_names), sorted(["v=a b", "v= [31mred", "v=two lines", "v=" + "x" * 5000]))
        self.assertTrue(all(name.isprintable() for name in data.group_names))
        self.assertEqual([note for note in data.notes if "\n" in note or "\x1b" in note], [])


class Combinations(Groups):
    def test_several_columns_are_their_combinations(self):
        t = table(s=["F", "M"] * 200)
        expected = "r=" + t["r"] + ", s=" + t["s"]
        path = self.folder / "t.csv"
        t.to_csv(path, index=False)
        seen = []
        for group in (["r", "s"], "r,s", ["r,s"], ["r, s"]):
            data = self.groups(t, group, smallest_group=0)
            np.testing.assert_array_equal(self.names(data), expected)
            self.assertEqual(data.group_name, "r, s")
            self.assertEqual(data.feature_names, ["a", "b", "c=x", "c=y", "c=z", "g=M"])
            sizes = np.bincount(data.group).tolist()
            self.assertEqual(sizes, sorted(sizes, reverse=True))
            seen.append(data.group.tolist())
        self.assertEqual(seen, [seen[0]] * len(seen))
        self.assertEqual(self.groups(t, ["s", "r"]).group_names[0], "s=" + data.group_names[0][-1] +
                         ", " + data.group_names[0].split(",")[0])

    def test_a_column_with_a_comma_in_its_name(self):
        t = table().rename(columns={"r": "g,c"})
        self.assertEqual(self.groups(t, "g,c").group_names[0], "g,c=white")

    def test_combinations_of_one_name_are_refused(self):
        t = people(v=["x, w=y", "x"] * 200, w=["z", "y, w=z"] * 200)
        self.refuses(t, ["v", "w"], "two combinations are called 'v=x, w=y, w=z'")

    def test_the_command_takes_several_columns_and_leaves_the_file(self):
        t = table(s=["F", "M"] * 200)
        t.to_csv(self.folder / "t.csv", index=False)
        said = []
        for words in (("t.csv", "--group", "r", "s"), ("--group", "r", "s", "t.csv"), ("--group", "r,s", "t.csv"),
                      ("--group", "r", "t.csv", "--group", "s")):
            said.append(self.succeed("import", "csv", "--label", "y", "--positive", "yes", "--output", "o.h5", *words))
        self.assertEqual(said, [said[0]] * 4)
        self.assertRegex(said[0], r"o.h5: 400 rows, 6 columns, \d+ with label y=yes, \d groups of r, s\n")
        self.refuse(2, "t.csv: is taken as FILE; its option must have a value before it", "import", "csv", "--label",
                    "y", "--positive", "yes", "--output", "p.h5", "--group", "t.csv")
        self.assertFalse((self.folder / "p.h5").exists())


class Cuts(Groups):
    AGES = [str(18 + i % 60) for i in range(400)]  # 18 to 77

    def test_cuts_of_numbers(self):
        t = people(age=self.AGES)
        age = t["age"].astype(int)
        young, old = "age<25", "age>60"
        for cuts, names in (("<25,25-60,>60", [young, "25<=age<=60", old]),
                            ("<25,25:60,>60", [young, "25<=age<=60", old]),
                            ("<25, 25 : 60, > 60", [young, "25<=age<=60", old]),
                            ("<25,25:60,>=60", [young, "25<=age<60", "age>=60"]),
                            ("<=25,25:60,>60", ["age<=25", "25<age<=60", old]),
                            (">=40,<40", ["age<40", "age>=40"]),
                            ("18:47.5,47.5:77", ["18<=age<=47.5", "47.5<=age<=77"])):
            with self.subTest(cuts):
                data = self.groups(t, f"age:{cuts}")
                bounds = {young: age < 25, "age<=25": age <= 25, old: age > 60, "age>=60": age >= 60,
                          "age<40": age < 40, "age>=40": age >= 40, "25<=age<=60": age.between(25, 60),
                          "25<=age<60": age.between(25, 59), "25<age<=60": age.between(26, 60),
                          "18<=age<=47.5": age < 48, "47.5<=age<=77": age >= 48}
                self.assertEqual(sorted(data.group_names), sorted(names))
                for k, name in enumerate(data.group_names):
                    np.testing.assert_array_equal(data.group == k, bounds[name], name)
                self.assertNotIn("age", data.feature_names)

    def test_each_row_must_be_in_exactly_one_cut(self):
        t = people(age=self.AGES)
        self.refuses(t, "age:<25,30-60,>60", "the number 25 is in no cut; each row must be in exactly one cut (35 rows")
        self.refuses(t, "age:<25,25-60", "the number 61 is in no cut")
        self.refuses(t, "age:<30,25-60,>60", "the number 25 is in <30 and 25-60; each row must be in exactly one cut")
        self.refuses(t, "age:<25,25:45,45:60,>60", "the number 45 is in 25:45 and 45:60")
        self.refuses(people(age="24.5"), "age:<=24,25:60,>60", "the number 24.5 is in no cut")

    def test_cuts_that_are_none_and_columns_that_are_none(self):
        t = people(age=self.AGES)
        self.refuses(t, "age:young", "--group age:young: 'young' is no cut; must be such as <25, 25:60, 25-60, >=60")
        self.refuses(t, "age:", "'' is no cut")
        self.refuses(t, "aeg:<25,>=25", "--group aeg: ", "nearest is 'age'")
        self.refuses(t, "age:<25,>=25,sax", "--group sax: ", "no such column")
        self.refuses(people(age=["old", *self.AGES[1:]]), "age:<25,>=25", "must have only numbers for cuts; it has "
                     "'old'")
        self.assertIn("warning: --group: no row has age>100", self.notes(self.groups(t, "age:<25,25:100,>100")))

    def test_cuts_with_other_columns(self):
        t = people(age=self.AGES)
        expected = np.where(t["age"].astype(int) < 25, "age<25", "age>=25") + (", g=" + t["g"])
        for group in (["age:<25,>=25", "g"], "age:<25,>=25,g"):
            np.testing.assert_array_equal(self.names(self.groups(t, group)), expected)
        data = self.groups(t, "g,age:<25,>=25")
        self.assertEqual(data.group_name, "g, age")
        self.assertNotIn("age", data.feature_names)

    def test_a_cut_may_be_one_number_or_below_zero_and_a_name_may_have_colons(self):
        t = people(v=[str(i % 5 - 2) for i in range(400)]).rename(columns={"v": "a:v"})
        data = self.groups(t, "a:v:-2--1,0,>0")
        self.assertEqual(data.group_names, ["-2<=a:v<=-1", "a:v>0", "a:v=0"])
        self.assertEqual(np.bincount(data.group).tolist(), [160, 160, 80])

    def test_columns_without_names_are_cut_by_their_number(self):
        text = people(age=self.AGES).to_csv(index=False, header=False)
        data = self.groups(text, "6:<25,25:60,>60", no_header=True, label="5")
        self.assertEqual(sorted(data.group_names), ["25<=6<=60", "6<25", "6>60"])

    def test_decimal_commas_are_cut(self):
        t = people(v=[f"{i % 60},5" for i in range(400)])
        data = self.groups(t, "v:<30,>=30", decimal=",", drop=["a", "b"])
        np.testing.assert_array_equal(data.group == data.group_names.index("v<30"), np.arange(400) % 60 < 30)

    def test_many_numbers_without_cuts_are_refused_with_cuts_that_work(self):
        for values in (self.AGES, ["unknown", *self.AGES[1:]], ["18"] * 300 + self.AGES[:100]):
            t = people(age=values)
            said = self.refuses(t, ["g", "age"], "--group age: has 60 different numbers; must have at most 10, or be "
                                "cut")
            advice = said.split("--group '")[1].split("'")[0]
            self.assertRegex(advice, r"^age:<(\S+),>=\1$")
            if "unknown" not in values:
                self.assertEqual(len(self.groups(t, advice, smallest_group=0).group_names), 2)
        self.assertEqual(len(self.groups(people(v=[str(i % 10) for i in range(400)]), "v").group_names), 10)
        self.refuses(people(v=[str(i % 11) for i in range(400)]), "v", "has 11 different numbers")
        codes = people(v=[f"{i % 12}" if i % 2 else f"A{i % 24}" for i in range(800)][:400])  # more words than numbers
        self.assertEqual(len(self.groups(codes, "v", smallest_group=0).group_names), 18)


class SmallGroups(Groups):
    def test_small_groups_are_merged_and_reported(self):
        data = self.groups(table({"white": 200, "black": 140, "asian": 30, "maori": 29, "inuit": 3}), "r")
        self.assertEqual(data.group_names, ["r=white", "r=black", "r=asian", "other"])
        self.assertEqual(np.bincount(data.group).tolist(), [200, 140, 30, 32])  # other is last, larger or not
        self.assertIn("note: 2 groups of fewer than 30 rows merged into 'other' (32 rows): r=maori (29); r=inuit (3); "
                      "--smallest-group N changes the limit", data.notes)
        self.assertIn("group 3: 32 rows, ", self.notes(data))

    def test_one_percent_of_a_large_table_is_small_too(self):
        rows = {"white": 5900, "black": 60, "asian": 59, "inuit": 1}  # of 6020: 60 are less than 1 %
        self.assertEqual(self.groups(table(rows), "r").group_names, ["r=white", "other"])
        rows["white"] = 5880  # of 6000: 60 are not
        self.assertEqual(self.groups(table(rows), "r").group_names, ["r=white", "r=black", "other"])

    def test_a_single_small_group_keeps_its_name(self):
        data = self.groups(table({"white": 200, "black": 140, "inuit": 12}), "r")
        self.assertEqual(data.group_names, ["r=white", "r=black", "r=inuit"])
        self.assertIn("warning: few rows in a group: r=inuit (12); fewer than 30 are too few to judge by", data.notes)
        self.assertNotIn("merged", self.notes(data))

    def test_merged_groups_that_are_too_few_still(self):
        data = self.groups(table({"white": 200, "black": 140, "inuit": 12, "maori": 9}), "r")
        self.assertEqual(data.group_names[2:], ["other"])
        self.assertIn("warning: few rows in a group: other (21); fewer than 30 are too few to judge by", data.notes)

    def test_more_than_half_of_the_rows_in_other_are_a_warning(self):
        rows = {"white": 100, **{f"w{i}": 12 for i in range(8)}}
        self.assertNotIn("'other' has", self.notes(self.groups(table(rows), "r")))
        self.assertIn("warning: 'other' has 51.9 % of the rows", self.notes(self.groups(table(rows | {"w8": 12}), "r")))

    def test_the_limit_can_be_changed(self):
        t = table({"white": 200, "black": 140, "inuit": 12, "maori": 9})
        self.assertEqual(len(self.groups(t, "r", smallest_group=0).group_names), 4)
        self.assertEqual(len(self.groups(t, "r", smallest_group=9).group_names), 4)
        self.assertEqual(self.groups(t, "r", smallest_group=141).group_names, ["r=white", "other"])
        t.to_csv(self.folder / "t.csv", index=False)
        words = ("import", "csv", "t.csv", "--label", "y", "--positive", "yes", "--group", "r", "--output", "o.h5")
        self.assertIn("4 groups of r", self.succeed(*words, "--smallest-group", "0"))
        with h5py.File(self.folder / "o.h5") as file:
            self.assertIn(b"smallest_group = 0\n", file.attrs["config"])
        self.refuse(2, "--smallest-group -1: must be a whole number, 0 or more", *words, "--smallest-group=-1")

    def test_no_group_would_be_left(self):
        self.refuses(people(40), "g", "--group g: no group has 30 rows, the largest, g=", "--smallest-group N lowers")
        self.assertEqual(len(self.groups(people(40), "g", smallest_group=0).group_names), 2)

    def test_more_than_64_groups_are_refused_with_a_limit_that_helps(self):
        sizes = {f"w{i:02}": 10 + i for i in range(70)}
        said = self.refuses(table(sizes), "r", "--group r: makes 70 groups", "must be at most 64", "cut numbers",
                            smallest_group=0)
        limit = int(said.split("--smallest-group ")[1])
        data = self.groups(table(sizes), "r", smallest_group=limit)
        self.assertEqual((len(data.group_names), data.group_names[-1]), (64, "other"))
        self.refuses(table(dict.fromkeys(sizes, 30)), "r", "makes 70 groups")
        self.assertEqual(len(self.groups(table(dict(list(sizes.items())[:64])), "r", smallest_group=0).group_names), 64)


class Hints(Groups):
    def test_a_column_that_predicts_one_group_of_many_is_pointed_at(self):
        t = table()
        leak = np.where(t["r"] == "asian", "yes", "no")
        data = self.groups(t.assign(temple=leak, copy=t["r"].str.upper()), "r")
        self.assertIn("warning: column 'temple' alone predicts the group: r=asian (AUC 1.000); --drop temple leaves it "
                      "out", data.notes)
        self.assertIn("column 'copy' alone predicts the group: r=white (AUC 1.000); r=black (AUC 1.000); r=asian (AUC "
                      "1.000); r=other (AUC 1.000); --drop copy", self.notes(data))
        self.assertNotIn("column 'a' alone", self.notes(data))
        number = table().assign(v=t["r"].map({"white": "9", "black": "5", "asian": "7", "other": "1"}))
        self.assertIn("'v' alone predicts the group: r=white (AUC 1.000); r=other (AUC 1.000);",
                      self.notes(self.groups(number, "r")))

    def test_of_several_columns_each_is_looked_at(self):
        t = table(s=["F", "M"] * 200)
        t = t.assign(salutation=t["s"].map({"F": "Ms", "M": "Mr"}), origin=t["r"].str.upper())
        notes = self.notes(self.groups(t, ["r", "s"]))
        self.assertIn("column 'salutation' alone predicts 's' of the group (AUC 1.000)", notes)
        self.assertIn("column 'origin' alone predicts 'r' of the group: r=white (AUC 1.000); ", notes)
        self.assertNotIn("'g' alone", notes)

    def test_only_training_rows_count(self):
        t = table(part=["train" if i < 300 else "test" for i in range(400)])
        t["v"] = np.where(t["part"] == "train", t["r"], "white")
        self.assertIn("column 'v' alone predicts the group: r=white", self.notes(self.groups(
            t, "r", split="part", test_value="test")))

    def test_aucs_are_those_of_the_pairs(self):
        """Against the definition: the share of pairs of a row of the level and another one that the evidence orders."""
        random = np.random.default_rng(5)
        number, words = random.integers(0, 4, 90), random.integers(0, 7, 90)
        words[:2] = 7, 8  # words that occur once
        column = np.round(random.normal(size=90) + number, 1)
        counts = np.bincount(number)

        def auc(evidence, ones):
            above = evidence[ones][:, None] - evidence[~ones][None, :]
            return ((above > 0) + 0.5 * (above == 0)).mean()

        of_numbers = hints.aucs_of_numbers(pd.Series(column).rank().to_numpy(), number, counts)
        of_words = hints.aucs_of_words(words, number, counts)
        for k in range(4):
            ones = number == k
            self.assertAlmostEqual(of_numbers[k], max(auc(column, ones), 1 - auc(column, ones)))
            same = words[:, None] == words[None, :]
            np.fill_diagonal(same, False)
            shares = np.array([ones[row].mean() if row.any() else ones.mean() for row in same])
            self.assertAlmostEqual(of_words[k], auc(shares, ones))


class Report(Groups):
    def test_rows_of_each_group_and_its_share_of_label_1(self):
        t = table()
        data = self.groups(t, "r")
        for k, name in enumerate(ROWS):
            share = 100 * (t["y"][t["r"] == name] == "yes").mean()
            self.assertIn(f"group {k}: {ROWS[name]} rows, {share:.1f} % with label 1, r={name}", data.notes)
            self.assertIn(f"r={name} ({ROWS[name]} rows, {share:.1f} % with label 1)",
                          data.columns.set_index("name").loc["r", "remark"])
        self.assertEqual(data.columns.set_index("name").loc["r", "kind"], "group")

    def test_each_column_of_the_group_has_its_own_line(self):
        report = self.groups(table(age=Cuts.AGES), ["r", "age:<25,>=25"]).columns.set_index("name")
        self.assertEqual(report.loc[["r", "age"], "kind"].tolist(), ["group", "group"])
        self.assertRegex(report.loc["age", "remark"], r"^age>=25 \(\d+ rows, .* % with label 1\); age<25 \(\d+ rows, ")

    def test_labels_that_are_rare_in_a_group_are_named(self):
        t = table()
        t.loc[t["r"] == "asian", "y"] = "no"
        notes = self.notes(self.groups(t, "r"))
        self.assertIn("few rows with label 1 in a group: r=asian (0); fewer than 10 are too few to judge by", notes)
        self.assertNotIn("few rows in a group", notes)


class Files(Groups):
    def written(self, table, *words):
        table.to_csv(self.folder / "t.csv", index=False)
        self.said = self.succeed("import", "csv", "t.csv", "--label", "y", "--positive", "yes", "--output", "o.h5",
                                 *words)
        file = h5py.File(self.folder / "o.h5")
        self.addCleanup(file.close)
        return file

    def test_the_file_names_the_groups(self):
        t = table(s=["Fé", "M"] * 200)
        for words, names, name in (
                (("--group", "r"), ["r=white", "r=black", "r=asian", "r=other"], "r"),
                (("--group", "s", "--group-value", "Fé"), ["s=M", "s=Fé"], "s=Fé"),
                (("--group", "r", "--group-value", "black"), ["not r=black", "r=black"], "r=black"),
                (("--group", "s"), ["s=Fé", "s=M"], "s"), ((), ["all"], "all")):
            with self.subTest(words):
                file = self.written(t, *words)
                stored = file.attrs["group_names"]
                self.assertIsNone(h5py.check_string_dtype(file.attrs.get_id("group_names").dtype).length)
                self.assertEqual((stored.tolist(), file.attrs["group_name"].decode()), (names, name))
                self.assertEqual((file["z"].dtype, file["z"].shape), (np.dtype("uint8"), (400,)))
                np.testing.assert_array_equal(np.unique(file["z"][:]), range(len(names)))
                self.assertEqual(file.attrs["version"].tolist(), [1, 2])
                self.assertEqual(metasieve.read(self.folder / "o.h5").attributes["group_names"], names)
                file.close()
        self.assertIn("one group\n", self.said)

    def test_python_and_the_command_make_the_same(self):
        t = table(age=Cuts.AGES)
        file = self.written(t, "--group", "r", "age:<25,>=25")
        data = self.groups(t, ["r", "age:<25,>=25"])
        np.testing.assert_array_equal(file["z"][:], data.group)
        self.assertEqual(file.attrs["group_names"].tolist(), data.group_names)

    def test_a_group_that_a_part_lacks_is_a_warning_and_of_two_an_error(self):
        t = table(part=["train" if i < 300 else "test" for i in range(400)])
        t.loc[(t["r"] == "other") & (t["part"] == "test"), "r"] = "white"
        t.loc[(t["r"] == "asian") & (t["part"] == "train"), "r"] = "white"
        split = ("--split", "part", "--test-value", "test")
        self.written(t, "--group", "r", "--smallest-group", "0", *split)
        self.assertIn("warning: the training part has no row of group r=asian\n", self.said)
        self.assertIn("warning: the test part has no row of group r=other\n", self.said)
        self.assertNotIn("no row of group r=white", self.said)
        words = ("import", "csv", "t.csv", "--label", "y", "--positive", "yes", "--output", "p.h5", *split)
        self.refuse(3, "only one group is left in the test part; must have two", *words, "--group", "r",
                    "--group-value", "other")
        t["r"] = np.where(t["part"] == "train", "white", np.where(t.index % 2, "black", "white"))
        t.to_csv(self.folder / "t.csv", index=False)
        self.refuse(3, "only one group is left in the training part; must have two", *words, "--group", "r")
        t["y"] = np.where(t["part"] == "train", t["y"], "yes")
        t.to_csv(self.folder / "t.csv", index=False)
        self.refuse(3, "only one label is left in the test part", *words)

    def test_the_program_reads_them(self):
        t = table(s=["F", "M"] * 200)
        for words in (("--group", "r"), ("--group", "r", "s"), ("--group", "s"), ()):
            self.written(t, *words).close()
            run = subprocess.run([BINARY, "verify", self.folder / "o.h5"], capture_output=True, text=True, timeout=60)
            self.assertEqual(run.returncode, 0, f"{words}: {run.stderr}")


class Published(Groups):
    def imported(self, name, *words, source=None):
        source = source or {"compas": "compas-scores-two-years.csv"}.get(name, f"{name}.data")
        if not (DATA / source).exists():
            self.skipTest(f"{DATA / source} is not there; set METASIEVE_DATA")
        self.said = self.succeed("import", name, "--source", DATA, "--output", "o.h5", *words)
        return metasieve.read(self.folder / "o.h5")

    def found(self, name, *words, **more):
        """Rows by the name of the group, in the order of their numbers."""
        data = self.imported(name, *words, **more)
        names = data.attributes["group_names"]
        return dict(zip(names, np.bincount(data["z"], minlength=len(names)).tolist()))

    def test_compas(self):
        self.assertEqual(self.found("compas"), {"not African-American": 2997, "African-American": 3175})
        self.assertNotIn("group 0", self.said)
        races = {"race=African-American": 3175, "race=Caucasian": 2103, "race=Hispanic": 509, "race=Other": 343}
        self.assertEqual(self.found("compas", "--group", "race"), races | {"other": 42})  # 31 + 11 of 6172
        self.assertIn("race=Asian (31); race=Native American (11)", self.said)
        self.assertIn("group 0: 3175 rows, 52.3 % with label 1, race=African-American", self.said)
        self.assertEqual(self.found("compas", "--group", "race", "--smallest-group", "30"),
                         races | {"race=Asian": 31, "race=Native American": 11})
        both = self.found("compas", "--group", "race", "sex")
        self.assertEqual(list(both.items())[:2], [("race=African-American, sex=Male", 2626),
                                                  ("race=Caucasian, sex=Male", 1621)])
        self.assertEqual((list(both)[-1], sum(both.values())), ("other", 6172))
        named = self.found("compas", "--group", "race", "--group-value", "African-American")
        self.assertEqual(named, {"not race=African-American": 2997, "race=African-American": 3175})

    def test_a_column_of_the_group_is_no_feature(self):
        data = self.imported("compas", "--group", "age:<25,25-45,>45", "sex")
        self.assertEqual(data.attributes["feature_names"], ["priors_count", "juv_fel_count", "juv_misd_count",
                                                            "juv_other_count"])
        self.assertIn("note: column 'age' is of the group, and no feature", self.said)
        self.assertEqual(len(data.attributes["group_names"]), 6)
        self.refuse(2, "--group age: has 65 different numbers", "import", "compas", "--source", DATA, "--output",
                    "p.h5", "--group", "age")

    def test_adult_and_its_test_part_have_the_same_groups(self):
        train = self.found("adult", "--group", "race", "sex")
        self.assertEqual(list(train.items())[:2], [("race=White, sex=Male", 18038), ("race=White, sex=Female", 7895)])
        joined = self.found("adult", "--official", "--group", "race", "sex", source="adult.test")
        self.assertEqual(list(joined)[:2], list(train)[:2])
        self.assertEqual((sum(train.values()), sum(joined.values())), (30162, 45222))

    def test_german(self):
        self.assertEqual(self.found("german", "--group", "sex"), {"sex=male": 690, "sex=female": 310})
        data = self.imported("german", "--group", "sex", "age:<25,>=25")
        self.assertEqual(len(data.attributes["group_names"]), 4)
        self.assertEqual(int((data["z"] == data.attributes["group_names"].index("sex=male, age>=25")).sum()),
                         sum(int(line.split()[12]) >= 25 and line.split()[8] not in ("A92", "A95")
                             for line in (DATA / "german.data").read_text().splitlines()))

    def test_wrong_groups(self):
        words = ("import", "compas", "--source", DATA, "--output", "o.h5")
        self.imported("compas")
        self.refuse(2, "--group rice: ", *words, "--group", "rice")
        self.refuse(2, "nearest is 'race'", *words, "--group", "rice")
        self.refuse(2, "--group-value: needs --group", *words, "--group-value", "Hispanic")
        self.refuse(2, "unrecognized arguments: --group", "import", "roh", "--source", DATA, "--output", "o.h5",
                    "--group=x")


if __name__ == "__main__":
    unittest.main()
