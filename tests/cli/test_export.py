"""`python3 -m metasieve export`: a suite as .npz files, results as CSV and LaTeX."""
import json
import re
import shutil
import subprocess
import sys
import unittest
from unittest import mock

from support import ROOT, AnalysisTest

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py
    import numpy as np
    import pandas as pd
    from metasieve import exports, read
    from metasieve.tables import rendering, results
    from evaluation_tables import write_evaluation
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")

# Field and type, as `metasieve generate` stores them; the last is one that the prototypes do not know.
METADATA = [(name, "u8" if name in ("task_id", "seed") else "u1" if name == "add_group_bias" else
             "i8" if name.startswith("n_") or name == "groups" else "f8") for name in exports.FIELDS]
METADATA += [("family", "S32")]


def write_suite(path, tasks=3):
    """Task i has 4 + i training and 2 test rows of 2 + i columns, and no test row of group 1 in task 0."""
    random = np.random.default_rng(3)
    rows = []
    parts = {part: {name: [] for name in ("x", "y", "z", "y_clean")} for part in ("train", "test")}
    for i in range(tasks):
        record = {name: i + 0.25 for name, _ in METADATA} | {
            "task_id": i, "seed": 2**63 + i, "n_features": 2 + i, "add_group_bias": i % 2, "family": b"biased",
            "test_pos_rate_z1": 0.5 if i else np.nan, "groups": 2 + i}
        rows.append(tuple(record[name] for name, _ in METADATA))
        for part, count in (("train", 4 + i), ("test", 2)):
            parts[part]["x"].append(random.normal(size=count * (2 + i)).astype("f4"))
            for name in ("y", "z", "y_clean"):
                parts[part][name].append(random.integers(0, 2, count).astype("u1"))
    with h5py.File(path, "w") as file:
        file.attrs["filetype"] = "metasieve-suite"
        file["metadata"] = np.array(rows, METADATA)
        for part, columns in parts.items():
            for name, values in columns.items():
                file[f"{part}/{name}"] = np.concatenate(values)
            for offset, name in (("row_offset", "y"), ("x_offset", "x")):
                file[f"{part}/{offset}"] = np.cumsum([0, *map(len, columns[name])], dtype="u8")
        file.attrs["complete"] = 1
    return path


class ExportNpz(AnalysisTest):
    def setUp(self):
        super().setUp()
        self.suite = write_suite(self.folder / "suite.h5")

    def test_the_arrays_of_all_tasks_together_are_the_suite(self):
        exports.export_tasks(read(self.suite), self.folder / "out", range(3))

        tasks = [np.load(self.folder / f"out/task_{i:03d}.npz", allow_pickle=False) for i in range(3)]
        with h5py.File(self.suite) as file:
            for part in ("train", "test"):
                for array, stored in (("X", "x"), ("y", "y"), ("z", "z"), ("y_clean", "y_clean")):
                    found = [task[f"{array}_{part}"] for task in tasks]
                    self.assertTrue(np.array_equal(np.concatenate([one.ravel() for one in found]), file[part][stored]))
                    self.assertEqual({one.dtype for one in found}, {np.dtype("f4" if array == "X" else "i8")})
        self.assertEqual([task["X_train"].shape for task in tasks], [(4, 2), (5, 3), (6, 4)])
        self.assertEqual(set(tasks[0]), {f"{name}_{part}" for name in ("X", "y", "z", "y_clean")
                                         for part in ("train", "test")})

    def test_metadata_are_the_fields_in_order_and_plain_json(self):
        with mock.patch.object(exports, "AT_A_TIME", 2):
            exports.export_tasks(read(self.suite), self.folder / "out", range(3))

        text = (self.folder / "out/metadata.json").read_text()
        found = json.loads(text, parse_constant=lambda name: self.fail(f"{name} is no JSON"))
        self.assertEqual([list(task) for task in found], 3 * [list(exports.FIELDS)])
        self.assertEqual((len(exports.FIELDS), exports.FIELDS[22]), (23, "groups"))
        self.assertEqual([task["seed"] for task in found], [2**63 + i for i in range(3)])
        self.assertEqual([task["add_group_bias"] for task in found], [False, True, False])
        self.assertEqual([task["test_pos_rate_z1"] for task in found], [None, 0.5, 0.5])
        self.assertEqual(found[1]["noise_rate"], 1.25)
        self.assertEqual([task["groups"] for task in found], [2, 3, 4])
        self.assertIn('"n_features": 3,', text)

    def test_a_suite_that_does_not_say_its_groups_has_two(self):
        with h5py.File(self.suite, "r+") as file:
            rows = file["metadata"][()]
            del file["metadata"]
            file["metadata"] = rows[[name for name in rows.dtype.names if name != "groups"]]
        self.assertEqual(list(read(self.suite).table("metadata")["groups"]), [2, 2, 2])
        exports.export_tasks(read(self.suite), self.folder / "out", range(3))
        self.assertEqual([task["groups"] for task in json.loads((self.folder / "out/metadata.json").read_text())],
                         [2, 2, 2])

    def test_names_sort_as_the_tasks_do(self):
        self.assertEqual([exports.file_name(7, 10), exports.file_name(999, 1000), exports.file_name(7, 100000)],
                         ["task_007.npz", "task_999.npz", "task_00007.npz"])

    def test_an_earlier_export_is_left_alone_unless_it_may_be_replaced_and_other_files_always(self):
        out = self.folder / "out"
        out.mkdir()
        (out / "notes.txt").write_text("mine")
        (out / "task_900.npz").write_text("old")
        (out / "metadata.json").write_text("old")

        self.refuse(3, "out: has an earlier export (metadata.json, ...); choose another folder, or --replace it",
                    "export", "npz", "suite.h5", "--output", "out")
        self.assertEqual((out / "metadata.json").read_text(), "old")
        self.succeed("export", "npz", "suite.h5", "--output", "out", "--replace", "--tasks", "1:3")
        self.assertEqual(sorted(path.name for path in out.iterdir()),
                         ["metadata.json", "notes.txt", "task_001.npz", "task_002.npz"])
        self.assertEqual([task["task_id"] for task in json.loads((out / "metadata.json").read_text())], [1, 2])

    def test_an_export_that_fails_leaves_no_metadata(self):
        with h5py.File(self.suite, "a") as file:
            del file["test/y_clean"]
            file["test/y_clean"] = np.zeros((), "u1")

        with self.assertRaises((OSError, ValueError)):
            exports.export_tasks(read(self.suite), self.folder / "out", range(3))
        self.assertFalse((self.folder / "out/metadata.json").exists())

    def test_what_cannot_be_is_refused_in_one_line(self):
        write_evaluation(self.folder / "e.h5", ["compas"])
        for code, said, *words in ((3, "npz: e.h5: filetype is", "e.h5"),
                                   (3, "has 3 tasks", "suite.h5", "--tasks", "2:4"),
                                   (2, "must be A:B", "suite.h5", "--tasks", "2:2")):
            self.refuse(code, said, "export", "npz", *words, "--output", "out")
        self.assertFalse((self.folder / "out").exists())


