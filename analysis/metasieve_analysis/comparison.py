"""Accuracy against a fairness gap, all methods of an evaluation."""
import math

import pandas as pd

from . import style
from .files import read, summary_of
from .style import GAPS, bars, method_style, plt

METRICS = ("accuracy", *GAPS)


def panels_of(paths, only=None, without=()):
    """[(source, {method: {metric: cell}})] of evaluation files, none of them empty. `only`: of these sources.

    @raises OSError, ValueError; the latter if nothing is left
    """
    found = chosen([panel for path in paths for panel in summary_of(read(path, "evaluation")).items()], only)
    panels = [(source, {name: cells for name, cells in methods.items() if name not in without})
              for source, methods in found]
    panels = [(source, methods) for source, methods in panels if methods]
    if not panels:
        raise ValueError("nothing is left to draw")
    return panels


def chosen(panels, sources):
    """The panels (source, ...) of these sources; all of them for None. @raises ValueError if there is none"""
    found = [panel for panel in panels if sources is None or panel[0] in sources]
    if sources and not found:
        raise ValueError(f"none of the files has a source called {' or '.join(sources)}")
    return found


def table_of(panels):
    """A row a source, method and metric: mean and 95 % interval."""
    return pd.DataFrame([{"source": source, "method": method, "metric": metric, "mean": cells[metric]["mean"],
                          "low": cells[metric]["low"], "high": cells[metric]["high"]}
                         for source, methods in panels for method, cells in methods.items()
                         for metric in METRICS if metric in cells])


def title(source, methods):
    cell = next(iter(methods.values()))["accuracy"]
    return f"{source} ({cell['splits']} tasks or splits)"


def label_axes(axes, gap):
    for axis in axes:
        axis.set_xlabel(f"{GAPS[gap]} on test rows (left is fairer)")
        axis.set_xlim(left=0)
    axes[0].set_ylabel("accuracy on clean test labels")


def plot(panels, gap="eo_gap"):
    """A figure with a panel a source: means with 95 % intervals of the methods for which both are defined."""
    columns = min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    size = max(4.6 * columns, 5.4), 4.0 * rows + (0.8 if columns > 1 else 1.8)  # a narrow one has a tall legend
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    handles = {}
    for axis, (source, methods) in zip(axes.flat, panels):
        for method in style.in_order(methods):
            label, colour, marker = method_style(method)
            x, y = methods[method][gap], methods[method]["accuracy"]
            if math.isnan(x["mean"]) or math.isnan(y["mean"]):
                continue
            handles[label] = axis.errorbar(x["mean"], y["mean"], xerr=bars(x), yerr=bars(y), fmt=marker, color=colour,
                                           markersize=8, linewidth=1, capsize=2)
        axis.set_title(title(source, methods))
    for axis in axes.flat[len(panels):]:
        axis.remove()
    for row in axes:
        label_axes([axis for axis in row if axis.figure is not None], gap)
    style.below(figure, "Means with 95 % intervals; left and up is better.", handles)
    return figure
