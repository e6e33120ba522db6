"""The package `metasieve`: how it reads files, and how its commands help and fail."""
import os
import resource
import subprocess
import sys
import unittest

from support import ROOT, AnalysisTest, analysis, write_tables

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py
    import numpy as np
    from metasieve import commands, read
    from metasieve.files import checksum
    from evaluation_tables import write_evaluation
    from test_plot import history, validation
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")


class Reading(AnalysisTest):
    def test_tables_arrays_attributes_and_configuration(self):
        path = write_tables(self.folder / "r.h5", "results", history=history(), validation=validation())
        with h5py.File(path, "r+") as file:
            file["layers/0/weight"] = np.arange(6.0).reshape(2, 3)
            file.attrs["created_by"] = b"metasieve 9.9"
        contents = read(path)
        self.assertEqual((contents.type, contents.config["meta"]["iterations"]), ("results", "4"))
        self.assertEqual(contents.attributes["created_by"], "metasieve 9.9")
        self.assertEqual(list(contents), ["history", "layers/0/weight", "validation"])
        self.assertEqual(contents["/layers/0/weight"].tolist(), [[0, 1, 2], [3, 4, 5]])
        self.assertEqual(contents["validation"]["dp_gap"].tolist(), [0.3, 0.2, 0.1])
        with self.assertRaisesRegex(KeyError, "has no /frontier; has history"):
            contents["frontier"]

    def test_checksums_are_those_of_the_program(self):
        """Values that the program's own routine gives: tests/mpi/test_files.py compares files."""
        for values, expected in ((np.array([1, 0, 0, 1], "u1"), 8649356600978952463),
                                 (np.array([[1.5, -2, 0.25], [0, 3, 4]], "f4"), 15588725067517962078),
                                 (["a", "größe"], 9810749818426063017)):
            self.assertEqual(checksum(values), expected)

    def test_unfinished_foreign_and_damaged_files_are_refused_by_name(self):
        path = write_tables(self.folder / "r.h5", "results", history=history())
        for change, said in ((lambda file: file.attrs.__delitem__("complete"), "was never finished"),
                             (lambda file: file.attrs.__setitem__("filetype", "other"), "must be that of a file of"),
                             (lambda file: file.attrs.__setitem__("config", "no = section"), "its configuration")):
            with h5py.File(path, "r+") as file:
                change(file)
            with self.assertRaisesRegex(ValueError, f"{path}.*{said}"):
                read(path)
            write_tables(path, "results", history=history())
        with self.assertRaisesRegex(ValueError, "filetype is 'metasieve-results'; must be 'metasieve-suite'"):
            read(path, "suite")
        with self.assertRaisesRegex(OSError, "none.h5: no such file"):
            read(self.folder / "none.h5")


