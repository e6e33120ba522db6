"""The whole comparison on real data in one command.

Imports the data sets and evaluates every method on each: once with a final model that sees the group ("aware") and once
with one that does not ("blind"). Writes into the output folder

    the data set files; comparison_aware.h5 and comparison_blind.h5 of `metasieve evaluate`, with its output in .log;
    the pictures comparison_aware and comparison_blind, with --frontier also frontier_aware and frontier_blind;
    comparison.csv and comparison.md.

With --model the final models are scikit-learn's (final_models.py) instead of that of `metasieve evaluate`. Then each
model has comparison_MODEL.csv (a row for each metric), comparison_MODEL.md and the pictures comparison_MODEL_aware and
comparison_MODEL_blind.

The results of an earlier run are removed first, and the comparison.csv and comparison.md are written last: if they
exist, all results are complete and of one run.
"""
import argparse
import functools
import os
import pathlib
import subprocess

import pandas as pd

from . import files, read
from .commands import UsageError
from .importing import published
from .methods import FINAL_MODELS
from .plots import comparison, frontier, style
from .tables import comparison as report
from .tables.comparison import AWARENESS, TRAINED

ROOT = pathlib.Path(__file__).resolve().parents[2]
RAW = {name: [known.file] for name, known in published.KNOWN.items()} | {
    "adult_official": ["adult.data", "adult.test"], "roh": [f"roh2021/{name}.npy" for name in published.ROH_FILES]}
PICTURE = ("png", "svg", "csv")


class Failed(Exception):
    """metasieve ended with this exit code, and has printed why."""


def results_of(models):
    """Returns the names of the files that a run writes, but for data sets. `models`: of --model."""
    reports = [f"comparison_{model}" for model in models] or ["comparison"]
    halves = dict.fromkeys(reports, PICTURE) if models else {"comparison": ("h5", "log", *PICTURE), "frontier": PICTURE}
    return [*(f"{name}.{kind}" for name in reports for kind in ("md", "csv")),
            *(f"{name}_{half}.{kind}" for half in AWARENESS for name, kinds in halves.items() for kind in kinds)]


def remove_results(output, models):
    """Removes the results of an earlier run, so that a run that fails leaves none. Data sets stay."""
    old = [name for name in results_of(models) if (output / name).exists()]
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
    data = read(path, "dataset")
    label, group = (data.attributes.get(name, "?") for name in ("positive_label", "group_name"))
    names = files.names_of_groups(data)
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
    for name in ("frontier", "config") if options.model else ():
        if getattr(options, name) != options.parser.get_default(name):
            raise UsageError(f"--{name}: has no effect with --model")
    for needed in () if options.model else (options.metasieve, options.config):
        if not needed.is_file():
            raise UsageError(f"{os.path.relpath(needed)} does not exist")


def save_pictures(drawn, output, awareness, is_grouped):
    """Saves {name: (figure, table)}. Returns the Markdown that shows the pictures."""
    for name, (figure, table) in drawn.items():
        style.save(figure, table, output / f"{name}_{awareness}")
    words = f"Accuracy against the EO gap, {AWARENESS[awareness]}" if is_grouped else \
        f"Accuracy, {TRAINED[awareness]}"
    return [f"![{words}]({name}_{awareness}.png)" for name in drawn]


def draw(output, awareness, with_frontier):
    """Draws one half of the evaluations. Returns the Markdown that shows the pictures."""
    evaluation, gap = output / f"comparison_{awareness}.h5", "eo_gap"
    panels = comparison.panels_of([evaluation])
    is_grouped = any(files.has_gaps(methods) for _, methods in panels)
    drawn = {"comparison": (comparison.plot(panels, gap), comparison.table_of(panels))}
    if with_frontier and is_grouped:
        panels = frontier.read_panels([evaluation], gap)
        drawn["frontier"] = frontier.plot(panels, gap), frontier.table_of(panels, gap)
    return save_pictures(drawn, output, awareness, is_grouped)


class Comparison:
    """One comparison.md and .csv, half by half."""

    def __init__(self, output, model=None):
        """model: final model of scikit-learn, or None for that of `metasieve evaluate`."""
        self.model, self.path = model, output / (f"comparison_{model}" if model else "comparison")
        self.halves, self.blocks, self.records = [], [], []

    def add(self, awareness, tables, meanings, pictures):
        """Adds a half and prints it. `tables`: of an evaluation. `pictures`: Markdown that shows them."""
        self.halves.append(tables)
        self.blocks.append(report.report(awareness, tables, meanings, report.OF_FINAL_MODELS if self.model else
                                         report.COLUMNS))
        print(f"\n{self.blocks[-1]}", flush=True)
        self.blocks += pictures
        self.records += (report.tidy if self.model else report.wide)(awareness, tables)

    def savers(self):
        """Returns the files and functions that write them, as files.write takes them."""
        text = "\n\n".join([report.introduction(self.halves, self.model), *self.blocks]) + "\n"
        return {self.path.with_suffix(".csv"): functools.partial(pd.DataFrame(self.records).to_csv, index=False),
                self.path.with_suffix(".md"): lambda part: part.write_text(text, encoding="utf-8")}


def compare_by_program(options, policies, datasets, meanings):
    """Runs `metasieve evaluate`. Returns [Comparison]."""
    found = Comparison(options.output)
    for awareness, given in policies.items():
        tables = evaluate(options, awareness, given, datasets)
        found.add(awareness, tables, meanings, draw(options.output, awareness, options.frontier))
    return [found]


def compare_by_models(options, judge, policies, datasets, meanings):
    """Trains final models of scikit-learn. `judge`: final_models.judge with its settings. Returns [Comparison]."""
    found = {model: Comparison(options.output, model) for model in dict.fromkeys(options.model)}
    for awareness, given in policies.items():
        for model, tables in judge(list(found), datasets, awareness == "aware", given).items():
            panels = list(files.summary_of(tables).items())
            drawn = {found[model].path.name: (comparison.plot(panels), comparison.table_of(panels))}
            is_grouped = any(files.has_gaps(methods) for _, methods in panels)
            print(f"\nFinal model: {FINAL_MODELS[model][0]}")
            found[model].add(awareness, tables, meanings, save_pictures(drawn, options.output, awareness, is_grouped))
    return list(found.values())


def compare(options):
    check_options(options)
    compared = compare_by_program
    if options.model:
        from . import final_models  # refuses where scikit-learn or metasieve._core is missing
        judge = functools.partial(final_models.judge, settings=final_models.settings_of(options.set))
        compared = functools.partial(compare_by_models, judge=judge)
    policies = halves(options)
    options.output.mkdir(parents=True, exist_ok=True)
    remove_results(options.output, options.model)
    datasets = import_known(options) + options.dataset
    if not datasets:
        raise ValueError("there is no data set")
    meanings = {path.stem: meaning(path) for path in datasets}
    done = compared(options, policies=policies, datasets=datasets, meanings=meanings)
    files.write({path: save for found in done for path, save in found.savers().items()})
    for found in done:
        print(f"\nwrote {found.path}.md (which explains itself), {found.path.name}.csv and the pictures")


def run(options):
    """Runs `compare`. Returns 0, or metasieve's exit code."""
    try:
        compare(options)
    except Failed as error:
        return error.args[0]
    return 0
