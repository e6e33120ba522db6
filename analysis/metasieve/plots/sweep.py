"""Effects of the swept keys of a sweep on accuracy, gaps and noise. Only points that are done are drawn."""
import itertools
import math

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from .. import read
from ..files import lacks_gaps
from ..methods import BLACK, BLUE, GAPS, GREY, ORANGE, named
from . import style
from .style import plt

# Metric: words, and whether more is better.
METRICS = {"accuracy": ("accuracy", True), "dp_gap": ("DP gap", False), "eo_gap": ("EO gap", False),
           "noise_rate_selected": ("wrong labels kept", False)}
PREFERRED = ("meta_hard", "meta_soft", "trained_hard", "trained_soft")
COLOURS = "cividis"  # dark to light, for all kinds of colour vision
MOST_VALUES = 20  # of a key in a map of cells; with more values the points are scattered
MOST_NUMBERED = 6  # rows or columns of a map with a number in each cell
MOST_PAIRS = 6


def draw(options):
    return plots(read(options.files[0], "sweep"), options.method)


def keys_of(points):
    """Returns the swept keys with more than one value, in the order of the sweep."""
    columns = list(points.columns)
    swept = columns[columns.index("state") + 1:columns.index("seconds")]
    return [key for key in swept if points[key].nunique() > 1]


def method_of(points, wanted=None):
    """Returns the method whose metrics are drawn. Raises ValueError if the sweep has not evaluated it."""
    have = [name.removesuffix(".accuracy.mean") for name in points.columns if name.endswith(".accuracy.mean")]
    for method in [wanted] if wanted else [*PREFERRED, *have]:
        if method in have:
            return method
    raise ValueError(f"the sweep has not evaluated {wanted or 'any method'}; it has {', '.join(have) or 'none'}")


def done(sweep):
    """Returns the points that are done. Raises ValueError if there is none, or if all have the same settings."""
    points = sweep.table("points")
    points = points[points["state"] == "done"]
    if points.empty:
        raise ValueError(f"{sweep.path}: no point is done")
    if not keys_of(points):
        raise ValueError(f"{sweep.path}: all points that are done have the same settings: nothing to compare")
    return points


def table_of(points, method):
    """Returns a row for each point: swept keys, and mean and interval of each metric of `method` and `baseline`."""
    names = [f"{name}.{metric}.{part}" for name in dict.fromkeys((method, "baseline")) for metric in METRICS
             for part in ("mean", "low", "high")]
    return points[["index", *keys_of(points), *(name for name in names if name in points)]]


def metrics_of(points, method):
    """Returns the metrics with a value: no gaps where no task has groups."""
    without = GAPS if lacks_gaps(points, f"{method}.{{}}.mean", "baseline.{}.mean") else ()
    return [metric for metric in METRICS if metric not in without
            and points.get(f"{method}.{metric}.mean", pd.Series(dtype=float)).notna().any()]


def places_of(values):
    """Returns the places of values on an axis, {value: place}, and whether they are words."""
    levels = sorted(values.unique())
    words = values.dtype == object
    return {value: number if words else value for number, value in enumerate(levels)}, words


def is_wide(values):
    """Returns whether a logarithmic axis suits the values."""
    return values.dtype != object and values.min() > 0 and values.max() / values.min() >= 30


# ------------------------------------------------------------------------------------------------------ pictures

def plots(sweep, method=None):
    """Yields (ending, figure, table) of each picture that suits the sweep. Raises ValueError as `done` does."""
    points = done(sweep)
    method = method_of(points, method)
    table = table_of(points, method)
    yield "_effects", plot_effects(points, method), table
    keys = keys_of(points)
    if len(keys) > 1:
        yield "_maps", plot_maps(points, method), table
        yield "_parallel", plot_parallel(points, method), table


def plot_effects(points, method):
    """Returns a figure with a row for each metric and a column for each key: points, and means over equal values."""
    keys, metrics = keys_of(points), metrics_of(points, method)
    figure, axes = plt.subplots(len(metrics), len(keys), figsize=(max(3.6 * len(keys), 6.2), 2.1 * len(metrics) + 1.2),
                                squeeze=False, sharey="row", sharex="col")
    for (row, metric), (column, key) in itertools.product(enumerate(metrics), enumerate(keys)):
        axis, values = axes[row][column], points[f"{method}.{metric}.mean"]
        places, words = places_of(points[key])
        axis.plot(points[key].map(places), values, "o", color=BLUE, alpha=0.45, markersize=5)
        means = values.groupby(points[key]).mean()
        if len(means) <= MOST_VALUES:
            axis.plot([places[value] for value in means.index], means, color=BLUE, linewidth=1.6)
        baseline = points.get(f"baseline.{metric}.mean")
        if method != "baseline" and baseline is not None and baseline.notna().any():
            axis.axhline(baseline.mean(), color=BLACK, linestyle=":", linewidth=1.4)
        if words:
            axis.set_xticks(list(places.values()), list(places), rotation=20, ha="right")
        elif is_wide(points[key]):
            axis.set_xscale("log")
        if column == 0:
            axis.set_ylabel(METRICS[metric][0])
        if row == len(metrics) - 1:
            axis.set_xlabel(key)
    handles = {"a point of the sweep": Line2D([], [], color=BLUE, marker="o", linestyle="", alpha=0.45),
               "mean of its points": Line2D([], [], color=BLUE, linewidth=1.6),
               "all rows kept": Line2D([], [], color=BLACK, linestyle=":", linewidth=1.4)}
    style.below(figure, f"{named(method)}; {len(points)} points.", handles)
    return figure


