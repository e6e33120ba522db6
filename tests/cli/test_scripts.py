"""The scripts of jobs/ and tests/, with fake commands first in PATH that write down how they were called."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

LOG_CALL = 'echo "$(basename "$0") $*" >>"$LOG"\n'


class ScriptTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.log = self.folder / "log"
        self.log.touch()
        unset = ("SLURM_JOB_ID", "CXX")
        self.env = {k: v for k, v in os.environ.items()
                    if k not in unset and not k.startswith(("METASIEVE_", "OMPI_", "OMP_"))}
        self.env.update(PATH=f"{self.bin}:{self.env['PATH']}", LOG=str(self.log))

    def fake(self, path, script):
        path = self.bin / path  # an absolute path stays as it is
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/bash\n" + script)
        path.chmod(0o755)

    def run_bash(self, *words, **env):
        return subprocess.run(["bash", *map(str, words)], cwd=ROOT, env=self.env | env, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=60)

    def calls(self):
        return self.log.read_text().splitlines()


class Bootstrap(ScriptTest):
    def machine(self, uid, missing):
        """A Debian machine that lacks the packages `missing`."""
        self.fake("id", f"echo {uid}\n")
        self.fake("apt-get", LOG_CALL + 'echo "frontend $DEBIAN_FRONTEND" >>"$LOG"\n')
        self.fake("dpkg-query", f"""shift 3
