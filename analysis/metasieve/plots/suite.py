"""Diversity of the tasks of a suite: histograms, and correlations of the parameters."""
import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator, PercentFormatter

from .. import read
from ..methods import GREY
from . import style
from .style import SERIES, plt

# Column of /metadata: words, and whether it is a share.
HISTOGRAMS = {
    "n_samples": ("rows of a task (training and test)", False),
    "n_features": ("features of a task", False),
    "train_actual_noise_rate": ("training labels that are wrong", True),
    "train_minority_rate": ("training rows outside group 0", True),
    "train_pos_rate": ("training rows with label 1", True),
    "train_dp_gap": ("demographic-parity gap of the training labels", True),
    "groups": ("groups of a task", False),  # where not every task has two
}
PARAMETERS = {
    "n_samples": "rows", "n_features": "features", "separability": "separability", "groups": "groups",
    "train_actual_noise_rate": "wrong labels", "train_minority_rate": "share outside group 0",
    "train_pos_rate": "share of label 1", "feature_shift": "feature shift", "label_bias": "label bias",
    "train_dp_gap": "DP gap, training", "test_dp_gap": "DP gap, test (clean)",
}
MOST_FAMILIES = 6  # with their own colour


def draw(options):
    metadata = read(options.files[0], "suite").table("metadata")
    yield "_diversity", plot_diversity(metadata), diversity_table(metadata)
    if len(correlation_table(metadata)) > 1:
        yield "_correlation", plot_correlation(metadata), correlation_table(metadata).reset_index(names="parameter")
    else:
        print("note: no two parameters differ between the tasks: no picture of correlations")


def families_of(metadata):
    """Returns the family of each task; "others" for the rarest where there are many."""
    if "family" not in metadata:
        return pd.Series("all tasks", index=metadata.index)
    counts = metadata["family"].value_counts()
    kept = counts.index[:MOST_FAMILIES if len(counts) <= MOST_FAMILIES else MOST_FAMILIES - 1]
    return metadata["family"].where(metadata["family"].isin(kept), "others")


def bins_of(values):
    """Returns the edges of bins: one bin for each whole number if there are few, else more for more values."""
    if np.issubdtype(values.dtype, np.integer) and np.ptp(values) < 60:
        return np.arange(values.min(), values.max() + 2) - 0.5
    low, high = float(values.min()), float(values.max())
    return np.linspace(low, max(high, low + 1e-9), int(np.clip(np.sqrt(len(values)) + 3, 10, 50)) + 1)


def histograms_of(metadata):
    """Returns the columns of the histograms: that of the groups where not every task has two."""
    return [name for name in HISTOGRAMS if name != "groups" or (name in metadata and (metadata[name] != 2).any())]


def plot_diversity(metadata):
    """Returns a figure of histograms, stacked by family. Raises ValueError if there is no task."""
    require_tasks(metadata)
    families = families_of(metadata)
    names = list(families.value_counts().index)
    columns = histograms_of(metadata)
    across = -(-len(columns) // 2)
    figure, axes = plt.subplots(2, across, figsize=(4 * across, 6.6))
    for axis in axes.flat[len(columns):]:
        axis.remove()
    for axis, column in zip(axes.flat, columns):
        words, share = HISTOGRAMS[column]
        values = metadata[column]
        axis.hist([values[families == name] for name in names], bins_of(values.to_numpy()), stacked=True,
                  color=SERIES[:len(names)], label=names, edgecolor="white", linewidth=0.4)
        axis.axvline(values.mean(), color="black", linewidth=1.2, linestyle="--", label="mean of all tasks")
        axis.set_xlabel(words)
        axis.set_title(f"{summary(values, share)}", fontsize=9, color=style.NOTE, loc="right")
        axis.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axis.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=not share))
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0) if share else "{x:,.0f}")
        axis.grid(axis="x", visible=False)
    for axis in axes[:, 0]:
        axis.set_ylabel("tasks")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    style.below(figure, handles=dict(zip(labels, handles)))
    figure.suptitle(f"{len(metadata):,} tasks")
    return figure


def summary(values, share):
    """Returns least, most and mean as text."""
    show = (lambda value: f"{100 * value:.0f} %") if share else (lambda value: f"{value:,.0f}")
    return f"{show(values.min())} to {show(values.max())}, mean {show(values.mean())}"


def diversity_table(metadata):
    """Returns a row for each task with the columns of the histograms."""
    return metadata[["task_id", *(["family"] if "family" in metadata else []), *histograms_of(metadata)]]


def correlation_table(metadata):
    """Returns Pearson's correlations over the tasks of the parameters that are not the same in all of them."""
    columns = [name for name in PARAMETERS if name in metadata and metadata[name].nunique() > 1]
    return metadata[columns].corr()


def plot_correlation(metadata):
    """Returns a figure of the correlation matrix. Raises ValueError if there is no task, or if no two parameters differ."""
    require_tasks(metadata)
    table = correlation_table(metadata)
    if len(table) < 2:
        raise ValueError("no two parameters differ between the tasks")
    words = [PARAMETERS[name] for name in table]
    figure, axis = plt.subplots(figsize=(8.2, 7))
    picture = axis.imshow(table, cmap="RdBu_r", vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(table.to_numpy().round(2) + 0.0):  # no -0.00
        text = "–" if np.isnan(value) else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
        axis.text(column, row, text, ha="center", va="center", fontsize=8,
                  color="white" if abs(value) > 0.6 else "black" if not np.isnan(value) else GREY)
    axis.set_xticks(range(len(words)), words, rotation=40, ha="right")
    axis.set_yticks(range(len(words)), words)
    axis.grid(False)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    figure.colorbar(picture, label="Pearson's correlation over the tasks", shrink=0.8)
    axis.set_title(f"{len(metadata):,} tasks")
    if table.isna().to_numpy().any():
        style.below(figure, "–: undefined, because one of the two is the same in all tasks that have both.")
    return figure


def require_tasks(metadata):
    if metadata.empty:
        raise ValueError("the suite has no tasks")
