"""Accuracy against a fairness gap: all methods of evaluations, one panel for each source.

A source is a suite's mixture or a data set. Left is fairer, up is more accurate. A source without groups has no gap:
its panel shows the accuracy alone, a line for each method.
"""
import math

import pandas as pd

from .. import read
from ..files import has_gaps, summary_of
from ..methods import GAPS, in_order, method_style, named
from . import style
from .style import bars, plt

METRICS = ("accuracy", *GAPS)


def draw(options):
    panels = panels_of(options.files, options.only, options.leave_out)
    yield "", plot(panels, options.gap), table_of(panels)


def panels_of(paths, only=None, without=()):
    """Returns [(source, {method: {metric: cell}})] of evaluation files. `only`: sources to keep.

    Raises OSError, or ValueError if nothing is left.
    """
    found = chosen([panel for path in paths for panel in summary_of(read(path, "evaluation")).items()], only)
    panels = [(source, {name: cells for name, cells in methods.items() if name not in without})
              for source, methods in found]
    panels = [(source, methods) for source, methods in panels if methods]
    if not panels:
        raise ValueError("nothing is left to draw")
    return panels


def chosen(panels, sources):
    """Returns the panels (source, ...) of these sources, or all for None. Raises ValueError if there is none."""
    found = [panel for panel in panels if sources is None or panel[0] in sources]
    if sources and not found:
        raise ValueError(f"none of the files has a source called {' or '.join(sources)}")
    return found


def table_of(panels):
    """Returns a row for each source, method and metric: mean and 95 % interval."""
    return pd.DataFrame([{"source": source, "method": method, "metric": metric, "mean": cells[metric]["mean"],
                          "low": cells[metric]["low"], "high": cells[metric]["high"]}
                         for source, methods in panels for method, cells in methods.items()
                         for metric in METRICS if metric in cells])


def title(source, methods):
    cell = next(iter(methods.values()))["accuracy"]
    what = "" if has_gaps(methods) else ", no groups"
    return f"{source} ({cell['splits']} repeat{'s' * (cell['splits'] != 1)}{what})"


def label_axes(axes, gap):
    for axis in axes:
        axis.set_xlabel(f"{GAPS[gap]} on test rows (left is fairer)")
        axis.set_xlim(left=0)
    for axis in axes[:1]:
        axis.set_ylabel("accuracy on test rows")


def plot(panels, gap="eo_gap"):
    """Returns a figure with a panel for each source: means with 95 % intervals, where both are defined."""
    columns = min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    size = max(4.6 * columns, 5.4), 4.0 * rows + (0.8 if columns > 1 else 1.8)  # a narrow one has a tall legend
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    handles = {}
    for axis, (source, methods) in zip(axes.flat, panels):
        if has_gaps(methods):
            handles |= draw_methods(axis, methods, gap)
        else:
            draw_accuracies(axis, methods)
        axis.set_title(title(source, methods))
        style.say_empty(axis)
    for axis in axes.flat[len(panels):]:
        axis.remove()
    grouped = [has_gaps(methods) for _, methods in panels]
    for start in range(0, len(panels), columns):
        row = list(zip(axes.flat[start:start + columns], grouped[start:start + columns]))
        label_axes([axis for axis, is_grouped in row if is_grouped], gap)
    better = "left and up is better" if all(grouped) else "further right is more accurate" if not any(grouped) else \
        "left and up is better; without groups, right"
    style.below(figure, f"Means with 95 % intervals; {better}.", handles)
    return figure


def draw_methods(axis, methods, gap):
    """Draws accuracy against the gap, where both are defined. Returns {name: what was drawn}."""
    handles = {}
    for method in in_order(methods):
        label, colour, marker = method_style(method)
        x, y = methods[method][gap], methods[method]["accuracy"]
        if not math.isnan(x["mean"] + y["mean"]):
            handles[label] = axis.errorbar(x["mean"], y["mean"], xerr=bars(x), yerr=bars(y), fmt=marker, color=colour,
                                           markersize=8, linewidth=1, capsize=2)
    return handles


def draw_accuracies(axis, methods):
    """Draws the accuracy of each method, with its name on the left."""
    order = in_order(methods)
    for place, method in enumerate(order):
        _, colour, marker = method_style(method)
        cell = methods[method]["accuracy"]
        if not math.isnan(cell["mean"]):
            axis.errorbar(cell["mean"], place, xerr=bars(cell), fmt=marker, color=colour, markersize=8, linewidth=1,
                          capsize=2)
    axis.set_yticks(range(len(order)), [named(method) for method in order])
    axis.set_ylim(len(order) - 0.5, -0.5)
    axis.set_xlabel("accuracy on test rows")
