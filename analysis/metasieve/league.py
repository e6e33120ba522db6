"""Compares all methods on many tables under several corruptions of the training labels: the league table.

Imports the tables, runs or resumes one evaluation for each corruption, and writes into the output folder

    the data set files, and evaluation_CORRUPTION.h5 of `metasieve evaluate` with its output in .log;
    league.csv, a row for each table, corruption and method; league.md, which explains itself; the picture league.

J = accuracy - weight * gap, in points, is judged as its gain over training on all rows.
"""
import argparse
import pathlib
import re
import subprocess

import numpy as np
import pandas as pd

from . import files, read
from .commands import UsageError
from .compare import Failed, mpi_environment
from .importing import published
from .methods import in_order, named
from .plots import style
from .plots.style import plt
from .statistics import of_splits
from .tables.rendering import Table, markdown

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORACLES = ("oracle", "oracle_penalised")
OURS = "meta_soft"
KEYS = ["corruption", "table", "method"]
METRICS = ["J", "accuracy", "gap", "balanced_accuracy"]  # in points


# ------------------------------------------------------------------------------------------------------- tables

def known_tables(folder):
    """Returns {name: how `import` reads it} of the tables in a folder: published files, CSV files with the columns
    `label` and `group` (yes or no), and data set files."""
    found = {name: {"kind": name, "source": folder} for name, known in published.KNOWN.items()
             if (folder / known.file).exists()}
    for path in sorted(folder.glob("*.csv")):
        header = path.open(encoding="utf-8", errors="replace").readline().strip().split(",")
        if {"label", "group"} <= {name.strip('"') for name in header}:
            found[path.stem] = {"kind": "csv", "file": path}
    return found | {path.stem: {"kind": "h5", "file": path} for path in sorted(folder.glob("*.h5"))}


def chosen_tables(options):
    """Returns {name: how it is read} of --tables, or of all in DIR and in DIR/league. Raises UsageError."""
    known = known_tables(options.folder) | known_tables(options.folder / "league")
    if not known:
        raise UsageError(f"{options.folder}: has no table; must have .csv files with the columns label and group, "
                         "published files, or data set files")
    for name in options.tables:
        if name not in known:
            raise UsageError(f"--tables {name}: {options.folder} has no such table; it has {', '.join(known)}")
    return {name: how for name, how in known.items() if not options.tables or name in options.tables}


def import_table(name, how, output):
    """Returns the path of the data set file, which is made unless it is there."""
    path = how["file"] if how["kind"] == "h5" else output / f"{name}.h5"
    if path.exists():
        return path
    if how["kind"] == "csv":
        from .importing.csv_table import Options, read_table
        from .importing.dataset_file import write
        words = Options(label="label", positive="yes", group="group", group_value="yes")
        write(path, read_table(how["file"], words), argparse.Namespace(**vars(words)))
    else:
        published.run(argparse.Namespace(**how, output=path, official=False))
    return path


# ------------------------------------------------------------------------------------------------------ evaluations

def evaluate(options, corruption, datasets):
    """Runs `metasieve evaluate --resume` unless its result is there. Returns the evaluation. Raises Failed."""
    output = options.output / f"evaluation_{re.sub(r'[^A-Za-z0-9.]+', '_', corruption)}.h5"
    command = ["mpirun", "-n", str(options.ranks)] if options.ranks > 1 else []
    command += [str(options.metasieve), "evaluate", "--policy", *map(str, options.policy), "--dataset",
                *map(str, datasets), "--output", str(output), "--resume", "--evaluate.corruption", corruption,
                "--evaluate.methods", options.methods, "--evaluate.splits", str(options.splits), "--evaluate.seed",
                str(options.seed)]
    for setting in options.set:
        key, value = setting.split("=", 1)
        command += [f"--{key}", value]
    done = output.with_suffix(".command")
    if output.exists() and done.exists() and done.read_text() == " ".join(command):
        print(f"{output}: kept, it was made by the same command")
        return read(output, "evaluation")
    print(f"+ {' '.join(command)}", flush=True)
    with open(output.with_suffix(".log"), "w") as log:
        code = subprocess.run(command, env=mpi_environment(options.ranks), stdin=subprocess.DEVNULL,
                              stdout=log).returncode
    if code != 0:
        raise Failed(code if code > 0 else 128 - code)
    done.write_text(" ".join(command))
    return read(output, "evaluation")


# ------------------------------------------------------------------------------------------------------- statistics

