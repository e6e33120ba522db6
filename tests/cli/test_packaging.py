"""What is installed can be moved and used, and the files for other package managers say what the build files say."""

import ast
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py

from support import BINARY, ROOT, execute

BUILD = BINARY.resolve().parents[1]
PACKAGING = ROOT / "jobs/packaging"
RECIPE = PACKAGING / "spack_repo/metasieve/packages/metasieve/package.py"

# Debian's package: what Spack's recipe says for it.
SPACK = {
    "g++": {"c", "cxx"}, "make": {"gmake"}, "cmake": {"cmake"}, "git": {"git"},
    "libopenmpi-dev": {"mpi"}, "openmpi-bin": {"mpi"}, "libhdf5-openmpi-dev": {"hdf5"}, "libeigen3-dev": {"eigen"},
    "libboost-program-options-dev": {"boost"}, "librandom123-dev": {"random123"}, "libgtest-dev": {"googletest"},
    "libbenchmark-dev": {"benchmark"}, "python3": {"python"}, "python3-h5py": {"py-h5py"},
    "python3-numpy": {"py-numpy"}, "python3-pandas": {"py-pandas"}, "python3-matplotlib": {"py-matplotlib"},
    "python3-sklearn": {"py-scikit-learn"}, "python3-tqdm": {"py-tqdm"}, "pybind11-dev": {"py-pybind11"},
    "python3-dev": {"python"},
}


def cache():
    """The CMake variables of the build folder."""
    lines = (BUILD / "CMakeCache.txt").read_text().splitlines()
    return dict(re.match(r"(\w+):\w+=(.*)", line).groups() for line in lines if re.match(r"\w+:\w+=", line))


def cmakelists():
    return (ROOT / "CMakeLists.txt").read_text()


def version():
    return re.search(r"project\(metasieve VERSION (\S+)", cmakelists())[1]


def packages_of(*sets):
    """Those of jobs/bootstrap.sh."""
    names = " ".join(f'"${{{name}_packages[@]}}"' for name in sets)
    return subprocess.run(["bash", "-c", f"source jobs/bootstrap.sh && printf '%s\\n' {names}"], cwd=ROOT, text=True,
                          check=True, capture_output=True).stdout.split()


