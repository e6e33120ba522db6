#!/usr/bin/env python3
"""What dry runs expect beside what the runs then take: time, memory per rank, sizes of files.

    tests/benchmarks/dry_run.py [--ranks 2] [--metasieve build/src/metasieve]

Prints a table; takes about two minutes on two cores, which should have nothing else to do.
"""

import argparse
import os
import pathlib
import re
import shlex
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATIONS = {
    "default experiment": ("--config", ROOT / "configs/train.ini"),
    "five unrolled steps": ("--config", ROOT / "configs/seed.ini"),
    "larger tasks, more ranks' work": ("--suite.tasks", "60", "--suite.validation_tasks", "10", "--suite.mixture",
                                       "large:1", "--family.large.samples", "8000:24000", "--family.large.features",
                                       "20:40", "--meta.iterations", "150", "--meta.batch", "10", "--meta.support", "3000",
                                       "--output.save_gradients", "true"),
}


def numbers(pattern, text):
    """The groups of the first match, as numbers."""
    match = re.search(pattern, text)
    assert match, (pattern, text)
    return [float(group) for group in match.groups()]


def expected(text):
    seconds, = numbers(r"time +about ([\d.]+) s", text)
    megabytes, = numbers(r"memory per rank +([\d.]+) MB", text)
    sizes = numbers(r"policy.h5 ([\d.]+) MB, checkpoint.h5 ([\d.]+) MB.*results.h5 ([\d.]+) MB", text)
    return [seconds, megabytes, *sizes]


def measured(text, folder):
    seconds, megabytes = numbers(r"([\d.]+) s, at most ([\d.]+) MB on a rank", text)
    sizes = [(folder / f"{name}.h5").stat().st_size / 1e6 for name in ("policy", "checkpoint", "results")]
    return [seconds, megabytes, *sizes]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--metasieve", type=pathlib.Path, default=ROOT / "build/src/metasieve")
    options = parser.parse_args()
    script = f"source {shlex.quote(str(ROOT / 'jobs/bootstrap.sh'))}; mpi_environment {options.ranks} 1; exec \"$@\""

    def run(*words):
        command = ["bash", "-c", script, "bash", "mpirun", "-n", str(options.ranks), str(options.metasieve.resolve()),
                   "train", *map(str, words)]
        return subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    names = ("time s", "memory MB", "policy.h5 MB", "checkpoint.h5 MB", "results.h5 MB")
    print(f"{'configuration':32}{'':18}{'expected':>10}{'measured':>10}{'ratio':>8}")
    for name, words in CONFIGURATIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            planned = expected(run(*words, "--output", folder, "--dry-run"))
            came = measured(run(*words, "--output", folder), pathlib.Path(folder))
        for i, (what, a, b) in enumerate(zip(names, planned, came)):
            print(f"{name if i == 0 else '':32}{what:18}{a:10.2f}{b:10.2f}{a / b:8.2f}", flush=True)


if __name__ == "__main__":
    main()
