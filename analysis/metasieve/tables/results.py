"""Tables for a paper or a page, one function for each type of file."""
import math

from ..files import group_names_of, lacks_gaps, summary_of
from ..groups import groups_of
from ..methods import named, spoken
from ..plots import scaling, sweep as sweeps
from .comparison import COLUMNS, OURS, detection_rows, level, methods_table, paired_of, paired_table, share_kept
from .groups import groups_table
from .rendering import NONE, Table, interval

MAIN = {"accuracy": "accuracy", "dp_gap": "DP gap", "eo_gap": "EO gap"}
WITHOUT_GROUPS = {"accuracy": "accuracy"}


def level_within(cell):
    return interval(cell["mean"], cell["low"], cell["high"])


# Columns of comparison.md, the main levels with their intervals.
WITH_INTERVALS = [(f"{title} [95 %]", metric, level_within, change) if show is level and metric in MAIN
                  else (title, metric, show, change)
                  for title, metric, show, change in COLUMNS if not metric.startswith("roh_")]

PAPER = [column for column in WITH_INTERVALS if column[1] not in ("worst_group_accuracy", "positive_rate")]


def emphasised(methods):
    return tuple(named(method) for method in OURS if method in methods)


def unit(evaluation, source):
    """Returns "tasks" or "splits", whichever the means of a source are over."""
    return "tasks" if f"family.{source}" in evaluation.config else "splits"


def heading(evaluation, source, methods):
    """Returns the caption of one source: what its means are over."""
    first = next(iter(methods.values()))
    policies = max(cells["accuracy"].get("policies", 1) for cells in methods.values())
    text = f"{source}: means over {first['accuracy']['splits']} {unit(evaluation, source)}"
    text += f" and {policies} policies" * (policies > 1)
    flipped = methods.get("baseline", {}).get("noise_rate_selected", {"mean": math.nan})
    if not math.isnan(flipped["mean"]):
        text += f"; {share_kept(flipped)} of the training labels are flipped"
    labels = "clean test labels" if unit(evaluation, source) == "tasks" else "the test labels of the data set"
    return text + f". Judged on {labels}; changes are against all rows; in brackets 95 % intervals."


def of_evaluation(evaluation, columns=WITH_INTERVALS):
    """Returns {name: table}: for each source its methods and, where there are any, groups, detection and paired
    differences."""
    found, groups, names = {}, groups_of(evaluation), group_names_of(evaluation)
    for source, methods in summary_of(evaluation).items():
        found[source] = methods_table(methods, columns, named, heading(evaluation, source, methods))
        found[source].emphasised = emphasised(methods)
        if source in groups:
            found[f"{source}_groups"] = groups_table(source, groups[source])
        rows = evaluation.table("detection") if "detection" in evaluation else None
        detected = [[what, *(text for pair in zip(*cells) for text in pair)] for what, *cells in detection_rows(
            rows[rows["source"] == source], names.get(source, {}))] if rows is not None else []
        if detected:
            found[f"{source}_detection"] = Table(
                ["rows", "precision", "by chance", "recall", "by chance"], detected,
                f"{source}: flipped labels among the rows that {spoken('meta_hard')} rejects. Precision is the share "
                "of the rejected rows that are flipped, recall the share of the flipped rows that are rejected.")
        if "paired" in evaluation:
            paired = paired_table(paired_of(evaluation, source, methods), named,
                                  f"{source}: differences on the same {unit(evaluation, source)}, and the share of "
                                  "them that metasieve's method wins (ties half).")
            found |= {f"{source}_paired": paired} if paired.rows else {}
    return found


def main_of_training(results):
    """Returns the main metrics of a training: no gaps where no task has groups."""
    return WITHOUT_GROUPS if lacks_gaps(results.table("validation"), "{}", "baseline_{}") else MAIN


def of_training(results):
    """Returns {"validation": table}: all rows, the untrained policy and the last one, on the validation tasks."""
    rows = results.table("validation").to_dict("records")
    if not rows:
        return {}
    metrics = {**main_of_training(results), "noise_rate_selected": "noise kept"}

    def line(name, row, prefix=""):
        known = {**row, "baseline_noise_rate_selected": row.get("noise_rate_all", math.nan)}
        return [name, *(level({"mean": known.get(prefix + metric, math.nan)}) for metric in metrics)]

    first, last = rows[0], rows[-1]
    lines = [line("all rows", last, "baseline_"), line(f"policy after {last['iteration']} iterations", last)]
    if first["iteration"] == 0 and len(rows) > 1:
        lines.insert(1, line("untrained policy", first))
    return {"validation": Table(["", *metrics.values()], lines,
                                "Means over the validation tasks, with the rows that the policy keeps (hard).",
                                (lines[-1][0],))}


