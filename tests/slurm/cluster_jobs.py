"""Jobs of the cluster that tests/slurm/cluster.sh started: submitted, looked at, waited for."""

import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/cli"))

import support  # noqa: E402

FINISHED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}


def command(words, timeout=30, folder=ROOT, **env):
    """What a command of SLURM or a script of jobs/ prints."""
    run = subprocess.run([*map(str, words)], cwd=folder, env=os.environ | env, text=True, timeout=timeout,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode != 0:
        raise AssertionError(f"{run.args}: exit code {run.returncode}\n{run.stdout}{run.stderr}")
    return run.stdout


def sbatch(*words, **env):
    """The number of the job."""
    return command(["sbatch", "--parsable", "--partition=batch", *words], **env).strip()


def submit(*words, script="submit.py", **env):
    """The jobs that a script submits, name to number; `folder` is where it is called."""
    printed = command([ROOT / "jobs" / script, *words], **env)
    return dict(re.findall(r"^(\S+): job (\d+), log", printed, re.MULTILINE))


def show(job):
    """What SLURM knows of a job, or of each task of an array."""
    lines = command(["scontrol", "--oneliner", "show", "job", job]).splitlines()
    return [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines if line]


def wait_until(condition, what, seconds):
    """What the condition returned once it was true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what()}")
        time.sleep(0.3)
    return value


def finished(job, seconds=150):
    """`show` of the job at its end."""
    def state():
        tasks = show(job)
        return tasks if {task["JobState"] for task in tasks} <= FINISHED else None
    return wait_until(state, lambda: f"job {job} ends; its log:\n{log(job)}", seconds)


def log(job):
    path = pathlib.Path(show(job)[0].get("StdOut", "none"))
    return path.read_text(errors="replace") if path.exists() else ""


def ranks(folder):
    """Processes of the training that writes to this folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[:2] == [str(support.BINARY), "train"] and str(folder) in words:
            found.append(int(path.parent.name))
    return found


def iterating(folder, count):
    """Its `count` ranks, once there is a checkpoint."""
    def all_there():
        found = ranks(folder)
        return found if len(found) == count and (folder / "checkpoint.h5").exists() else None
    return wait_until(all_there, lambda: f"{count} ranks iterate in {folder}: {ranks(folder)}", 60)
