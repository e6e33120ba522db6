"""Reads what metasieve writes, and draws it.

    import metasieve_analysis
    run = metasieve_analysis.read("run/results.h5")     # any file of metasieve
    run["history"]                                      # a pandas data frame; run.config["meta"]["iterations"], ...

Modules: files (reading and writing), style (colours, words and saving), and one a kind of picture: suites, learning,
comparison, frontier, noise, response, sweeps, scaling, simulation. Their functions return matplotlib figures; the
scripts beside this package write them as PNG and SVG with the figures' numbers as CSV. result_tables and tables make
tables of results, as Markdown, LaTeX and HTML; npz exports suites; report_... make the page of report.py.
"""
import pathlib
import sys


def refuse(error):
    """Says what is missing: for a command of ours in one line, with exit code 3. @raises ImportError elsewhere"""
    needed = f"{error}; run it with a Python that has h5py, numpy, pandas and matplotlib (Debian: /usr/bin/python3)"
    if pathlib.Path(sys.argv[0]).resolve().parent == pathlib.Path(__file__).resolve().parents[1]:
        print(f"{pathlib.Path(sys.argv[0]).name}: {needed}", file=sys.stderr)
        sys.exit(3)
    raise ImportError(needed) from error


try:
    from .files import read
except ImportError as error:
    refuse(error)

__all__ = ["read"]
