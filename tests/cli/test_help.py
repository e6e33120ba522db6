"""Completions for bash and the manual page, as `metasieve help` makes them of its tables."""

import shutil
import subprocess

from support import BINARY, ROOT, BinaryTest, execute, unittest

COMMANDS = "generate train evaluate score scaling sweep inspect verify doctor".split()
EXIT_CODES = "0 2 3 4 70 75".split()

# Prints what bash would offer for the last of the words.
COMPLETE = """source <("$0" help --bash-completion)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_metasieve
printf '%s\\n' "${COMPREPLY[@]}"
"""


class TestCompletion(BinaryTest):
    def offered(self, *line):
        run = execute(["bash", "-c", COMPLETE, str(BINARY), "metasieve", *line], self.folder, timeout=20)
        self.assertEqual((run.returncode, run.stderr), (0, ""), line)
        return sorted(run.stdout.split())

    def test_commands_options_keys_and_values(self):
        self.assertEqual(self.offered(""), sorted([*COMMANDS, "help", "--help", "--version"]))
        self.assertEqual(self.offered("s"), ["scaling", "score", "sweep"])
        for line, expected in (
                (("train", "--re"), ["--resume"]),
                (("train", "--s"), ["--suite", "--suite."]),
                (("scaling", "--s"), ["--scaling.", "--suite", "--suite."]),
                (("train", "--meta.b"), ["--meta.batch"]),
                (("train", "--meta.fairness"), ["--meta.fairness", "--meta.fairness_weight"]),
                (("train", "--inner.method", ""), ["first-order", "implicit", "unrolled"]),
                (("train", "--inner.method", "=", "un"), ["unrolled"]),  # --inner.method=un, as bash divides it
                (("train", "--inner.method", "="), ["first-order", "implicit", "unrolled"]),
                (("train", "--policy.features", "c"), ["context"]),
                (("evaluate", "--evaluate.methods", "greedy,or"), ["greedy,oracle", "greedy,oracle_penalised"]),
                (("train", "--meta.batch", ""), []),
                (("train", "--sweep."), []),
                (("sweep", "--sweep.sampling", ""), ["latin", "random"]),
                (("sweep", "--l"), ["--list"]),
                (("inspect", "--"), ["--help", "--json"]),
                (("train", "--output.io", ""), ["collective", "gather"]),
                (("help", "k"), ["keys"]),
                (("help", "keys", "in"), ["inner"])):
            with self.subTest(line):
                self.assertEqual(self.offered(*line), expected)

    def test_names_of_files(self):
        (self.folder / "data.h5").touch()
        (self.folder / "a folder").mkdir()
        for line, expected in ((("inspect", "d"), "data.h5"), (("train", "--suite", "d"), "data.h5"),
                               (("evaluate", "--dataset", "x.h5", "d"), "data.h5"), (("train", "--output", ""), "a folder"),
                               (("train", "--output", "d"), ""), (("doctor", ""), "a folder")):
            with self.subTest(line):
                run = execute(["bash", "-c", COMPLETE, str(BINARY), "metasieve", *line], self.folder, timeout=20)
                self.assertEqual(run.stdout.strip(), expected)


class TestWordsForCommands(BinaryTest):
    def test_scripts_pass_on_the_keys_that_a_command_takes(self):
        """jobs/keys.sh and the program agree on each key."""
        script = ('source <("$0" help --bash-completion); source jobs/keys.sh; '
                  'mapfile -t all < <(_metasieve_keys sweep | tr " " "\\n"; _metasieve_keys scaling | tr " " "\\n"); '
                  'for command in generate train evaluate; do for key in "${all[@]}"; do '
                  'words_for "$command" "$key" 1 | tr "\\0" " "; done; echo "= $(_metasieve_keys "$command")"; done')
        run = execute(["bash", "-c", script, str(BINARY)], ROOT, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        for line in run.stdout.splitlines():
            kept, taken = line.split("=")
            self.assertEqual(sorted(set(kept.split()) - {"1"}), sorted(taken.split()))


class TestManualPage(BinaryTest):
    def setUp(self):
        super().setUp()
        self.page = self.succeed("help", "--man").stdout

    def test_names_all_that_there_is(self):
        text = self.page.replace("\\-", "-").replace("\\:", "")
        keys = self.succeed("help", "keys").stdout
        section, names = "", []
        for line in keys.splitlines():
            if line.startswith("["):
                section = line[1:line.index("]")]
            elif line.startswith("  ") and line[2] != " " and section != "family.NAME":
                names.append(f"{section}.{line.split()[0]}")
        self.assertGreater(len(names), 60)
        for name in names:
            self.assertIn(f"\n.B {name}\n", text)
        for command in COMMANDS:
            self.assertIn(f'.SS "metasieve {command} ', text)
        status = text[text.index(".SH EXIT STATUS"):]
        for code in EXIT_CODES:
            self.assertIn(f"\n.B {code}\n", status)
        for variable in ("OMP_NUM_THREADS", "NO_COLOR"):
            self.assertIn(f"\n.B {variable}\n", text)

    def test_groff_finds_no_fault(self):
        tool = shutil.which("groff")
        if tool is None:
            self.skipTest("no groff")
        run = subprocess.run([tool, "-man", "-ww", "-Tutf8", "-z"], input=self.page, text=True, capture_output=True,
                             timeout=30, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_the_build_has_made_both(self):
        build = BINARY.parents[1]
        if not (build / "CMakeCache.txt").exists():
            self.skipTest("not the program of a build")
        self.assertEqual((build / "metasieve.1").read_text(), self.page)
        self.assertEqual((build / "metasieve.bash").read_text(), self.succeed("help", "--bash-completion").stdout)


class TestHelp(BinaryTest):
    def test_a_newcomer_finds_what_to_type(self):
        text = self.succeed("help").stdout
        for part in ("to begin with", "train --config configs/quickstart.ini --output run", "--output says", "NO_COLOR",
                     "OMP_NUM_THREADS", "exit status", "help TOPIC", "progress.json"):
            self.assertIn(part, text)
        self.assertEqual(text, self.succeed("--help").stdout)
        self.assertEqual(self.succeed("help", "train").stdout, self.succeed("train", "--help").stdout)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)
        for words in (("trian", "--help"), ("trian", "-h")):
            self.assert_refused(self.execute(*words), 2, "unknown command trian: the commands are generate, ")
        self.assert_refused(self.execute("help", "trian"), 2, "unknown command trian: the commands are generate, ")
        self.assert_refused(self.execute("train", "--json", "--output", "x"), 2, "unknown option --json")

    def test_a_command_shows_and_takes_only_keys_that_act_on_it(self):
        for command in COMMANDS:
            self.assertLessEqual(len(self.succeed(command, "--help").stdout.splitlines()), 75, command)
        self.assertNotIn("scaling.", self.succeed("train", "--help").stdout)
        for command, key, acts_on in (("train", "evaluate.splits", "evaluate, sweep"), ("generate", "meta.batch", "train, "),
                                      ("evaluate", "family.mild.samples", "generate, train, "),
                                      ("train", "sweep.policy.keep", "sweep;"), ("score", "evaluate.splits", "evaluate, ")):
            with self.subTest(command + key):
                self.assert_refused(self.execute(command, f"--{key}", "3", "--output", "x"), 2,
                                    f"--{key} has no effect on {command}: it acts on {acts_on}")


if __name__ == "__main__":
    unittest.main()
