"""`metasieve doctor`: a sound machine passes, each planted fault is found, and nothing is left behind."""

import fcntl
import os
import re
import shutil
import subprocess
import unittest

from support import ALONE, BINARY, ROOT, BinaryTest, execute, messages, words

CHECKS = ["program", "processor", "threads", "memory", "tmpdir", "clocks", "folder", "disk", "locks", "gather",
          "mpi-io", "verdict"]
# The library of planted faults is not instrumented, and comes first.
SANITIZED = {"ASAN_OPTIONS": "verify_asan_link_order=0:allocator_may_return_null=1"}


class DoctorTest(BinaryTest):
    def doctor(self, *arguments, ranks=ALONE, **options):
        return self.examined(words(ranks, "doctor", *arguments), **options)

    def examined(self, command, threads=1, **env):
        """Runs it; whatever it finds, no file and no folder is left behind."""
        before = {*self.folder.rglob("*")}
        run = execute(command, self.folder, threads, 60, **env)
        self.assertEqual({*self.folder.rglob("*")}, before)
        return run

    def lines(self, run):
        """What is said of each check: (verdict, text)."""
        found = re.findall(r"^(\S+) +(ok|warning|fault) +(.*)$", run.stdout, re.MULTILINE)
        return {name: (verdict, text) for name, verdict, text in found}

    def assert_warns(self, run, name, pattern):
        """With a warning a run can still write: exit code 0."""
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        verdict, text = self.lines(run)[name]
        self.assertEqual(verdict, "warning", run.stdout)
        self.assertRegex(text, pattern)
        self.assertRegex(self.lines(run)["verdict"][1], f"a run can write here, warnings: .*{name}")

    def assert_finds(self, run, code, name, pattern):
        self.assertIn(name, self.lines(run), run.stdout + run.stderr)
        verdict, text = self.lines(run)[name]
        self.assertEqual(verdict, "fault", run.stdout)
        self.assertRegex(text, pattern)
        self.assertEqual(run.stdout.splitlines()[-1].split()[:2], ["verdict", "fault"])
        self.assertEqual((run.returncode, len(messages(run))), (code, 1), run.stderr)
        self.assertRegex(messages(run)[0], f"metasieve: doctor .*: faults: .*{name}")


class Sound(DoctorTest):
    def test_a_line_for_each_check_and_a_verdict(self):
        (self.folder / "there").mkdir()
        for ranks, folder in ((ALONE, "there"), (ALONE, "new/deep"), (2, "there"), (3, "new")):
            with self.subTest(ranks=ranks, folder=folder):
                run = self.doctor(folder, ranks=ranks)

                self.assertEqual((run.returncode, [*self.lines(run)]), (0, CHECKS), run.stdout + run.stderr)
                self.assertEqual({verdict for verdict, _ in self.lines(run).values()} - {"ok", "warning"}, set())
                for name in ("program", "folder", "gather", "mpi-io"):
                    self.assertEqual(self.lines(run)[name][0], "ok", run.stdout)
                self.assertIn(f"{max(ranks, 1)} rank(s) wrote, renamed and read a file together", run.stdout)

    def test_command_lines_that_are_refused(self):
        for arguments, names in (((), "doctor needs exactly one folder; usage: metasieve doctor DIR"),
                                 (("a", "b"), "doctor needs exactly one folder"),
                                 (("a", "--patience", "0"), "--patience 0: must be seconds, from 1 to 86400"),
                                 (("a", "--patience", "soon"), "--patience soon: must be seconds"),
                                 (("a", "--output.io", "gather"), "--output.io: doctor takes one folder and no option")):
            with self.subTest(arguments):
                self.assert_refused(self.doctor(*arguments), 2, names)


class Folders(DoctorTest):
    def test_a_file_where_the_folder_should_be(self):
        (self.folder / "taken").write_text("a file")

        for folder in ("taken", "taken/deeper"):
            self.assert_finds(self.doctor(folder, ranks=2), 3, "folder", "is no folder; give another --output")

    def test_another_run_writes_there(self):
        (self.folder / "out").mkdir()
        descriptor = os.open(self.folder / "out", os.O_RDONLY)
        self.addCleanup(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)

        self.assert_finds(self.doctor("out", ranks=2), 3, "locks", "another run is writing there")

    def on_a_small_disk(self, fault, ranks=2):
        """Of a disk of 300 kB to which `fault` has happened."""
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        script = f"""mount -t tmpfs -o size=300k none {disk} || exit 99
            {fault}
            "$@"
            code=$?
            ls -A disk >&2
            exit $code"""
        run = self.examined([*unshare, "sh", "-c", script, "sh", *words(ranks, "doctor", "disk/run")])
        if run.returncode == 99:
            self.skipTest("cannot mount a small disk here")
        return run

    def test_a_disk_that_is_full(self):
        run = self.on_a_small_disk("dd if=/dev/zero of=disk/other bs=1k 2>/dev/null")

        self.assertEqual(self.lines(run)["disk"][0], "fault", run.stdout)
        self.assertRegex(self.lines(run)["disk"][1], "No space left on device; make room, or give another --output")
        self.assertEqual(run.returncode, 3)
        self.assertEqual(run.stderr.splitlines()[-1], "other")  # all that is on the disk

    def test_a_folder_that_is_read_only(self):
        run = self.on_a_small_disk("mount -o remount,ro disk")

        self.assert_finds(run, 3, "folder", "(?i)read.only file system; give another --output")

    def test_a_limit_on_file_sizes(self):
        command = ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh", *words(ALONE, "doctor", "out")]

        # So that PMIx has no larger file of its own.
        self.assert_finds(self.examined(command, PMIX_MCA_gds="hash"), 3, "disk", "File too large")


