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
    rows = evaluation.table("group_summary").rename(columns={"splits": "count"})
    for row in rows.to_dict("records"):
        cells.setdefault((row["source"], row["group"]), {}).setdefault(row["method"], {})[row["metric"]] = row
    for (source, group), methods in sorted(cells.items(), key=lambda item: item[0][1]):
        if len(names[source]) > 1:
            counts = {metric: row["rows"] for metric, row in next(iter(methods.values())).items()}
            found.setdefault(source, []).append(Group(names[source][group], counts["accuracy"],
                                                      rarer_label(**counts) < LEAST, methods))
    return {source: found[source] for source in dict.fromkeys(rows["source"]) if source in found}


def rarer_label(accuracy, true_positive_rate, false_positive_rate, **_):
    """Returns the test rows of the rarer label of a group, or at least a bound.

    Each argument: the rows that this rate is a share of, or all rows of the group.
    """
    by_label = true_positive_rate, false_positive_rate
    return min(by_label) if sum(by_label) < 1.5 * accuracy else accuracy / 2


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
