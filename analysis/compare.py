#!/usr/bin/env python3
"""The whole comparison on real data in one command: imports the data sets, evaluates every method on each, once with
a final model that sees the group and once with one that does not, and makes tables and plots of it.

    analysis/compare.py --source ../shared/data --output runs/compare

leaves in OUTPUT: the data sets; comparison_aware.h5 and comparison_blind.h5 (what `metasieve evaluate` wrote, with its
words in .log); comparison.csv and comparison.md; the pictures comparison_aware and comparison_blind, with --frontier
also frontier_aware and frontier_blind, as PNG, SVG and CSV. Those of an earlier run are removed before the first data
set is read, and comparison.md and comparison.csv are written last: if they are there, all is there, and of one run.

Exit codes: 0 done; 2 usage; 3 bad or unreadable data; else that of metasieve.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

from metasieve_analysis import comparison, comparison_report, files, frontier, style  # first: says what is missing
from metasieve_analysis.comparison_report import AWARENESS

import import_dataset
import pandas as pd

ROOT = pathlib.Path(__file__).resolve().parents[1]
KNOWN = {"compas": ["compas"], "adult": ["adult"], "german": ["german"], "adult_official": ["adult", "--official"],
         "roh": ["roh"]}
RAW = {name: [known.file] for name, known in import_dataset.KNOWN.items()} | {
    "adult_official": ["adult.data", "adult.test"], "roh": [f"roh2021/{name}.npy" for name in import_dataset.ROH_FILES]}
PICTURE = ("png", "svg", "csv")
RESULTS = ["comparison.md", "comparison.csv", *(f"{name}_{half}.{kind}" for half in AWARENESS for name, kinds in (
    ("comparison", ("h5", "log", *PICTURE)), ("frontier", PICTURE)) for kind in kinds)]


class Failed(Exception):
    """metasieve's exit code."""


# ------------------------------------------------------------------------------------------------------ running

def remove_results(output):
    """What an earlier run left: it must not be taken for the result of a run that fails. The data sets stay."""
    old = [name for name in RESULTS if (output / name).exists()]
    for name in old:
        (output / name).unlink()
    if old:
        print(f"removed from {output} what an earlier run left: {', '.join(old)}")


def import_known(options):
    """Paths of the data sets asked for; one whose raw file is missing is named and left out."""
    paths = []
    for name in options.data:
        kind, *more = KNOWN[name]
        missing = [file for file in RAW[name] if not (options.source / file).exists()]
        if missing:
            print(f"{name} is left out: {options.source / missing[0]} is not there")
            continue
        paths.append(options.output / f"{name}.h5")
        import_dataset.run([kind, *more, "--source", str(options.source), "--output", str(paths[-1])])
    return paths


def meaning(path):
    """Label 1 and group 1 of a data set, in its own words."""
    with files.opened(path) as file:
        words = [file.attrs.get(name, b"?") for name in ("positive_label", "group_name")]
    label, group = (word.decode() if isinstance(word, bytes) else word for word in words)
    return f"Label 1: {label}. Group 1: {group}."


