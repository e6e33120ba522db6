#!/usr/bin/env python3
"""Times metasieve.MetaSieve and the memory it takes, each table in a process of its own.

    PYTHONPATH=analysis:build/python tests/benchmarks/estimators.py [--source DIR] [--threads N]

The tables: Adult with its words as published, if DIR has adult.data; and numbers of 30,162 x 13 and 1,000,000 x 13.
"""
import argparse
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

COLUMNS = ("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship",
           "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income")


def adult(folder):
    """Returns X, y, A of the rows without a gap."""
    table = pd.read_csv(pathlib.Path(folder) / "adult.data", header=None, names=COLUMNS, skipinitialspace=True,
                        na_values="?").dropna()
    return table.drop(columns=["sex", "income"]), table["income"], table["sex"]


def numbers(rows):
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, 13))
    return X, X @ random.normal(size=13) + random.normal(size=rows) > 0, random.integers(0, 2, rows)


def measure(name, source, threads):
    from metasieve import MetaSieve, _core
    _core.set_thread_count(threads)
    X, y, A = adult(source) if name == "adult" else numbers(int(name))
    MetaSieve().fit(*numbers(200))  # what is loaded at the first use
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    MetaSieve().fit(X, y, sensitive_features=A)
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{name:>8} rows x {X.shape[1]:2} columns, {threads} thread(s): {seconds:6.2f} s, {after / 1024:5.0f} MB in all, "
          f"{before / 1024:.0f} MB of it before")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--source", help="folder with adult.data")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--table", help=argparse.SUPPRESS)
options = parser.parse_args()
if options.table:
    measure(options.table, options.source, options.threads)
else:
    for table in ([] if options.source is None else ["adult"]) + ["30162", "1000000"]:
        subprocess.run([sys.executable, *sys.argv, "--table", table], check=True)
