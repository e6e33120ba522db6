"""The verdict of a report: the results of a folder in sentences."""
import math

from ..files import has_gaps, summary_of
from ..methods import METHODS, NO_GROUPS, spoken
from ..plots import scaling, sweep as sweeps
from ..tables.comparison import relative, signed
from ..tables.results import MAIN, best_of, evaluated, main_of_sweep, main_of_training, within

ENOUGH = 0.8  # efficiency that is worth the cores


def listed(words):
    """Returns "a, b and c"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def count(number, thing):
    return f"{number:,} {thing}{'s' * (number != 1)}"


def in_words(methods):
    """Returns the names of methods, given as "greedy" or, with numbers of splits, as "greedy 3, roh 1"."""
    parts = (part.partition(" ") for part in methods.split(", "))
    return ", ".join((f"{number} of " if number else "") + (spoken(name) if name in METHODS else name)
                     for name, _, number in parts)


def readable(finding):
    """Returns the text of a finding of `metasieve evaluate`, with the names of its methods for readers."""
    text, methods = finding.text.removeprefix("WARNING: "), getattr(finding, "method", "")
    return signed(text.replace(methods, in_words(methods), 1) if methods else text)


def sources_of(folder):
    """Returns [(source, {method: {metric: cell}})] of all evaluations."""
    return [panel for evaluation in folder.of("evaluation") for panel in summary_of(evaluation).items()]


def ours(methods):
    """Returns the method of metasieve that the verdict is about; None if none was evaluated."""
    return next((method for method in sweeps.PREFERRED if method in methods), None)


def direction(cell):
    """Returns 1 or -1 if a change is beyond chance, else 0; always 0 without an interval."""
    low, high = cell["baseline_change_low"], cell["baseline_change_high"]
    return 1 if low > 0 else -1 if high < 0 else 0


def on_source(source, methods):
    """Returns a sentence on one source: accuracy and equalised-odds gap against training on all rows."""
    method = ours(methods)
    accuracy, gap = (methods[method].get(metric) for metric in ("accuracy", "eo_gap"))
    base = methods["baseline"]
    if accuracy is None or math.isnan(accuracy["mean"]):
        return f"On {source}, {spoken(method)} cannot be compared with training on all rows."
    word = {1: "more accurate than", -1: "less accurate than", 0: "as accurate, within chance, as"}[direction(accuracy)]
    change, low, high = (f"{100 * accuracy[f'baseline_change{end}']:+.1f}" for end in ("", "_low", "_high"))
    interval = "no interval" if math.isnan(accuracy["baseline_change_low"]) else f"95 % interval {low} to {high}"
    text = signed(f"On {source}, {spoken(method)} is {word} training on all rows: {accuracy['mean']:.3f} against "
                  f"{base['accuracy']['mean']:.3f} ({change} points, {interval})")
    if gap is None:
        return f"{text}."
    if math.isnan(gap["mean"]):
        return text + "; its equalised-odds gap is undefined."
    fair = {-1: "it is fairer", 1: "it is less fair", 0: "it is no fairer beyond chance"}[direction(gap)]
    return text + (f"; {fair}: the equalised-odds gap is {gap['mean']:.3f} instead of {base['eo_gap']['mean']:.3f} "
                   f"({relative(gap)}).")


def on_many(panels):
    """Returns one sentence on many sources."""
    cells = [methods[ours(methods)] for _, methods in panels]
    accurate = [direction(one["accuracy"]) for one in cells if "accuracy" in one]
    fair = [direction(one["eo_gap"]) for one in cells if "eo_gap" in one]
    text = (f"Of {len(panels)} sources, metasieve is more accurate than training on all rows on {accurate.count(1)}, "
            f"less accurate on {accurate.count(-1)}, and as accurate within chance on {accurate.count(0)}")
    return text + (f"; its equalised-odds gap is smaller beyond chance on {fair.count(-1)}, and larger on "
                   f"{fair.count(1)}." if fair else ".")


def on_missing_groups(folder):
    """Returns [a sentence]: where fairness is not in question; [] if all data have groups."""
    known = {source: has_gaps(methods) for source, methods in sources_of(folder)}
    known |= {one.path.name: main_of_training(one) == MAIN for one in folder.trainings}
    for sweep in folder.of("sweep"):
        points = sweep.table("points")
        known[sweep.path.name] = main_of_sweep(points, evaluated(points)) == MAIN
    without = [name for name, has_groups in known.items() if not has_groups]
    if len(without) < len(known):
        return [f"On {listed(without)}, {NO_GROUPS}."] if without else []
    return [f"{NO_GROUPS.capitalize()}."] if without else []


def on_training(training):
    """Returns a sentence on one training: its iterations and its validation."""
    rows = training.table("validation").to_dict("records")
    iterations = len(training.table("history"))
    tasks = training.config.get("suite", {}).get("tasks")
    so_far = " so far" if training.type == "checkpoint" else ""
    text = f"The policy of {training.path.name} was trained for {count(iterations, 'iteration')}{so_far}"
    text += f" on {tasks} tasks" if tasks else ""
    if not rows:
        return text + "; no validation tasks were set apart."
    first, last = rows[0], rows[-1]
    untrained = first["iteration"] == 0 and len(rows) > 1
    parts = [f"{name} {last[metric]:.3f} (" + (f"untrained {first[metric]:.3f}, " if untrained else "")
             + f"all rows {last[f'baseline_{metric}']:.3f})"
             for metric, name in (("accuracy", "accuracy"), ("eo_gap", "equalised-odds gap"))
             if metric in main_of_training(training)]
    return f"{text}; on the validation tasks it reaches {listed(parts)}."


def at_point(points, method, metric):
    point = best_of(points, method, metric)
    if point is None:
        return []
    settings = ", ".join(f"{key} {sweeps.shown(point[key])}" for key in sweeps.keys_of(points))
    return [f"the {'highest' if metric == 'accuracy' else 'lowest'} {MAIN[metric]} of {spoken(method)} is "
            f"{within(point, method, metric)} at point {point['index']}" + (f" ({settings})" if settings else "")]


def on_sweep(sweep):
    points = sweep.table("points")
    done, method = (points["state"] == "done").sum(), evaluated(points)
    best = [text for metric in main_of_sweep(points, method) for text in at_point(points, method, metric)]
    return f"{done} of {count(len(points), 'point')} of the sweep are done" + (f"; {listed(best)}." if best else ".")


def on_scaling(contents):
    """Returns the recommendation of a scaling study, a sentence for each kind."""
    study = scaling.studied(contents)
    if study.parameters is None:
        return ["In the scaling study every training had more threads than cores: its figures mean little."]
    return [f"Scaling, {scaling.recommendation(study.summary, study.parameters, kind, ENOUGH).rstrip('.')}."
            for kind in study.summary[study.summary["oversubscribed"] == 0]["kind"].unique()]


def verdict(folder):
    """Returns the results as a list of sentences."""
    panels = [(source, methods) for source, methods in sources_of(folder) if ours(methods) and "baseline" in methods]
    said = [on_source(*panel) for panel in panels] if len(panels) <= 3 else [on_many(panels)]
    said += [on_sweep(sweep) for sweep in folder.of("sweep")]
    for contents in folder.of("scaling"):
        said += on_scaling(contents)
    said += [on_training(training) for training in folder.trainings]
    said += on_missing_groups(folder)
    if not said:
        held = listed([f"{one.path.name} ({one.type})" for one in folder.contents])
        said = [f"This folder holds {held}: nothing was trained or evaluated."]
    return said
