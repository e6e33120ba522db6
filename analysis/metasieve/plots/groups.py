"""Accuracy, true and false positive rate of each group of a data set, for all rows and a method of metasieve."""
import math
import re

import pandas as pd

from .. import read
from ..groups import LEAST, MARK, RATES, UNDEFINED, groups_of, has_interval, shown_methods
from ..methods import NO_GROUPS, method_style, spoken
from . import comparison, style
from .style import bars, plt

LONGEST = 34  # letters of a name
ASIDE = 0.17  # of the two marks of a group from its middle
PALE = 0.35


def draw(options):
    panels = panels_of(options.files, options.only, options.method)
    yield "", plot(panels), table_of(panels)


def panels_of(paths, only=None, method=None):
    """Returns [(source, [Group], methods)] of evaluation files.

    `only`: sources to keep; `method`: what is compared with all rows. Raises OSError, or ValueError if nothing is left.
    """
    found = []
    for path in paths:
        evaluation = read(path, "evaluation")
        if "group_summary" not in evaluation:
            raise ValueError(f"{path}: has no /group_summary; `metasieve evaluate --dataset` of this version writes it")
        found += groups_of(evaluation).items()
    if not found:
        raise ValueError(f"{', '.join(map(str, paths))}: {NO_GROUPS}")
    panels = [(source, groups, ["baseline", method] if method else shown_methods(groups))
              for source, groups in comparison.chosen(found, only)]
    for source, groups, _ in panels:
        known = {name for group in groups for name in group.cells}
        if method and method not in known:
            raise ValueError(f"{source}: {method} was not evaluated; has {', '.join(sorted(known))}")
    return panels


def table_of(panels):
    """Returns a row for each source, group, method and rate: test rows, mean, interval and number of splits."""
    return pd.DataFrame([{"source": source, "group": group.name, "rows": group.rows,
                          "too_few_rows": int(group.is_small), "method": method, "metric": metric,
                          **{key: group.cells[method][metric][key] for key in ("mean", "low", "high", "splits")}}
                         for source, groups, methods in panels for group in groups for method in methods
                         for metric in RATES if metric in group.cells.get(method, {})])


def in_words(group, methods):
    """Returns the rates of a group as a sentence."""
    def shown(method, metric):
        rate = group.rate(method, metric)
        return UNDEFINED if math.isnan(rate) else f"{rate:.3f}"

    return f"{group.name}, {group.rows:,.0f} test rows{', too few to judge' * group.is_small}: " + ", ".join(
        f"{words} " + " and ".join(f"{shown(method, metric)} ({spoken(method)})" for method in methods)
        for metric, words in RATES.items())


def shortened(names):
    """Returns names of at most LONGEST letters.

    Where one is longer, all are without the columns of `race=White, sex=F`, and those that are still long get an
    ellipsis in the middle, as intersections differ at either end.
    """
    if max(map(len, names)) > LONGEST:
        names = [re.sub(r"(^|, )(?!not )[^=<>,]+=", r"\1", name) for name in names]
    return [name if len(name) <= LONGEST else f"{name[:LONGEST // 2].rstrip()}…{name[-LONGEST // 2 + 1:].lstrip()}"
            for name in names]


def plot(panels):
    """Returns a figure with a row of three panels for each source and a line for each group."""
    heights = [0.36 * len(groups) + 0.9 for _, groups, _ in panels]
    figure, axes = plt.subplots(len(panels), len(RATES), figsize=(11.5, sum(heights) + 0.8), squeeze=False,
                                sharey="row", gridspec_kw={"height_ratios": heights})
    handles = {}
    for row, (source, groups, methods) in zip(axes, panels):
        for axis, (metric, words) in zip(row, RATES.items()):
            for place, method in enumerate(dict.fromkeys(methods)):
                aside = ASIDE * (2 * place - 1) if len(methods) > 1 else 0
                handles |= draw_method(axis, groups, method, metric, aside)
            draw_lines(axis, groups)
            axis.set_xlabel(words)
        name_groups(row[0], groups)
        row[0].set_title(source, loc="left", parse_math=False)
    note = "Test rows of a group in parentheses. Means over the splits with 95 % intervals."
    if any(group.is_small for _, groups, _ in panels for group in groups):
        note += f"\n{MARK} fewer than {LEAST} test rows of a label, too few to judge."
    style.below(figure, note, handles)
    return figure


def draw_method(axis, groups, method, metric, aside):
    """Draws a mean with its interval for each group, or the word for what has none. Returns {name: what was drawn}."""
    words, colour, marker = method_style(method)
    drawn = axis.errorbar([], [], xerr=[], fmt=marker, color=colour, markersize=6, linewidth=1.3, capsize=2)
    for place, group in enumerate(groups):
        cell, alpha = group.cells.get(method, {}).get(metric), PALE if group.is_small else 1
        if cell is None or math.isnan(cell["mean"]):
            axis.text(0.02, place + aside, UNDEFINED, transform=axis.get_yaxis_transform(), va="center", fontsize=7.5,
                      color=colour)
            continue
        axis.errorbar(cell["mean"], place + aside, xerr=bars(cell) if has_interval(cell) else None, fmt=marker,
                      color=colour, markersize=6, linewidth=1.3, capsize=2, alpha=alpha)
    return {words: drawn}


def draw_lines(axis, groups):
    """Separates the groups, and keeps rates between 0 and 1."""
    for place in range(1, len(groups)):
        axis.axhline(place - 0.5, color="black", alpha=0.08, linewidth=0.8)
    low, high = axis.get_xlim()
    axis.set_xlim(max(low, -0.02), min(high, 1.02))
    axis.set_ylim(len(groups) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)


def name_groups(axis, groups):
    """Writes names and test rows on the left."""
    names = [f"{name} ({group.rows:,.0f}){f' {MARK}' * group.is_small}"
             for name, group in zip(shortened([group.name for group in groups]), groups)]
    axis.set_yticks(range(len(groups)), names, parse_math=False)
    for text, group in zip(axis.get_yticklabels(), groups):
        text.set_color("#777777" if group.is_small else "black")