class Settings(DoctorTest):
    def test_more_threads_than_cores(self):
        cores = len(os.sched_getaffinity(0))

        self.assert_warns(self.doctor("out", ranks=2, threads=cores + 1), "threads",
                          rf"2 rank\(s\) x {cores + 1} thread\(s\) .*set OMP_NUM_THREADS={max(cores // 2, 1)}\b")

    def test_little_memory(self):
        self.assert_warns(self.doctor("out", SLURM_MEM_PER_NODE="100"), "memory",
                          "^0.105 GB free for each rank, .*fewer ranks on each node")

    def test_a_temporary_folder_that_one_rank_cannot_write(self):
        """A file, for Open MPI would make a missing folder; and without what it would write there itself."""
        taken = self.folder / "taken"
        taken.touch()
        command = ["mpirun", "-n", "1", BINARY, "doctor", "out",
                   ":", "-n", "1", "env", f"TMPDIR={taken}", BINARY, "doctor", "out"]

        self.assert_finds(self.examined([*map(str, command)], PMIX_MCA_gds="hash"), 2, "tmpdir",
                          rf"rank 1 \(.*\): cannot write {taken}/.*: Not a directory; set TMPDIR")

    def test_another_version_on_one_rank(self):
        commit = re.search(r"commit (\w+)", self.succeed("--version").stdout)[1]
        if commit == "unknown":
            self.skipTest("built outside of git")
        other = commit.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
        program = self.folder / "other"
        program.write_bytes(BINARY.read_bytes().replace(commit.encode(), other.encode()))
        program.chmod(0o755)
        command = ["mpirun", "-n", "1", BINARY, "doctor", "out", ":", "-n", "1", program, "doctor", "out"]

        self.assert_finds(self.examined([*map(str, command)]), 2, "program",
                          rf"rank 1 \(.*\) has .*{other}.*, rank 0 .*{commit}.*; start one build on all nodes")

    def test_an_mpi_io_that_does_not_work(self):
        run = self.doctor("out", ranks=2, OMPI_MCA_io="none_of_this_name")

        self.assert_finds(run, 2, "mpi-io", "cannot write .*; set OMPI_MCA_io=romio3.1, or --output.io gather")
        self.assertEqual(self.lines(run)["gather"][0], "ok")


@unittest.skipUnless(shutil.which("cc"), "no C compiler")
class Planted(DoctorTest):
    """Faults of a machine, by a library that stands between a rank and the system."""

    def setUp(self):
        super().setUp()
        self.library = self.folder / "planted.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.library, ROOT / "tests/cli/planted_faults.c", "-ldl"],
                       check=True)

    def planted(self, fault, *arguments, sick=2, sound=0, **env):
        """So many sound ranks, and behind them sick ones."""
        rank = [str(BINARY), "doctor", "out", *arguments]
        sick = ["-n", str(sick), "env", f"LD_PRELOAD={self.library}", f"PLANTED={fault}", *rank]
        return self.examined(["mpirun", *(["-n", str(sound), *rank, ":"] if sound else []), *sick], **SANITIZED | env)

    def test_none(self):
        run = self.planted("")

        self.assertEqual((run.returncode, [*self.lines(run)]), (0, CHECKS), run.stdout + run.stderr)

    def test_a_clock_that_is_ahead(self):
        run = self.planted("clock", sound=1, sick=1)

        self.assert_warns(run, "clocks", r"differ by at most (99\.9|100\.0).*\(NTP\)")

    def test_locks_that_keep_none_out(self):
        self.assert_warns(self.planted("locks", sick=3), "locks",
                          r"does not keep out 2 other rank\(s\).*HDF5_USE_FILE_LOCKING=FALSE")

    def test_a_collective_write_that_does_not_end(self):
        for sick, sound in ((2, 0), (1, 1)):
            with self.subTest(sick=sick):
                run = self.planted("hang", "--patience", "5", sick=sick, sound=sound)

                self.assertEqual(run.returncode, 2, run.stdout + run.stderr)
                self.assertIn("does not end within 5 s; set OMPI_MCA_io=romio3", self.lines(run)["mpi-io"][1])
                self.assertEqual(self.lines(run)["verdict"], ("fault", "faults: mpi-io"))

    def test_ompio_on_lustre(self):
        self.assert_warns(self.planted("lustre"), "mpi-io", "has hung .* on lustre: set OMPI_MCA_io=romio3")
        run = self.planted("lustre", OMPI_MCA_io="ompio")  # as the user wants it
        self.assertEqual(self.lines(run)["mpi-io"][0], "ok", run.stdout)

    def test_stripes_of_lustre(self):
        (self.folder / "bin").mkdir()
        one = "stripe count 1; lfs setstripe -c -1 out before large suites are written"
        lfs = self.folder / "bin/lfs"
        for script, said in (("", ("ok", "unknown: lfs getstripe says nothing")), ("echo 4", ("ok", "stripe count 4")),
                             ("echo 1", ("warning", one))):
            with self.subTest(script):
                lfs.write_text(f"#!/bin/sh\n{script}\n")
                lfs.chmod(0o755)
                run = self.planted("lustre", PATH=f"{lfs.parent}:{os.environ['PATH']}")
                self.assertEqual(self.lines(run)["stripes"], said, run.stdout)


if __name__ == "__main__":
    unittest.main()
