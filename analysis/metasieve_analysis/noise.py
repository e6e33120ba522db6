"""How much label noise each method keeps away, against how much there is."""
import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from . import style
from .style import GREY, method_style, plt

LEAST = 5  # tasks of a bin
APART = 0.02  # noise rates that differ by less are one
NOTE = ("100 %: no wrong label is selected; 0 %: as many as among all rows.\n"
        "Means over tasks or splits of like noise rate, with 95 % intervals.")
BINS = 6
# Those that see no clean label and choose rows by what is in them.
METHODS = ("meta_hard", "meta_soft", "trained_hard", "trained_soft", "greedy", "roh", "random", "untrained_hard")


def binned(rows):
    """A row a bin of tasks of like noise rate, as many in each: means and 95 % intervals (normal) of the reduction."""
    rows = rows.sort_values("noise_rate_all")
    count = int(np.clip(len(rows) // LEAST, 1, BINS)) if np.ptp(rows["noise_rate_all"]) >= APART else 1
    out = []
    for part in np.array_split(np.arange(len(rows)), count):
        chosen = rows.iloc[part]
        mean = chosen["noise_reduction"].mean()
        half = 1.96 * chosen["noise_reduction"].sem() if len(chosen) > 1 else np.nan
        out.append({"noise_rate": chosen["noise_rate_all"].mean(), "tasks": len(chosen), "reduction": mean,
                    "low": mean - half, "high": mean + half})
    return pd.DataFrame(out)


def rows_of(evaluation):
    """The rows of /evaluation that can be drawn: those of METHODS on tasks with wrong labels."""
    rows = evaluation.table("evaluation")
    return rows[(rows["noise_reduction_defined"] == 1) & rows["method"].isin(METHODS) & (rows["failed"] == 0)]


def table_of(evaluation):
    """A row a source, method and bin of noise rates. @raises ValueError if no task has noise"""
    rows = rows_of(evaluation)
    if rows.empty:
        raise ValueError(f"{evaluation.path}: no task has flipped training labels that are known")
    rows = rows.groupby(["source", "split", "method"], as_index=False, sort=False)[
        ["noise_rate_all", "noise_reduction"]].mean()  # over the policies
    return pd.concat([binned(group).assign(source=source, method=method)
                      for (source, method), group in rows.groupby(["source", "method"], sort=False)],
                     ignore_index=True)[["source", "method", "noise_rate", "tasks", "reduction", "low", "high"]]


def plot(table):
    """Share of the wrong labels that a method's selection is rid of, against the noise rate: a panel a source, or one
    for all where each source has one noise rate alone."""
    sources = list(dict.fromkeys(table["source"]))
    if table.groupby(["source", "method"]).size().max() == 1:
        figure, axis = plt.subplots(figsize=(max(2.4 * len(sources) + 2, 6.4), 4.6))
        axes, handles = [axis], draw_side_by_side(axis, table, sources)
    else:
        figure, axes = plt.subplots(1, len(sources), figsize=(max(4.6 * len(sources), 6.4), 4.8), squeeze=False,
                                    sharey=True)
        axes, handles = list(axes[0]), {}
        for axis, source in zip(axes, sources):
            handles |= draw_curves(axis, table[table["source"] == source])
            axis.set_title(source)
    for axis in axes:
        axis.axhline(0, color=GREY, linewidth=0.9, zorder=1)
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[0].set_ylabel("noise reduction in the selection")
    style.below(figure, NOTE, handles)
    return figure


def draw(axis, method, x, points, line):
    """Means of one method with their intervals. Returns what was drawn."""
    _, colour, marker = method_style(method)
    sides = (points["reduction"] - points["low"]).fillna(0)
    return axis.errorbar(x, points["reduction"], yerr=sides, color=colour, marker=marker, markersize=6, linestyle=line,
                         linewidth=1.4, elinewidth=0.9, capsize=2)


def draw_curves(axis, rows):
    """A line a method over the bins of noise rates. Returns {words: what was drawn}."""
    axis.set_xlabel("wrong labels among all training rows")
    axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    handles = {}
    for method in style.in_order(set(rows["method"])):
        points = rows[rows["method"] == method]
        handles[method_style(method)[0]] = draw(axis, method, points["noise_rate"], points, "-")
    axis.set_xlim(left=0)
    return handles


def draw_side_by_side(axis, table, sources):
    """The methods beside each other, a group a source. Returns {words: what was drawn}."""
    methods = style.in_order(set(table["method"]))
    rates = table.groupby("source")["noise_rate"].mean()
    axis.set_xticks(range(len(sources)), [f"{source}\n{100 * rates[source]:.0f} % of the labels wrong"
                                          for source in sources])
    axis.grid(axis="x", visible=False)
    handles = {}
    for number, method in enumerate(methods):
        points = table[table["method"] == method]
        aside = 0.7 * ((number + 0.5) / len(methods) - 0.5)
        handles[method_style(method)[0]] = draw(axis, method, points["source"].map(sources.index) + aside, points, "")
    return handles
