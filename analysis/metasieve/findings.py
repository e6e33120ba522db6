"""What a comparison of selections on one table shows, by the rules of src/evaluation/findings.cpp."""
import math

from .groups import LEAST
from .statistics import holm

LEAST_ROWS = 200  # of a table that can be judged
NEAR_FLOOR = 1.5  # times the floor: a gap is hardly more than chance
LARGEST_COST, LEAST_REDUCTION, LARGEST_BALANCED_COST = 0.01, 0.25, 0.02  # limits of what counts as help
GAPS = {"eo_gap": "the EO gap", "dp_gap": "the DP gap"}


def findings_of(table, fits, cells):
    """Returns [(kind, text)]. table: final_models.Table. fits: data frame, a row for each fit. cells: {method: {metric:
    record of statistics.Repeats.summary}}."""
    found = [*warnings(fits), *sizes(table)]
    if table.rows < LEAST_ROWS:
        return found
    gaps = [gap for gap in GAPS if gap in cells["baseline"]]
    if not math.isfinite(cells["baseline"]["accuracy"]["low"]):
        return [*found, ("fairness" if gaps else "accuracy",
                         "one repeat only: whether a selection helps cannot be distinguished from chance")]
    claims = [(method, metric) for metric in (*gaps, "accuracy") for method in candidates(cells, metric)]
    holds = {claim for claim, is_sure in zip(claims, holm([cells[method][metric]["baseline_p"]
                                                           for method, metric in claims])) if is_sure}
    if (table.cells >= LEAST).all():
        found += [("fairness", text) for gap in gaps for text in fairness(cells, gap, holds)]
    return [*found, ("accuracy", accuracy(cells, holds))]


def warnings(fits):
    """Yields what is wrong with some of the fits, with the number of fits of each method."""
    positive = fits["positive_rate"]
    yield from listed("constant", "WARNING: a model that gives one class to over 98 % of the test rows is of no use, "
                      "however fair it looks; models", fits[(positive < 0.02) | (positive > 0.98)])
    gaps = fits[[gap for gap in GAPS if gap in fits]]
    yield from listed("undefined", "a gap is undefined (an empty group or cell of the test rows) in so many repeats, "
                      "which are left out", fits[gaps.isna().any(axis=1)])


def listed(kind, what, fits):
    if len(fits):
        counts = fits["method"].value_counts(sort=False)
        yield kind, f"{what}: {', '.join(f'{method} {count}' for method, count in counts.items())}"


def sizes(table):
    """Yields what is too small to judge."""
    if table.rows < LEAST_ROWS:
        yield "small", f"WARNING: {table.rows} rows are too few to judge a selection (fewer than {LEAST_ROWS})"
    else:
        for name, rows in zip(table.groups, table.cells.T):
            label = int(rows[1] <= rows[0])  # the rarer one
            if rows[label] < LEAST:
                of_group, its = (f"group '{name}' has ", "its") if len(table.groups) > 1 else ("", "the")
                ending = "" if rows[label] == 1 else "s"
                yield "small", (f"WARNING: {of_group}{rows[label]} test row{ending} of label {label} a split: too few to "
                                f"judge {its} rates (fewer than {LEAST})")
    for name in table.untrained:
        yield "small", f"WARNING: group '{name}' has no training row: no model has learnt from it"
    if table.has_test_part:
        yield "test_part", "the data set has a test part of its own: intervals cover the chance of its test rows only"


def candidates(cells, metric):
    """Returns the selections whose change has an interval and that are of use: a model that says nearly the same of all
    rows is no help, whatever its gap."""
    return [method for method, of_method in cells.items() if method not in ("baseline", "oracle")
            and math.isfinite(of_method[metric]["baseline_change_low"])
            and 0.02 < of_method["positive_rate"]["mean"] < 0.98
            and of_method["balanced_accuracy"]["baseline_change"] > -LARGEST_BALANCED_COST]


def fairness(cells, gap, holds):
    """Yields which selection lowers the gap most at little cost; if none does, which lowers it at the least cost."""
    base, floor = cells["baseline"][gap]["mean"], cells["baseline"][gap.replace("gap", "floor")]["mean"]
    if not math.isfinite(cells["baseline"][gap]["low"]):
        return
    cost = {method: -of_method["accuracy"]["baseline_change"] for method, of_method in cells.items()}
    change = {method: of_method[gap]["baseline_relative"] for method, of_method in cells.items()}
    helpful = [method for method, metric in holds if metric == gap and change[method] <= -LEAST_REDUCTION]
    cheap = [method for method in helpful if cost[method] <= LARGEST_COST]
    name, chance = GAPS[gap], f" (gap of all rows {base:.3f}; a fair model would show {floor:.3f} by chance)"
    if base <= NEAR_FLOOR * floor:
        yield f"no selection of rows helps here: {name} is near what a fair model shows by chance{chance}"
    elif cheap:
        best = min(cheap, key=change.get)
        balanced = 100 * cells[best]["balanced_accuracy"]["baseline_change"]
        yield (f"at a cost of at most 1 point, {name} is lowered most by {best}, {100 * change[best]:+.0f} % at "
               f"{-100 * cost[best]:+.1f} points (balanced accuracy {balanced:+.1f}){chance}")
    elif helpful:
        best = min(helpful, key=cost.get)
        yield (f"{name} is lowered by a quarter only at a cost of more than 1 point; at the least cost by {best}, "
               f"{100 * change[best]:+.0f} % for {100 * cost[best]:.2f} points{chance}")
    else:
        yield f"no selection of rows helps here: none lowers {name} by a quarter beyond chance{chance}"


def accuracy(cells, holds):
    """Returns which selection raises the accuracy most."""
    change = {method: cells[method]["accuracy"]["baseline_change"] for method, metric in holds if metric == "accuracy"}
    best = max(change, key=change.get, default=None)
    if best is None or change[best] <= 0:
        return "no selection of rows raises it here beyond chance"
    low, high = (cells[best]["accuracy"][f"baseline_change_{end}"] for end in ("low", "high"))
    return f"raised most by {best}, {100 * change[best]:+.2f} points [{100 * low:+.2f}, {100 * high:+.2f}]"
