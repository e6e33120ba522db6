"""Parallel efficiency of a training, its times by phase, a model of them, and the nodes that it recommends.

Efficiency is the predicted work that a core does in a second, relative to the fewest cores of the same kind of study.
"""
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from .. import read
from ..methods import AMBER, BLACK, BLUE, GREEN, GREY, ORANGE, PINK, SKY, YELLOW
from . import scaling_model, style
from .style import MARKERS, plt

KINDS = {"strong": "strong scaling: the same tasks for all cores", "weak": "weak scaling: as many tasks for each core"}
# Phases of an iteration, then phases that come once.
ITERATION = {"make": ("tasks made again", YELLOW), "policy": ("policy", BLUE), "inner": ("inner fit", SKY),
             "idle": ("idle threads", AMBER), "wait": ("waiting for slower ranks", ORANGE),
             "reduce": ("allreduce", GREEN), "rest": ("update and rest", PINK)}
ONCE = {"generate": ("tasks", BLUE), "features": ("features", SKY), "validate": ("validation", AMBER),
        "io": ("files", GREEN)}
REACH = 4  # the model is trusted up to so many times the most ranks measured


def draw(options):
    study = studied(read(options.files[0], "scaling"))
    print("\n".join(lines_of(study, options.efficiency)))
    yield "_efficiency", plot_efficiency(study.summary, study.parameters), study.summary
    yield "_phases", plot_phases(study.phases), study.phases


def summary_of(points):
    """Returns a row for each kind, ranks and threads: median, least and most of the repeats, and the efficiency."""
    points = points.assign(cores=points["ranks"] * points["threads"])
    points["rate"] = points["work"] / points["seconds_per_iteration"] / points["cores"]
    out = []
    for kind, trainings in points.groupby("kind", sort=True):
        groups = list(trainings.groupby(["cores", "ranks", "threads"], sort=True))
        base = groups[0][1]["rate"].median()
        for (cores, ranks, threads), group in groups:
            first, seconds, efficiency = group.iloc[0], group["seconds_per_iteration"], group["rate"] / base
            out.append({"kind": kind, "ranks": ranks, "threads": threads, "nodes": first["nodes"], "cores": cores,
                        "tasks": first["tasks"], "batch": first["batch"], "repeats": len(group),
                        "work": first["work"], "seconds_per_iteration": seconds.median(),
                        "seconds_least": seconds.min(), "seconds_most": seconds.max(),
                        "efficiency": efficiency.median(), "efficiency_least": efficiency.min(),
                        "efficiency_most": efficiency.max(),
                        "speed_up": efficiency.median() * cores / groups[0][0][0],
                        "oversubscribed": first["oversubscribed"]})
    return pd.DataFrame(out)


def with_model(summary, parameters):
    """Returns the summary with the model's seconds and efficiency, relative to the model at the fewest cores."""
    summary = summary.assign(model_seconds=scaling_model.seconds_of(parameters, summary))
    rate = summary["work"] / summary["model_seconds"] / summary["cores"]
    return summary.assign(model_efficiency=rate / rate.groupby(summary["kind"]).transform("first"))


def extended(summary, kind, ranks):
    """Returns points at other numbers of ranks, otherwise as the point of most ranks without oversubscription."""
    rows = summary[summary["kind"] == kind]
    sound = rows[rows["oversubscribed"] == 0]
    last = (sound if len(sound) else rows).sort_values(["ranks", "threads"]).iloc[-1]
    table = pd.DataFrame([last] * len(ranks)).reset_index(drop=True).infer_objects()
    grown = np.asarray(ranks) / last["ranks"]
    table["ranks"] = ranks
    table["cores"] = table["ranks"] * table["threads"]
    table["nodes"] = np.ceil(grown * last["nodes"]).astype(int)
    if kind == "weak":
        for name in ("tasks", "batch", "work"):
            table[name] = table[name] * grown
    return pd.concat([rows.iloc[:1], table], ignore_index=True)  # the first row is the reference of the efficiency


