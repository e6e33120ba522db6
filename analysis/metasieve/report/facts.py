"""Facts of a run: files, machines and settings, and the commands that repeat it."""
import math
import re
import shlex

from ..files import summary_of
from ..tables.rendering import Table

UNKNOWN = "not recorded"
TYPES = {"suite": "tasks", "dataset": "data set", "policy": "policy", "checkpoint": "checkpoint of a training",
         "results": "training", "evaluation": "evaluation", "scores": "scores of rows", "scaling": "scaling study",
         "sweep": "sweep"}
TRAINING = {"suite.tasks": "tasks", "suite.validation_tasks": "of these for validation", "suite.mixture": "families",
            "suite.seed": "seed of the tasks", "policy.features": "meta-features", "policy.hidden": "hidden units",
            "policy.keep": "share of rows kept", "inner.method": "inner gradients",
            "inner.use_group": "final model sees the group", "meta.iterations": "iterations",
            "meta.batch": "tasks in a batch", "meta.learning_rate": "learning rate", "meta.fairness": "fairness",
            "meta.fairness_weight": "weight of fairness", "meta.seed": "seed of the training"}
FEATURE_SETS = {"seed10": "basic", "full16": "full", "context27": "context",
                "relative28": "relative", "fair56": "fair"}  # as in files -> as in configurations
EVALUATION = {"evaluate.splits": "splits of a data set", "evaluate.corruption": "corruption of the training labels",
              "evaluate.label_noise": "labels flipped for the test",
              "evaluate.rounds": "rounds of selection",
              "evaluate.adapt_steps": "steps of adaptation",
              "evaluate.adapt_fairness_weight": "weight of fairness in adapting"}


def text(value):
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def duration(seconds):
    if seconds is None or math.isnan(seconds):
        return UNKNOWN
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s"


def moment(value):
    """Returns a time in a readable form."""
    return str(value).replace("T", " ").replace("Z", " UTC") if value else UNKNOWN


def commit_of(contents):
    """Returns (commit, whether the sources had uncommitted changes); "" if the commit is unknown."""
    commit = str(contents.attributes.get("git_commit", "unknown"))
    return commit.removesuffix("-dirty").replace("unknown", ""), commit.endswith("-dirty")


# ----------------------------------------------------------------------------------------------------- machines

def last_session(contents):
    """Returns {field: value} of the last start of a training; empty for other files."""
    rows = contents.table("sessions").to_dict("records") if "sessions" in contents else []
    return rows[-1] if rows else {}


def job(contents):
    """Returns {ranks, threads, nodes, hosts, processor, seconds} as far as the file records them."""
    session = last_session(contents)
    known = {"hosts": session.get("host"), **session} | contents.attributes
    if session and "seconds" not in contents.attributes:
        known["seconds"] = float(contents.table("sessions")["seconds"].sum())
    return {name: known[name] for name in ("ranks", "threads", "nodes", "hosts", "processor", "seconds")
            if known.get(name) not in (None, "", 0)}


def workers(known):
    """Returns "2 ranks x 1 thread on 1 node"."""
    if "ranks" not in known or "threads" not in known:
        return UNKNOWN
    ranks, threads = int(known["ranks"]), int(known["threads"])
    nodes = f" on {int(known['nodes'])} node{'s' * (known['nodes'] != 1)}" if "nodes" in known else ""
    return f"{ranks} rank{'s' * (ranks != 1)} × {threads} thread{'s' * (threads != 1)}{nodes}"


def files_table(folder):
    rows = []
    for one in folder.contents:
        known = job(one)
        machine = "; ".join(text(known[name]) for name in ("hosts", "processor") if name in known)
        commit, changed = commit_of(one)
        rows.append([one.path.name, TYPES[one.type], str(one.attributes.get("created_by", UNKNOWN)),
                     commit[:12] + " with changes" * changed or UNKNOWN, moment(one.attributes.get("created")),
                     machine or UNKNOWN, workers(known), duration(known.get("seconds"))])
    note = " Tasks and policies do not record when and where they were made: their bytes must not depend on it." \
        if folder.of("suite", "policy") else ""
    return Table(["file", "what it is", "made by", "commit", "when", "machine", "ranks and threads", "time"], rows,
                 f"The files of this report.{note}")


def sessions_table(training):
    """Returns a row for each start or resumption of a training."""
    rows = []
    for row in training.table("sessions").to_dict("records") if "sessions" in training else []:
        iterations = f"{row['first_iteration']} to {row['last_iteration']}"
        rows.append([iterations, moment(row.get("started")), str(row.get("host") or UNKNOWN),
                     workers({name: value for name, value in row.items() if value}), duration(row["seconds"])])
    return Table(["iterations", "started", "host", "ranks and threads", "time"], rows,
                 f"{training.path.name}: each time that it was started or resumed.")


