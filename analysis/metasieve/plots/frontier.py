"""Accuracy against a fairness gap over the settings of each method; methods without a setting are points.

A source without groups has no gap and no panel.
"""
import itertools
import math

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from .. import read
from ..files import has_gaps, summary_of
from ..methods import NO_GROUPS, method_style
from . import comparison, style
from .style import bars, plt

CONSTANT = 0.02  # share of positive predictions
CAPTION = ("Up and left is better. Bars: 95 % intervals. Numbers at the ends of a curve are the settings there:\n"
           "fairness weight of metasieve's adaptation, weight of the fairness penalty, tolerance of the thresholds.\n"
           f"Models that predict one class for over {100 - 100 * CONSTANT:g} % of the rows are left out.")
LINES = {"meta_hard": "-", "meta_soft": "-", "penalised": "--", "threshold": ":"}


def draw(options):
    panels = comparison.chosen(read_panels(options.files, options.gap), options.only)
    yield "", plot(panels, options.gap), table_of(panels, options.gap)


def curves_of(evaluation, source, gap):
    """Returns {method: [(setting, cell of the gap, cell of the accuracy)]} by setting, where is_of_use."""
    rows = evaluation.table("frontier")
    rows = rows[rows["source"] == source]
    found = {}
    for (method, setting), group in rows.groupby(["method", "setting"], sort=True):
        cells = {cell["metric"]: cell for cell in group.to_dict("records")}
        if is_of_use(cells, gap):
            found.setdefault(method, []).append((setting, cells[gap], cells["accuracy"]))
    return found


def is_of_use(cells, gap):
    """Returns whether a model is defined and not constant.

    A model that predicts one class for nearly all rows is fair and useless, and stretches the axes.
    """
    rate = cells["positive_rate"]["mean"] if "positive_rate" in cells else 0.5
    known = gap in cells and "accuracy" in cells and not math.isnan(cells[gap]["mean"] + cells["accuracy"]["mean"])
    return known and CONSTANT <= rate <= 1 - CONSTANT


class Labels:
    """Texts beside points, each at the nearest place where it covers no other text and the fewest marks."""

    def __init__(self, axis):
        self.axis, self.wanted, self.marks = axis, [], []

    def add(self, anchors, text, colour, **options):
        """Adds a text for whichever of these points has most room."""
        self.wanted.append((anchors, text, colour, options))

    def mark_line(self, start, end, pieces=8):
        """Marks a line that no text should cover."""
        self.marks += [[a + k / pieces * (b - a) for a, b in zip(start, end)] for k in range(pieces + 1)]

    def draw(self):
        """Places the texts. The limits of the axis must be final."""
        renderer = self.axis.figure.canvas.get_renderer()
        frame = self.axis.get_window_extent(renderer)
        self.scale = self.axis.figure.dpi / 72  # pixels a point
        taken = []
        for anchors, text, colour, options in self.wanted:
            label = self.axis.annotate(text, anchors[0], (0, 0), textcoords="offset points", va="center", zorder=6,
                                       color=[0.75 * part for part in to_rgb(colour)],  # thin strokes look paler
                                       path_effects=[withStroke(linewidth=2, foreground="white")],
                                       **{"fontsize": 8, **options})
            extent = label.get_window_extent(renderer)
            best = min(self.places(anchors, extent.width, extent.height),
                       key=lambda place: self.badness(place, frame, taken))
            anchor, (dx, dy), side, box, _ = best
            label.xy = anchor
            label.set_position((dx, dy))
            label.set_ha(side)
            taken.append(box)
            if math.hypot(dx, dy) > 14:  # far from its point: a line joins them
                self.axis.annotate("", anchor, xytext=(dx, dy), textcoords="offset points",
                                   arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "alpha": 0.7})

    def places(self, anchors, width, height):
        """Yields anchor, offset, side, box in pixels, and a cost that grows with the distance."""
        for cost, distance in enumerate((8, 14, 22, 32, 44, 58, 74, 92, 112, 134)):
            for turn in range(16):
                dx, dy = (distance * part(turn * math.pi / 8) for part in (math.cos, math.sin))
                side = "center" if abs(dx) < 0.3 * distance else "left" if dx > 0 else "right"
                for anchor in anchors:
                    x, y = self.axis.transData.transform(anchor) + self.scale * np.array([dx, dy])
                    left = x - {"left": 0, "center": width / 2, "right": width}[side]
                    box = Bbox.from_bounds(left, y - height / 2, width, height).padded(self.scale)
                    yield anchor, (dx, dy), side, box, 2 * cost + (turn % 4 > 0)

    def badness(self, place, frame, taken):
        """Returns a cost: most for a place beyond the frame, less for another text, least for each mark under it."""
        *_, box, cost = place
        beyond = box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1
        pixels = self.axis.transData.transform(self.marks)
        covered = ((pixels > box.min) & (pixels < box.max)).all(axis=1).sum()
        return 10000 * beyond + 1000 * sum(box.overlaps(other) for other in taken) + 2 * covered + cost


