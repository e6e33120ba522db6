#!/usr/bin/env python3
"""Accuracy against the fairness gap of every method, one panel per data source of one or more evaluation files.

    analysis/plot_comparison.py runs/local/evaluation_suite.h5 runs/local/evaluation_compas.h5 --output comparison.png
"""
import argparse
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is chosen)

GAPS = {"dp_gap": "demographic-parity gap", "eo_gap": "equalised-odds gap", "eopp_gap": "equal-opportunity gap"}
# Okabe and Ito's palette: told apart by colour-blind readers too.
STYLES = {
    "baseline": ("all rows", "#000000", "s"),
    "greedy": ("lowest loss", "#56B4E9", "v"),
    "reweighing": ("reweighing (Kamiran-Calders)", "#E69F00", "^"),
    "random": ("random rows", "#999999", "x"),
    "untrained_hard": ("untrained policy", "#CC79A7", "P"),
    "meta_hard": ("metasieve, hard", "#D55E00", "o"),
    "meta_soft": ("metasieve, soft", "#009E73", "o"),
    "oracle": ("clean labels (oracle)", "#0072B2", "*"),
}


def read_summary(path):
    """{source: {method: {metric: record}}} of one evaluation file, in the file's order."""
    with h5py.File(path, "r") as file:
        filetype = file.attrs.get("filetype", "")
        filetype = filetype.decode() if isinstance(filetype, bytes) else filetype
        if filetype != "metasieve-evaluation":
            raise ValueError(f"{path}: filetype is {filetype!r}; must be 'metasieve-evaluation'")
        rows = file["summary"][:]
    table = {}
    for row in rows:
        source, method, metric = (row[name].decode() for name in ("source", "method", "metric"))
        table.setdefault(source, {}).setdefault(method, {})[metric] = row
    if len(table) == 1:
        table.pop("all", None)
    return table


def plot(panels, gap):
    """A figure with one panel per (source, methods): accuracy against `gap`, means with 95 % intervals."""
    figure, axes = plt.subplots(1, len(panels), figsize=(4.6 * len(panels), 4.4), squeeze=False)
    handles = {}
    for axis, (source, methods) in zip(axes[0], panels):
        for method, (label, colour, marker) in STYLES.items():
            if method not in methods:
                continue
            x, y = methods[method][gap], methods[method]["accuracy"]
            handles[label] = axis.errorbar(
                x["mean"], y["mean"],
                xerr=[[x["mean"] - x["low"]], [x["high"] - x["mean"]]],
                yerr=[[y["mean"] - y["low"]], [y["high"] - y["mean"]]],
                fmt=marker, color=colour, markersize=8, linewidth=1, capsize=2)
        axis.set_title(f"{source} ({methods['baseline']['accuracy']['splits']} tasks or splits)")
        axis.set_xlabel(f"{GAPS[gap]} on test rows (left is fairer)")
        axis.set_xlim(left=0)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylabel("accuracy on clean test labels")
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=4, frameon=False, fontsize="small")
    figure.tight_layout(rect=(0, 0.12, 1, 1))
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", nargs="+", metavar="E.h5", help="files of `metasieve evaluate`")
    parser.add_argument("--output", required=True, metavar="F.png", help="picture to write")
    parser.add_argument("--gap", choices=GAPS, default="eo_gap")
    arguments = parser.parse_args()
    try:
        panels = [panel for path in arguments.evaluations for panel in read_summary(path).items() if panel[0] != "all"]
        plot(panels, arguments.gap).savefig(arguments.output, dpi=130)
    except (OSError, ValueError, KeyError) as error:
        print(f"plot_comparison: {error}", file=sys.stderr)
        return 3
    print(f"wrote {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
