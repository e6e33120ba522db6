"""The whole comparison on real data in one command.

Imports the data sets and evaluates every method on each: once with a final model that sees the group ("aware") and once
with one that does not ("blind"). Writes into the output folder

    the data set files; comparison_aware.h5 and comparison_blind.h5 of `metasieve evaluate`, with its output in .log;
    the pictures comparison_aware and comparison_blind, with --frontier also frontier_aware and frontier_blind;
    comparison.csv and comparison.md.

The results of an earlier run are removed first, and comparison.csv and comparison.md are written last: if they exist,
all results are complete and of one run.
"""
import argparse
import os
import pathlib
import subprocess

import pandas as pd

from . import files, read
from .commands import UsageError
from .importing import published
from .plots import comparison, frontier, style
from .tables import comparison as report
from .tables.comparison import AWARENESS, TRAINED

ROOT = pathlib.Path(__file__).resolve().parents[2]
RAW = {name: [known.file] for name, known in published.KNOWN.items()} | {
    "adult_official": ["adult.data", "adult.test"], "roh": [f"roh2021/{name}.npy" for name in published.ROH_FILES]}
PICTURE = ("png", "svg", "csv")
RESULTS = ["comparison.md", "comparison.csv", *(f"{name}_{half}.{kind}" for half in AWARENESS for name, kinds in (
    ("comparison", ("h5", "log", *PICTURE)), ("frontier", PICTURE)) for kind in kinds)]


class Failed(Exception):
    """metasieve ended with this exit code, and has printed why."""


def remove_results(output):
    """Removes the results of an earlier run, so that a run that fails leaves none. Data sets stay."""
    old = [name for name in RESULTS if (output / name).exists()]
    for name in old:
        (output / name).unlink()
    if old:
        print(f"removed the results of an earlier run from {output}: {', '.join(old)}")


def import_known(options):
    """Imports the published data sets. Returns their paths; one without its raw file is left out."""
    paths = []
    for name in options.data:
        missing = [file for file in RAW[name] if not (options.source / file).exists()]
        if missing:
            print(f"{name} is left out: {options.source / missing[0]} does not exist")
            continue
        paths.append(options.output / f"{name}.h5")
        published.run(argparse.Namespace(kind=name.removesuffix("_official"), source=options.source, output=paths[-1],
                                         official=name.endswith("_official")))
    return paths


def meaning(path):
    """Returns a sentence that explains label 1 and the groups of a data set."""
    with files.opened(path) as file:
        label, group = (files.plain(file.attrs.get(name, "?")) for name in ("positive_label", "group_name"))
        default = ["", group] if "z" in file else ["all"]
        names = files.plain(file.attrs["group_names"]) if "group_names" in file.attrs else default
    groups = f" Group 1: {group}." if group in names[1:] else f" Groups: {'; '.join(names)}."
    return f"Label 1: {label}.{groups if len(names) > 1 else ''}"


