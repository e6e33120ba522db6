#!/usr/bin/env python3
"""What each method trades: accuracy against the fairness gap, a curve over the setting of those that have one.

    analysis/plot_frontier.py runs/compare/comparison_aware.h5 --output frontier.png

Reads files of `metasieve evaluate --frontier`: curves from /frontier, the other methods as points from /summary, with
95 % intervals; one panel per data source. The numbers at the ends of a curve are the settings there.
"""
import itertools
import math
import sys

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

import evaluation_file
import plot_comparison
from plot_comparison import GAPS, STYLES, bars, plt

CONSTANT = 0.02  # share of positive predictions
CAPTION = ("Up and left is better. Bars: 95 % intervals. Numbers at the ends of a curve are the settings there:\n"
           "fairness weight of metasieve's adaptation, weight of the fairness penalty, tolerance of the thresholds.\n"
           f"Models that say one class of over {100 - 100 * CONSTANT:g} % of the rows are left out.")
LINES = {"meta_hard": "-", "meta_soft": "-", "penalised": "--", "threshold": ":"}


def curves_of(tables, source, gap):
    """{method: [(setting, gap's cell, accuracy's cell)]} in the order of the settings, those with a use."""
    if "frontier" not in tables:
        return {}
    rows = tables["frontier"]
    rows = rows[rows["source"] == source]
    found = {}
    for (method, setting), group in rows.groupby(["method", "setting"], sort=True):
        cells = {cell["metric"]: cell for cell in group.to_dict("records")}
        if is_of_use(cells, gap):
            found.setdefault(method, []).append((setting, cells[gap], cells["accuracy"]))
    return found


def is_of_use(cells, gap):
    """Defined, and no constant: a model that says one class of nearly all rows is fair, and drawn it hides the rest."""
    rate = cells["positive_rate"]["mean"] if "positive_rate" in cells else 0.5
    known = gap in cells and "accuracy" in cells and not math.isnan(cells[gap]["mean"] + cells["accuracy"]["mean"])
    return known and CONSTANT <= rate <= 1 - CONSTANT


def style(method):
    return STYLES.get(method, (method, "#000000", "o"))


class Labels:
    """Texts beside points, each in the nearest place where it covers no other text and fewest marks."""

    def __init__(self, axis):
        self.axis, self.wanted, self.marks = axis, [], []

    def add(self, anchors, text, colour, **options):
        """A text for whichever of these points has most room."""
        self.wanted.append((anchors, text, colour, options))

    def mark_line(self, start, end, pieces=8):
        """What no text should cover."""
        self.marks += [[a + k / pieces * (b - a) for a, b in zip(start, end)] for k in range(pieces + 1)]

    def draw(self):
        """Once the limits of the axis are final."""
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
            if math.hypot(dx, dy) > 14:  # far from its point: a line leads there
                self.axis.annotate("", anchor, xytext=(dx, dy), textcoords="offset points",
                                   arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "alpha": 0.7})

    def places(self, anchors, width, height):
        """Yields anchor, offset, side, box in pixels, and cost: the farther the dearer."""
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
        """Beyond the frame is worst, then another text, then each mark under it."""
        *_, box, cost = place
        beyond = box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1
        pixels = self.axis.transData.transform(self.marks)
        covered = ((pixels > box.min) & (pixels < box.max)).all(axis=1).sum()
        return 10000 * beyond + 1000 * sum(box.overlaps(other) for other in taken) + 2 * covered + cost


def draw_points(axis, labels, methods, gap):
    """The methods without a curve, as means with intervals."""
    for method, cells in methods.items():
        name, colour, marker = style(method)
        if not is_of_use(cells, gap):
            continue
        x, y = cells[gap], cells["accuracy"]
        axis.errorbar(x["mean"], y["mean"], xerr=bars(x), yerr=bars(y), fmt=marker, color=colour, markersize=7,
                      elinewidth=0.8, alpha=0.9, zorder=3)
        labels.mark_line((x["low"], y["mean"]), (x["high"], y["mean"]))
        labels.mark_line((x["mean"], y["low"]), (x["mean"], y["high"]))
        labels.add([(x["mean"], y["mean"])], name, colour)


def draw_curve(axis, labels, method, points):
    """A line over the settings; intervals faint, the method's name at its middle and the settings at its ends."""
    name, colour, marker = style(method)
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


def panels_of(tables, gap):
    """[(source, methods, curves)] of one file's tables."""
    return [(source, methods, curves_of(tables, source, gap))
            for source, methods in evaluation_file.summary_of(tables).items()]


def plot(tables, gap):
    """A figure with one panel per source of one file's tables."""
    return plot_panels(panels_of(tables, gap), gap)


def plot_panels(panels, gap):
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4 * len(panels), 5.4), squeeze=False, dpi=130)
    drawn = []
    for axis, (source, methods, curves) in zip(axes[0], panels):
        labels = Labels(axis)
        for method, points in curves.items():
            draw_curve(axis, labels, method, points)
        draw_points(axis, labels, {name: cells for name, cells in methods.items() if name not in curves}, gap)
        axis.set_title(plot_comparison.title(source, methods))
        axis.set_xlabel(f"{GAPS[gap]} on test rows (left is fairer)")
        axis.margins(x=0.12, y=0.08)
        axis.set_xlim(left=0)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        drawn.append(labels)
    axes[0][0].set_ylabel("accuracy on clean test labels")
    figure.tight_layout(rect=(0, 0.09, 1, 1))
    figure.text(0.5, 0.015, CAPTION, ha="center", fontsize=8, color="#444444")
    for labels in drawn:
        labels.draw()
    return figure


def read_panels(paths, gap):
    """Those of all files. @raises ValueError for one without a frontier"""
    panels = []
    for path in paths:
        tables = evaluation_file.read(path)
        if "frontier" not in tables:
            raise ValueError(f"{path}: has no /frontier; it comes with `metasieve evaluate --frontier`")
        panels += panels_of(tables, gap)
    return panels


def main():
    arguments = plot_comparison.parser_of(__doc__, "metasieve evaluate --frontier").parse_args()
    return plot_comparison.command("plot_frontier", arguments, lambda: plot_panels(
        plot_comparison.only(read_panels(arguments.evaluations, arguments.gap), arguments.only), arguments.gap))


if __name__ == "__main__":
    sys.exit(main())
