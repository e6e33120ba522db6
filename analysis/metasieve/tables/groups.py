"""The table of a data set's groups, and which pair of them makes the EO gap."""
import math

from ..groups import LEAST, MARK, RATES, UNDEFINED, has_interval, lowest, shown_methods, widest_pair
from ..methods import spoken
from .rendering import Table, interval

FEW = f"Fewer than {LEAST} test rows of a label: too few to judge"


def splits_of(groups):
    """Returns in how many splits the rates of most groups are defined."""
    return max(cell["splits"] for group in groups for cells in group.cells.values() for cell in cells.values())


def rate(cell, splits, is_lowest=False):
    """Returns a mean rate with its interval, and in how many splits it is defined where it is not in all."""
    if not cell or math.isnan(cell["mean"]):
        return UNDEFINED
    some = f" ({cell['splits']} of {splits})" if cell["splits"] < splits else ""
    ends = (cell["low"], cell["high"]) if has_interval(cell) else (math.nan, math.nan)
    return interval(cell["mean"], *ends, some + " lowest" * is_lowest)


def groups_table(source, groups):
    """Returns a row for each group: its test rows, and its rates for all rows and for metasieve."""
    methods, splits = shown_methods(groups), splits_of(groups)
    columns = [(metric, method) for metric in RATES for method in methods]
    worst = {method: lowest(groups, method) for method in methods}
    rows = [[group.marked_name, f"{group.rows:,.0f}", *(
        rate(group.cells.get(method, {}).get(metric), splits, metric == "accuracy" and group.name == worst[method])
        for metric, method in columns)] for group in groups]
    small = tuple(group.marked_name for group in groups if group.is_small)
    texts = [text for row in rows for text in row[2:]]
    notes = [f"{source}: each group, means over {splits} split{'s' * (splits != 1)}; in brackets 95 % intervals."]
    notes += ["Lowest: the lowest accuracy of the groups with enough rows."] if any(worst.values()) else []
    notes += [f"{MARK} {FEW}."] if small else []
    notes += [f"In parentheses: the splits where a rate is defined, if not all {splits}."] \
        if any(f" of {splits})" in text for text in texts) else []
    notes += ["Without an interval: one split, or the same rate in all."] \
        if any("[" not in text for text in texts if text != UNDEFINED) else []
    notes += ["Undefined: no test row of that label in any split."] if UNDEFINED in texts else []
    return Table(["group", "test rows", *(f"{RATES[metric]}: {spoken(method)}" for metric, method in columns)], rows,
                 " ".join(notes), pale=small)


# ------------------------------------------------------------------------------------------------- the EO gap

def pair(groups, method):
    """Returns the pair of groups whose mean rates are furthest apart, in words."""
    found = widest_pair(groups, method)
    if found is None:
        return UNDEFINED
    metric, *both = found
    rates = [f"{group.marked_name} {group.rate(method, metric):.3f}" for group in both]
    return f"{RATES[metric]}: {', '.join(rates)}"


def gap_sentences(groups, cells):
    """Returns which pair of groups makes the EO gap, for all rows and for metasieve.

    `cells`: {method: {metric: row of /summary}}. The gap is a mean of largest differences, the pair that of the mean
    rates.
    """
    methods, parts = shown_methods(groups), []
    for method in methods:
        gap = cells.get(method, {}).get("eo_gap", {}).get("mean", math.nan)
        known = UNDEFINED if math.isnan(gap) else f"{gap:.3f}"
        who = "EO gap" if method == "baseline" else f"after {spoken(method)}"
        parts.append(f"{who} {known} (of the mean rates, {pair(groups, method)})")
    said = [", ".join(parts) + ".", "The gap is the mean over the splits of the largest difference in a split; the "
            "pair named is the one whose mean rates differ most."]
    pairs = [found for found in (widest_pair(groups, method) for method in methods) if found]
    if any(group.is_small for _, *both in pairs for group in both):
        enough = [group for group in groups if not group.is_small]
        said.append(f"Without the groups marked {MARK}, which have too few rows, " + ", ".join(
            f"{pair(enough, method)}" if method == "baseline" else f"after {spoken(method)} {pair(enough, method)}"
            for method in methods) + "." if len(enough) > 1 else
            "Fewer than two groups have enough rows to judge a gap.")
    return " ".join(said)
