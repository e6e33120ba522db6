#!/usr/bin/env python3
"""Accuracy against the fairness gap of every method, one panel per data source of one or more evaluation files.

    analysis/plot_comparison.py runs/local/evaluation_suite.h5 runs/local/evaluation_compas.h5 --output comparison.png
"""
import argparse
import math
import pathlib
import sys

import matplotlib

import evaluation_file

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is chosen)

GAPS = {"dp_gap": "demographic-parity gap", "eo_gap": "equalised-odds gap", "eopp_gap": "equal-opportunity gap"}
# Okabe and Ito's palette: told apart by colour-blind readers too.
STYLES = {
    "baseline": ("all rows", "#000000", "s"),
    "greedy": ("lowest loss", "#56B4E9", "v"),
    "greedy_weighted": ("lowest loss, group 1 favoured", "#56B4E9", "<"),
    "reweighing": ("reweighing (Kamiran-Calders)", "#E69F00", "^"),
    "roh": ("sampler of Roh et al.", "#E69F00", "D"),
    "penalised": ("fairness penalty", "#CC79A7", "p"),
    "threshold": ("group thresholds", "#56B4E9", ">"),
    "random": ("random rows", "#999999", "x"),
    "untrained_hard": ("untrained policy, hard", "#999999", "P"),
    "untrained_soft": ("untrained policy, soft", "#999999", "X"),
    "trained_hard": ("metasieve as trained, hard", "#D55E00", "d"),
    "trained_soft": ("metasieve as trained, soft", "#009E73", "d"),
    "meta_hard": ("metasieve, hard", "#D55E00", "o"),
    "meta_soft": ("metasieve, soft", "#009E73", "o"),
    "oracle": ("clean labels (oracle)", "#0072B2", "*"),
    "oracle_penalised": ("clean labels, fairness penalty", "#0072B2", "p"),
}


def read_summary(path):
    """{source: {method: {metric: record}}} of one evaluation file, in the file's order."""
    return evaluation_file.summary_of(evaluation_file.read(path))


def bars(cell):
    """Lengths of a 95 % interval's two sides, as errorbar takes them."""
    return [[max(0, cell["mean"] - cell["low"])], [max(0, cell["high"] - cell["mean"])]]


def save(figure, path):
    kind = pathlib.Path(path).suffix[1:] or "png"
    evaluation_file.write(path, lambda part: figure.savefig(part, dpi=130, format=kind))
    plt.close(figure)


def title(source, methods):
    cell = next(iter(methods.values()))["accuracy"]
    return f"{source} ({cell['splits']} tasks or splits)"


def plot(panels, gap):
    """A figure with one panel per (source, methods): accuracy against `gap`, means with 95 % intervals."""
    figure, axes = plt.subplots(1, len(panels), figsize=(4.6 * len(panels), 4.4), squeeze=False)
    handles = {}
    for axis, (source, methods) in zip(axes[0], panels):
        for method, (label, colour, marker) in STYLES.items():
            if method not in methods:
                continue
            x, y = methods[method][gap], methods[method]["accuracy"]
            if math.isnan(x["mean"]) or math.isnan(y["mean"]):
                continue
            handles[label] = axis.errorbar(x["mean"], y["mean"], xerr=bars(x), yerr=bars(y), fmt=marker, color=colour,
                                           markersize=8, linewidth=1, capsize=2)
        axis.set_title(title(source, methods))
        axis.set_xlabel(f"{GAPS[gap]} on test rows (left is fairer)")
        axis.set_xlim(left=0)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylabel("accuracy on clean test labels")
    columns = 2 * len(panels)
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=columns, frameon=False, fontsize="small")
    figure.tight_layout(rect=(0, 0.02 + 0.05 * math.ceil(len(handles) / columns), 1, 1))
    return figure


def parser_of(text, files):
    """What both plots of evaluation files are told."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", nargs="+", metavar="E.h5", help=f"files of `{files}`")
    parser.add_argument("--output", required=True, metavar="F.png", help="picture to write")
    parser.add_argument("--gap", choices=GAPS, default="eo_gap")
    parser.add_argument("--only", nargs="+", metavar="SOURCE", help="panels of these sources alone")
    return parser


def only(panels, sources):
    """The panels (source, ...) of these sources; all of them for None. @raises ValueError if there is none"""
    found = [panel for panel in panels if sources is None or panel[0] in sources]
    if sources and not found:
        raise ValueError(f"none of the files has a source called {' or '.join(sources)}")
    return found


def command(name, arguments, draw):
    """Saves the figure that `draw()` makes, and says so; an error is one line. Returns the exit code."""
    try:
        save(draw(), arguments.output)
    except (OSError, ValueError, KeyError) as error:
        print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)
        return 3
    print(f"wrote {arguments.output}")
    return 0


def chosen(arguments):
    """[(source, methods)] to draw, none of them empty. @raises ValueError if there is none"""
    found = only([panel for path in arguments.evaluations for panel in read_summary(path).items()], arguments.only)
    panels = [(source, {name: cell for name, cell in methods.items() if name not in arguments.leave_out})
              for source, methods in found]
    panels = [(source, methods) for source, methods in panels if methods]
    if not panels:
        raise ValueError("nothing is left to draw")
    return panels


def main():
    parser = parser_of(__doc__, "metasieve evaluate")
    parser.add_argument("--leave-out", nargs="+", metavar="METHOD", default=[], choices=STYLES, help="methods not drawn")
    arguments = parser.parse_args()
    return command("plot_comparison", arguments, lambda: plot(chosen(arguments), arguments.gap))


if __name__ == "__main__":
    sys.exit(main())