def values_of(evaluation, corruption, options):
    """Returns a data frame with a row for each table, split and method, in points: J, accuracy, gap and balanced
    accuracy, mean over the policies."""
    rows = evaluation.table("evaluation")
    rows = rows[rows["failed"] == 0]
    found = pd.DataFrame({"corruption": corruption, "table": rows["source"], "method": rows["method"],
                          "split": rows["split"], "accuracy": 100 * rows["accuracy"], "gap": 100 * rows[options.gap],
                          "balanced_accuracy": 100 * rows["balanced_accuracy"]})
    found["J"] = found["accuracy"] - options.weight * found["gap"].fillna(0)
    return found.groupby([*KEYS, "split"], sort=False, as_index=False).mean()


def gains_of(values):
    """Returns the rows less those of training on all rows, on the same splits."""
    place = ["corruption", "table", "split"]
    base = values[values["method"] == "baseline"].set_index(place)[METRICS]
    gains = values.set_index(place)
    gains[METRICS] -= base.reindex(gains.index)
    return gains.reset_index()


def table_of(gains):
    """Returns a row for each corruption, table and method: mean gains over the splits, and the rank by J among methods
    that know neither clean labels nor the noise rate."""
    means = gains.groupby(KEYS, sort=False, as_index=False)[METRICS].mean()
    judged = means[~means["method"].isin(ORACLES)]
    means["rank"] = judged.groupby(["corruption", "table"])["J"].rank(ascending=False)
    return means


def critical_difference(methods, tables):
    """Returns the difference of mean ranks beyond which two methods differ at 5 % (Nemenyi; Demsar 2006)."""
    from scipy.stats import studentized_range
    return studentized_range.ppf(0.95, methods, np.inf) / np.sqrt(2) * np.sqrt(methods * (methods + 1) / (6 * tables))


def wins_of(gains, ours, test_over_train):
    """Returns a row for each corruption and other method: tables on which `ours` has the higher mean J, and those where
    the corrected interval of the difference excludes 0."""
    found = []
    for (corruption, method), rows in gains.groupby(["corruption", "method"], sort=False):
        if method in (ours, *ORACLES):
            continue
        counts = {"wins": 0, "sure wins": 0, "losses": 0, "sure losses": 0}
        for table, of_table in rows.groupby("table", sort=False):
            own = gains[(gains["corruption"] == corruption) & (gains["table"] == table) & (gains["method"] == ours)]
            both = own.merge(of_table, on="split")
            estimate = of_splits((both["J_x"] - both["J_y"]).to_numpy(), test_over_train[table])
            counts["wins"] += estimate.mean > 0
            counts["losses"] += estimate.mean < 0
            counts["sure wins"] += estimate.low > 0
            counts["sure losses"] += estimate.high < 0
        found.append({"corruption": corruption, "method": method, "tables": rows["table"].nunique(), **counts})
    return pd.DataFrame(found)


# ------------------------------------------------------------------------------------------------------------ report

def picture(means):
    """Returns a figure with a panel for each corruption: the gain in J of each method on each table, and its mean."""
    corruptions = list(dict.fromkeys(means["corruption"]))
    methods = [name for name in in_order(means["method"].unique()) if name != "baseline"]
    columns = min(len(corruptions), 3)
    lines = -(-len(corruptions) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(3.2 * columns + 2.2, lines * (0.24 * len(methods) + 1.2)),
                                squeeze=False, sharey=True)
    for axis in axes.flat[len(corruptions):]:
        axis.set_visible(False)
    for axis, corruption in zip(axes.flat, corruptions):
        rows = means[means["corruption"] == corruption]
        for place, method in enumerate(methods):
            gains = rows[rows["method"] == method]["J"]
            axis.plot(gains, [place] * len(gains), "o", color=style.GREY, alpha=0.5, markersize=4)
            axis.plot(gains.mean(), place, "d", color=style.ORANGE if method.startswith("meta") else style.BLACK)
        axis.axvline(0, color=style.NOTE, linewidth=0.8)
        axis.set_title(corruption)
        axis.set_xlabel("gain in J, points")
    axes[0, 0].set_yticks(range(len(methods)), [named(method) for method in methods])
    axes[0, 0].invert_yaxis()
    style.below(figure, "A dot is a table, the diamond their mean; 0 is training on all rows.")
    return figure


