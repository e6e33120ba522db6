"""What the tests of the real binary share: how to run it on some ranks, tiny settings, and folders that go away."""

import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("METASIEVE_BIN", ROOT / "build/src/metasieve"))
MODULE = BINARY.resolve().parents[1] / "python"  # where the build leaves the Python module

# As jobs/bootstrap.sh has it for a small machine; and no other network than this host's memory.
MPI = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMP_WAIT_POLICY": "passive",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_btl": "self,vader",
    "OMPI_MCA_pml": "ob1",  # chosen here anyway, but after a quarter of a second of asking for other networks
    "OMPI_MCA_oob_tcp_if_include": "lo",
    # Ranks have said all they had to say once one of them has ended: else mpirun waits two seconds after an error.
    "OMPI_MCA_odls_base_sigkill_timeout": "0",
}

ALONE = 0  # ranks: without mpirun

# Four tasks of about 80 rows and a small network: a run takes as long as MPI takes to start.
FAMILY = ("--suite.mixture", "tiny:1", "--family.tiny.samples", "60:100", "--family.tiny.features", "5:6")
TINY = ("--suite.tasks", "4", "--suite.validation_tasks", "1") + FAMILY
SHORT = ("--meta.iterations", "3", "--meta.batch", "2", "--policy.hidden", "8,4")
TRAIN = ("train", *TINY, "--meta.iterations", "10", "--meta.batch", "2", "--meta.validate_every", "4",
         "--policy.hidden", "8,4", "--output.save_gradients", "true")


def words(ranks, *arguments):
    """The command line of one run; `ranks` may be ALONE."""
    launcher = [] if ranks == ALONE else ["mpirun", "-n", str(ranks)]
    return [*launcher, str(BINARY), *map(str, arguments)]


def execute(command, folder, threads=1, timeout=60, **env):
    """Ends it after `timeout` seconds, with all that it started: a hang is a failure.

    Open MPI 4.1 crashes now and then in MPI_Finalize (open-mpi/ompi issue 10117; here once in thousands of starts
    without mpirun): such a run is made once more. A crash of ours comes again.
    """
    run = execute_once(command, folder, threads, timeout, **env)
    crashed = run.returncode == -signal.SIGSEGV and "Process received signal" in run.stderr
    return execute_once(command, folder, threads, timeout, **env) if crashed else run


def execute_once(command, folder, threads, timeout, **env):
    environment = os.environ | MPI | {"OMP_NUM_THREADS": str(threads)} | env
    process = subprocess.Popen(command, cwd=folder, env=environment, text=True, errors="replace",
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)  # mpirun ends its ranks
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        raise AssertionError(f"hangs: {' '.join(command)}") from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def children(pid):
    """The processes that it has started: of mpirun, the ranks in order."""
    try:
        return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def in_parallel(calls):
    """Results of functions without arguments, in order: starting MPI is mostly waiting."""
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def messages(run):
    """Our own lines on standard error; mpirun adds others."""
    return [line for line in run.stderr.splitlines() if "metasieve: " in line]


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def tree(folder):
    """Every file below a folder, with its contents."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
            for path in sorted(pathlib.Path(folder).rglob("*"))}


def noise(size):
    """Bytes that are no text and no file of any kind."""
    return np.random.default_rng(7).bytes(size)


def knows_r():
    """Whether R and its package carData are here: jobs/bootstrap.sh data."""
    code = "quit(status = !requireNamespace('carData', quietly = TRUE))"
    return bool(shutil.which("Rscript")) and subprocess.run(["Rscript", "-e", code], capture_output=True).returncode == 0


def write_dataset(path, rows=80, columns=3, seed=1, split=False, groups=None):
    """A data set as docs/formats.md has it, with labels that follow from the columns.

    groups: the names of its groups; of one, it has no `z`. None: two groups, in the file's first version.
    """
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, columns)).astype("f4")
    z = (np.arange(rows) % 3 == 0 if groups is None else np.arange(rows) % len(groups)).astype("u1")
    y = (x[:, 0] + 0.3 * z + random.normal(scale=0.3, size=rows) > 0).astype("u1")
    with h5py.File(path, "w") as file:
        file.attrs["filetype"] = "metasieve-dataset"
        file.attrs["version"] = np.array([1, 0 if groups is None else 2], "i4")
        file.attrs["created_by"] = "tests"
        file.attrs["feature_names"] = [f"column {i}" for i in range(columns)]
        if groups is None:
            file.attrs["group_name"] = "every third"
        else:
            file.attrs["group_names"] = groups
        file.attrs["positive_label"] = "yes"
        file.attrs["source"] = "synthetic"
        file.attrs["source_sha256"] = "0" * 64
        file["x"], file["y"] = x, y
        if groups is None or len(groups) > 1:
            file["z"] = z
        if split:
            file["split"] = (np.arange(rows) % 4 == 0).astype("u1")
        file.attrs["complete"] = 1
    return path


def write_tables(path, filetype, **tables):
    """A file of metasieve of these data frames, words as fixed text."""
    with h5py.File(path, "w") as file:
        file.attrs["filetype"], file.attrs["complete"] = f"metasieve-{filetype}", 1
        file.attrs["config"] = "[meta]\niterations = 4\n"
        for name, table in tables.items():
            kinds = [(column, "S32" if table[column].dtype == object else table[column].dtype) for column in table]
            file[name] = np.array([tuple(row) for row in table.itertuples(index=False)], kinds)
    return path


def analysis(*words, folder=None, **env):
    """Runs `python3 -m metasieve` with these words. Returns the finished process, output as text."""
    return subprocess.run([sys.executable, "-m", "metasieve", *map(str, words)], cwd=folder, capture_output=True,
                          env=os.environ | {"PYTHONPATH": f"{ROOT / 'analysis'}:{MODULE}"} | env, text=True, timeout=120)


class AnalysisTest(unittest.TestCase):
    """A folder for each test, and runs of `python3 -m metasieve`."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def succeed(self, *words, **options):
        """Returns what a run prints that succeeds and has nothing to complain of."""
        run = analysis(*words, **{"folder": self.folder} | options)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return run.stdout

    def refuse(self, code, said, *words, **options):
        """Checks that a run ends with this code and one line, in which `said` occurs."""
        run = analysis(*words, **{"folder": self.folder} | options)
        self.assertEqual((run.returncode, run.stderr.count("\n")), (code, 1), run.stderr)
        self.assertRegex(run.stderr, f"^metasieve( {words[0]})?")
        self.assertIn(str(said), run.stderr)
        self.assertEqual([*self.folder.rglob("*.part")], [])
        return run


