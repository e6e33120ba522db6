"""The groups of a data set: their test rows and rates in an evaluation, and which have too few rows to judge."""
import math
from dataclasses import dataclass

from .files import group_names_of

RATES = {"accuracy": "accuracy", "true_positive_rate": "true positive rate",
         "false_positive_rate": "false positive rate"}
LEAST = 10  # test rows of a label, as `metasieve evaluate` asks for
SHOWN = ("meta_soft", "meta_hard", "trained_soft", "trained_hard")  # the first of these that was evaluated
MARK = "†"  # of a group with too few rows
UNDEFINED = "undefined"


@dataclass(frozen=True)
class Group:
    """A group in the means over the splits of a data set."""
    name: str
    rows: float  # test rows
    is_small: bool  # fewer than LEAST test rows of a label
    cells: dict  # {method: {metric: row of /group_summary}}

    @property
    def marked_name(self):
        return f"{self.name} {MARK}" if self.is_small else self.name

    def rate(self, method, metric):
        """Returns a mean rate; NaN where it is undefined."""
        return self.cells.get(method, {}).get(metric, {}).get("mean", math.nan)


def groups_of(evaluation):
    """Returns {source: [Group]} of the data sets with two groups or more; empty for files without /group_summary."""
    if "group_summary" not in evaluation:
        return {}
    found, names, cells = {}, group_names_of(evaluation), {}
    for row in evaluation.table("group_summary").to_dict("records"):
        of_group = cells.setdefault(row["source"], {}).setdefault(row["group"], {})
        of_group.setdefault(row["method"], {})[row["metric"]] = row
    for source, of_source in cells.items():
        if len(names[source]) > 1:
            found[source] = [group_of(names[source][number], of_source[number]) for number in sorted(of_source)]
    return found


def group_of(name, cells):
    rows = {metric: row["rows"] for metric, row in next(iter(cells.values())).items()}  # that the rate is a share of
    rarer = min(rows["true_positive_rate"], rows["false_positive_rate"])
    return Group(name, rows["accuracy"], rarer < LEAST, cells)


def has_interval(cell):
    """Returns whether the interval of a rate says anything: one split has none, and equal rates in all look certain."""
    return cell["low"] < cell["high"]


def shown_methods(groups):
    """Returns "baseline" and the method of metasieve that is compared with it, as far as they were evaluated."""
    known = {method for group in groups for method in group.cells}
    ours = next((method for method in SHOWN if method in known), None)
    return [method for method in ("baseline", ours) if method in known] or sorted(known)[:1]


def lowest(groups, method):
    """Returns the group with the lowest accuracy among those with enough rows; None where fewer than two can be
    compared."""
    rates = {group.name: group.rate(method, "accuracy") for group in groups if not group.is_small}
    known = {name: rate for name, rate in rates.items() if not math.isnan(rate)}
    return min(known, key=known.get) if len(known) > 1 else None


def widest_pair(groups, method):
    """Returns (metric, higher group, lower group) of the largest difference of mean true or false positive rates.

    None where no two groups have either.
    """
    pairs = []
    for metric in ("true_positive_rate", "false_positive_rate"):
        known = [group for group in groups if not math.isnan(group.rate(method, metric))]
        if len(known) > 1:
            rate = [group.rate(method, metric) for group in known]
            high, low = known[rate.index(max(rate))], known[rate.index(min(rate))]
            pairs.append((max(rate) - min(rate), metric, high, low))
    return max(pairs, key=lambda pair: pair[0])[1:] if pairs else None