def plot_maps(points, method):
    """Returns a figure with a row for each pair of keys and a column for each metric: means, the best in a frame."""
    keys, metrics = keys_of(points), metrics_of(points, method)
    pairs = list(itertools.combinations(keys, 2))[:MOST_PAIRS]
    figure, axes = plt.subplots(len(pairs), len(metrics), figsize=(3.5 * len(metrics) + 0.4, 3.0 * len(pairs) + 0.4),
                                squeeze=False)
    for (row, (x, y)), (column, metric) in itertools.product(enumerate(pairs), enumerate(metrics)):
        axis, values = axes[row][column], points[f"{method}.{metric}.mean"]
        if max(points[x].nunique(), points[y].nunique()) <= MOST_VALUES:
            picture = draw_cells(axis, points, x, y, values, METRICS[metric][1])
        else:
            picture = draw_scatter(axis, points, x, y, values)
        axis.set_xlabel(x)
        axis.set_ylabel(y if column == 0 else "")
        figure.colorbar(picture, ax=axis, shrink=0.9).ax.tick_params(labelsize=8)
        if row == 0:
            axis.set_title(METRICS[metric][0])
    left = math.comb(len(keys), 2) - len(pairs)
    style.below(figure, f"{named(method)}: means over the points of each pair of values; framed: the best."
                + (f" {left} more pairs of keys are not shown." if left else ""))
    return figure


def draw_cells(axis, points, x, y, values, more_is_better):
    """Draws a heat map with numbers; the values of a key are evenly spaced."""
    table = values.groupby([points[y], points[x]]).mean().unstack()
    picture = axis.imshow(table, cmap=COLOURS, aspect="auto", origin="lower")
    middle = (np.nanmin(table) + np.nanmax(table)) / 2
    if max(table.shape) <= MOST_NUMBERED:
        for (row, column), value in np.ndenumerate(table.to_numpy()):
            if np.isfinite(value):
                axis.text(column, row, f"{value:.3f}", ha="center", va="center", fontsize=8,
                          color="black" if value > middle else "white")
    best = np.nanargmax(table) if more_is_better else np.nanargmin(table)
    row, column = np.unravel_index(best, table.shape)
    axis.add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2.5))
    axis.set_xticks(range(table.shape[1]), [shown(value) for value in table.columns], rotation=30, ha="right")
    axis.set_yticks(range(table.shape[0]), [shown(value) for value in table.index])
    axis.grid(False)
    return picture


def draw_scatter(axis, points, x, y, values):
    """Draws the points at their settings, coloured by value."""
    for key, scale in ((x, axis.set_xscale), (y, axis.set_yscale)):
        if is_wide(points[key]):
            scale("log")
    places = [points[key].map(places_of(points[key])[0]) for key in (x, y)]
    return axis.scatter(*places, c=values, cmap=COLOURS, s=26, edgecolor=GREY, linewidth=0.4)


def shown(value):
    return value if isinstance(value, str) else f"{value:g}"


def plot_parallel(points, method):
    """Returns parallel coordinates: a line for each point over keys and metrics, coloured by the equalised-odds gap."""
    keys, metrics = keys_of(points), metrics_of(points, method)
    colour = "eo_gap" if "eo_gap" in metrics else metrics[-1]
    values = points[f"{method}.{colour}.mean"]
    scale = Normalize(values.min(), values.max())
    columns = [(key, points[key], points[key].nunique() <= MOST_VALUES) for key in keys]
    columns += [(METRICS[metric][0], points[f"{method}.{metric}.mean"], False) for metric in metrics]
    figure, axis = plt.subplots(figsize=(1.75 * len(columns) + 1.2, 4.6))
    heights = []
    for number, (_, column, few) in enumerate(columns):
        height, ticks = along(column, few)
        heights.append(height)
        axis.axvline(number, color=GREY, linewidth=1)
        for place, text in ticks:
            axis.annotate(text, (number, place), (-4, 0), textcoords="offset points", ha="right", va="center",
                          fontsize=8, zorder=5, bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.6})
    for height, value in zip(np.column_stack(heights), values):
        axis.plot(range(len(columns)), height, color=plt.get_cmap(COLOURS)(scale(value)), alpha=0.85, linewidth=1.4)
    axis.set_xticks(range(len(columns)), [name.replace(".", ".\n", 1) for name, *_ in columns], fontsize=9)
    axis.set_yticks([])
    axis.set_xlim(-0.5, len(columns) - 0.8)
    axis.grid(False)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    figure.colorbar(ScalarMappable(scale, COLOURS), ax=axis, label=METRICS[colour][0], pad=0.01)
    style.below(figure, f"{named(method)}; a line is one of {len(points)} points of the sweep.")
    return figure


def along(column, few):
    """Returns heights of a column's values, from 0 to 1, and ticks [(height, text)], one for each of few values."""
    places, words = places_of(column)
    transform = np.log if is_wide(column) else np.asarray
    values = transform(column.map(places).to_numpy(float))
    low, high = np.nanmin(values), np.nanmax(values)
    wide = high - low or 1.0
    if words or few:
        ticks = [((transform(place) - low) / wide, shown(value)) for value, place in places.items()]
    else:
        ends = np.linspace(low, high, 5)
        ticks = [((end - low) / wide, f"{np.exp(end) if is_wide(column) else end:.3g}") for end in ends]
    return (values - low) / wide, ticks
