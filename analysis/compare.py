#!/usr/bin/env python3
"""The whole comparison on real data in one command: imports the data sets, evaluates every method on each, once with
a final model that sees the group and once with one that does not, and makes tables and plots of it.

    analysis/compare.py --source ../shared/data --output runs/compare

leaves in OUTPUT: the data sets; comparison_aware.h5 and comparison_blind.h5 (what `metasieve evaluate` wrote, with its
words in .log); comparison.csv and comparison.md; comparison_aware.png, comparison_blind.png, with --frontier also
frontier_aware.png and frontier_blind.png.

Exit codes: 0 done; 2 usage; 3 bad or unreadable data; else that of metasieve.
"""
import argparse
import math
import os
import pathlib
import re
import subprocess
import sys

try:
    import pandas as pd

    import evaluation_file
    import import_dataset
    import plot_comparison
    import plot_frontier
except ImportError as missing:
    print(f"compare.py: {missing}; run it with a Python that has h5py, numpy, pandas and matplotlib (Debian: "
          "/usr/bin/python3)", file=sys.stderr)
    sys.exit(3)

ROOT = pathlib.Path(__file__).resolve().parents[1]
KNOWN = {"compas": ["compas"], "adult": ["adult"], "german": ["german"], "adult_official": ["adult", "--official"]}
AWARENESS = {"aware": "the final model sees the group", "blind": "the final model does not see the group"}
OURS = ("meta_hard", "meta_soft")
NONE = "–"  # undefined


class Failed(Exception):
    """metasieve's exit code."""


# ------------------------------------------------------------------------------------------------------ running

def import_known(options):
    """Paths of the data sets asked for; one whose raw file is missing is named and left out."""
    paths = []
    for name in options.data:
        kind, *more = KNOWN[name]
        raw = [import_dataset.KNOWN[kind].file] + (["adult.test"] if more else [])
        missing = [file for file in raw if not (options.source / file).exists()]
        if missing:
            print(f"{name} is left out: {options.source / missing[0]} is not there")
            continue
        paths.append(options.output / f"{name}.h5")
        import_dataset.run([kind, *more, "--source", str(options.source), "--output", str(paths[-1])])
    return paths


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
    return evaluation_file.read(output)


def check_policy(path, awareness):
    """@raises ValueError if the policy was made for the other half of the comparison"""
    with evaluation_file.opened(path) as file:
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


# ------------------------------------------------------------------------------------------------------- tables

def level(cell, digits=3):
    return NONE if math.isnan(cell["mean"]) else f"{cell['mean']:.{digits}f}"


def points(mean, low, high):
    """A difference of rates in percentage points, with its interval."""
    return NONE if math.isnan(mean) else f"{100 * mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def change(cell):
    return points(cell["baseline_change"], cell["baseline_change_low"], cell["baseline_change_high"])


def relative(cell):
    return NONE if math.isnan(cell["baseline_relative"]) else f"{100 * cell['baseline_relative']:+.0f} %"


# Column, metric, what is shown of it, and whether that is a change (which the baseline has not).
COLUMNS = [("accuracy", "accuracy", level, False), ("change, points [95 %]", "accuracy", change, True),
           ("DP gap", "dp_gap", level, False), ("change", "dp_gap", relative, True),
           ("EO gap", "eo_gap", level, False), ("change", "eo_gap", relative, True),
           ("roh_dp", "roh_dp", level, False), ("roh_eo", "roh_eo", level, False),
           ("balanced accuracy", "balanced_accuracy", level, False), ("positive rate", "positive_rate", level, False),
           ("worst-group accuracy", "worst_group_accuracy", level, False),
           ("noise kept", "noise_rate_selected", level, False)]