def evaluated(points):
    """Returns the method whose metrics a sweep's tables show; None if nothing was evaluated."""
    try:
        return sweeps.method_of(points)
    except ValueError:
        return None


def main_of_sweep(points, method):
    """Returns the main metrics of a sweep: no gaps where no task has groups."""
    return WITHOUT_GROUPS if lacks_gaps(points, f"{method}.{{}}.mean", "baseline.{}.mean") else MAIN


def within(point, method, metric):
    return interval(*(point.get(f"{method}.{metric}.{part}", math.nan) for part in ("mean", "low", "high")))


def of_sweep(sweep):
    """Returns {"best": table, "points": table}; without "best" if no point was evaluated."""
    points = sweep.table("points")
    keys, method = sweeps.keys_of(points), evaluated(points)
    main = main_of_sweep(points, method) if method else {}
    rows = [[str(point["index"]), *(sweeps.shown(point[key]) for key in keys), point["state"],
             *(within(point, method, metric) for metric in main),
             NONE if math.isnan(point["seconds"]) else f"{point['seconds']:.0f}"]
            for point in points.to_dict("records")]
    header = ["point", *keys, "state", *(f"{name} [95 %]" for name in main.values()), "seconds"]
    what = f", evaluated by {spoken(method)}" if method else ""
    best = of_best(points, keys, method)
    spent = f" Together {points['core_seconds'].sum() / 3600:.3g} core-hours." if "core_seconds" in points else ""
    table = Table(header, rows, f"The points of the sweep{what}; in brackets 95 % intervals.{spent}")
    return {"best": best, "points": table} if best.rows else {"points": table}


def best_of(points, method, metric):
    """Returns the done point with the highest accuracy or the lowest gap; None where all are undefined."""
    values = points.loc[points["state"] == "done"].get(f"{method}.{metric}.mean")
    if values is None or values.isna().all():
        return None
    return points.loc[values.idxmax() if metric == "accuracy" else values.idxmin()]


def of_best(points, keys, method):
    """Returns the best point by each metric, beside all rows at that point."""
    rows = []
    for metric, name in main_of_sweep(points, method).items():
        point = best_of(points, method, metric)
        if point is not None:
            rows.append([f"{'highest' if metric == 'accuracy' else 'lowest'} {name}", within(point, method, metric),
                         str(point["index"]), *(sweeps.shown(point[key]) for key in keys),
                         within(point, "baseline", metric)])
    return Table(["best", "mean [95 %]", "point", *keys, "all rows [95 %]"], rows,
                 "The best point by each metric. With many points one is the best by chance: look at the intervals.")


def of_scaling(contents):
    """Returns {"scaling": table} with a row for each number of ranks and threads."""
    rows = [[f"{row['kind']}, {row['ranks']} x {row['threads']}", str(row["nodes"]), str(row["cores"]),
             f"{row['seconds_per_iteration']:.3g}",
             f"{row['efficiency']:.2f} [{row['efficiency_least']:.2f}, {row['efficiency_most']:.2f}]",
             f"{row['speed_up']:.2f}", "yes" if row["oversubscribed"] else "no"]
            for row in scaling.studied(contents).summary.to_dict("records")]
    return {"scaling": Table(["ranks x threads", "nodes", "cores", "s an iteration", "efficiency [least, most]",
                              "speed-up", "oversubscribed"], rows,
                             "Medians of the repeats; efficiency against the fewest cores of its kind.")}


def of(contents):
    """Returns {name: table} for a paper; empty for a file without results."""
    known = {"evaluation": lambda: of_evaluation(contents, PAPER), "results": lambda: of_training(contents),
             "checkpoint": lambda: of_training(contents), "sweep": lambda: of_sweep(contents),
             "scaling": lambda: of_scaling(contents)}
    return known[contents.type]() if contents.type in known else {}
