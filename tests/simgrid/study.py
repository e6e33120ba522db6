#!/usr/bin/env python3
"""Weak and strong scaling on the simulated cluster: study.py SIMULATE_TRAINING TASKS.csv OUTPUT-FOLDER [--nodes 1024]

TASKS.csv comes from measure_tasks. Writes weak.csv, strong.csv and allreduce.csv, and prints them as tables.
"""
import argparse
import csv
import pathlib
import sys

from simulation import simulate

CORES = 16  # of a node, one rank on each with so many threads

# study: [(name, threads, tasks a rank)]
WEAK = [("64 tasks a rank, 1 core", 1, 64), ("640 tasks a rank, 1 core", 1, 640),
        ("64 tasks a rank, 16 cores", CORES, 64), ("640 tasks a rank, 16 cores", CORES, 640),
        ("1024 tasks a rank, 16 cores", CORES, 1024)]
# [(name, tasks, batch)]
STRONG = [("default suite, batch 24", 900, 24), ("default suite, batch of all", 900, 0),
          ("ten times larger, batch 240", 9000, 240), ("ten times larger, batch of all", 9000, 0)]
# [(algorithm, most nodes)]: rings of 1,024 take hours to simulate
ALLREDUCE = [("ompi", 1024), ("rdb", 1024), ("redbcast", 1024), ("lr", 64)]
COLUMNS = ["step_seconds", "efficiency", "scaling", "imbalance", "reduction_share", "preparation_efficiency"]


def node_counts(most):
    return [4 ** k for k in range(6) if 4 ** k <= most]


def weak(run, most):
    """`scaling`: work done by each node and second, beside that of one node alone."""
    for name, threads, tasks in WEAK:
        alone = None
        for nodes in node_counts(most):
            steps = 4 if nodes * tasks <= 65536 else 1
            row = run(nodes, threads=threads, steps=steps, suite__tasks=nodes * tasks, meta__batch=0)
            alone = alone or row["efficiency"]
            yield {"study": name} | row | {"scaling": row["efficiency"] / alone}


def strong(run, most):
    """`scaling`: speed-up of a step on so many nodes, beside that number."""
    for name, tasks, batch in STRONG:
        alone = None
        for nodes in [n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024) if n <= most]:
            row = run(nodes, threads=CORES, steps=8 if batch == 0 else 40, suite__tasks=tasks, meta__batch=batch)
            alone = alone or row["step_seconds"]
            yield {"study": name} | row | {"scaling": alone / row["step_seconds"] / nodes}


def allreduce(run, most):
    """A step of 64 tasks on one core each, with another algorithm in the sum."""
    for name, limit in ALLREDUCE:
        for nodes in [n for n in (16, 64, 256, 1024) if n <= min(most, limit)]:
            row = run(nodes, allreduce=name, suite__tasks=nodes * 64, meta__batch=0)
            reduction = row["step_seconds"] * row["reduction_share"]
            yield {"study": name} | row | {"scaling": row["efficiency"], "reduction_seconds": reduction}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("tasks", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--nodes", type=int, default=1024, help="at most so many")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    def run(nodes, **keys):
        return simulate(options.program, nodes, options.tasks.resolve(), suite__validation_tasks=0, **keys)

    for study in (weak, strong, allreduce):
        path = options.output / f"{study.__name__}.csv"
        print(f"\n{study.__name__}: {study.__doc__}\n{'':32}{'nodes':>6}" + "".join(f"{c[:14]:>15}" for c in COLUMNS))
        with path.open("w", newline="") as file:
            writer = None
            for row in study(run, options.nodes):
                writer = writer or csv.DictWriter(file, row)
                if file.tell() == 0:
                    writer.writeheader()
                writer.writerow(row)
                file.flush()
                print(f"{row['study']:32}{row['ranks']:6.0f}" + "".join(f"{row[c]:15.4g}" for c in COLUMNS), flush=True)
    print(f"\nwrote weak.csv, strong.csv and allreduce.csv in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