def markdown(header, rows):
    """A Markdown table, its columns aligned so that it can be read as it is."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * (widths[0])] + ["-" * (width - 1) + ":" for width in widths[1:]], *rows]
    return "\n".join("| " + " | ".join(text.ljust(width) if i == 0 else text.rjust(width)
                                       for i, (text, width) in enumerate(zip(line, widths))) + " |" for line in lines)


def methods_table(methods):
    """Every method of one data set against the fit on all rows."""
    rows = []
    for method, cells in methods.items():
        row = [method]
        for _, metric, show, is_change in COLUMNS:
            row.append(show(cells[metric]) if metric in cells and not (is_change and method == "baseline") else "")
        rows.append(row)
    return markdown(["method", *(column[0] for column in COLUMNS)], rows)


def paired_table(paired):
    """metasieve's methods less each peer on the same splits; empty if there is none."""
    metrics = [metric for metric in ("accuracy", "dp_gap", "eo_gap") if (paired["metric"] == metric).any()]
    rows = []
    for (method, peer), group in paired[paired["method"].isin(OURS)].groupby(["method", "peer"], sort=False):
        row = [f"{method} - {peer}"]
        for metric in metrics:
            cells = group[group["metric"] == metric].to_dict("records")
            row += [points(*(cells[0][key] for key in ("difference", "low", "high"))) if cells else NONE,
                    f"{100 * cells[0]['won']:.0f} %" if cells and not math.isnan(cells[0]["won"]) else NONE]
        rows.append(row)
    header = [word for metric in metrics for word in (f"{metric}, points [95 %]", "won")]
    return markdown(["difference", *header], rows) if rows else ""


def report(awareness, tables):
    """Markdown of one half: for each data set its methods, paired differences and findings."""
    blocks = []
    for source, methods in evaluation_file.summary_of(tables).items():
        cell = next(iter(methods.values()))["accuracy"]
        policies = max(cells["accuracy"].get("policies", 1) for cells in methods.values())
        blocks += [f"## {source}: {AWARENESS[awareness]}",
                   f"{cell['splits']} splits" + (f", {policies} policies" if policies > 1 else "")
                   + "; changes are against `baseline`, the fit on all rows.", methods_table(methods)]
        if "paired" in tables:
            table = paired_table(tables["paired"][tables["paired"]["source"] == source])
            if table:
                blocks += ["Paired over the splits; won: share of splits where metasieve is better, ties half.", table]
        if "findings" in tables:
            found = tables["findings"][tables["findings"]["source"] == source]
            if len(found):
                blocks.append("\n".join(f"- {row.kind}: {row.text}" for row in found.itertuples()))
    return "\n\n".join(blocks)


def wide(awareness, tables):
    """One record a data set and method, with every metric's mean, interval and change."""
    endings = {"mean": "", "low": "_low", "high": "_high", "baseline_change": "_change",
               "baseline_change_low": "_change_low", "baseline_change_high": "_change_high",
               "baseline_relative": "_relative", "policy_sd": "_policy_sd"}
    records = []
    for source, methods in evaluation_file.summary_of(tables).items():
        for method, cells in methods.items():
            record = {"data": source, "model": awareness, "method": method,
                      "splits": max(cell["splits"] for cell in cells.values())}
            for metric, cell in cells.items():
                record |= {metric + ending: cell[key] for key, ending in endings.items() if key in cell}
            records.append(record)
    return records


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
    for needed in (options.metasieve, options.config):
        if not needed.is_file():
            parser.error(f"{os.path.relpath(needed)} is not there")
    return options


def compare(options):
    policies = halves(options)
    if not policies:
        raise ValueError("there is no policy; give --policy or --blind-policy")
    options.output.mkdir(parents=True, exist_ok=True)
    datasets = import_known(options) + options.dataset
    if not datasets:
        raise ValueError("there is no data set")
    texts, records = ["# Comparison on real data"], []
    for awareness, files in policies.items():
        tables = evaluate(options, awareness, files, datasets)
        texts.append(report(awareness, tables))
        print(f"\n{texts[-1]}", flush=True)
        records += wide(awareness, tables)
        panels = list(evaluation_file.summary_of(tables).items())
        plot_comparison.save(plot_comparison.plot(panels, "eo_gap"), options.output / f"comparison_{awareness}.png")
        if "frontier" in tables:
            plot_comparison.save(plot_frontier.plot(tables, "eo_gap"), options.output / f"frontier_{awareness}.png")
    text = "\n\n".join(texts) + "\n"
    evaluation_file.write(options.output / "comparison.md", lambda part: part.write_text(text, encoding="utf-8"))
    evaluation_file.write(options.output / "comparison.csv",
                          lambda part: pd.DataFrame(records).to_csv(part, index=False))
    print(f"\nwrote {options.output / 'comparison.md'}, comparison.csv, and the plots")


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