def draw_points(axis, labels, methods, gap):
    """Draws the methods without a curve, as means with intervals."""
    for method, cells in methods.items():
        name, colour, marker = method_style(method)
        if not is_of_use(cells, gap):
            continue
        x, y = cells[gap], cells["accuracy"]
        axis.errorbar(x["mean"], y["mean"], xerr=bars(x), yerr=bars(y), fmt=marker, color=colour, markersize=7,
                      elinewidth=0.8, alpha=0.9, zorder=3)
        labels.mark_line((x["low"], y["mean"]), (x["high"], y["mean"]))
        labels.mark_line((x["mean"], y["low"]), (x["mean"], y["high"]))
        labels.add([(x["mean"], y["mean"])], name, colour)


def draw_curve(axis, labels, method, points):
    """Draws a line over the settings, faint intervals, the method's name, and the settings at both ends."""
    name, colour, marker = method_style(method)
    means = [(x["mean"], y["mean"]) for _, x, y in points]
    axis.plot(*zip(*means), LINES.get(method, "-."), color=colour, marker=marker, markersize=4, linewidth=1.8, zorder=4)
    for _, x, y in points:
        axis.errorbar(x["mean"], y["mean"], xerr=bars(x), yerr=bars(y), fmt="none", color=colour, elinewidth=0.8,
                      alpha=0.3, zorder=2)
    for start, end in itertools.pairwise(means):
        labels.mark_line(start, end)
    labels.add(means, name, colour, fontweight="bold")
    if len(points) > 1:
        for end in (0, -1):
            labels.add([means[end]], f"{points[end][0]:g}", colour, fontsize=7, style="italic")


def read_panels(paths, gap):
    """Returns [(source, methods, curves)] of all files. Raises OSError, or ValueError for a file without a frontier."""
    panels = []
    for path in paths:
        evaluation = read(path, "evaluation")
        if "frontier" not in evaluation:
            raise ValueError(f"{path}: has no /frontier; it comes with `metasieve evaluate --frontier`")
        panels += panels_of(evaluation, gap)
    if not panels:
        raise ValueError(f"{', '.join(map(str, paths))}: {NO_GROUPS}")
    return panels


def panels_of(evaluation, gap):
    """Returns [(source, methods, curves)] of the sources of one evaluation that have groups."""
    return [(source, methods, curves_of(evaluation, source, gap))
            for source, methods in summary_of(evaluation).items() if has_gaps(methods)]


def table_of(panels, gap):
    """Returns a row for each source, method, setting (empty: none) and metric: mean and 95 % interval."""
    rows = []
    for source, methods, curves in panels:
        points = [(method, *point) for method, curve in curves.items() for point in curve]
        points += [(method, None, cells[gap], cells["accuracy"]) for method, cells in methods.items()
                   if method not in curves and is_of_use(cells, gap)]
        rows += [{"source": source, "method": method, "setting": setting, "metric": metric, "mean": cell["mean"],
                  "low": cell["low"], "high": cell["high"]}
                 for method, setting, x, y in points for metric, cell in ((gap, x), ("accuracy", y))]
    return pd.DataFrame(rows)


def plot(panels, gap="eo_gap"):
    """Returns a figure with a panel for each source: curves, and methods without one as points."""
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4 * len(panels), 5.4), squeeze=False, dpi=130)
    drawn = []
    for axis, (source, methods, curves) in zip(axes[0], panels):
        labels = Labels(axis)
        for method, points in curves.items():
            draw_curve(axis, labels, method, points)
        draw_points(axis, labels, {name: cells for name, cells in methods.items() if name not in curves}, gap)
        axis.set_title(comparison.title(source, methods))
        style.say_empty(axis)
        axis.margins(x=0.12, y=0.08)
        drawn.append(labels)
    comparison.label_axes(axes[0], gap)
    style.below(figure, CAPTION)
    figure.draw_without_rendering()  # labels are placed once the panels have their final size
    figure.set_layout_engine("none")
    for labels in drawn:
        labels.draw()
    return figure
