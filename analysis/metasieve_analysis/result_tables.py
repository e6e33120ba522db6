"""The results in each type of file as tables that a paper or a page can show."""
import math

from . import scaling
from .comparison_report import COLUMNS, OURS, level, methods_table, paired_table
from .files import summary_of
from .style import method_style
from .tables import NONE, Table

MAIN = {"accuracy": "accuracy", "dp_gap": "DP gap", "eo_gap": "EO gap"}


def named(method):
    return method_style(method)[0]


def interval(mean, low, high):
    """A level with its 95 % interval."""
    return NONE if math.isnan(mean) else f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def level_within(cell):
    return interval(cell["mean"], cell["low"], cell["high"])


# As in comparison.md, the main levels with their intervals.
WITH_INTERVALS = [(f"{title} [95 %]", metric, level_within, change) if show is level and metric in MAIN
                  else (title, metric, show, change)
                  for title, metric, show, change in COLUMNS if not metric.startswith("roh_")]

PAPER = [column for column in WITH_INTERVALS if column[1] not in ("worst_group_accuracy", "positive_rate")]


def emphasised(methods):
    return tuple(named(method) for method in OURS if method in methods)


def of_evaluation(evaluation, columns=WITH_INTERVALS):
    """{name: table}: for each source its methods, and the paired differences if there are any."""
    found = {}
    for source, methods in summary_of(evaluation).items():
        cells = next(iter(methods.values()))
        splits = max(cell["splits"] for cell in next(iter(methods.values())).values())
        table = methods_table(methods, columns, named,
                              f"{source}: means over {splits} tasks or splits, judged on clean test labels. Changes "
                              "are against all rows; in brackets 95 % intervals.")
        table.emphasised = emphasised(methods)
        found[source] = table
        if "paired" in evaluation and cells:
            paired = evaluation.table("paired")
            table = paired_table(paired[paired["source"] == source], named,
                                 f"{source}: differences on the same tasks or splits, and the share of them that "
                                 "metasieve's method wins (ties half).")
            if table.rows:
                found[f"{source}_paired"] = table
    return found


def of_training(results):
    """{"validation": table}: all rows, the untrained policy and the last one, on the validation tasks."""
    rows = results.table("validation").to_dict("records")
    if not rows:
        return {}
    metrics = {**MAIN, "noise_rate_selected": "noise kept"}

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


def swept_keys(points):
    """Columns of a sweep's points that were swept."""
    columns = list(points)
    return columns[columns.index("state") + 1:columns.index("seconds")]


def shown(value):
    """A swept value as a person writes it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def methods_of(points):
    """Methods that a sweep was evaluated by, those of metasieve first."""
    found = [column.removesuffix(".accuracy.mean") for column in points if column.endswith(".accuracy.mean")]
    return [method for method in OURS if method in found] + [method for method in found if method not in OURS]


def within(point, method, metric):
    return interval(*(point.get(f"{method}.{metric}.{part}", math.nan) for part in ("mean", "low", "high")))


def of_sweep(sweep):
    """{"points": table, "best": table}; the latter if a point was evaluated."""
    points = sweep.table("points")
    keys, methods = swept_keys(points), methods_of(points)
    method = methods[0] if methods else None
    rows = [[str(point["index"]), *(shown(point[key]) for key in keys), point["state"],
             *(within(point, method, metric) for metric in MAIN if method),
             NONE if math.isnan(point["seconds"]) else f"{point['seconds']:.0f}"]
            for point in points.to_dict("records")]
    header = ["point", *keys, "state", *(f"{name} [95 %]" for name in MAIN.values() if method), "seconds"]
    what = f", evaluated by {named(method)}" if method else ""
    best = of_best(points, keys, [name for name in methods if name in OURS] or methods[-1:])
    found = {"points": Table(header, rows, f"The points of the sweep{what}; in brackets 95 % intervals.")}
    return found | ({"best": best} if best.rows else {})


def of_best(points, keys, methods):
    """For each method and metric the point with the best mean, beside all rows at that point."""
    rows = []
    for method in methods:
        for metric, name in MAIN.items():
            column = f"{method}.{metric}.mean"
            if column not in points or points[column].isna().all():
                continue
            place = points[column].idxmax() if metric == "accuracy" else points[column].idxmin()
            point = points.loc[place]
            rows.append([f"{'highest' if metric == 'accuracy' else 'lowest'} {name}, {named(method)}",
                         within(point, method, metric), str(point["index"]), *(shown(point[key]) for key in keys),
                         within(point, "baseline", metric)])
    return Table(["best", "mean [95 %]", "point", *keys, "all rows [95 %]"], rows,
                 "The best point by each metric. Of many points one is best by chance too: look at the intervals.")


def of_scaling(contents):
    """{"scaling": table}: a row a number of ranks and threads."""
    rows = [[f"{row['kind']}, {row['ranks']} x {row['threads']}", str(row["nodes"]), str(row["cores"]),
             f"{row['seconds_per_iteration']:.3g}",
             f"{row['efficiency']:.2f} [{row['efficiency_least']:.2f}, {row['efficiency_most']:.2f}]",
             f"{row['speed_up']:.2f}", "yes" if row["oversubscribed"] else "no"]
            for row in scaling.studied(contents).summary.to_dict("records")]
    return {"scaling": Table(["ranks x threads", "nodes", "cores", "s an iteration", "efficiency [least, most]",
                              "speed-up", "oversubscribed"], rows,
                             "Medians of the repeats; efficiency against the fewest cores of its kind.")}


def of(contents):
    """{name: table} for a paper: what a file's results are; empty for a file without results."""
    known = {"evaluation": lambda: of_evaluation(contents, PAPER), "results": lambda: of_training(contents),
             "checkpoint": lambda: of_training(contents), "sweep": lambda: of_sweep(contents),
             "scaling": lambda: of_scaling(contents)}
    return known[contents.type]() if contents.type in known else {}
