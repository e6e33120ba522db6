"""Partial dependence of the keep weight on each meta-feature."""
import math

import numpy as np
import pandas as pd

from .. import read
from . import style
from .style import MARKERS, SERIES, plt

COLUMNS = 6
MOST = 24  # features in the picture; its table has all
NOTE = ("Each panel sets one meta-feature of all training rows to its value at a quantile (0 least, 1 most) and leaves "
        "the others as they are.\nThe feature that moves the weight most comes first; at most {} are shown. Bands: least and "
        "most of several policies.").format(MOST)


def draw(options):
    table = table_of(read(options.files[0], "evaluation"))
    yield "", plot(table), table


def table_of(evaluation):
    """Returns a row for each source, feature and quantile: mean, least and most keep weight over the policies."""
    rows = evaluation.table("response")
    if rows.empty:
        raise ValueError(f"{evaluation.path}: /response is empty: no policy was evaluated")
    keys = ["source", "feature", "quantile"]
    table = rows.groupby(keys, as_index=False, sort=False).agg(
        value=("value", "mean"), score=("score", "mean"), keep=("keep", "mean"), keep_low=("keep", "min"),
        keep_high=("keep", "max"))
    return pd.DataFrame(table)


def strength(table):
    """Returns, for each feature, the range of the keep weight: the largest over the sources."""
    moves = table.groupby(["feature", "source"], sort=False)["keep"].agg(np.ptp)
    return moves.groupby("feature", sort=False).max()


def plot(table):
    """Returns a figure with a panel for each of the MOST features of largest range, this first, and a line for each
    source."""
    order = strength(table).sort_values(ascending=False, kind="stable").index[:MOST]
    sources = list(dict.fromkeys(table["source"]))
    rows = math.ceil(len(order) / COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(2.1 * COLUMNS, 1.5 * rows + 0.9), squeeze=False, sharex=True,
                                sharey=True)
    handles = {}
    for axis, feature in zip(axes.flat, order):
        for number, source in enumerate(sources):
            points = table[(table["feature"] == feature) & (table["source"] == source)]
            look = {"color": SERIES[number % len(SERIES)], "marker": MARKERS[number % len(MARKERS)]}
            handles[source], = axis.plot(points["quantile"], points["keep"], markersize=3, linewidth=1.3, **look)
            axis.fill_between(points["quantile"], points["keep_low"], points["keep_high"], color=look["color"],
                              alpha=0.2, linewidth=0)
        axis.set_title(feature.replace("_", " "), fontsize=9)
    for axis in axes.flat[len(order):]:
        axis.remove()
    for column in range(COLUMNS):  # numbers of the shared axis, below the last panel of each column
        last = [row[column] for row in axes if row[column].figure is not None]
        if last:
            last[-1].tick_params(labelbottom=True)
    axes.flat[0].set_xticks([0, 0.5, 1], ["0", ".5", "1"])
    figure.supylabel("mean keep weight", fontsize=10)
    style.below(figure, NOTE, handles)
    return figure
