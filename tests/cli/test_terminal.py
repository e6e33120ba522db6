"""What a person and a program see of a run: colours, the line with the time left, and progress.json."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time

from support import ALONE, SHORT, TINY, TRAIN, MPI, BinaryTest, in_parallel, unittest, words, write_dataset

FIELDS = """command state done total unit seconds_elapsed seconds_left started updated ranks threads version commit
metrics exit_code""".split()
LONG = ("train", *TINY, "--meta.batch", "2", "--policy.hidden", "8,4", "--output", "run", "--meta.iterations")
UTC = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"


def on_a_terminal(command, folder, columns=200, timeout=60, **env):
    """Exit code and what a person would see of it, escapes included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | MPI | {"OMP_NUM_THREADS": "1", **env}
    environment.setdefault("TERM", "xterm")
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=theirs)
    os.close(theirs)
    seen = b""
    end = time.monotonic() + timeout
    try:
        while time.monotonic() < end:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            seen += piece
        return process.wait(timeout=10), seen.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


class TestTerminal(BinaryTest):
    def test_colours_and_the_rewritten_line_are_for_terminals_alone(self):
        train = (*LONG, "400")
        for ranks in (ALONE, 2):
            code, seen = on_a_terminal(words(ranks, *train), self.folder)

            self.assertEqual(code, 0, seen)
            self.assertIn("\033[1mon 1 validation task(s):\033[0m", seen)
            self.assertRegex(seen, r"\r\033\[K")
            self.assertRegex(seen, r"iteration \d+/400, [\d.]+ s left  loss ")

            plain = self.succeed(*train, ranks=ranks)
            self.assertNotIn("\033", plain.stdout + plain.stderr)

        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            code, seen = on_a_terminal(words(ALONE, *train), self.folder, **env)
            self.assertEqual(code, 0, seen)
            self.assertIn("on 1 validation task(s):", seen)
            self.assertNotRegex(seen, r"\033\[\d+m")
        code, seen = on_a_terminal(words(ALONE, *train), self.folder, NO_COLOR="")
        self.assertIn("\033[1m", seen)  # empty: not set

    def test_errors_are_red_where_a_person_reads_them(self):
        wrong = ("train", "--output", "run", "--meta.batch", "x")
        for ranks in (ALONE, 2):
            code, seen = on_a_terminal(words(ranks, *wrong), self.folder)
            self.assertEqual(code, 2)
            self.assertRegex(seen, r"\033\[31mmetasieve:\033\[0m meta\.batch = x: must be")

        self.assertRegex(on_a_terminal(words(ALONE, *wrong), self.folder, NO_COLOR="1")[1], "^metasieve: meta")
        run = self.execute(*wrong)
        self.assertRegex(run.stderr, "^metasieve: meta")

    def test_lines_are_cut_to_the_width_of_the_terminal(self):
        for ranks in (ALONE, 2):
            code, seen = on_a_terminal(words(ranks, *LONG, "400"), self.folder, columns=40)

            self.assertEqual(code, 0, seen)
            lines = [piece for piece in re.split(r"\r\033\[K|\r\n", seen) if piece.startswith("iteration ")]
            self.assertEqual(max(map(len, lines)), 39)