class Commands(AnalysisTest):
    def test_import_and_help_load_no_other_package(self):
        for code in ("import metasieve; assert metasieve.__version__",
                     "from metasieve.commands import parser; parser().print_help()"):
            code += "\nimport sys\nassert not {'numpy', 'h5py', 'pandas', 'matplotlib'} & set(sys.modules)"
            run = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT / "analysis")},
                                 capture_output=True, text=True, timeout=60)
            self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_each_level_has_help_with_an_example(self):
        found = []

        def collect(table, words):
            for name, command in table.items():
                found.append((*words, name))
                collect(command.kinds, (*words, name))

        collect(commands.COMMANDS, ())
        self.assertGreater(len(found), 18)
        for words in [(), ("plot",), ("plot", "scaling"), ("import", "csv"), ("export", "npz"), ("report",)]:
            said = self.succeed(*words, "-h")
            self.assertIn(f"usage: python3 -m metasieve {' '.join(words)}".rstrip(), said)
            self.assertIn("example:\n  python3 -m metasieve ", said)
        for words in found:
            with self.subTest(words), self.assertRaises(SystemExit) as ended, open(os.devnull, "w") as nothing:
                sys.stdout, kept = nothing, sys.stdout
                try:
                    commands.main([*words, "-h"])
                finally:
                    sys.stdout = kept
            self.assertEqual(ended.exception.code, 0)

    def test_examples_are_commands(self):
        def check(table):
            for command in table.values():
                options, unknown = commands.parser().parse_known_args(command.example.split())
                self.assertEqual(unknown, [])
                self.assertTrue(options.run)
                check(command.kinds)

        check(commands.COMMANDS)

    def test_wrong_words_are_one_line(self):
        self.assertIn("required: COMMAND", analysis().stderr)
        for said, *words in (("invalid choice: 'frob'", "frob"), ("KIND", "plot"),
                             ("--output", "plot", "learning", "r.h5"),
                             ("unrecognized arguments: --gap", "plot", "noise", "e.h5", "--output", "p", "--gap"),
                             ("metasieve export npz: --tasks 3:3: must be A:B", "export", "npz", "s.h5",
                              "--output", "o", "--tasks", "3:3")):
            self.refuse(2, said, *words)

    def test_a_table_of_another_shape_is_named(self):
        write_tables(self.folder / "r.h5", "results", history=history()[["iteration", "loss"]], validation=validation())
        self.refuse(3, "r.h5: cannot be used: has no 'gradient_norm'", "plot", "learning", "r.h5", "--output", "p")
        write_tables(self.folder / "e.h5", "evaluation", response=history())
        self.refuse(3, "e.h5: cannot be used: has no 'source'", "plot", "response", "e.h5", "--output", "p")
        self.assertEqual([*self.folder.glob("p.*")], [])

    def test_every_kind_refuses_damaged_files_in_one_line(self):
        write_evaluation(self.folder / "whole.h5", ["a"], with_frontier=True)
        whole = (self.folder / "whole.h5").read_bytes()
        (self.folder / "cut.h5").write_bytes(whole[:len(whole) // 2])
        (self.folder / "flipped.h5").write_bytes(whole[:600] + bytes(b ^ 255 for b in whole[600:900]) + whole[900:])
        for name in ("cut.h5", "flipped.h5"):
            for words in (("plot", "comparison"), ("plot", "frontier"), ("export", "tables")):
                self.refuse(3, name, *words, name, "--output", "p")
        self.assertEqual([*self.folder.glob("p*")], [])

    def test_outputs_that_cannot_be_written_are_one_line_and_leave_what_was_there(self):
        write_tables(self.folder / "r.h5", "results", history=history(), validation=validation())
        (self.folder / "file").touch()
        self.refuse(3, "cannot write file/p.png: file is no folder", "plot", "learning", "r.h5", "--output", "file/p")
        self.refuse(3, "cannot write file/r.html", "report", ".", "--output", "file/r.html")
        self.refuse(3, "file", "export", "tables", "r.h5", "--output", "file")

    def test_a_full_disk_is_one_line_and_leaves_what_was_there(self):
        """The limit of the size of a file stands for the end of the disk."""
        write_tables(self.folder / "r.h5", "results", history=history(), validation=validation())
        (self.folder / "t.csv").write_text("x,y,z\n" + "".join(f"{i},{i % 2},{i % 3 // 2}\n" for i in range(9000)))
        csv = ("import", "csv", "t.csv", "--label", "y", "--positive", "1", "--group", "z", "--group-value", "1")
        for words, names in ((("plot", "learning", "r.h5", "--output", "p"), ("p.png", "p.svg", "p.csv")),
                             (("report", ".", "--output", "p.html"), ("p.html",)),
                             ((*csv, "--output", "d.h5"), ("d.h5",))):
            for name in names:
                (self.folder / name).write_text("as it was")
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (12000, hard))
            try:
                self.refuse(3, f"cannot write {names[0]}: File too large", *words)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            for name in names:
                self.assertEqual((self.folder / name).read_text(), "as it was")
                (self.folder / name).unlink()

    def test_a_missing_package_is_named_with_the_remedy(self):
        (self.folder / "h5py.py").write_text("raise ImportError(\"No module named 'h5py'\")\n")
        path = f"{self.folder}:{ROOT / 'analysis'}"
        self.refuse(3, "No module named 'h5py'; run it with a Python that has", "report", ".", PYTHONPATH=path)

    def test_output_that_is_not_read_is_no_traceback(self):
        with open("/dev/full", "w") as full:
            run = subprocess.run([sys.executable, "-m", "metasieve", "export", "tables", write_tables(
                self.folder / "r.h5", "scores", scores=history()), "--output", self.folder], stdout=full,
                stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "analysis")}, timeout=60)
        self.assertEqual((run.returncode, run.stderr.count("\n")), (3, 1), run.stderr)
        self.assertIn("No space left on device", run.stderr)


if __name__ == "__main__":
    unittest.main()