def recommendation(summary, parameters, kind, threshold):
    """Returns a sentence: the most ranks with an efficiency of at least `threshold`, by the model if the data allow."""
    rows = summary[(summary["kind"] == kind) & (summary["oversubscribed"] == 0)]
    if rows["cores"].nunique() < 2:
        return (f"{kind}: nothing to recommend: only {rows['cores'].nunique()} number of cores was measured without "
                "oversubscription; measure on more")
    counts = sorted(rows["ranks"].unique())
    if len(counts) < 3 or counts[0] > 1:
        good = rows[rows["efficiency"] >= threshold].sort_values("cores").iloc[-1]
        return (f"{kind}: measured on {' and '.join(map(str, counts))} rank(s) only, which does not support a "
                f"prediction for more. The most cores measured at an efficiency of {threshold:g} or better are "
                f"{good['cores']} ({good['ranks']} rank(s) x {good['threads']} thread(s), efficiency "
                f"{good['efficiency']:.2f}). Measure on 1, 2, 4, ... ranks, at least three of them")
    most = counts[-1]
    tried = [int(most * 2.0 ** power) for power in np.arange(-np.floor(np.log2(most)), np.log2(REACH) + 1)]
    predicted = with_model(extended(summary, kind, tried), parameters).iloc[1:]
    good = predicted[predicted["model_efficiency"] >= threshold]
    if good.empty:
        return f"{kind}: by the model no number of ranks has an efficiency of {threshold:g}; try fewer threads"
    best = good.iloc[-1]
    reached = best["ranks"] == tried[-1]
    where = f"{best['nodes']} node(s), " if rows["nodes"].max() > 1 else ""
    note = "" if rows["nodes"].max() > 1 else " All points are of one node: what a network costs is not in them."
    return (f"{kind}: {'at least ' if reached else ''}{where}{best['ranks']} rank(s) x {best['threads']} thread(s): "
            f"predicted efficiency {best['model_efficiency']:.2f}, "
            + (f"and {REACH} times the most ranks measured ({most}) is as far as the model is asked."
               if reached else f"the most of at least {threshold:g}; measured up to {most} rank(s).") + note)


def plot_efficiency(summary, parameters):
    """Returns a figure with a panel for each kind: points with the range of the repeats, the model, and the ideal."""
    kinds = [kind for kind in KINDS if kind in set(summary["kind"])]
    figure, axes = plt.subplots(1, len(kinds), figsize=(5.6 * len(kinds), 4.4), squeeze=False, sharey=True)
    every_thread = sorted(summary["threads"].unique())
    for axis, kind in zip(axes[0], kinds):
        rows = summary[summary["kind"] == kind]
        axis.axhline(1, color=GREY, linestyle="--", linewidth=1.2, label="ideal", zorder=1)
        if parameters is not None and rows["cores"].max() > rows["cores"].min():
            ranks = np.unique(np.geomspace(1, rows["ranks"].max(), 60))
            line = with_model(extended(summary, kind, ranks), parameters).iloc[1:]
            if len(ranks) > 1:
                axis.plot(line["cores"], line["model_efficiency"], color=BLACK, linewidth=1.4, zorder=2,
                          label=f"model, {line['threads'].iloc[0]} thread(s) a rank")
        for threads, marker in zip(every_thread, MARKERS * len(every_thread)):
            for over, group in rows[rows["threads"] == threads].groupby("oversubscribed"):
                colour = GREY if over else [BLUE, ORANGE, GREEN, PINK][every_thread.index(threads) % 4]
                bars = group["efficiency"] - group["efficiency_least"], group["efficiency_most"] - group["efficiency"]
                aside = 2 ** (0.1 * (every_thread.index(threads) - (len(every_thread) - 1) / 2))  # points side by side
                axis.errorbar(aside * group["cores"], group["efficiency"], yerr=bars, fmt=marker, color=colour,
                              markersize=7, markerfacecolor="white" if over else colour, elinewidth=1, capsize=3,
                              zorder=3,
                              label=f"{threads} thread(s) a rank" + (", more threads than cores" if over else ""))
        axis.set_title(KINDS[kind], fontsize=11)
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_locator(FixedLocator(sorted(rows["cores"].unique())))
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.margins(x=0.12)
        axis.set_xlabel("cores (ranks x threads)")
        axis.legend(fontsize=8, loc="lower left")
    axes[0][0].set_ylim(0, max(1.15, 1.05 * summary["efficiency_most"].max()))
    axes[0][0].set_ylabel("parallel efficiency")
    style.below(figure, "Median of the repeats; bars: their least and most.")
    return figure