class TestStatusFile(BinaryTest):
    def status(self, name):
        status = json.loads((self.folder / name).read_text())
        self.assertEqual(list(status), FIELDS)
        self.assertRegex(status["started"], UTC)
        self.assertRegex(status["updated"], UTC)
        self.assertLessEqual(status["started"], status["updated"])
        self.assertGreater(status["seconds_elapsed"], 0)
        return status

    def check(self, name, state, code, done, total, unit, ranks=1):
        status = self.status(name)
        told = [status[field] for field in ("state", "exit_code", "done", "total", "unit", "ranks", "threads")]
        self.assertEqual(told, [state, code, done, total, unit, ranks, 1])
        return status

    def test_each_command_says_how_it_ended(self):
        self.succeed(*TRAIN, "--output", "run", ranks=2)
        status = self.check("run/progress.json", "done", 0, 10, 10, "iterations", 2)
        self.assertEqual(status["command"], "train")
        self.assertEqual(sorted(status["metrics"]), ["loss", "validation_accuracy", "validation_dp_gap",
                                                     "validation_eo_gap", "validation_loss"])
        contents = json.loads(self.succeed("inspect", "run/results.h5", "--json").stdout)["contents"]
        self.assertEqual(status["metrics"]["loss"], contents["/history"]["fields"]["loss"]["last"])
        self.assertEqual(status["metrics"]["validation_accuracy"],
                         contents["/validation"]["fields"]["accuracy"]["last"])

        data = write_dataset(self.folder / "data.h5")
        evaluate = ("evaluate", "--policy", "run/policy.h5", "--dataset", data.name, "--evaluate.methods", "greedy",
                    "--evaluate.splits", "3")
        in_parallel([
            lambda: self.succeed("generate", *TINY, "--output", "new/suite.h5"),
            lambda: self.succeed(*evaluate, "--output", "e.h5"),
            lambda: self.succeed(*evaluate, "--output", "e2.h5"),
            lambda: self.succeed("scaling", *TINY, *SHORT, "--scaling.kinds", "strong", "--scaling.repeats", "1",
                                 "--output", "study"),
            lambda: self.sweep_two_points()])
        self.check("new/suite.h5.progress.json", "done", 0, 4, 4, "tasks")
        self.check("e.h5.progress.json", "done", 0, 3, 3, "tasks")
        self.check("e2.h5.progress.json", "done", 0, 3, 3, "tasks")  # runs in one folder do not share it
        self.check("study/progress.json", "done", 0, 1, 1, "points")
        self.assertEqual(self.check("sweep/progress.json", "done", 0, 2, 2, "points")["command"], "sweep")
        self.assertEqual(list(self.folder.rglob("*.part")), [])

    def sweep_two_points(self):
        (self.folder / "s.ini").write_text("[sweep]\npolicy.keep = 0.6, 0.7\nevaluate_tasks = 0\n")
        self.succeed("sweep", "--config", "s.ini", *TINY, *SHORT, "--output", "sweep")

    def test_stops_and_failures_are_told(self):
        stopped = self.execute(*TRAIN, "--output", "run", "--run.max_minutes", "0.00001")
        self.assertEqual(stopped.returncode, 75, stopped.stderr)
        done = self.status("run/progress.json")["done"]
        self.assertIn(done, range(1, 10))
        self.check("run/progress.json", "stopped", 75, done, 10, "iterations")
        self.succeed(*TRAIN, "--output", "run", "--resume")
        self.check("run/progress.json", "done", 0, 10, 10, "iterations")

        failed = self.execute(*TRAIN, "--output", "bad", "--meta.learning_rate", "1e200", "--run.max_failed", "0.1")
        self.assertEqual(failed.returncode, 4, failed.stderr)
        self.assertEqual(self.status("bad/progress.json")["state"], "failed")
        self.assertEqual(self.status("bad/progress.json")["exit_code"], 4)

    def test_what_is_refused_leaves_no_file_and_changes_none(self):
        self.succeed(*TRAIN, "--output", "run")
        before = (self.folder / "run/progress.json").read_bytes()
        for wrong in (("--meta.batch", "3", "--resume"), ("--suite", "none.h5")):
            self.assertNotEqual(self.execute(*TRAIN, "--output", "run", *wrong).returncode, 0)
            self.assertEqual((self.folder / "run/progress.json").read_bytes(), before)
        self.succeed("generate", *TINY, "--suite.seed", "9", "--output", "other.h5")  # found out once they are prepared
        longer = ["20" if word == "10" else word for word in TRAIN]
        refused = self.execute(*longer, "--suite", "other.h5", "--output", "run", "--resume")
        self.assertIn("was trained on other tasks", refused.stderr)
        self.assertEqual((self.folder / "run/progress.json").read_bytes(), before)
        self.assertEqual(self.execute("train", "--meta.batch", "x", "--output", "other").returncode, 2)
        self.assertFalse((self.folder / "other").exists())

    def test_there_is_a_file_while_the_tasks_are_prepared_and_none_if_that_is_stopped(self):
        command = words(ALONE, "train", "--suite.tasks", "400", "--meta.iterations", "2", "--output", "new/run")
        path = self.folder / "new/run/progress.json"
        process = subprocess.Popen(command, cwd=self.folder, env=os.environ | MPI | {"OMP_NUM_THREADS": "1"},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(600):
                if path.exists() and self.status("new/run/progress.json")["seconds_left"] > 0:
                    break
                time.sleep(0.1)
            status = self.status("new/run/progress.json")
            self.assertEqual((status["state"], status["done"], status["total"]), ("running", 0, 2))
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=60), 75)
        finally:
            process.kill()
            process.wait()
        self.assertFalse((self.folder / "new").exists())

    def test_a_file_that_cannot_be_written_harms_no_run(self):
        (self.folder / "run/progress.json").mkdir(parents=True)  # a folder is in the way
        self.succeed(*TRAIN, "--output", "run")
        self.assertTrue((self.folder / "run/policy.h5").exists())
        self.assertEqual([path.name for path in (self.folder / "run").glob("*.part")], [])

    def test_a_killed_run_is_left_running(self):
        command = words(ALONE, *LONG, "1000000")
        process = subprocess.Popen(command, cwd=self.folder, env=os.environ | MPI | {"OMP_NUM_THREADS": "1"},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            path = self.folder / "run/progress.json"
            done = 0
            while done == 0 and time.monotonic() < end:
                time.sleep(0.05)
                if path.exists():  # always whole
                    done = json.loads(path.read_text())["done"]
        finally:
            process.kill()
            process.wait()
        status = self.status("run/progress.json")
        self.assertEqual((status["state"], status["exit_code"], status["total"]), ("running", None, 1000000))
        self.assertGreater(status["done"], 0)
        self.assertGreater(status["seconds_left"], 0)


if __name__ == "__main__":
    unittest.main()
