"""Runs every command and every line of Python that the documentation shows, page by page, with small settings; and
checks its links, paths and quoted messages."""
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import BINARY, MODULE, MPI, ROOT, knows_r, write_dataset

# In this order: later pages use what the commands of earlier ones have left.
PAGES = ["docs/tutorial.md", "README.md", "docs/python.md", "docs/running.md", "docs/resuming.md", "docs/your-data.md", "docs/results.md",
         "docs/sweeps.md", "docs/scaling.md", "docs/cluster.md", "docs/gallery.md", "docs/formats.md",
         "docs/troubleshooting.md", "docs/performance.md", "docs/index.md", "docs/architecture.md",
         "docs/contributing.md"]
# Commands that another test runs, and where.
ELSEWHERE = {"jobs/local.sh": ".ci/run", "tests/run.sh": ".ci/run"}
# Scripts that build or measure for minutes: they must be there, parse, and know the words that they are given.
LONG = ["jobs/figures.sh", "jobs/halving.sh", "jobs/policy.sh", "tests/benchmarks/run.sh", "tests/fuzz/run.sh",
        "tests/sanitize.sh", "tests/simgrid/run.sh", "tests/slurm/run.sh"]
# What makes a command small, by words in it.
SMALLER = {"examples/score.py": "--splits 2", "compare --model": "--set evaluate.splits=2",
           "metasieve compare": "--data compas --metasieve build/src/metasieve --ranks 1"}
# Messages of Open MPI and Python.
OF_OTHERS = {"mpirun has detected an attempt to run as root", "There are not enough slots available", "No module named"}

# metasieve, with fewer tasks and steps than the command says.
SMALL = """#!{python} -SE
import os, sys
words = sys.argv[1:]
tasks = {{"suite.tasks": "8", "meta.iterations": "4"}}
forced = {{"generate": {{"suite.tasks": "8"}}, "train": tasks, "scaling": tasks | {{"scaling.weak_tasks": "4", "scaling.repeats": "1"}},
          "evaluate": {{"evaluate.splits": "2", "evaluate.adapt_steps": "2", "evaluate.refit_rounds": "1"}},
          "score": {{"evaluate.adapt_steps": "2", "evaluate.refit_rounds": "1"}},
          "sweep": tasks | {{"sweep.evaluate_tasks": "3"}} if "--config" in words else {{}}}}.get(words[0], {{}})
if not any(word.startswith("-") and word in ("--status", "--collect", "--version") for word in words):
    for key, value in forced.items():
        if "--" + key in words:
            words[words.index("--" + key) + 1] = value
        else:
            words += ["--" + key, value]
    if words[0] in ("generate", "train", "scaling", "sweep") and "--suite.validation_tasks" not in words:
        words += ["--suite.validation_tasks", "2"]
os.execv({binary!r}, [{binary!r}, *words])
"""
CMAKE = """#!{python} -SE
# Built already, and test_packaging installs; the preset must be there.
import json, sys
if "--preset" in sys.argv:
    names = [preset["name"] for preset in json.load(open({presets!r}))["configurePresets"]]
    sys.exit(sys.argv[sys.argv.index("--preset") + 1] not in names)
"""
SBATCH = """#!/bin/bash
cd {folder!r}
mkdir -p runs/one/logs && echo "a job's log" >runs/one/logs/chain-1.log
cp run/results.h5 evaluation.h5 runs/one/
echo 1
"""


def pages():
    """Every page of the project, by name."""
    done = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True)
    names = done.stdout.split() if done.returncode == 0 else [
        str(path.relative_to(ROOT)) for path in ROOT.rglob("*.md") if "build" not in str(path)]
    return {name: (ROOT / name).read_text() for name in names if (ROOT / name).exists()}


