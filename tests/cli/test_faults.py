"""What goes wrong in the middle of a training: the job ends quickly and says why, and what was kept is whole."""

import os
import pathlib
import resource
import signal
import subprocess
import time

from support import ALONE, MPI, FilesTest, children, messages, words

# Large tasks, about 30 ms an iteration in float64: more than half a second between checkpoints, so that a fault that is
# done on sight of one does not come in the middle of the next.
TRAIN = ("train", "--suite.tasks", "6", "--suite.validation_tasks", "1", "--suite.mixture", "big:1",
         "--family.big.samples", "4000", "--family.big.features", "20", "--meta.batch", "4", "--meta.support", "0",
         "--policy.features", "basic", "--policy.hidden", "8,4", "--output.checkpoint_every", "20")
# Float64 also asks the allocator, and that the system, for large matrices anew in each iteration; float32 keeps its
# memory, so that Open MPI would be the first to run out of it, and 4.1 hangs if that is in MPI_File_open.
LONG = ("--policy.precision", "float64", "--meta.iterations", "100000")
FIXED = {"MALLOC_MMAP_THRESHOLD_": "65536"}  # else glibc raises it, and keeps the memory of large matrices


class Faults(FilesTest):
    def start(self, ranks, *command, folder="run"):
        process = subprocess.Popen(command or words(ranks, *TRAIN, *LONG, "--output", folder), cwd=self.folder,
                                   text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=os.environ | MPI | FIXED | {"OMP_NUM_THREADS": "1"}, start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        process.stdout.close()
        process.stderr.close()

    def wait_for(self, path):
        end = time.monotonic() + 30
        while not path.exists():
            self.assertLess(time.monotonic(), end, f"{path} does not appear")
            time.sleep(0.01)

    def result_of(self, process, seconds):
        """It must end within so many seconds."""
        begin = time.monotonic()
        out, err = process.communicate(timeout=60)
        self.assertLess(time.monotonic() - begin, seconds)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def assert_goes_on(self, folder="run"):
        """Whatever the fault was, the newest checkpoint is whole, and the run goes on from it."""
        self.succeed("verify", f"{folder}/checkpoint.h5")
        run = self.execute(*TRAIN, *LONG, "--output", folder, "--resume", "--run.max_minutes", "0.001")
        self.assertEqual((run.returncode, len(messages(run))), (75, 1), run.stderr)
        self.assertRegex(run.stdout, "resuming from .*checkpoint.h5: iteration")

    def test_a_rank_is_killed(self):
        process = self.start(3)
        self.wait_for(self.folder / "run/checkpoint.h5")
        os.kill(children(process.pid)[1], signal.SIGKILL)

        run = self.result_of(process, 15)

        self.assertNotEqual(run.returncode, 0)
        self.assertRegex(run.stderr, r"rank 1 .*on node \S+ exited on signal 9")
        self.assert_goes_on()

    def test_a_rank_runs_out_of_memory(self):
        process = self.start(2)
        self.wait_for(self.folder / "run/checkpoint.h5")
        rank = children(process.pid)[1]
        used = int(pathlib.Path(f"/proc/{rank}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(rank, resource.RLIMIT_AS, (used - (1 << 20), used - (1 << 20)))

        run = self.result_of(process, 15)

        self.assert_refused(run, 70, r"rank 1 on \S+: out of memory")
        self.assert_goes_on()

    def test_a_limit_on_file_sizes(self):
        for ranks in (ALONE, 2):
            with self.subTest(ranks=ranks):
                process = self.start(ranks, folder=f"run{ranks}")
                self.wait_for(self.folder / f"run{ranks}/checkpoint.h5")
                for rank in [process.pid] if ranks == ALONE else children(process.pid):
                    resource.prlimit(rank, resource.RLIMIT_FSIZE, (4096, 4096))

                run = self.result_of(process, 15)

                self.assert_refused(run, 3, f"cannot write run{ranks}/checkpoint.h5: (File too large|H5Fflush failed)")
                self.assertEqual([*(self.folder / f"run{ranks}").glob("*.part")], [])
                self.assert_goes_on(f"run{ranks}")

    def on_a_small_disk(self, ranks, fault):
        """A run on a disk of 300 kB, to which `fault` happens once there is a checkpoint; what is left is copied to
        `left`, the code is that of the run."""
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        script = f"""mount -t tmpfs -o size=300k none {disk} || exit 99
            "$@" &
            pid=$!
            n=0
            while [ ! -e disk/run/checkpoint.h5 ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done
            {fault}
            wait $pid
            code=$?
            rm -rf left && cp -r disk/run left
            exit $code"""
        process = self.start(ranks, *unshare, "sh", "-c", script, "sh",
                             *words(ranks, *TRAIN, *LONG, "--output", "disk/run"))
        run = self.result_of(process, 40)
        if run.returncode == 99:
            self.skipTest("cannot mount a small disk here")
        return run

    def test_disk_fills_up(self):
        for ranks in (ALONE, 2):
            with self.subTest(ranks=ranks):
                run = self.on_a_small_disk(ranks, "dd if=/dev/zero of=disk/other bs=1k 2>/dev/null")

                self.assertEqual((run.returncode, len(messages(run))), (3, 1), run.stderr)
                self.assertRegex(run.stderr, "metasieve: cannot write disk/run/checkpoint(_prev)?.h5: "
                                             "(No space left on device|H5Fflush failed)")
                self.assert_goes_on("left")

    def test_dry_run_refuses_what_the_disk_cannot_hold(self):
        disk = self.folder / "disk"
        disk.mkdir()
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        for output in ("suite.h5", "./suite.h5", "new/suite.h5"):
            with self.subTest(output):
                script = f"mount -t tmpfs -o size=300k none {disk} || exit 99; cd {disk} && exec \"$@\""
                process = self.start(ALONE, *unshare, "sh", "-c", script, "sh",
                                     *words(ALONE, "generate", *TRAIN[1:11], "--output", output, "--dry-run"))
                run = self.result_of(process, 15)
                if run.returncode == 99:
                    self.skipTest("cannot mount a small disk here")
                self.assertEqual((run.returncode, len(messages(run))), (3, 1), run.stderr)
                self.assertIn("does not fit: files of 0.00", run.stderr)

    def test_disk_becomes_read_only(self):
        run = self.on_a_small_disk(2, "until mount -o remount,ro disk 2>/dev/null; do :; done")

        self.assertEqual((run.returncode, len(messages(run))), (3, 1), run.stderr)
        self.assertRegex(run.stderr, r"(?i)metasieve: cannot write disk/run/checkpoint(_prev)?\.h5: .*read.only")
        self.assert_goes_on("left")

    def test_memory_is_flat_over_a_thousand_iterations(self):
        """After the first hundred, what a rank holds does not grow but for the history's 64 bytes an iteration."""
        process = self.start(2, *words(2, "train", *TRAIN[1:5], *TRAIN[5:7], "--family.big.samples", "200",
                                       "--family.big.features", "20", *TRAIN[11:], "--meta.iterations", "1200",
                                       "--output.log_every", "100", "--meta.validate_every", "50", "--output", "run"))
        held = []
        for line in process.stdout:
            if line.startswith("iteration "):
                held.append([self.resident(rank) for rank in children(process.pid)])
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertEqual(len(held), 12)
        # The least of three each: a rank that is looked at while it writes a checkpoint holds its buffers too.
        for before, after in zip(map(min, zip(*held[1:4])), map(min, zip(*held[9:12]))):
            self.assertGreater(before, 1e6)
            self.assertLess(after - before, 0.6e6, held)

    @staticmethod
    def resident(pid):
        """Bytes of its own that a process has in memory."""
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return 1024 * int(line.split()[1])
        return 0
