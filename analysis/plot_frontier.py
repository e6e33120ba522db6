#!/usr/bin/env python3
"""What each method trades: accuracy against the fairness gap, a curve over the setting of those that have one.

    analysis/plot_frontier.py runs/compare/comparison_aware.h5 --output frontier.png

Reads files of `metasieve evaluate --frontier`: curves from /frontier, the other methods as points from /summary, with
95 % intervals; one panel per data source. The numbers at the ends of a curve are the settings there.
"""
import argparse
import itertools
import math
import sys

from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke

import evaluation_file
import plot_comparison
from plot_comparison import GAPS, STYLES, bars, plt

CAPTION = ("Up and left is better. Bars: 95 % intervals. Numbers at the ends of a curve are the settings there:\n"
           "fairness weight of metasieve's adaptation, weight of the fairness penalty, tolerance of the thresholds.")
LINES = {"meta_hard": "-", "meta_soft": "-", "penalised": "--", "threshold": ":"}


def curves_of(tables, source, gap):
    """{method: [(setting, gap's cell, accuracy's cell)]} in the order of the settings; undefined ones left out."""
    if "frontier" not in tables:
        return {}
    rows = tables["frontier"]
    rows = rows[rows["source"] == source]
    found = {}
    for (method, setting), group in rows.groupby(["method", "setting"], sort=True):
        cells = {cell["metric"]: cell for cell in group.to_dict("records")}
        if gap in cells and "accuracy" in cells and not math.isnan(cells[gap]["mean"] + cells["accuracy"]["mean"]):
            found.setdefault(method, []).append((setting, cells[gap], cells["accuracy"]))
    return found


def style(method):
    return STYLES.get(method, (method, "#000000", "o"))


class Labels:
    """Texts beside points, each in the first place where it covers no other text and fewest marks."""

    def __init__(self, axis):
        self.axis, self.wanted, self.marks = axis, [], []

    def add(self, x, y, text, colour, **options):
        self.wanted.append((x, y, text, colour, options))

    def mark(self, x, y):
        self.marks.append((x, y))

    def mark_line(self, start, end, pieces=8):
        for k in range(pieces + 1):
            self.mark(*(a + k / pieces * (b - a) for a, b in zip(start, end)))

    def draw(self):
        """Once the limits of the axis are final."""
        if not self.wanted:
            return
        renderer = self.axis.figure.canvas.get_renderer()
        frame = self.axis.get_window_extent(renderer)
        scale = self.axis.figure.dpi / 72
        marks = self.axis.transData.transform(self.marks)
        taken = []
        for x, y, text, colour, options in self.wanted:
            label = self.axis.annotate(text, (x, y), (0, 0), textcoords="offset points", va="center", zorder=6,
                                       color=[0.75 * part for part in to_rgb(colour)],  # thin strokes look paler
                                       path_effects=[withStroke(linewidth=2, foreground="white")],
                                       **{"fontsize": 8, **options})
            best = None
            for cost, (dx, dy, side) in enumerate(self.places()):
                label.set_position((dx, dy))
                label.set_ha(side)
                box = label.get_window_extent(renderer)
                bad = 10 * sum(box.overlaps(other) for other in taken)
                near = box.padded(2 * scale)
                bad += ((marks > near.min) & (marks < near.max)).all(axis=1).sum()
                bad += 50 * (box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1)
                if best is None or bad + cost / 100 < best[0]:
                    best = (bad + cost / 100, dx, dy, side, box)
            _, dx, dy, side, box = best
            label.set_position((dx, dy))
            label.set_ha(side)
            taken.append(box.padded(scale))
            if math.hypot(dx, dy) > 14:  # far from its point: a line leads there
                self.axis.annotate("", (x, y), xytext=(dx, dy), textcoords="offset points",
                                   arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "alpha": 0.7})

    @staticmethod
    def places():
        for distance in (8, 16, 26, 38, 52, 68):
            for dx, dy in ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1)):
                yield distance * dx, distance * dy * 0.8, {1: "left", -1: "right", 0: "center"}[dx]


def draw_points(axis, labels, methods, gap):
    """The methods without a curve, as means with intervals."""
    for method, cells in methods.items():
        name, colour, marker = style(method)
        x, y = cells[gap], cells["accuracy"]
        if math.isnan(x["mean"]) or math.isnan(y["mean"]):
            continue
        axis.errorbar(x["mean"], y["mean"], xerr=bars(x), yerr=bars(y), fmt=marker, color=colour, markersize=7,
                      elinewidth=0.8, alpha=0.9, zorder=3)
        labels.mark_line((x["low"], y["mean"]), (x["high"], y["mean"]))
        labels.mark_line((x["mean"], y["low"]), (x["mean"], y["high"]))
        labels.add(x["mean"], y["mean"], name, colour)


def draw_curve(axis, labels, method, points):
    """A line over the settings; intervals faint, the method's name at its middle and the settings at its ends."""
    name, colour, marker = style(method)
    xs, ys = [x["mean"] for _, x, _ in points], [y["mean"] for _, _, y in points]
    axis.plot(xs, ys, LINES.get(method, "-."), color=colour, marker=marker, markersize=4, linewidth=1.8, zorder=4)
    for _, x, y in points:
        axis.errorbar(x["mean"], y["mean"], xerr=bars(x), yerr=bars(y), fmt="none", color=colour, elinewidth=0.8,
                      alpha=0.3, zorder=2)
    for start, end in itertools.pairwise(zip(xs, ys)):
        labels.mark_line(start, end)
    middle = len(points) // 2
    labels.add(xs[middle], ys[middle], name, colour, fontweight="bold")
    if len(points) > 1:
        for end in (0, -1):
            labels.add(xs[end], ys[end], f"{points[end][0]:g}", colour, fontsize=7, style="italic")


def plot(tables, gap):
    """A figure with one panel per source of one file's tables."""
    return plot_panels([(source, methods, curves_of(tables, source, gap))
                        for source, methods in evaluation_file.summary_of(tables).items()], gap)


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
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    figure.text(0.5, 0.015, CAPTION, ha="center", fontsize=8, color="#444444")
    for labels in drawn:
        labels.draw()
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", nargs="+", metavar="E.h5", help="files of `metasieve evaluate --frontier`")
    parser.add_argument("--output", required=True, metavar="F.png", help="picture to write")
    parser.add_argument("--gap", choices=GAPS, default="eo_gap")
    arguments = parser.parse_args()
    try:
        panels = []
        for path in arguments.evaluations:
            tables = evaluation_file.read(path)
            if "frontier" not in tables:
                raise ValueError(f"{path}: has no /frontier; it comes with `metasieve evaluate --frontier`")
            panels += [(source, methods, curves_of(tables, source, arguments.gap))
                       for source, methods in evaluation_file.summary_of(tables).items()]
        plot_comparison.save(plot_panels(panels, arguments.gap), arguments.output)
    except (OSError, ValueError, KeyError) as error:
        print(f"plot_frontier: {' '.join(str(error).split())}", file=sys.stderr)
        return 3
    print(f"wrote {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
