"""Reads what metasieve writes, and draws it.

    import metasieve_analysis
    run = metasieve_analysis.read("run/results.h5")     # any file of metasieve
    run["history"]                                      # a pandas data frame; run.config["meta"]["iterations"], ...

Modules: files (reading and writing), style (colours, words and saving), and one a kind of picture: suites, learning,
comparison, frontier, noise, response, sweeps, scaling, simulation. Their functions return matplotlib figures; the
scripts beside this package write them as PNG and SVG with the figures' numbers as CSV.
"""
from .files import read

__all__ = ["read"]