# ----------------------------------------------------------------------------------------------------- settings

def settings(folder):
    """Returns [(words, key, value)] of the most important settings; where files differ, with their names."""
    found = []
    for keys, files in ((TRAINING, folder.trainings or folder.of("sweep", "scaling") or folder.of("suite")),
                        (EVALUATION, folder.of("evaluation") or folder.of("sweep"))):
        for key, words in keys.items():
            section, name = key.split(".")
            values = {}
            for one in files:
                swept = one.config.get("sweep", {}).get(key) if one.type == "sweep" else None
                value = f"swept: {swept}" if swept else one.config.get(section, {}).get(name)
                if value is not None:
                    value = FEATURE_SETS.get(value, value)
                    values.setdefault(re.sub(r",(?! )", ", ", value), []).append(one.path.name)
            if values:
                found.append((words, key, next(iter(values)) if len(values) == 1 else "; ".join(
                    f"{value} ({', '.join(names)})" for value, names in values.items())))
    return found


def configurations(folder):
    """Returns {configuration text: names of the files that it made}."""
    found = {}
    for one in folder.contents:
        if one.config and one.type in COMMANDS:
            found.setdefault(str(one.attributes["config"]), []).append(one.path.name)
    return found


# ----------------------------------------------------------------------------------------------------- commands

def word(name):
    """Returns a file's name for the shell; a variable at its beginning stays unquoted."""
    folder, slash, last = name.partition("/")
    return f"{folder}/{shlex.quote(last)}" if slash and folder in ("$OLD", "$NEW") else \
        name if name.startswith("$") else shlex.quote(name)


def option(name, values):
    return f" --{name} {' '.join(map(word, values))}"


def evaluate_words(folder, one):
    """Returns the options of `metasieve evaluate`; names that the files do not record are in capitals."""
    summary = summary_of(one)
    cells = [cell for methods in summary.values() for metrics in methods.values() for cell in metrics.values()]
    policies = [f"$NEW/{policy.path.name}" for policy in folder.of("policy")]
    words = option("policy", policies if len(policies) == max((cell.get("policies", 1) for cell in cells), default=1)
                   else ["POLICY.h5"])
    if any(f"family.{source}" in one.config for source in summary):
        tasks = sum(max(cell["splits"] for metrics in methods.values() for cell in metrics.values())
                    for methods in summary.values())
        suites = [f"$NEW/{suite.path.name}" for suite in folder.of("suite") if len(suite.table("metadata")) == tasks]
        words += option("suite", suites if len(suites) == 1 else ["SUITE.h5"])
    else:
        here = {dataset.path.stem: f"$OLD/{dataset.path.name}" for dataset in folder.of("dataset")}
        words += option("dataset", [here.get(source, f"{source}.h5") for source in summary])
    return words + " --frontier" * ("frontier" in one)


COMMANDS = {"suite": lambda folder, one: "generate", "results": lambda folder, one: "train",
            "checkpoint": lambda folder, one: "train --resume", "sweep": lambda folder, one: "sweep",
            "scaling": lambda folder, one: "scaling",
            "evaluation": lambda folder, one: "evaluate" + evaluate_words(folder, one)}
TAKE_OUT = "import h5py, sys; print(h5py.File(sys.argv[1]).attrs[\"config\"].decode())"


def commands(folder):
    """Returns shell commands that make the files again."""
    made = [one for kind in COMMANDS for one in folder.of(kind) if one.config]
    commits = [commit for commit, _ in map(commit_of, made) if commit]
    lines = [f"git checkout {shlex.quote(commit)}" for commit in commits[:1]]
    lines += ["cmake --preset release && cmake --build build",
              f"OLD={shlex.quote(str(folder.path))} NEW=runs/again   # this folder, and one for the new files",
              "mkdir -p $NEW"]
    for one in made:
        known, old, ini = job(one), f"$OLD/{one.path.name}", f"$NEW/{one.path.with_suffix('.ini').name}"
        threads = f"OMP_NUM_THREADS={int(known['threads'])} " if "threads" in known else ""
        output = {"suite": f"$NEW/{one.path.name}", "evaluation": f"$NEW/{one.path.name}",
                  "checkpoint": "$OLD"}.get(one.type, "$NEW")
        lines += ["", f"# {one.path.name}: {TYPES[one.type]}" + ", resumed" * (one.type == "checkpoint"),
                  f"python3 -c '{TAKE_OUT}' {word(old)} > {word(ini)}",
                  f"{threads}mpirun -n {int(known.get('ranks', 2))} build/src/metasieve "
                  + COMMANDS[one.type](folder, one) + option("config", [ini]) + option("output", [output])]
        lines += ["build/src/metasieve sweep --output $NEW --collect"] if one.type == "sweep" else []
    return lines
