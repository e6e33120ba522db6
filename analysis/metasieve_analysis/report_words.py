"""What a report says in sentences: the verdict on a folder's results, and the warnings."""
import math
import re

from . import scaling, sweeps
from .comparison_report import FINDINGS, relative, signed
from .files import summary_of
from .result_tables import MAIN, best_of, evaluated, spoken, within
from .style import METHODS

SUSPECT = ("constant", "undefined", "failed")  # findings that are warnings
ENOUGH = 0.8  # efficiency that is worth the cores


def listed(words):
    """"a, b and c"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def count(number, thing):
    return f"{number:,} {thing}{'s' * (number != 1)}"


# ------------------------------------------------------------------------------------------------------ verdict

def sources_of(folder):
    """[(source, {method: {metric: cell}})] of all evaluations."""
    return [panel for evaluation in folder.of("evaluation") for panel in summary_of(evaluation).items()]


def ours(methods):
    """The method of metasieve that a verdict is about; None if it was not evaluated."""
    return next((method for method in sweeps.PREFERRED if method in methods), None)


def direction(cell):
    """1 or -1 where a change is beyond chance, else 0."""
    low, high = cell["baseline_change_low"], cell["baseline_change_high"]
    return 1 if low > 0 else -1 if high < 0 else 0


def on_source(source, methods):
    """A sentence on one source: accuracy and equalised-odds gap against training on all rows."""
    method = ours(methods)
    accuracy, gap = (methods[method].get(metric) for metric in ("accuracy", "eo_gap"))
    base = methods.get("baseline", {})
    if accuracy is None or math.isnan(accuracy["mean"]) or not base:
        return f"On {source}, {spoken(method)} cannot be compared with training on all rows."
    word = {1: "more accurate than", -1: "less accurate than", 0: "as accurate, within chance, as"}[direction(accuracy)]
    change, low, high = (f"{100 * accuracy[f'baseline_change{end}']:+.1f}" for end in ("", "_low", "_high"))
    text = signed(f"On {source}, {spoken(method)} is {word} training on all rows: {accuracy['mean']:.3f} against "
                  f"{base['accuracy']['mean']:.3f} ({change} points, 95 % interval {low} to {high})")
    if gap is None or math.isnan(gap["mean"]):
        return text + "; its equalised-odds gap is undefined."
    fair = {-1: "fairer", 1: "less fair", 0: "as fair, within chance"}[direction(gap)]
    return text + (f"; it is {fair}: the equalised-odds gap is {gap['mean']:.3f} instead of "
                   f"{base['eo_gap']['mean']:.3f} ({relative(gap)}).")


def on_many(panels):
    """One sentence on more sources than a reader wants a sentence each of."""
    cells = [methods[ours(methods)] for _, methods in panels]
    accurate = [direction(one["accuracy"]) for one in cells if "accuracy" in one]
    fair = [direction(one["eo_gap"]) for one in cells if "eo_gap" in one]
    return (f"Of {len(panels)} sources, metasieve is more accurate than training on all rows on {accurate.count(1)}, less "
            f"accurate on {accurate.count(-1)}, and as accurate within chance on {accurate.count(0)}; its equalised-odds "
            f"gap is smaller beyond chance on {fair.count(-1)}, and larger on {fair.count(1)}.")


def on_training(training):
    """A sentence on one training: how far it went, and what the validation tasks say."""
    rows = training.table("validation").to_dict("records")
    iterations = len(training.table("history"))
    tasks = training.config.get("suite", {}).get("tasks")
    text = f"The policy of {training.path.name} was trained for {count(iterations, 'iteration')}"
    text += f" on {tasks} tasks" if tasks else ""
    if not rows:
        return text + "; no validation tasks were set apart."
    first, last = rows[0], rows[-1]
    untrained = first["iteration"] == 0 and len(rows) > 1
    parts = [f"{name} {last[metric]:.3f} (" + (f"untrained {first[metric]:.3f}, " if untrained else "")
             + f"all rows {last[f'baseline_{metric}']:.3f})"
             for metric, name in (("accuracy", "accuracy"), ("eo_gap", "equalised-odds gap"))]
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
    best = [text for metric in MAIN for text in at_point(points, method, metric)]
    return f"{done} of {count(len(points), 'point')} of the sweep are done" + (f"; {listed(best)}." if best else ".")


def on_scaling(contents):
    """What the study recommends, a sentence a kind."""
    study = scaling.studied(contents)
    if study.parameters is None:
        return ["In the scaling study every training had more threads than cores: its figures mean little."]
    return [f"Scaling, {scaling.recommendation(study.summary, study.parameters, kind, ENOUGH).rstrip('.')}."
            for kind in study.summary[study.summary["oversubscribed"] == 0]["kind"].unique()]


def verdict(folder):
    """The results in sentences."""
    panels = [(source, methods) for source, methods in sources_of(folder) if ours(methods)]
    said = [on_source(*panel) for panel in panels] if len(panels) <= 3 else [on_many(panels)]
    said += [on_sweep(sweep) for sweep in folder.of("sweep")]
    for contents in folder.of("scaling"):
        said += on_scaling(contents)
    said += [on_training(training) for training in folder.trainings]
    if not said:
        said = [f"This folder holds {listed([f'a {one.type} ({one.path.name})' for one in folder.contents])}: nothing was "
                "trained or evaluated."]
    return said


# ----------------------------------------------------------------------------------------------------- warnings

def readable(finding):
    """What `metasieve evaluate` found, with its methods in words."""
    names = "|".join(sorted(METHODS, key=len, reverse=True))
    words = re.sub(rf"\b({names})\b(?: (\d+)\b)?",
                   lambda found: (f"{found[2]} of " if found[2] else "") + spoken(found[1]), finding)
    return signed(words.removeprefix("WARNING: "))


def of_evaluation(evaluation):
    """[(title, text)]: suspect findings, metrics without a mean, and fits that failed."""
    found = []
    findings = evaluation.table("findings") if "findings" in evaluation else None
    for row in findings.itertuples() if findings is not None else ():
        if row.kind in SUSPECT:
            title = "Constant predictor" if row.kind == "constant" else FINDINGS[row.kind]
            found.append((f"{title} on {row.source}", readable(row.text)))
    for source, methods in summary_of(evaluation).items():
        bare = {spoken(method): [MAIN[metric] for metric in MAIN if metric in cells and math.isnan(cells[metric]["mean"])]
                for method, cells in methods.items()}
        texts = [f"{listed(metrics)} of {method}" for method, metrics in bare.items() if metrics]
        if texts:
            found.append((f"Undefined on {source}", f"in no split or task is there a value for {'; '.join(texts)}"))
    failed = int(evaluation.table("evaluation")["failed"].sum()) if "evaluation" in evaluation else 0
    if failed and (findings is None or "failed" not in set(findings["kind"])):
        found.append(("Failed fits", f"{count(failed, 'fit')} of {evaluation.path.name} failed and are left out of the "
                      "means"))
    return found


def of_training(training):
    """[(title, text)]: not ended, tasks that failed, gradients that were clipped."""
    found = []
    if training.type == "checkpoint":
        step, wanted = training.attributes.get("step", 0), training.config.get("meta", {}).get("iterations", "?")
        found.append(("Unfinished training", f"{training.path.name} is at iteration {step} of {wanted}; there is no "
                      "results file. The same train command with --resume goes on"))
    history = training.table("history")
    failed = int(history["failed_tasks"].sum()) if "failed_tasks" in history else 0
    if failed:
        kinds = training.table("failures") if "failures" in training else None
        named_tasks = "" if kinds is None or kinds.empty else ": " + "; ".join(
            f"{kind}, {count(len(rows), 'task')} (first {rows['task_id'].iloc[0]})"
            for kind, rows in kinds.groupby("kind", sort=False))
        found.append(("Failed tasks", f"in {training.path.name} a task was left out of its batch {count(failed, 'time')}"
                      f"{named_tasks}"))
    clipped = int(history["clipped_tasks"].sum()) if "clipped_tasks" in history else 0
    if clipped:
        found.append(("Clipped tasks", f"in {training.path.name} a task's gradient was clipped {count(clipped, 'time')}"))
    return found


def of_sweep(sweep):
    """[(title, text)]: points that failed, with what they said, and points that are not done."""
    points = sweep.table("points")
    found = []
    for point in points[points["state"] == "failed"].to_dict("records"):
        status = sweep.path.parent / "points" / point["hash"] / "status.txt"
        lines = status.read_text(errors="replace").splitlines() if status.is_file() else []
        said = next((line.partition("=")[2].strip() for line in lines if line.startswith("message")), "")
        settings = ", ".join(f"{key} {sweeps.shown(point[key])}" for key in sweeps.keys_of(points))
        found.append(("Failed point", f"point {point['index']} of {sweep.path.name} ({settings})"
                      + (f": {said}" if said else "")))
    left = int((~points["state"].isin(("done", "failed"))).sum())
    if left:
        found.append(("Unfinished sweep", f"{count(left, 'point')} of {sweep.path.name} are not done; the same sweep "
                      "command goes on"))
    return found


def of_scaling(contents):
    rows = contents.table("points")
    crowded = rows[rows["oversubscribed"] != 0]
    shapes = [f"{ranks} x {threads}" for ranks, threads in dict.fromkeys(zip(crowded["ranks"], crowded["threads"]))]
    return [("Oversubscription", f"in {contents.path.name} these ranks x threads had more threads than cores: "
             f"{', '.join(shapes)}; their times mean little and no model is fitted to them")] if shapes else []


def of_builds(folder):
    """Files that different builds made are not of one run."""
    commits = {}
    for one in folder.contents:
        if one.attributes.get("git_commit"):
            commits.setdefault(str(one.attributes["git_commit"])[:10], []).append(one.path.name)
    told = "; ".join(f"{commit}: {', '.join(names)}" for commit, names in commits.items())
    return [("More than one build", f"the files were made by different commits of metasieve ({told})")] \
        if len(commits) > 1 else []


def warnings(folder):
    """[(title, text)] of all that a reader should know before believing the figures."""
    found = [("File", text) for text in folder.problems]
    for files, look in ((folder.of("evaluation"), of_evaluation), (folder.trainings, of_training),
                        (folder.of("sweep"), of_sweep), (folder.of("scaling"), of_scaling)):
        for one in files:
            found += look(one)
    return found + of_builds(folder)
