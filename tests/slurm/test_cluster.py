"""What tests/slurm/cluster.sh leaves behind: nothing, however it ends."""

import pathlib
import signal
import subprocess
import time
import unittest

CLUSTER = pathlib.Path(__file__).with_name("cluster.sh")
MACHINE = [pathlib.Path(name)
           for name in ("/etc/hosts", "/etc/munge", "/proc/sys/kernel/hostname", "/proc/self/mounts")]


def state_of_the_machine():
    return [path.read_text() if path.is_file() else sorted(path.glob("*")) for path in MACHINE]


def processes_of(namespace):
    """Names of the processes of this namespace of process numbers."""
    names = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (process / "ns/pid").readlink() == namespace:
                names.append((process / "comm").read_text().strip())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return names


class Cluster(unittest.TestCase):
    def setUp(self):
        run = subprocess.run([CLUSTER, "--nodes", "2", "sh", "-c", "sinfo --noheader --partition=batch; exit 5"],
                             capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100)
        if run.returncode == 77:
            self.skipTest(run.stderr.strip())
        self.assertEqual(run.returncode, 5, run.stderr)  # the command's own
        self.assertRegex(run.stdout, r"batch .* 2 +idle node\[1-2\]")

    def test_leaves_nothing_behind_however_it_ends(self):
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(number.name):
                before = state_of_the_machine()
                waits = "readlink /proc/self/ns/pid; sleep 100"
                process = subprocess.Popen([CLUSTER, "--nodes", "2", "sh", "-c", waits], text=True,
                                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
                self.addCleanup(process.stdout.close)
                self.addCleanup(process.kill)
                namespace = pathlib.Path(process.stdout.readline().strip())
                self.assertLessEqual({"slurmctld", "slurmd", "munged"}, set(processes_of(namespace)))

                process.send_signal(number)
                process.wait(timeout=30)

                end = time.monotonic() + 30
                while processes_of(namespace) and time.monotonic() < end:
                    time.sleep(0.1)
                self.assertEqual(processes_of(namespace), [])
                self.assertEqual(state_of_the_machine(), before)


if __name__ == "__main__":
    unittest.main()
