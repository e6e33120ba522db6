"""`python3 -m metasieve compare`, with a fake metasieve that writes down how it was called and an evaluation file."""
import csv
import os
import sys
import unittest

from support import ROOT, AnalysisTest, analysis, write_dataset

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py
    import matplotlib  # noqa: F401, what the plots need
    import pandas  # noqa: F401, what the importer needs
    from metasieve import compare, read
    from metasieve.tables import comparison as comparison_report
    from evaluation_tables import RACES, add_groups, write_evaluation  # noqa: F401, run by the fake too
    MISSING = None
except ImportError as error:
    MISSING = error

FAKE = """#!{python}
import os, pathlib, sys
sys.path.insert(0, {tests!r})
from evaluation_tables import write_evaluation
words = sys.argv[1:]
print(*words, "root" if "OMPI_ALLOW_RUN_AS_ROOT" in os.environ else "user", file=open({log!r}, "a"))
print("a table of its own")
if {code}:
    print("metasieve: is not well", file=sys.stderr)
    sys.exit({code})
start = words.index("--dataset") + 1
names = [pathlib.Path(word).stem for word in words[start:words.index("--output")]]
write_evaluation(words[words.index("--output") + 1], names, "--frontier" in words)
"""


def setUpModule():
    if MISSING:
        raise unittest.SkipTest(f"{MISSING} in {sys.executable}")


def write_policy(path, use_group):
    with h5py.File(path, "w") as file:
        file.attrs["filetype"] = "metasieve-policy"
        file.attrs["use_group"] = int(use_group)
    return path


def german_file(path):
    """Writes a table in the layout of the published one: 1000 persons, the first column in words."""
    fields = ["A11", "6", "A34", "A43", "1169", "A65", "A75", "4", "A93", "A101", "4", "A121", "30", "A143", "A152",
              "2", "A173", "1", "A192", "A201", "1"]
    lines = []
    for i in range(1000):
        fields[1], fields[12], fields[20] = str(6 + i % 40), str(20 + i % 50), str(1 + (i % 10 < 3))
        lines.append(" ".join(fields))
    path.write_text("\n".join(lines) + "\n")