class BinaryTest(unittest.TestCase):
    """A folder of its own for each test, and runs inside it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="metasieve."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def execute(self, *arguments, ranks=ALONE, threads=1, folder=None, timeout=60):
        return execute(words(ranks, *arguments), folder or self.folder, threads, timeout)

    def succeed(self, *arguments, **options):
        run = self.execute(*arguments, **options)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(messages(run), [])
        return run

    def assert_refused(self, run, code, names):
        """One line of ours, that matches `names`; and nothing of HDF5's own."""
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        said = messages(run)
        self.assertEqual(len(said), 1, run.stderr)
        self.assertRegex(said[0], "^metasieve: ")
        self.assertRegex(said[0], names)
        self.assertNotIn("HDF5-DIAG", run.stderr)
        if "mpirun" not in run.args[0]:
            self.assertEqual(run.stderr, said[0] + "\n")


class FilesTest(BinaryTest):
    """Reads what the runs wrote."""

    def open(self, name):
        file = h5py.File(self.folder / name)
        self.addCleanup(file.close)
        return file

    def assert_root(self, file, filetype, reproducible):
        attributes = file.attrs
        self.assertEqual(text(attributes["filetype"]), f"metasieve-{filetype}")
        self.assertEqual(list(attributes["version"]), [1, 0])
        self.assertRegex(text(attributes["created_by"]), r"^metasieve \d+\.\d+")
        self.assertRegex(text(attributes["git_commit"]), "^[0-9a-f]{40}|unknown")
        self.assertEqual("created" in attributes, not reproducible)
        self.assertIn("complete", attributes)
        self.assertIn("[suite]\ntasks = ", text(attributes["config"]))
        says_who = not reproducible and filetype != "checkpoint"
        for name in ("ranks", "threads", "nodes", "hosts", "processor", "flags", "seconds", "compiler", "mpi", "hdf5"):
            self.assertEqual(name in attributes, says_who, name)
        if says_who:
            self.assertEqual(attributes["nodes"], 1)
            self.assertTrue(attributes["ranks"] >= 1 and attributes["threads"] >= 1)
            hosts = attributes["hosts"]  # a list in a scaling study
            self.assertEqual(text(hosts if np.ndim(hosts) == 0 else hosts[0]), os.uname().nodename)
            self.assertTrue(text(attributes["processor"]) and text(attributes["flags"]))
            self.assertTrue(0 < attributes["seconds"] < 300)