def mpi_environment(ranks):
    """As jobs/bootstrap.sh has it; what the caller has set stays, and in a SLURM job the site decides."""
    environment = dict(os.environ)
    if "SLURM_JOB_ID" in environment:
        return environment
    cores = len(os.sched_getaffinity(0))
    environment.setdefault("OMP_NUM_THREADS", str(max(1, cores // ranks)))
    if os.getuid() == 0:
        environment.setdefault("OMPI_ALLOW_RUN_AS_ROOT", "1")
        environment.setdefault("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
    if cores <= 4 or ranks > cores:
        environment.setdefault("OMPI_MCA_rmaps_base_oversubscribe", "1")
        environment.setdefault("OMPI_MCA_hwloc_base_binding_policy", "none")
    if ranks > cores:
        environment.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")
    return environment


def evaluate(options, awareness, policies, datasets):
    """Runs `metasieve evaluate`; its standard output goes to a log. @raises Failed"""
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
    return files.read(output, "evaluation")


def check_policy(path, awareness):
    """@raises ValueError if the policy was made for the other half of the comparison"""
    with files.opened(path) as file:
        sees = file.attrs.get("use_group")
    if sees is not None and bool(sees) != (awareness == "aware"):
        option = "--policy" if sees else "--blind-policy"
        raise ValueError(f"{path}: is a policy for a model that {'sees' if sees else 'does not see'} the group; "
                         f"give it with {option}")


def halves(options):
    """{awareness: policies}. A default policy that is not there leaves its half out."""
    found = {}
    for awareness, given, default in (("aware", options.policy, "policy.h5"),
                                      ("blind", options.blind_policy, "policy_blind.h5")):
        path = ROOT / "configs" / default
        if not given and not path.exists():
            print(f"no comparison where {AWARENESS[awareness]}: {os.path.relpath(path)} is not there")
            continue
        found[awareness] = given or [path]
        for policy in found[awareness]:
            check_policy(policy, awareness)
    return found


# ------------------------------------------------------------------------------------------------- command line

class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"compare.py: {message} (--help tells more)", file=sys.stderr)
        sys.exit(2)


def parse():
    parser = Parser(prog="compare.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    path = pathlib.Path
    parser.add_argument("--source", type=path, required=True, metavar="DIR", help="folder of the published files")
    parser.add_argument("--output", type=path, required=True, metavar="DIR")
    parser.add_argument("--data", nargs="*", choices=KNOWN, default=["compas", "adult", "german"], metavar="NAME",
                        help=f"of {', '.join(KNOWN)}; default: the first three")
    parser.add_argument("--dataset", nargs="+", action="extend", type=path, default=[], metavar="F.h5",
                        help="more data sets, as import_dataset.py csv makes them")
    parser.add_argument("--policy", nargs="+", action="extend", type=path, metavar="P.h5",
                        help="of models that see the group; default configs/policy.h5")
    parser.add_argument("--blind-policy", nargs="+", action="extend", type=path, metavar="P.h5",
                        help="of models that do not; default configs/policy_blind.h5")
    parser.add_argument("--config", type=path, default=ROOT / "configs/compare.ini", metavar="F.ini")
    parser.add_argument("--set", action="append", default=[], metavar="section.key=value", help="wins over --config")
    parser.add_argument("--metasieve", type=path, default=ROOT / "build/src/metasieve", metavar="FILE")
    parser.add_argument("--ranks", type=int, default=2, help="of mpirun; 1: without it")
    parser.add_argument("--frontier", action="store_true", help="accuracy against the gap over methods' settings too")
    options = parser.parse_args()
    if options.ranks < 1:
        parser.error(f"--ranks {options.ranks}: must be 1 or more")
    for setting in options.set:
        if not re.match(r"[a-z_]+(\.[a-z_]+)+=", setting, re.IGNORECASE):
            parser.error(f"--set {setting}: must be section.key=value")
    for name in options.data:
        for dataset in options.dataset:
            if os.path.realpath(dataset) == os.path.realpath(options.output / f"{name}.h5"):
                parser.error(f"--dataset {dataset}: --data {name} would write over it; leave one of them out")
    for needed in (options.metasieve, options.config):
        if not needed.is_file():
            parser.error(f"{os.path.relpath(needed)} is not there")
    return options


def plots(output, awareness, with_frontier):
    """Draws one half. Returns the Markdown that shows the pictures."""
    evaluation, gap = output / f"comparison_{awareness}.h5", "eo_gap"
    panels = comparison.panels_of([evaluation])
    drawn = {"comparison": (comparison.plot(panels, gap), comparison.table_of(panels))}
    if with_frontier:
        panels = frontier.read_panels([evaluation], gap)
        drawn["frontier"] = frontier.plot(panels, gap), frontier.table_of(panels, gap)
    for name, (figure, table) in drawn.items():
        style.save(figure, table, output / f"{name}_{awareness}")
    return [f"![Accuracy against the EO gap, {AWARENESS[awareness]}]({name}_{awareness}.png)" for name in drawn]


def compare(options):
    policies = halves(options)
    if not policies:
        raise ValueError("there is no policy; give --policy or --blind-policy")
    options.output.mkdir(parents=True, exist_ok=True)
    remove_results(options.output)
    datasets = import_known(options) + options.dataset
    if not datasets:
        raise ValueError("there is no data set")
    meanings = {path.stem: meaning(path) for path in datasets}
    evaluations, blocks, records = [], [], []
    for awareness, given in policies.items():
        tables = evaluate(options, awareness, given, datasets)
        evaluations.append(tables)
        blocks.append(comparison_report.report(awareness, tables, meanings))
        print(f"\n{blocks[-1]}", flush=True)
        blocks += plots(options.output, awareness, options.frontier)
        records += comparison_report.wide(awareness, tables)
    text = "\n\n".join([comparison_report.introduction(evaluations), *blocks]) + "\n"
    files.write(options.output / "comparison.csv",
                lambda part: pd.DataFrame(records).to_csv(part, index=False))
    files.write(options.output / "comparison.md", lambda part: part.write_text(text, encoding="utf-8"))
    print(f"\nwrote {options.output / 'comparison.md'} (which says how to read it), comparison.csv, and the plots")


def main():
    options = parse()
    try:
        compare(options)
    except Failed as error:  # metasieve has said why
        return error.args[0]
    except import_dataset.UsageError as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    except (OSError, ValueError, KeyError, import_dataset.DataError) as error:
        print(f"compare.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