def summary(means):
    """Returns the paragraphs of the first table: the mean gain in J, and the mean rank, under each corruption."""
    if means["corruption"].nunique() < 2:
        return []
    by_method = means.groupby(["corruption", "method"], sort=False)[["J", "rank"]].mean().unstack("corruption")
    by_method = by_method.reindex(in_order(by_method.index))
    corruptions = list(dict.fromkeys(means["corruption"]))

    def cell(method, corruption):
        gain, rank = by_method.loc[method, ("J", corruption)], by_method.loc[method, ("rank", corruption)]
        return "" if np.isnan(gain) else f"{gain:+.2f}" + ("" if np.isnan(rank) else f" ({rank:.1f})")

    rows = [[named(method), *(cell(method, corruption) for corruption in corruptions)] for method in by_method.index]
    return ["Mean gain in J (mean rank):", markdown(Table(["method", *corruptions], rows))]


def page(means, wins, options):
    """Returns the Markdown of league.md."""
    tables = means["table"].nunique()
    parts = [f"# {tables} tables, {means['corruption'].nunique()} corruptions of the training labels",
             f"J = accuracy - {options.weight:g} x {options.gap.replace('_', ' ')}, in points, is the gain over training "
             f"on all rows: means over {options.splits} random splits of each table (seed {options.seed}). Rank 1 is the "
             "best of the methods that know no clean labels; roh is given the noise rate. Two mean ranks differ at 5 % if "
             "they are a critical difference apart (Nemenyi). The intervals of the pairs are those of Nadeau and Bengio.",
             "![Gain in J of each method on each table](league_picture.png)", *summary(means)]
    for corruption, rows in means.groupby("corruption", sort=False):
        judged = rows[~rows["method"].isin(ORACLES)]
        methods = judged["method"].nunique()
        whole = rows.groupby("method", sort=False)[[*METRICS, "rank"]].mean()
        whole = whole.reindex(in_order(whole.index)).reset_index()
        shown = [[named(row["method"]), *(f"{row[name]:+.2f}" for name in METRICS),
                  "" if np.isnan(row["rank"]) else f"{row['rank']:.2f}"] for _, row in whole.iterrows()]
        header = ["method", "J", "accuracy", "gap", "balanced accuracy", "mean rank"]
        parts += [f"## {corruption}", markdown(Table(header, shown)),
                  f"Critical difference of mean ranks: {critical_difference(methods, rows['table'].nunique()):.2f}."]
        wide = rows.pivot(index="method", columns="table", values="J").reindex(in_order(rows["method"].unique()))
        parts += ["Gain in J on each table:", markdown(Table(["method", *wide.columns], [
            [named(method), *(f"{value:+.1f}" for value in of_method)] for method, of_method in
            zip(wide.index, wide.to_numpy())]))]
        pairs = wins[wins["corruption"] == corruption]
        if len(pairs):
            parts += [f"Tables on which {named(OURS)} has the higher J (beyond chance), and the lower:", markdown(Table(
                ["against", "higher", "lower"], [[named(row["method"]), f"{row['wins']} ({row['sure wins']})",
                                                  f"{row['losses']} ({row['sure losses']})"]
                                                 for _, row in pairs.iterrows()]))]
    return "\n\n".join(parts) + "\n"


def compare(options):
    options.policy = options.policy or [ROOT / "configs/policy.h5"]
    if not options.metasieve.is_file():
        raise UsageError(f"--metasieve {options.metasieve}: does not exist")
    tables = chosen_tables(options)
    options.output.mkdir(parents=True, exist_ok=True)
    for name in ("league.csv", "league.md"):
        (options.output / name).unlink(missing_ok=True)  # written last: if they exist, all results are complete
    datasets = [import_table(name, how, options.output) for name, how in tables.items()]
    ratios = {path.stem: share_of_test(path) for path in datasets}
    values = [values_of(evaluate(options, corruption, datasets), corruption, options)
              for corruption in options.corruptions.split(",")]
    gains = gains_of(pd.concat(values, ignore_index=True))
    means = table_of(gains)
    wins = wins_of(gains, OURS, ratios) if OURS in set(means["method"]) else pd.DataFrame({"corruption": []})
    style.save(picture(means), means, options.output / "league_picture")
    text = page(means, wins, options)
    files.write({options.output / "league.csv": lambda part: means.to_csv(part, index=False),
                 options.output / "league.md": lambda part: part.write_text(text, encoding="utf-8")})
    print(f"wrote {options.output / 'league.md'}, league.csv and the picture")


def share_of_test(path):
    """Returns test rows over training rows of a split: of the file's own part, else of 30 % of the rows."""
    data = read(path, "dataset")
    rows = len(data["y"])
    test = int(data["split"].sum()) if "split" in data else round(0.3 * rows)
    return test / (rows - test)


def run(options):
    """Runs `league`. Returns 0, or metasieve's exit code."""
    try:
        compare(options)
    except Failed as error:
        return error.args[0]
    return 0