def phases_of(points):
    """Returns seconds of each phase by kind, ranks and threads: mean over the ranks, median over the repeats."""
    table = points[["kind", "ranks", "threads", "repeat", "oversubscribed"]].copy()
    for phase in ITERATION:
        if phase != "rest":
            table[phase] = scaling_model.per_iteration(points, [phase])
    measured = table[[phase for phase in ITERATION if phase != "rest"]].sum(axis=1)
    table["rest"] = (points["seconds_per_iteration"] - measured).clip(lower=0)
    for phase in ONCE:
        table[phase] = points[f"{phase}_mean"]
    table["cores"] = table["ranks"] * table["threads"]
    keys = ["kind", "cores", "ranks", "threads", "oversubscribed"]
    return table.drop(columns="repeat").groupby(keys, as_index=False).median()


def stack(axis, rows, phases, factor):
    """Draws a bar for each point, stacked of the phases that took any time, in seconds times `factor`."""
    points = zip(rows["ranks"], rows["threads"], rows["oversubscribed"])
    labels = [f"{ranks} x {threads}{' *' if over else ''}" for ranks, threads, over in points]
    bottom = np.zeros(len(rows))
    for phase, (name, colour) in phases.items():
        height = (factor * rows[phase]).to_numpy()
        if height.max() > 0:
            axis.bar(labels, height, 0.65, bottom, color=colour, label=name, edgecolor="white", linewidth=0.5)
            bottom += height
    axis.set_ylim(0, 1.05 * bottom.max())
    axis.grid(axis="x", visible=False)


def plot_phases(phases):
    """Returns a figure with a column for each kind: above the time of an iteration, below the phases that come once.

    Strong scaling shows the time of all cores together, which is constant if the training scales perfectly.
    """
    kinds = [kind for kind in KINDS if kind in set(phases["kind"])]
    figure, axes = plt.subplots(2, len(kinds), figsize=(1.9 + 4.9 * len(kinds), 7.0), squeeze=False)
    for column, kind in enumerate(kinds):
        rows = phases[phases["kind"] == kind]
        unit = "core-seconds" if kind == "strong" else "seconds"
        for axis, chosen, what in zip(axes[:, column], (ITERATION, ONCE), ("an iteration", "once a training")):
            stack(axis, rows, chosen, rows["cores"] if kind == "strong" else 1)
            axis.set_ylabel(f"{unit} {what}")
        axes[0][column].set_title(KINDS[kind], fontsize=11)
        note = " (* more threads than cores)" if rows["oversubscribed"].any() else ""
        axes[1][column].set_xlabel(f"ranks x threads{note}")
    for axis in axes[:, -1]:
        handles, labels = axis.get_legend_handles_labels()
        axis.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.0, 1.0))
    style.below(figure, "Mean over the ranks, median of the repeats.")
    return figure


@dataclass
class Study:
    """Results of a scaling file."""
    points: pd.DataFrame  # a row for each training
    summary: pd.DataFrame  # a row for each kind, ranks and threads
    phases: pd.DataFrame
    parameters: dict | None  # of the model; None if every training is oversubscribed


def studied(scaling):
    """Returns the Study of a scaling file. Raises ValueError if it has no points."""
    points = scaling.table("points")
    if points.empty:
        raise ValueError(f"{scaling.path}: has no points")
    sound = sound_of(points)
    parameters = scaling_model.fit(sound) if len(sound) else None
    summary = summary_of(points)
    return Study(points, with_model(summary, parameters) if parameters else summary, phases_of(points), parameters)


def sound_of(points):
    """Returns the trainings without oversubscription."""
    return points[points["oversubscribed"] == 0].reset_index(drop=True)


def lines_of(study, threshold):
    """Returns lines of text: the model with its intervals, its largest error, and a recommendation for each kind."""
    if study.parameters is None:
        return ["every point has more threads than cores: no model is fitted, and the figures mean little"]
    lines = ["model (see analysis/metasieve/plots/scaling_model.py), 95 % bootstrap intervals over the repeats:"]
    intervals = scaling_model.bootstrap(sound_of(study.points))
    for name, unit in scaling_model.PARAMETERS.items():
        low, high = intervals[name]
        lines.append(f"  {name:18s}{study.parameters[name]:12.4g}  [{low:.4g}, {high:.4g}] {unit}".rstrip())
    fitted = study.summary[study.summary["oversubscribed"] == 0]
    error = (fitted["model_seconds"] / fitted["seconds_per_iteration"] - 1).abs().max()
    lines.append(f"  largest deviation from the median at a point: {100 * error:.0f} %")
    return lines + [recommendation(study.summary, study.parameters, kind, threshold)
                    for kind in fitted["kind"].unique()]
