"""Warnings: what a reader of a report should know before trusting the figures."""
import math

from ..files import findings_of, summary_of
from ..methods import spoken
from ..plots import sweep as sweeps
from ..tables.comparison import FINDINGS
from ..tables.results import MAIN, unit
from .facts import commit_of
from .words import count, listed, readable

SUSPECT = ("constant", "undefined", "failed", "small")  # findings that are warnings


def of_evaluation(evaluation):
    """Returns [(title, text)]: suspect findings, metrics without a mean, and failed fits."""
    findings, suspect = findings_of(evaluation), {}
    for row in findings:
        if row.kind in SUSPECT:
            title = "Constant predictor" if row.kind == "constant" else FINDINGS[row.kind]
            suspect.setdefault(f"{title} on {row.source}", []).append(readable(row))
    found = [(title, "; ".join(texts)) for title, texts in suspect.items()]  # a data set may have many small groups
    for source, methods in summary_of(evaluation).items():
        if max((cells["accuracy"]["splits"] for cells in methods.values() if "accuracy" in cells), default=2) < 2:
            what = unit(evaluation, source).removesuffix("s")
            found.append((f"One {what} only on {source}", "differences may be chance"))
        bare = {method: [words for metric, words in MAIN.items()
                         if metric in cells and math.isnan(cells[metric]["mean"])]
                for method, cells in methods.items()}
        texts = [f"{listed(words)} of {spoken(method)}" for method, words in bare.items() if words]
        if texts:
            found.append((f"Undefined on {source}", f"in no split or task is there a value for {'; '.join(texts)}"))
    failed = int(evaluation.table("evaluation")["failed"].sum()) if "evaluation" in evaluation else 0
    if failed and "failed" not in {row.kind for row in findings}:
        found.append(("Failed fits", f"{count(failed, 'fit')} of {evaluation.path.name} failed and are left out of the "
                      "means"))
    return found


def of_training(training):
    """Returns [(title, text)]: unfinished training, failed tasks, clipped gradients."""
    found = []
    if training.type == "checkpoint":
        step, wanted = training.attributes.get("step", 0), training.config.get("meta", {}).get("iterations", "?")
        found.append(("Unfinished training", f"{training.path.name} is at iteration {step} of {wanted}; there is no "
                      "results file. The same train command with --resume continues it"))
    history = training.table("history")
    failed = int(history["failed_tasks"].sum()) if "failed_tasks" in history else 0
    if failed:
        kinds = training.table("failures") if "failures" in training else None
        named_tasks = "" if kinds is None or kinds.empty else ": " + "; ".join(
            f"{kind}, {count(len(rows), 'task')} (first {rows['task_id'].iloc[0]})"
            for kind, rows in kinds.groupby("kind", sort=False))
        found.append(("Failed tasks", f"in {training.path.name} a task was left out of its batch "
                      f"{count(failed, 'time')}{named_tasks}"))
    clipped = int(history["clipped_tasks"].sum()) if "clipped_tasks" in history else 0
    if clipped:
        found.append(("Clipped tasks", f"in {training.path.name} a task's gradient was clipped "
                      f"{count(clipped, 'time')}"))
    return found


def of_sweep(sweep):
    """Returns [(title, text)]: failed points with their messages, and points that are not done."""
    points = sweep.table("points")
    found = []
    for point in points[points["state"] == "failed"].to_dict("records"):
        status = sweep.path.parent / "points" / point["hash"] / "status.txt"
        lines = status.read_text(errors="replace").splitlines() if status.is_file() else []
        said = next((line.partition("=")[2].strip() for line in lines if line.startswith("message")), "")
        settings = ", ".join(f"{key} {sweeps.shown(point[key])}" for key in sweeps.keys_of(points))
        found.append(("Failed point", f"point {point['index']} of {sweep.path.name} ({settings})"
                      + (f": {said}" if said else "")))
    left = int((~points["state"].isin(("done", "dropped", "failed"))).sum())
    if left:
        found.append(("Unfinished sweep", f"{count(left, 'point')} of {sweep.path.name} are not done; the same sweep "
                      "command continues it"))
    return found


def of_scaling(contents):
    rows = contents.table("points")
    crowded = rows[rows["oversubscribed"] != 0]
    shapes = [f"{ranks} x {threads}" for ranks, threads in dict.fromkeys(zip(crowded["ranks"], crowded["threads"]))]
    return [("Oversubscription", f"in {contents.path.name} these ranks x threads had more threads than cores: "
             f"{', '.join(shapes)}; their times mean little and no model is fitted to them")] if shapes else []


def of_builds(folder):
    """Returns [(title, text)]: files of different builds, and builds with uncommitted changes."""
    commits, changed = {}, []
    for one in folder.contents:
        commit, dirty = commit_of(one)
        if commit:
            commits.setdefault(commit[:10], []).append(one.path.name)
        changed += [one.path.name] if dirty else []
    made_by = "; ".join(f"{commit}: {', '.join(names)}" for commit, names in commits.items())
    found = [("More than one build", f"the files were made by different commits of metasieve ({made_by})")] \
        if len(commits) > 1 else []
    if changed:
        found.append(("Changed sources", f"{listed(changed)}: made by a build with changes that no commit holds; the "
                      "commit alone does not repeat it"))
    return found


def warnings(folder):
    """Returns [(title, text)] of everything in the folder."""
    found = [("File", text) for text in folder.problems]
    for files, look in ((folder.of("evaluation"), of_evaluation), (folder.trainings, of_training),
                        (folder.of("sweep"), of_sweep), (folder.of("scaling"), of_scaling)):
        for one in files:
            found += look(one)
    return found + of_builds(folder)