class Compare(AnalysisTest):
    def setUp(self):
        super().setUp()
        self.log, self.out = self.folder / "log", self.folder / "new" / "out"
        self.log.touch()
        (self.folder / "c.ini").write_text("[evaluate]\nsplits = 3\n")
        self.aware = write_policy(self.folder / "aware.h5", True)
        self.blind = write_policy(self.folder / "blind.h5", False)
        self.fake()
        self.source = self.folder / "source"
        self.source.mkdir()
        german_file(self.source / "german.data")

    def fake(self, code=0):
        path = self.folder / "metasieve"
        path.write_text(FAKE.format(python=sys.executable, tests=str(ROOT / "tests/cli"), log=str(self.log), code=code))
        path.chmod(0o755)

    def run_compare(self, *arguments, policies=True, **env):
        words = ["--source", self.source, "--output", self.out, "--config", self.folder / "c.ini", "--metasieve",
                 self.folder / "metasieve"]
        if policies:
            words += ["--policy", self.aware, "--blind-policy", self.blind]
        return analysis("compare", *words, *arguments, **env)

    def calls(self):
        return self.log.read_text().splitlines()

    def test_one_command_makes_both_halves_with_tables_and_plots(self):
        more = write_dataset(self.folder / "more.h5")

        run = self.run_compare("--ranks", 1, "--dataset", more, "--set", "evaluate.splits=2", "--frontier")

        self.assertEqual((run.returncode, run.stderr), (0, ""))
        for name in ("compas", "adult"):
            self.assertIn(f"{name} is left out", run.stdout)
        self.assertIn(f"{self.out / 'german.h5'}: 1000 rows", run.stdout)
        who = "root" if os.getuid() == 0 else "user"
        self.assertEqual(self.calls(), [
            f"evaluate --config {self.folder / 'c.ini'} --policy {policy} --dataset {self.out / 'german.h5'} {more} "
            f"--output {self.out / f'comparison_{name}.h5'} --evaluate.splits 2 --frontier {who}"
            for name, policy in (("aware", self.aware), ("blind", self.blind))])
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), sorted([
            "german.h5", "comparison.csv", "comparison.md",
            *(f"comparison_{half}.{kind}" for half in ("aware", "blind")
              for kind in ("h5", "log", "png", "svg", "csv")),
            *(f"frontier_{half}.{kind}" for half in ("aware", "blind") for kind in ("png", "svg", "csv"))]))
        self.assertIn("a table of its own", (self.out / "comparison_aware.log").read_text())

    def report(self):
        """Returns the lines of comparison.md, the cells of its tables by their first column, and what was printed."""
        run = self.run_compare("--ranks", 1, "--data", "german")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        lines = (self.out / "comparison.md").read_text().splitlines()
        table = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]]
                 for line in lines if line.startswith("|")}
        return lines, table, run.stdout

    def test_tables_say_what_the_file_says(self):
        lines, table, printed = self.report()

        header, row = table["method"], table["meta_hard"]
        # No roh_dp and such in this file, so no column; balanced accuracy is undefined.
        self.assertEqual(header, ["accuracy", "change, points [95 %]", "DP gap", "DP change", "EO gap", "EO change",
                                  "balanced accuracy", "noise kept"])
        self.assertEqual(row, ["0.730", "+3.0 [+2.5, +3.5]", "0.100", "-75 %", "0.100", "-75 %", "–", "5.0 %"])
        self.assertEqual(table["baseline"][:4], ["0.700", "", "0.400", ""])
        self.assertIn("Label 1: bad credit. Group 1: age >= 25. Means over 10 splits and 2 policies; 5.0 % of the "
                      "training labels are flipped. Changes are against `baseline`, the fit on all rows.", lines)
        blocks = [k for k, line in enumerate(lines) if line.startswith("## ")]
        self.assertEqual([lines[k] for k in blocks], ["## german: the final model sees the group",
                                                      "## german: the final model does not see the group"])
        for line in lines[blocks[0]:]:
            if not line.startswith("!["):
                self.assertIn(line, printed)

    def test_a_pair_is_shown_once_and_what_rounds_to_zero_has_no_sign(self):
        _, table, _ = self.report()
        self.assertEqual({name: cells for name, cells in table.items() if " - " in name and name[0] != "-"},
                         {"meta_hard - reweighing": ["+1.2 [+0.4, +2.0]", "85 %"],
                          "meta_soft - reweighing": ["0.0 [-0.8, +0.8]", "85 %"],
                          "meta_soft - meta_hard": ["-0.3 [-1.1, +0.5]", "85 %"]})

    def test_what_the_rejected_rows_find_is_shown_with_its_chance(self):
        lines, _, _ = self.report()
        self.assertIn(  # counted by hand from FOUND
            "Flipped labels among the rows that `meta_hard` rejects, precision / recall (by chance) – "
            "all rows: 23 % / 70 % (10 % / 30 %); group 0: 30 % / 70 % (12 % / 28 %); "
            "group 1: 18 % / 70 % (8 % / 32 %); hidden positives: 15 % / 50 % (6 % / 20 %); "
            "false positives: 28 % / 79 % (14 % / 40 %).", lines)

    def test_findings_come_first_and_the_plots_last(self):
        lines, _, _ = self.report()
        start = lines.index("## german: the final model does not see the group")
        self.assertEqual(lines[start + 2:start + 4], ["- **Warning**: one class: splits of threshold 1",
                                                      "- **Accuracy**: meta_hard gains on german, 0.0 points"])
        self.assertEqual(lines[start - 2], "![Accuracy against the EO gap, the final model sees the group]"
                                           "(comparison_aware.png)")
        self.assertIn("`greedy`: lowest loss; `reweighing`: reweighing (Kamiran-Calders); `meta_hard`: metasieve, "
                      "hard.", " ".join(lines[:start]))

    def test_what_a_method_knows_is_said(self):
        tables = read(write_evaluation(self.folder / "e.h5", ["a", "b"]))
        note = "\n\n`threshold` is not blind: "
        introduction = comparison_report.introduction([tables])
        for text in ("`threshold` decides by", "`roh` knows the true"):
            self.assertNotIn(text, introduction)
        self.assertNotIn(note, comparison_report.report("blind", tables, {}))

        tables["summary"]["method"] = tables["summary"]["method"].replace({"greedy": "threshold", "reweighing": "roh"})
        introduction = comparison_report.introduction([tables])
        self.assertIn("\n- `threshold` decides by the group of each test row, even where", introduction)
        self.assertIn("\n- `roh` knows the true share of flipped labels", introduction)
        self.assertEqual(comparison_report.report("blind", tables, {}).count(note), 2)  # one a data set
        self.assertEqual(comparison_report.report("aware", tables, {}).count(note), 0)

    def test_label_and_groups_are_explained_by_name(self):
        path = write_dataset(self.folder / "d.h5")
        self.assertEqual(compare.meaning(path), "Label 1: yes. Group 1: every third.")
        for names, said in ((["not every third", "every third"], " Group 1: every third."),
                            (["A, F", "A, M", "B"], " Groups: A, F; A, M; B."), (["x=1", "x=2"], " Groups: x=1; x=2."),
                            (["all"], "")):
            with h5py.File(path, "a") as file:
                file.attrs["group_names"] = names
            self.assertEqual(compare.meaning(path), f"Label 1: yes.{said}")
        with h5py.File(path, "a") as file:
            del file["z"], file.attrs["group_names"]
        self.assertEqual(compare.meaning(path), "Label 1: yes.")

    def test_groups_go_by_their_names(self):
        tables = read(add_groups(write_evaluation(self.folder / "e.h5", ["compas"]), "compas", RACES))
        line, = [line for line in comparison_report.report("aware", tables, {}).splitlines() if "precision" in line]
        self.assertIn("(10 % / 30 %); African-American: 30 % / 70 % (12 % / 28 %); Caucasian: 18 % / 70 % (8 % / 32 %); "
                      "hidden positives:", line)

    def test_without_groups_there_are_no_gaps_and_one_sentence_says_why(self):
        sentence, gap = "\n- On loans, no groups given: fairness is not in question.\n", "equalised odds"
        path = add_groups(write_evaluation(self.folder / "comparison_aware.h5", ["loans", "compas"], True), "loans",
                          {"all": RACES["Caucasian"]})
        tables = read(path)
        self.assertEqual(comparison_report.introduction([tables, tables]).count(sentence), 1)
        self.assertIn(gap, comparison_report.introduction([tables]))
        loans, compas = comparison_report.report("aware", tables, {}).split("## compas")
        self.assertIn("## loans: policy for models that see the group\n", loans)
        self.assertIn("| method     | accuracy | change, points [95 %] | balanced accuracy | noise kept |", loans)
        self.assertIn("| difference             | accuracy, points [95 %] |  won |", loans)
        self.assertNotRegex(loans, "gap|group [01]")
        self.assertIn("EO gap", compas)
        self.assertEqual(comparison_report.wide("aware", tables)[0].keys() & {"eo_gap", "dp_gap_change"}, set())

        add_groups(path, "compas", {"all": RACES["Caucasian"]})
        introduction = comparison_report.introduction([read(path)])
        self.assertIn("\n- On loans, compas, no groups given: fairness is not in question.\n", introduction)
        self.assertNotRegex(introduction, r"EO gap|DP gap|which is fair")
        self.assertEqual(compare.draw(self.folder, "aware", True),
                         ["![Accuracy, policy for models that see the group](comparison_aware.png)"])
        self.assertFalse((self.folder / "frontier_aware.png").exists())

    def test_results_of_an_earlier_run_are_not_taken_for_new_ones(self):
        more = write_dataset(self.folder / "more.h5")
        self.assertEqual(self.run_compare("--ranks", 1, "--frontier", "--dataset", more).returncode, 0)
        (self.out / "mine.txt").touch()
        self.fake(code=4)

        failed = self.run_compare("--ranks", 1)

        self.assertEqual((failed.returncode, failed.stderr), (4, "metasieve: is not well\n"))
        self.assertIn(f"removed the results of an earlier run from {self.out}: comparison.md, comparison.csv, "
                      "comparison_aware.h5,", failed.stdout)
        kept = ["comparison_aware.log", "german.h5", "mine.txt"]  # the log is of the run that failed
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), kept)

        self.fake()
        self.assertEqual(self.run_compare("--ranks", 1).returncode, 0)
        nothing = self.run_compare("--ranks", 1, "--data", "compas")
        self.assertEqual(nothing.returncode, 3)
        self.assertIn("there is no data set", nothing.stderr)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), ["german.h5", "mine.txt"])

        self.assertEqual(self.run_compare("--ranks", 1).returncode, 0)
        before = (self.out / "comparison.md").read_bytes()
        self.assertEqual(self.run_compare("--ranks", 1, "--policy", self.blind).returncode, 3)  # found before all else
        self.assertEqual((self.out / "comparison.md").read_bytes(), before)

    def test_csv_has_one_row_a_data_set_model_and_method(self):
        self.assertEqual(self.run_compare("--ranks", 1).returncode, 0)
        with open(self.out / "comparison.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["data"], row["model"], row["method"]) for row in rows],
                         [("german", model, method) for model in ("aware", "blind")
                          for method in ("baseline", "greedy", "reweighing", "meta_hard")])
        self.assertEqual([round(float(rows[3][f"accuracy{end}"]), 4) for end in ("", "_low", "_high", "_change",
                                                                                 "_change_low", "_relative")],
                         [0.73, 0.72, 0.75, 0.03, 0.025, round(0.03 / 0.7, 4)])
        self.assertEqual((rows[3]["splits"], rows[3]["balanced_accuracy"]), ("10", ""))

    def test_ranks_go_through_mpirun(self):
        mpirun = self.folder / "bin" / "mpirun"
        mpirun.parent.mkdir()
        mpirun.write_text(f'#!/bin/sh\necho "mpirun $1 $2" >>{self.log}\nshift 2\nexec "$@"\n')
        mpirun.chmod(0o755)
        run = self.run_compare("--ranks", 3, PATH=f"{mpirun.parent}:{os.environ['PATH']}")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual([call.split(" --")[0] for call in self.calls()], ["mpirun -n 3", "evaluate"] * 2)

    def test_metasieves_own_error_and_exit_code_are_passed_on(self):
        self.fake(code=4)
        run = self.run_compare("--ranks", 1)
        self.assertEqual((run.returncode, run.stderr), (4, "metasieve: is not well\n"))
        self.assertFalse((self.out / "comparison.md").exists())
        self.assertEqual(len(self.calls()), 1)

    def test_refusals_are_one_line(self):
        broken = self.folder / "broken.h5"
        broken.write_text("no HDF5")
        self.out.mkdir(parents=True)
        mine, same = self.out / "german.h5", self.out / ".." / "out" / "compas.h5"
        mine.write_text("as it was")
        for code, part, arguments in [
                (2, "--set splits: must be section.key=value", ("--set", "splits")),
                (2, "--ranks 0: must be 1 or more", ("--ranks", 0)),
                (2, "invalid choice", ("--data", "iris")),
                (2, f"--dataset {mine}: --data german would replace it", ("--dataset", mine)),
                (2, f"--dataset {same}: --data compas would replace", ("--data", "compas", "--dataset", broken, same)),
                (2, "nowhere does not exist", ("--metasieve", self.folder / "nowhere")),
                (2, "none.ini does not exist", ("--config", self.folder / "none.ini")),
                (3, "none.h5", ("--policy", self.folder / "none.h5")),
                (3, "there is no data set", ("--data", "compas")),
                (3, "broken.h5", ("--policy", broken)),
                (3, "does not see the group; give it with --blind-policy", ("--policy", self.blind)),
                (3, "sees the group; give it with --policy", ("--blind-policy", self.aware))]:
            with self.subTest(arguments):
                run = self.run_compare("--ranks", 1, *arguments)
                self.assertEqual(run.returncode, code, run.stderr)
                self.assertIn(part, run.stderr)
                self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        self.assertEqual(self.calls(), [])
        self.assertEqual(mine.read_text(), "as it was")
        (self.source / "german.data").write_text("1 2 3\n")
        run = self.run_compare("--ranks", 1)
        self.assertEqual((run.returncode, self.calls()), (3, []))
        self.assertIn("german.data: has 3 columns", run.stderr)


if __name__ == "__main__":
    unittest.main()