class Installed(unittest.TestCase):
    """Installed to one folder, and used from another."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="metasieve."))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.run_in_folder("cmake", "--install", BUILD, "--prefix", cls.folder / "first")
        (cls.folder / "first").rename(cls.folder / "moved")
        cls.prefix = cls.folder / "moved"

    @classmethod
    def run_in_folder(cls, *command, **env):
        run = execute([*map(str, command)], cls.folder, timeout=120, **env)
        assert run.returncode == 0, f"{run.args}\n{run.stdout}{run.stderr}"
        return run.stdout

    def installed(self, pattern):
        found = [*self.prefix.glob(pattern)]
        self.assertEqual(len(found), 1, f"{pattern}: {found}")
        return found[0]

    def test_names_no_folder_of_its_making(self):
        if cache()["CMAKE_BUILD_TYPE"] != "Release":
            self.skipTest("what debuggers and sanitizers read names the sources")
        made_in = [str(path).encode() for path in (ROOT, BUILD, self.folder / "first")]
        for path in self.prefix.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                self.assertEqual([name for name in made_in if name in content], [], path)
            self.assertFalse(path.is_symlink(), path)

    def test_has_what_users_look_for(self):
        for pattern in ("bin/metasieve", "share/metasieve/configs/train.ini", "share/metasieve/configs/policy.h5",
                        "share/metasieve/configs/families/biased.ini", "share/metasieve/analysis/metasieve/__main__.py",
                        "share/metasieve/analysis/metasieve/report/style.css",
                        "share/doc/metasieve/LICENSE", "share/doc/metasieve/CITATION.cff",
                        "share/doc/metasieve/CHANGELOG.md", "include/metasieve/tasks/generate.hpp",
                        "lib*/**/libmetasieve_core.a", "lib*/**/metasieveConfigVersion.cmake"):
            self.installed(pattern)
        for folder in ("io", "run", "cli", "parallel", "generated"):  # these need MPI, or are none of the library
            self.assertFalse((self.prefix / "include/metasieve" / folder).exists(), folder)
        self.assertEqual([*self.prefix.rglob("__pycache__")], [])
        self.installed("share/doc/metasieve/docs/tutorial.md")
        if (BUILD / "metasieve.1").exists():
            self.installed("share/man/man1/metasieve.1")
        if (BUILD / "metasieve.bash").exists():
            self.installed("share/bash-completion/completions/metasieve")

    def test_the_python_package_runs(self):
        said = self.run_in_folder(sys.executable, "-m", "metasieve", "--version", PYTHONDONTWRITEBYTECODE="1",
                                  PYTHONPATH=self.prefix / "share/metasieve/analysis")
        self.assertEqual(said, f"metasieve {version()}\n")

    def test_the_python_module_is_beside_its_package(self):
        if cache()["METASIEVE_PYTHON"] != "ON":
            self.skipTest("built without METASIEVE_PYTHON")
        use = "import numpy, metasieve; print(metasieve.MetaSieve().fit(numpy.eye(20), numpy.arange(20) % 2).support_.sum())"
        said = self.run_in_folder(cache()["Python_EXECUTABLE"], "-c", use, PYTHONDONTWRITEBYTECODE="1",
                                  PYTHONPATH=self.prefix / "share/metasieve/analysis")
        self.assertEqual(said, "14\n")

    def test_program_and_an_outside_project_make_the_same_task(self):
        share = self.prefix / "share/metasieve"
        metasieve = self.prefix / "bin/metasieve"
        self.run_in_folder(metasieve, "generate", "--suite.mixture", "mine:1,biased:1", "--suite.tasks", "6",
                           "--suite.validation_tasks", "0", "--suite.seed", "7", "--family.mine.samples", "1000",
                           "--family.mine.separability", "1", "--family.biased.samples", "200:300", "--output", "s.h5")
        self.run_in_folder(metasieve, "evaluate", "--policy", share / "configs/policy.h5", "--suite", "s.h5",
                           "--evaluate.methods", "baseline", "--output", "e.h5")
        with h5py.File(self.folder / "s.h5") as suite, h5py.File(self.folder / "e.h5") as evaluation:
            task, = [row for row in suite["metadata"] if row["task_id"] == 3]
            row, = [row for row in evaluation["evaluation"] if row["split"] == 3]
        self.assertEqual(task["family"], b"mine")

        settings = cache()
        flags = f"-O0 -fsanitize={settings['METASIEVE_SANITIZE']}" if settings["METASIEVE_SANITIZE"] else "-O0"
        self.run_in_folder("cmake", "-S", ROOT / "tests/package", "-B", "outside", f"-DCMAKE_CXX_FLAGS={flags}",
                           f"-DCMAKE_CXX_COMPILER={settings['CMAKE_CXX_COMPILER']}",
                           f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF")
        self.run_in_folder("cmake", "--build", "outside")
        printed = dict(line.split() for line in self.run_in_folder("outside/outside").splitlines())

        self.assertEqual(printed["version"], version())
        self.assertEqual(int(printed["n_train"]), task["n_train"])
        self.assertEqual(float(printed["train_actual_noise_rate"]), task["train_actual_noise_rate"])
        self.assertEqual(float(printed["accuracy"]), row["accuracy"])
        self.assertGreater(row["accuracy"], 0.6)

    def test_an_outside_project_for_another_instruction_set_is_told(self):
        include = self.prefix / "include/metasieve"
        eigen = cache()["Eigen3_DIR"].removesuffix("/share/eigen3/cmake") + "/include/eigen3"
        run = execute([cache()["CMAKE_CXX_COMPILER"], "-std=c++20", "-fsyntax-only", f"-I{include}", "-isystem", eigen,
                       "-DMETASIEVE_ALIGNMENT=1", str(include / "base/linalg.hpp")], self.folder)

        self.assertNotEqual(run.returncode, 0)
        self.assertIn("METASIEVE_NATIVE", run.stderr)

    def test_another_minor_version_is_not_taken(self):
        file = self.installed("lib*/**/metasieveConfigVersion.cmake")
        major, minor, _ = version().split(".")
        for wanted, taken in ((f"{major}.{minor}", True), (f"{major}.{int(minor) + 1}", False),
                              (f"{int(major) + 1}.0", False)):
            script = self.folder / "ask.cmake"
            parts = wanted.split(".")
            script.write_text(f'set(PACKAGE_FIND_VERSION {wanted})\nset(PACKAGE_FIND_VERSION_MAJOR {parts[0]})\n'
                              f'set(PACKAGE_FIND_VERSION_MINOR {parts[1]})\nset(CMAKE_SIZEOF_VOID_P 8)\n'
                              f'include({file})\nmessage("${{PACKAGE_VERSION_COMPATIBLE}}")')
            run = execute(["cmake", "-P", str(script)], self.folder)
            self.assertEqual(run.stderr.strip() == "TRUE", taken, f"{wanted}: {run.stderr}")

    def test_the_module_file_finds_the_prefix(self):
        module = self.installed(f"share/metasieve/modulefiles/metasieve/{version()}.lua")
        text = module.read_text()
        self.assertNotRegex(text, r"@\w+@")
        up = re.search(r'myFileName\(\):match\(.*\) or "\.", "([./]+)"\)', text)[1]
        self.assertEqual((module.parent / up).resolve(), self.prefix.resolve())
        for variable, folder in re.findall(r'prepend_path\("(\w+)", pathJoin\(prefix, "([^"]+)"\)\)', text):
            if variable != "MANPATH":
                self.assertTrue((self.prefix / folder).is_dir(), variable)

    def test_the_module_file_runs(self):
        lua = next(filter(None, map(shutil.which, ("lua", "lua5.4", "lua5.3", "lua5.2", "lua5.1"))), None)
        if not lua:
            self.skipTest("no Lua here")
        module = self.installed(f"share/metasieve/modulefiles/metasieve/{version()}.lua")
        script = self.folder / "module.lua"
        script.write_text(f"""
            function pathJoin(...) return table.concat({{...}}, "/") end
            function myFileName() return "{module}" end
            for _, name in ipairs({{"help", "whatis", "family"}}) do _G[name] = function(text) assert(#text > 0) end end
            prepend_path = function(name, value) print(name .. "=" .. value) end
            setenv = prepend_path
            dofile("{module}")""")
        settings = dict(line.split("=") for line in self.run_in_folder(lua, script).splitlines())

        self.assertTrue((pathlib.Path(settings["PATH"]) / "metasieve").is_file())
        self.assertTrue((pathlib.Path(settings["METASIEVE_SHARE"]) / "configs/train.ini").is_file())
        self.assertTrue((pathlib.Path(settings["PYTHONPATH"]) / "metasieve/__main__.py").is_file())


class Recipes(unittest.TestCase):
    def test_apptainer_installs_the_packages_of_the_bootstrap_script(self):
        text = (PACKAGING / "metasieve.def").read_text()
        listed = shlex.split(re.search(r"packages=\((.*?)\)", text, re.DOTALL)[1])

        self.assertEqual(listed, packages_of("build", "analysis"))
        self.assertIn('apt-get -qq install -y --no-install-recommends "${packages[@]}"', text)
        self.assertRegex(text, r"(?m)^Bootstrap: \w+\nFrom: debian:12$")
        for option in re.findall(r"-D(METASIEVE_\w+)=", text):
            self.assertRegex(cmakelists(), rf"option\({option} ")

    def test_apptainer_sections_are_scripts(self):
        text = (PACKAGING / "metasieve.def").read_text()
        sections = re.findall(r"(?m)^%(post|test|environment|runscript).*\n((?:(?: .*)?\n)+)", text)
        self.assertEqual(len(sections), 4)
        for name, script in sections:
            run = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
            self.assertEqual((run.returncode, run.stderr), (0, ""), name)

    def calls(self, name):
        """Of the Spack recipe: first arguments of all calls of a function."""
        return [call.args[0].value for call in ast.walk(ast.parse(RECIPE.read_text()))
                if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", None)) == name]

    def test_spack_depends_on_what_the_bootstrap_script_installs(self):
        specs = self.calls("depends_on")
        wanted = set().union(*(SPACK[package] for package in packages_of("build", "analysis")))

        self.assertEqual({re.match(r"[\w-]+", spec)[0] for spec in specs}, wanted)
        self.assertIn("+mpi", next(spec for spec in specs if spec.startswith("hdf5")))
        for package, name in (("Eigen3", "eigen"), ("Boost", "boost")):
            least = re.search(rf"find_package\({package} ([\d.]+)", cmakelists())[1]
            self.assertRegex(next(spec for spec in specs if spec.startswith(name)), rf"@{re.escape(least)}(:|\+|$)")
        least = re.search(r"cmake_minimum_required\(VERSION ([\d.]+)\)", cmakelists())[1]
        self.assertIn(f"cmake@{least}:", specs)

    def test_spack_sets_options_that_there_are(self):
        options = self.calls("define_from_variant")

        self.assertGreater(len(options), 0)
        for option in options + self.calls("define"):
            self.assertRegex(cmakelists(), rf"(option|find_path)\({option} ")

    def test_spack_environment_names_the_recipe(self):
        text = (PACKAGING / "spack.yaml").read_text()
        repository = PACKAGING / re.search(r"metasieve: (\./\S+)", text)[1]

        self.assertEqual(repository / "packages/metasieve/package.py", RECIPE)
        self.assertRegex((repository / "repo.yaml").read_text(), rf"namespace: {repository.name}\n")
        self.assertEqual((PACKAGING / re.search(r"path: (\S+)", text)[1]).resolve(), ROOT)
        self.assertIn(f"metasieve@{self.calls('version')[0]}", text)


class Release(unittest.TestCase):
    def test_one_version_and_date(self):
        cited = dict(re.findall(r"(?m)^([\w-]+): (\S.*)$", (ROOT / "CITATION.cff").read_text()))
        releases = re.findall(r"(?m)^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text())

        self.assertEqual((cited["version"], cited["date-released"]), releases[0])
        self.assertEqual(cited["version"], version())
        self.assertIn(f'__version__ = "{version()}"', (ROOT / "analysis/metasieve/__init__.py").read_text())
        self.assertIn(f'\nversion = "{version()}"\n', (ROOT / "pyproject.toml").read_text())
        self.assertEqual(releases, sorted(releases, key=lambda r: [int(n) for n in r[0].split(".")], reverse=True))
        form = re.search(r"format_version\{(\d+), (\d+)\}", (ROOT / "src/hdf5/file_header.hpp").read_text())
        self.assertIn(f"version {form[1]}.{form[2]}", (ROOT / "CHANGELOG.md").read_text())
        for key in ("cff-version", "message", "title", "license", "authors"):
            self.assertIn(f"\n{key}:", "\n" + (ROOT / "CITATION.cff").read_text())


if __name__ == "__main__":
    unittest.main()
