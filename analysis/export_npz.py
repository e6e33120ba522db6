#!/usr/bin/env python3
"""A suite for Python without HDF5: one .npz file a task, and what is known of the tasks.

    analysis/export_npz.py suite.h5 DIR [--tasks 0:100]

writes DIR/task_000.npz, task_001.npz ... with the arrays X_train [n, d] (float32), y_train, z_train, y_clean_train [n]
(int64) and the same of test, and last DIR/metadata.json: a list with the 22 fields of each task, undefined rates as
null. Tasks are read and written one at a time, so the suite may be larger than memory.

    task = numpy.load("DIR/task_000.npz")
    task["X_train"], task["y_train"]
"""
import argparse
import pathlib
import re
import sys

from metasieve_analysis import command_line, npz, read


def span(text):
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if not found or int(found[1]) >= int(found[2]):
        raise argparse.ArgumentTypeError(f"{text}: must be A:B with A < B: the tasks from A to B - 1, counted from 0")
    return range(int(found[1]), int(found[2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", metavar="suite.h5", help="file of `metasieve generate`")
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path, help="made if it is not there")
    parser.add_argument("--tasks", metavar="A:B", type=span, help="from A to B - 1 alone, under their own numbers")
    parser.add_argument("--replace", action="store_true",
                        help="remove the task_*.npz and metadata.json that are in DIR first")
    arguments = parser.parse_args()

    def work():
        suite = read(arguments.suite, "suite")
        count = len(suite.table("metadata"))
        tasks = range(count) if arguments.tasks is None else arguments.tasks
        if tasks.stop > count:
            raise ValueError(f"{suite.path}: has {count} tasks; --tasks {tasks.start}:{tasks.stop} ends after them")
        npz.export(suite, arguments.folder, tasks, arguments.replace)
        print(f"wrote {len(tasks)} tasks and metadata.json to {arguments.folder}")

    return command_line.run(work)


if __name__ == "__main__":
    sys.exit(main())