def mpi_environment(ranks):
    """Returns the environment for mpirun, as jobs/bootstrap.sh sets it; in a SLURM job the site decides."""
    environment = dict(os.environ)
    if "SLURM_JOB_ID" in environment:
        return environment
    cores = len(os.sched_getaffinity(0))
    wanted = {"OMP_NUM_THREADS": max(1, cores // ranks)}
    if os.getuid() == 0:
        wanted |= {"OMPI_ALLOW_RUN_AS_ROOT": 1, "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": 1}
    if cores <= 4 or ranks > cores:
        wanted |= {"OMPI_MCA_rmaps_base_oversubscribe": 1, "OMPI_MCA_hwloc_base_binding_policy": "none"}
    if ranks > cores:
        wanted["OMPI_MCA_mpi_yield_when_idle"] = 1
    return {name: str(value) for name, value in wanted.items()} | environment


def evaluate(options, awareness, policies, datasets):
    """Runs `metasieve evaluate`; its output goes to a log. Returns the evaluation. Raises Failed."""
    output = options.output / f"comparison_{awareness}.h5"
    command = ["mpirun", "-n", str(options.ranks)] if options.ranks > 1 else []
    command += [str(options.metasieve), "evaluate", "--config", str(options.config)]
    command += ["--policy", *map(str, policies), "--dataset", *map(str, datasets), "--output", str(output)]
    for setting in options.set:
        key, value = setting.split("=", 1)
        command += [f"--{key}", value]
    command += ["--frontier"] if options.frontier else []
    print(f"\n+ {' '.join(command)}", flush=True)
    with open(output.with_suffix(".log"), "w") as log:
        code = subprocess.run(command, env=mpi_environment(options.ranks), stdin=subprocess.DEVNULL,
                              stdout=log).returncode
    if code != 0:
        raise Failed(code if code > 0 else 128 - code)
    return read(output, "evaluation")


def check_policy(path, awareness):
    """Raises ValueError if the policy was trained for the other half of the comparison."""
    with files.opened(path) as file:
        sees = file.attrs.get("use_group")
    if sees is not None and bool(sees) != (awareness == "aware"):
        option = "--policy" if sees else "--blind-policy"
        raise ValueError(f"{path}: is a policy for a model that {'sees' if sees else 'does not see'} the group; "
                         f"give it with {option}")


def halves(options):
    """Returns {awareness: policies}. A half without a policy is left out. Raises ValueError if both are."""
    found = {}
    for awareness, given, default in (("aware", options.policy, "policy.h5"),
                                      ("blind", options.blind_policy, "policy_blind.h5")):
        path = ROOT / "configs" / default
        if not given and not path.exists():
            print(f"no comparison where {AWARENESS[awareness]}: {os.path.relpath(path)} does not exist")
            continue
        found[awareness] = given or [path]
        for policy in found[awareness]:
            check_policy(policy, awareness)
    if not found:
        raise ValueError("there is no policy; give --policy or --blind-policy")
    return found


def check_options(options):
    """Raises UsageError."""
    for name in options.data:
        for dataset in options.dataset:
            if os.path.realpath(dataset) == os.path.realpath(options.output / f"{name}.h5"):
                raise UsageError(f"--dataset {dataset}: --data {name} would replace it; leave one of them out")
    for needed in (options.metasieve, options.config):
        if not needed.is_file():
            raise UsageError(f"{os.path.relpath(needed)} does not exist")


def draw(output, awareness, with_frontier):
    """Draws one half. Returns the Markdown that shows the pictures."""
    evaluation, gap = output / f"comparison_{awareness}.h5", "eo_gap"
    panels = comparison.panels_of([evaluation])
    is_grouped = any(files.has_gaps(methods) for _, methods in panels)
    drawn = {"comparison": (comparison.plot(panels, gap), comparison.table_of(panels))}
    if with_frontier and is_grouped:
        panels = frontier.read_panels([evaluation], gap)
        drawn["frontier"] = frontier.plot(panels, gap), frontier.table_of(panels, gap)
    for name, (figure, table) in drawn.items():
        style.save(figure, table, output / f"{name}_{awareness}")
    words = f"Accuracy against the EO gap, {AWARENESS[awareness]}" if is_grouped else \
        f"Accuracy, {TRAINED[awareness]}"
    return [f"![{words}]({name}_{awareness}.png)" for name in drawn]


def compare(options):
    check_options(options)
    policies = halves(options)
    options.output.mkdir(parents=True, exist_ok=True)
    remove_results(options.output)
    datasets = import_known(options) + options.dataset
    if not datasets:
        raise ValueError("there is no data set")
    meanings = {path.stem: meaning(path) for path in datasets}
    evaluations, blocks, records = [], [], []
    for awareness, given in policies.items():
        evaluations.append(evaluate(options, awareness, given, datasets))
        blocks.append(report.report(awareness, evaluations[-1], meanings))
        print(f"\n{blocks[-1]}", flush=True)
        blocks += draw(options.output, awareness, options.frontier)
        records += report.wide(awareness, evaluations[-1])
    text = "\n\n".join([report.introduction(evaluations), *blocks]) + "\n"
    files.write({options.output / "comparison.csv": lambda part: pd.DataFrame(records).to_csv(part, index=False),
                 options.output / "comparison.md": lambda part: part.write_text(text, encoding="utf-8")})
    print(f"\nwrote {options.output / 'comparison.md'} (which explains itself), comparison.csv and the pictures")


def run(options):
    """Runs `compare`. Returns 0, or metasieve's exit code."""
    try:
        compare(options)
    except Failed as error:
        return error.args[0]
    return 0