def prose_of(text):
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """The names under which links reach the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose_of(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blocks(text, language):
    return [block for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
            if kind == language]


def command_of(line):
    """A line without the comment behind it."""
    return re.sub(r"\s+#.*", "", line)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="metasieve."))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        for name in ("analysis", "configs", "docs", "jobs", "src", "tests"):
            (cls.folder / name).symlink_to(ROOT / name)
        cls.bin = cls.folder / "bin"
        cls.bin.mkdir()
        (cls.folder / "build/src").mkdir(parents=True)
        (cls.folder / "build/python").symlink_to(MODULE)
        cls.program("build/src/metasieve", SMALL.format(python=sys.executable, binary=str(BINARY)))
        cls.program("bin/cmake", CMAKE.format(python=sys.executable, presets=str(ROOT / "CMakePresets.json")))
        cls.program("bin/sbatch", SBATCH.format(folder=str(cls.folder)))
        cls.program("bin/squeue", "#!/bin/sh\n")
        cls.program("bin/tail", "#!/bin/bash\nexec /usr/bin/tail \"${@/#-f/-n1}\"\n")  # -f never ends
        cls.program("bin/python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        cls.data = pathlib.Path(os.environ.get("METASIEVE_DATA", ROOT.parent / "shared/data"))

    @classmethod
    def program(cls, name, text):
        (cls.folder / name).write_text(text)
        (cls.folder / name).chmod(0o755)

    def run_shown(self, page, command, shown):
        environment = os.environ | MPI | {"PATH": f"{self.bin}:{os.environ['PATH']}", "PYTHONPATH": "analysis",
                                          "OMP_NUM_THREADS": "1", "EDITOR": "true", "METASIEVE_BOOTSTRAP": "off",
                                          "METASIEVE_PYTHON": sys.executable, "METASIEVE_SITE": "jobs/site.sh"}
        done = subprocess.run(command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=300)
        self.assertEqual(done.returncode, 0, f"{page}:\n{shown}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")

    def runnable(self, line):
        """A line of a page as it is run here."""
        for word, more in SMALLER.items():
            line += f" {more}" if word in line else ""
        line = line.replace(" DIR/", f" {self.data}/") if self.data.is_dir() or " DIR/" not in line else ""
        line = line.replace(" --download", " --source DIR")  # a test must not need a network
        needs_r = " import slid " in line
        if "--source DIR" not in line and not needs_r:
            return line
        if knows_r() if needs_r else self.data.is_dir():
            return line.replace("DIR", str(self.data))
        if "metasieve compare" in line:
            return ""
        output = line.split("--output ")[1].split()[0]
        print(f"no real data: {output} is made up")
        write_dataset(self.folder / output, rows=400, columns=5)
        return ""

    def test_all_that_the_pages_show_runs(self):
        """A command that several pages show runs once, but for settings of the shell."""
        texts, seen = pages(), set()
        for page in PAGES:
            for block in blocks(texts[page], "sh"):
                shown = [line for line in block.splitlines() if line.strip()]
                lines = [self.runnable(line) for line in shown
                         if line.split()[0] not in (*ELSEWHERE, *LONG) and command_of(line) not in seen]
                seen |= {command_of(line) for line in shown if not re.match(r"M=|export ", line)}
                script = "\n".join(["M=build/src/metasieve", *lines])
                self.run_shown(page, ["bash", "-eo", "pipefail", "-c", script], block)
            scripts = blocks(texts[page], "python")
            if importlib.util.find_spec("sklearn") is None:
                scripts = [script for script in scripts if "sklearn" not in script]
            if scripts:
                script = "\n".join(scripts)
                self.run_shown(page, [sys.executable, "-c", script], script)

    def test_no_page_shows_commands_that_are_not_run(self):
        for name, text in pages().items():
            if name not in PAGES:
                self.assertEqual((blocks(text, "sh"), blocks(text, "python")), ([], []), name)
        for command, where in ELSEWHERE.items():
            self.assertIn(command, (ROOT / where).read_text())


    def test_long_scripts_parse(self):
        for script in LONG:
            done = subprocess.run(["bash", "-n", ROOT / script], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), script)


class Words(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for name, text in pages().items():
            for target in re.findall(r"\]\(([^)]+)\)", text):
                if "://" in target:
                    continue
                path, _, anchor = target.partition("#")
                path = (ROOT / name).parent / path if path else ROOT / name
                self.assertTrue(path.exists(), f"{name}: {target}")
                if anchor:
                    self.assertIn(anchor, anchors(path.read_text()), f"{name}: {target}")

    def test_each_page_is_reached_from_the_index(self):
        index = pages()["docs/index.md"]
        for name in pages():
            if name.startswith("docs/") and name != "docs/index.md":
                self.assertIn(f"]({pathlib.Path(name).name})", index)

    def test_paths_in_the_text_are_there(self):
        """Paths from the root, and files of src without it; words in capitals stand for any name."""
        for name, text in pages().items():
            prose = prose_of(text)
            paths = re.findall(r"`((?:analysis|configs|docs|jobs|src|tests)/[\w./-]*\w)[^`]*`", prose)
            for path in paths:
                if not re.search(r"\b[A-Z]{4,}\b", path):
                    self.assertTrue((ROOT / path).exists(), f"{name}: {path}")
            for path in re.findall(r"`(\w[\w/]*/\w+\.[ch]pp)`", prose):
                found = (ROOT / path).exists() or (ROOT / "src" / path).exists()
                self.assertTrue(found or re.search(r"\b[A-Z]{4,}\b", path), f"{name}: {path}")

    def test_the_readme_is_short(self):
        readme = pages()["README.md"]
        self.assertLessEqual(len(readme.splitlines()), 120)
        self.assertLessEqual(len(readme.split()), 1200)

    def test_english_is_plain(self):
        odd = r"\b(anew|foretells?|lest|nobody|told|mend|goes on|let off|in earnest)\b"
        for name, text in pages().items():
            if name != "CHANGELOG.md":
                self.assertEqual(re.findall(odd, prose_of(text)), [], name)

    def test_messages_are_those_of_the_program(self):
        """What the first column of a table quotes stands in some source, literals of several lines joined."""
        files = [path for folder in ("src", "jobs", "analysis") for path in (ROOT / folder).rglob("*")
                 if path.suffix in (".cpp", ".hpp", ".sh", ".py")] + [ROOT / "CMakeLists.txt"]
        sources = re.sub(r'"\s*"', "", "\n".join(path.read_text() for path in files))
        page = pages()["docs/troubleshooting.md"]
        rows = re.findall(r"^\| (.*?) \|", page, re.MULTILINE)
        quoted = [text for row in rows for text in re.findall("`([^`]+)`", row)]
        self.assertGreater(len(quoted), 20)
        for text in quoted:
            self.assertTrue(text in OF_OTHERS or text in sources, text)


if __name__ == "__main__":
    unittest.main()