for name; do [[ ' {missing} ' == *" $name "* ]] && code=1 || echo "installed:$name"; done
exit ${{code:-0}}
""")

    def test_is_quiet_when_nothing_is_missing(self):
        self.machine(1000, "")

        run = self.run_bash("jobs/bootstrap.sh", "analysis", "check")

        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))
        self.assertEqual(self.calls(), [])

    def test_names_exactly_what_a_user_lacks_and_how_to_get_it(self):
        self.machine(1000, "librandom123-dev python3-h5py clang-tidy")

        run = self.run_bash("jobs/bootstrap.sh", "analysis")

        self.assertEqual(run.returncode, 2)
        self.assertIn("missing: librandom123-dev, python3-h5py\n", run.stderr)
        self.assertIn("--no-install-recommends librandom123-dev python3-h5py\n", run.stderr)
        self.assertIn("module load", run.stderr)
        self.assertIn("spack install", run.stderr)
        self.assertEqual(self.calls(), [])

    def test_installs_exactly_what_is_missing_as_root(self):
        self.machine(0, "librandom123-dev clang-tidy")

        run = self.run_bash("jobs/bootstrap.sh", "check")

        self.assertEqual(run.returncode, 0, run.stderr)
        update, _, install, frontend = self.calls()
        self.assertRegex(update, "^apt-get .*update$")
        self.assertRegex(install, "^apt-get -qq .*install -y --no-install-recommends librandom123-dev clang-tidy$")
        self.assertEqual(frontend, "frontend noninteractive")

    def test_says_what_is_missing_when_the_installation_fails(self):
        self.machine(0, "librandom123-dev")
        self.fake("apt-get", "exit 100\n")

        run = self.run_bash("jobs/bootstrap.sh")

        self.assertEqual(run.returncode, 2)
        self.assertIn("missing: librandom123-dev\n", run.stderr)

    def test_a_slurm_is_wanted_only_where_it_is_named(self):
        self.machine(1000, "slurm-wlm")

        self.assertEqual(self.run_bash("jobs/bootstrap.sh", "analysis").returncode, 0)
        self.assertIn("missing: slurm-wlm\n", self.run_bash("jobs/bootstrap.sh", "slurm").stderr)

    def without_r(self):
        self.fake("Rscript", "exit 1\n")

    def test_optional_sets_that_a_user_lacks_are_named_and_are_no_error(self):
        self.machine(1000, "r-base-core r-cran-cardata python3-skbuild")
        self.without_r()
        self.fake("python", 'case "$*" in *skbuild) exit 1 ;; esac\n')

        run = self.run_bash("jobs/bootstrap.sh", "analysis", "data", "wheel", METASIEVE_PYTHON=self.bin / "python")

        self.assertEqual((run.returncode, run.stdout), (0, ""))
        self.assertEqual(run.stderr, "bootstrap: optional set data: left out without R's package carData (Debian: "
                                     "r-base-core r-cran-cardata)\n"
                                     "bootstrap: optional set wheel: left out without skbuild (Debian: python3-skbuild "
                                     "python3-pip python3-setuptools python3-wheel)\n")

    def test_what_is_needed_is_an_error_beside_an_optional_set_too(self):
        self.machine(1000, "r-cran-cardata python3-sklearn pybind11-dev")
        self.without_r()

        run = self.run_bash("jobs/bootstrap.sh", "data", "analysis")

        self.assertEqual(run.returncode, 2)
        self.assertIn("missing: pybind11-dev, python3-sklearn\n", run.stderr)

    def test_r_that_is_no_package_of_debian_counts(self):
        self.machine(1000, "r-base-core r-cran-cardata")
        self.fake("Rscript", LOG_CALL)

        run = self.run_bash("jobs/bootstrap.sh", "data")

        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("requireNamespace('carData', quietly = TRUE)", self.calls()[0])

    def test_optional_sets_are_installed_as_root(self):
        self.machine(0, "r-cran-cardata git")

        run = self.run_bash("jobs/bootstrap.sh", "data")

        self.assertEqual((run.returncode, run.stderr), (0, ""))
        installed = [call.split("recommends ")[1] for call in self.calls() if " install " in call]
        self.assertEqual(installed, ["git", "r-cran-cardata"])

    def test_an_optional_set_that_cannot_be_installed_is_no_error(self):
        self.machine(0, "r-cran-cardata")
        self.fake("apt-get", "exit 100\n")
        self.without_r()

        run = self.run_bash("jobs/bootstrap.sh", "data")

        self.assertEqual(run.returncode, 0)
        self.assertIn("optional set data: left out", run.stderr)

    def test_knows_its_sets(self):
        self.machine(1000, "")

        for words in (("analysis", "data", "wheel", "check", "fuzz"), ("slurm", "simulation", "browser", "benchmarks")):
            self.assertEqual(self.run_bash("jobs/bootstrap.sh", *words).returncode, 0)
        run = self.run_bash("jobs/bootstrap.sh", "dta")
        self.assertEqual(run.returncode, 2)
        self.assertRegex(run.stderr, r"^usage: jobs/bootstrap.sh \[analysis\] \[data\] .*\[benchmarks\]\n$")

    def test_can_be_switched_off(self):
        self.machine(1000, "librandom123-dev")

        run = self.run_bash("jobs/bootstrap.sh", METASIEVE_BOOTSTRAP="off")

        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def login_node(self, *, cmake, modules=True):
        """A machine without dpkg: nothing in PATH but the tools given here."""
        for tool in ("awk", "basename", "cat", "env", "nproc", "sort"):
            (self.bin / tool).symlink_to(subprocess.check_output(["which", tool], text=True).strip())
        for tool in ("make", "git", "mpicxx", "c++"):
            self.fake(tool, "exit 0\n")
        self.fake("cmake", f"echo cmake version {cmake}\n")
        self.fake("python", "exit 0\n" if modules else 'case "$*" in *pandas) exit 1 ;; esac\n')
        (self.bin / "bash").symlink_to("/bin/bash")
        self.env.update(PATH=str(self.bin), METASIEVE_PYTHON=str(self.bin / "python"))

    def test_without_dpkg_the_things_themselves_count(self):
        self.login_node(cmake="3.30.1")

        run = self.run_bash("jobs/bootstrap.sh", "analysis")

        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_without_dpkg_optional_sets_are_no_error(self):
        self.login_node(cmake="3.30.1")

        self.assertEqual(self.run_bash("jobs/bootstrap.sh", "wheel").stderr, "")
        run = self.run_bash("jobs/bootstrap.sh", "analysis", "data")

        self.assertEqual(run.returncode, 0)
        self.assertRegex(run.stderr, r"^bootstrap: optional set data: left out without R's package carData .*\n$")

    def test_without_dpkg_names_what_is_missing(self):
        self.login_node(cmake="3.20.2", modules=False)
        (self.bin / "mpicxx").unlink()

        run = self.run_bash("jobs/bootstrap.sh", "analysis")

        self.assertEqual(run.returncode, 2)
        self.assertIn("missing: cmake >= 3.25 (found 3.20.2), mpicxx, pandas (Python module of", run.stderr)
        self.assertIn("--no-install-recommends g++ make cmake", run.stderr)

    def test_without_dpkg_headers_that_only_cmake_may_find_are_no_error(self):
        self.login_node(cmake="3.30.1")
        self.fake("c++", 'case "$*" in *-E*) exit 1 ;; esac\n')

        run = self.run_bash("jobs/bootstrap.sh")

        self.assertEqual(run.returncode, 0)
        self.assertIn("hdf5.h; leaving the search to CMake", run.stderr)


class MpiEnvironment(ScriptTest):
    def settings(self, uid, cores, ranks, threads, **env):
        self.fake("id", f"echo {uid}\n")
        self.fake("nproc", f"echo {cores}\n")
        command = f"source jobs/bootstrap.sh && mpi_environment {ranks} {threads} && env"
        lines = self.run_bash("-c", command, **env).stdout.splitlines()
        return {line.split("=")[0] for line in lines if line.startswith(("OMPI_", "OMP_"))}

    ROOT_ALLOWED = {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"}
    OVERSUBSCRIBE, YIELD = "OMPI_MCA_rmaps_base_oversubscribe", {"OMPI_MCA_mpi_yield_when_idle", "OMP_WAIT_POLICY"}
    NO_BINDING = "OMPI_MCA_hwloc_base_binding_policy"

    def test_root_on_a_small_machine_with_more_ranks_than_cores(self):
        self.assertEqual(self.settings(0, 2, 4, 1),
                         self.ROOT_ALLOWED | self.YIELD | {self.OVERSUBSCRIBE, self.NO_BINDING})

    def test_ranks_that_fit_do_not_yield(self):
        self.assertEqual(self.settings(1000, 2, 2, 1), {self.OVERSUBSCRIBE, self.NO_BINDING})

    def test_a_user_on_a_large_machine_gets_no_settings(self):
        self.assertEqual(self.settings(1000, 64, 4, 1), set())

    def test_threads_are_not_bound_to_one_core(self):
        self.assertEqual(self.settings(1000, 64, 2, 32), {self.NO_BINDING})

    def test_a_slurm_job_is_left_alone(self):
        self.assertEqual(self.settings(0, 2, 8, 2, SLURM_JOB_ID="7"), set())


class Local(ScriptTest):
    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"
        self.config = self.folder / "small.ini"
        self.config.touch()
        for command in ("cmake", "python"):
            self.fake(command, LOG_CALL)
        self.fake("Rscript", "exit 1\n")  # there is R, and no package
        self.fake("nproc", "echo 8\n")
        self.fake("mpirun", 'echo "mpirun $1 $2, threads $OMP_NUM_THREADS" >>"$LOG"; shift 2; "$@"\n')
        self.fake(self.folder / "build/src/metasieve",
                  LOG_CALL + 'if [ "$1" = "$FAIL" ]; then echo "bad data" >&2; exit 3; fi\n')
        self.env.update(METASIEVE_BOOTSTRAP="off", METASIEVE_BUILD=str(self.folder / "build"), FAIL="",
                        METASIEVE_RUN=str(self.run_folder), METASIEVE_PYTHON=str(self.bin / "python"),
                        METASIEVE_DATA=str(self.folder / "data"))

    def local(self, **env):
        return self.run_bash("jobs/local.sh", self.config, **env)

    def commands(self, name="metasieve"):
        return [call.split()[1:] for call in self.calls() if call.startswith(name + " ")]

    def test_builds_then_generates_trains_and_evaluates_a_held_out_suite(self):
        run = self.local()

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual([c.split()[0] for c in self.calls()[:2]], ["cmake", "cmake"])
        generate, train, held_out, evaluate = self.commands()
        out, config = str(self.run_folder), str(self.config)
        self.assertEqual(generate, ["generate", "--config", config, "--output", f"{out}/suite.h5"])
        self.assertEqual(train, ["train", "--config", config, "--suite", f"{out}/suite.h5", "--output", out])
        self.assertEqual(held_out[-2:], ["--output", f"{out}/heldout.h5"])
        self.assertIn("--suite.seed", held_out)
        self.assertEqual(evaluate[1:], ["--config", config, "--policy", f"{out}/policy.h5", "--suite",
                                        f"{out}/heldout.h5", "--output", f"{out}/evaluation_suite.h5"])
        self.assertEqual(set(map(tuple, self.commands("mpirun"))), {("-n", "2,", "threads", "4")})
        self.assertRegex(run.stdout, r"done in \d+ s; files in \S*run:")

    def test_ends_with_a_plot_and_a_report_and_says_where_it_is(self):
        run = self.local()

        out = str(self.run_folder)
        self.assertEqual([command for command in self.commands("python") if command[:2] == ["-m", "metasieve"]], [
            ["-m", "metasieve", "plot", "comparison", f"{out}/evaluation_suite.h5", "--output",
             f"{out}/comparison.png"],
            ["-m", "metasieve", "report", out]])
        self.assertEqual(run.stdout.splitlines()[-1], f"== all of it on one page, for a browser: {out}/report.html")

    def test_says_how_to_give_real_data_when_there_are_none(self):
        run = self.local()

        self.assertIn(f"without SLID: there is neither {self.folder}/data/SLID.csv nor R with the package carData",
                      run.stdout)
        self.assertIn("without COMPAS", run.stdout)
        self.assertIn("METASIEVE_DATA=FOLDER", run.stdout)
        self.assertNotIn("--dataset", run.stdout)

    def evaluated(self, imports, run):
        """Checks that a run imports these data sets, {name: options}, and evaluates on all of them in one file."""
        self.assertEqual(run.returncode, 0, run.stderr)
        out = str(self.run_folder)
        done = [command[2:] for command in self.commands("python") if command[:2] == ["-m", "metasieve"]]
        self.assertEqual([words for words in done if words[0] == "import"],
                         [["import", name, *words, "--output", f"{out}/{name}.h5"] for name, words in imports.items()])
        self.assertEqual(self.commands()[-1][-2 - 1 - len(imports):],
                         ["--dataset", *(f"{out}/{name}.h5" for name in imports), "--output", f"{out}/evaluation_data.h5"])
        self.assertIn(["plot", "comparison", f"{out}/evaluation_suite.h5", f"{out}/evaluation_data.h5", "--output",
                       f"{out}/comparison.png"], done)

    def data(self, *names):
        (self.folder / "data").mkdir()
        for name in names:
            (self.folder / "data" / name).touch()
        return ["--source", str(self.folder / "data")]

    def test_evaluates_on_the_table_of_r_where_r_has_it(self):
        self.fake("Rscript", "exit 0\n")

        run = self.local()

        self.evaluated({"slid": []}, run)
        self.assertNotIn("without SLID", run.stdout)
        self.assertIn("without COMPAS", run.stdout)

    def test_evaluates_on_slid_of_a_file_and_on_compas_at_once(self):
        source = self.data("SLID.csv", "compas-scores-two-years.csv")

        run = self.local()

        self.evaluated({"slid": source, "compas": source}, run)
        self.assertNotIn("without", run.stdout)

    def test_evaluates_on_compas_alone(self):
        source = self.data("compas-scores-two-years.csv")

        run = self.local()

        self.evaluated({"compas": source}, run)
        self.assertIn("without SLID", run.stdout)

    def test_a_failing_step_is_named_and_ends_the_job_with_its_code(self):
        run = self.local(FAIL="train")

        self.assertEqual(run.returncode, 3)
        self.assertIn('step "train the policy" failed with exit code 3', run.stderr)
        self.assertEqual([c[0] for c in self.commands()], ["generate", "train"])

    def test_commands_are_shown_as_a_user_would_type_them(self):
        run = self.local(METASIEVE_RANKS="1")

        self.assertIn(f"+ mpirun -n 1 {self.folder}/build/src/metasieve generate --config {self.config}", run.stdout)
        self.assertIn("+ export OMP_NUM_THREADS=8\n", run.stdout)

    def test_extra_words_reach_the_commands_on_which_they_act_and_no_option_is_given_twice(self):
        self.local(METASIEVE_EXTRA="--suite.tasks 24 --suite.validation_tasks=4 --meta.iterations 10",
                   METASIEVE_HELDOUT="8")

        for command in self.commands():
            options = [word.split("=")[0] for word in command if word.startswith("--")]
            self.assertEqual(len(options), len(set(options)), command)
        generate, train, held_out, evaluate = self.commands()[:4]
        self.assertEqual(train[train.index("--meta.iterations") + 1], "10")
        self.assertEqual(generate[generate.index("--suite.tasks") + 1], "24")
        for command in (generate, held_out, evaluate):
            self.assertNotIn("--meta.iterations", command)
        self.assertEqual(held_out[held_out.index("--suite.tasks") + 1], "8")

    def test_an_unreadable_config_is_a_usage_error(self):
        run = self.run_bash("jobs/local.sh", self.folder / "none.ini")

        self.assertEqual(run.returncode, 2)
        self.assertIn("none.ini", run.stderr)
        self.assertEqual(self.calls(), [])


class RunTests(ScriptTest):
    def test_ctest_gets_the_arguments_and_has_the_last_word(self):
        self.fake("cmake", LOG_CALL)
        self.fake("ctest", LOG_CALL + "echo Total Test time; exit 8\n")

        run = self.run_bash("tests/run.sh", "-R", "core", METASIEVE_BOOTSTRAP="off",
                            METASIEVE_BUILD=str(self.folder))

        self.assertEqual(run.returncode, 8)
        self.assertTrue(run.stdout.endswith("Total Test time\n"))
        self.assertRegex(self.calls()[-1], "^ctest .*--output-on-failure .*-R core$")


class Cluster(ScriptTest):
    def assert_skipped(self, reason):
        run = self.run_bash("tests/slurm/cluster.sh", "touch", self.folder / "ran")

        self.assertEqual((run.returncode, run.stdout), (77, ""))
        self.assertRegex(run.stderr, f"^cluster.sh: skipped: {reason}.*\n$")
        self.assertFalse((self.folder / "ran").exists())

    def test_says_why_it_cannot_start(self):
        self.fake("id", "echo 1000\n")
        self.assert_skipped("needs root")
        self.fake("id", "echo 0\n")
        for program in ("slurmctld", "slurmd", "munged", "sbatch", "srun", "scontrol"):
            self.fake(program, "exit 1\n")
        self.fake("unshare", "exit 1\n")
        self.assert_skipped("this system has no namespaces")


class CheckLayers(ScriptTest):
    def check(self, *words):
        return subprocess.run([sys.executable, ROOT / "tests/check_layers.py", *words], capture_output=True, text=True)

    def test_a_violation_is_located_and_fails(self):
        (self.folder / "base").mkdir()
        (self.folder / "base/a.hpp").write_text('#pragma once\n#include "files/suite.hpp"\n')

        run = self.check(self.folder)

        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stdout, "base/a.hpp:2: [layer] base may not include files (files/suite.hpp)\n")

    def test_self_test(self):
        run = self.check("--self-test")

        self.assertEqual(run.returncode, 0, run.stdout)



class Benchmarks(unittest.TestCase):
    def table(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (pathlib.Path(folder) / f"{name}.json").write_text(json.dumps(content))
            run = subprocess.run([sys.executable, ROOT / "tests/benchmarks/table.py", folder],
                                 capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return run.stdout

    def check_peer(self, **modules):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in modules.items():
                (pathlib.Path(folder) / f"{name}.py").write_text(text)
            return subprocess.run([sys.executable, ROOT / "tests/benchmarks/peer_pytorch.py", "--check"], text=True,
                                  capture_output=True, env=os.environ | {"PYTHONPATH": folder, "PEER_PYTORCH": "started"})

    def test_a_figure_stands_beside_its_limit_and_its_goal(self):
        def rows(**runs):
            return {"benchmarks": [{"run_name": name.replace("__", "/"), "run_type": "iteration", "real_time": time,
                                    "cpu_time": time, "time_unit": "ms", "iterations": 1, **counters}
                                   for name, (time, counters) in runs.items()]}
        peer = {"torch": "1.13", "blas": "openblas", "best": "batched", "min_cpu_ms": 40.0, "median_cpu_ms": 41.0}
        said = self.table(
            bench_peak=rows(peak__float32=(1.0, {"GFLOP/s": 200.0}), peak__float64=(1.0, {"GFLOP/s": 100.0})),
            bench_iteration=rows(meta_iteration=(10.0, {"GFLOP/s": 80.0}),
                                 iteration_and_peak=(10.0, {"times_limit": 2.5})), peer=peer)

        self.assertRegex(said, r"meta_iteration +10 ms +10 ms +80 GFLOP/s \(limit 4 ms: 2\.50 times\)")
        self.assertRegex(said, r"PyTorch's time / ours +4  at least 4\.2: MISSED")
        self.assertRegex(said, r"meta-iteration: time / limit of its operations +2\.5  at most 1\.2: MISSED")
        self.assertRegex(said, r"features \(full\) of 3,400 rows, ms +-  at most 6: not measured in this run")

    def test_a_peer_without_an_optimised_blas_is_refused(self):
        run = self.check_peer(torch="", numpy="")  # stand for modules that bring no BLAS
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertRegex(run.stderr, r"^peer_pytorch: the BLAS of PyTorch here .*libopenblas0-pthread\)\n$")

    def test_without_pytorch_the_peer_is_skipped(self):
        run = self.check_peer(torch="raise ImportError")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("peer_pytorch: skipped: no PyTorch", run.stdout)


if __name__ == "__main__":
    unittest.main()