class ExportTables(AnalysisTest):
    def test_every_table_comes_as_csv_and_the_results_as_latex(self):
        write_evaluation(self.folder / "e.h5", ["compas"], with_frontier=True)

        self.succeed("export", "tables", "e.h5", "--output", "out")

        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()),
                         ["e.tex", *sorted(f"e_{name}.csv" for name in (
                             "summary", "paired", "detection", "findings", "frontier"))])
        summary = read(self.folder / "e.h5")["summary"]
        pd.testing.assert_frame_equal(pd.read_csv(self.folder / "out/e_summary.csv"), summary, check_exact=False)

    def test_latex_holds_means_intervals_and_changes_by_readable_names(self):
        write_evaluation(self.folder / "e.h5", ["a_b & 50%"])
        found = results.of(read(self.folder / "e.h5"))

        text = rendering.latex(found["a_b & 50%"], "tab:e:a_b & 50%")

        self.assertIn(r"\caption{a\_b \& 50\%: means over 10 splits and 2 policies; 5.0 \% of", text)
        self.assertIn(r"\label{tab:e:a_b-50-}", text)
        lines = text.splitlines()
        row = next(i for i, line in enumerate(lines) if line.startswith(r"\textbf{metasieve, hard}"))
        self.assertEqual(lines[row], r"\textbf{metasieve, hard} & 0.730 & $+$3.0 & 0.100 & $-$75 \% & 0.100 & $-$75 \% "
                                     r"& -- & 5.0 \% \\")
        self.assertEqual(lines[row + 1].count("&"), 8)
        self.assertIn(r"{\scriptsize [0.720, 0.750]} & {\scriptsize [$+$2.5, $+$3.5]}", lines[row + 1])
        self.assertRegex(text, r"all rows & 0.700 &  & 0.400 &  & ")
        paired = rendering.latex(found["a_b & 50%_paired"], "p")
        self.assertIn("metasieve, hard & $+$1.2 & 85 \\% \\\\\n$-$ reweighing (Kamiran-Calders) & "
                      "{\\scriptsize [$+$0.4, $+$2.0]} &  \\\\[2pt]\n", paired)

    def test_each_line_of_a_table_has_as_many_cells_as_the_head(self):
        write_evaluation(self.folder / "e.h5", ["compas", "adult"])
        for table in results.of(read(self.folder / "e.h5")).values():
            text = rendering.latex(table, "t")
            body = text[text.index(r"\toprule"):text.index(r"\bottomrule")]
            cells = {len(re.findall(r"(?<!\\)&", line)) for line in body.splitlines()
                     if line.endswith((r"\\", "[2pt]"))}
            self.assertEqual(cells, {len(table.header) - 1})

    def test_special_letters_are_escaped(self):
        self.assertEqual(rendering.latex_text("5 % of a_b & #1 {x} ~ ^ \\ $ –"),
                         r"5 \% of a\_b \& \#1 \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{} \$ --")
        self.assertEqual(rendering.latex_text("-0.3 [-1, +2] Kamiran-Calders 1-2"),
                         "$-$0.3 [$-$1, $+$2] Kamiran-Calders 1-2")

    @unittest.skipUnless(shutil.which("pdflatex"), "needs pdflatex with booktabs")
    def test_latex_compiles(self):
        write_evaluation(self.folder / "e.h5", ["a_b & <50%> \"x\""])
        self.succeed("export", "tables", "e.h5", "--output", ".")
        (self.folder / "all.tex").write_text(r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{e}"
                                             r"\end{document}")
        run = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"], cwd=self.folder,
                             capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(run.returncode, 0, run.stdout[-2000:])
        self.assertNotIn("Overfull", run.stdout)

    def test_files_of_one_name_and_other_files_are_refused(self):
        (self.folder / "x.h5").write_text("no HDF5")
        self.refuse(3, "tables: x.h5: is no HDF5 file", "export", "tables", "x.h5", "--output", "out")
        self.refuse(2, "called e", "export", "tables", "a/e.h5", "b/e.h5", "--output", "out")
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
