"""Losses, validation accuracy and gaps, and gradient norm of a training against its iterations.

The dashed line is the untrained policy, the dotted line a model trained on all rows.
"""
import numpy as np
import pandas as pd

from .. import read
from ..methods import BLACK, BLUE, GREY, ORANGE
from . import style
from .style import plt

SMOOTHED = 20  # the running mean is over one part in so many of a curve
# Column of /validation: words, and the column of training on all rows.
VALIDATED = {
    "accuracy": ("accuracy on validation tasks", "baseline_accuracy"),
    "dp_gap": ("demographic-parity gap", "baseline_dp_gap"),
    "eo_gap": ("equalised-odds gap", "baseline_eo_gap"),
    "noise_rate_selected": ("wrong labels among the selected rows", "noise_rate_all"),
}


def draw(options):
    results = read(options.files[0])
    if results.type not in ("results", "checkpoint"):
        raise ValueError(f"{results.path}: is a file of type {results.type}; must be results or checkpoint")
    yield "", plot(results), table_of(results)


def table_of(results):
    """Returns a row for each iteration from 0, the untrained policy: /history, and /validation as validation_..."""
    validation = results.table("validation").add_prefix("validation_")
    validation = validation.rename(columns={"validation_iteration": "iteration"})
    return results.table("history").merge(validation, on="iteration", how="outer", sort=True)


def running_mean(values):
    """Returns means over a window of len / SMOOTHED values that ends at each value; undefined ones are left out."""
    return values.rolling(max(1, round(len(values) / SMOOTHED)), min_periods=1).mean()


def plot(results):
    """Returns a figure of six panels. `results`: a results file or a checkpoint. Raises ValueError if it is empty."""
    history, validation = results.table("history"), results.table("validation")
    if history.empty and validation.empty:
        raise ValueError(f"{results.path}: no iteration was made")
    figure, axes = plt.subplots(2, 3, figsize=(12.5, 6.8))
    draw_loss(axes[0, 0], history, validation)
    for axis, (column, (words, baseline)) in zip((axes[0, 1], axes[1, 0], axes[1, 1], axes[1, 2]), VALIDATED.items()):
        draw_validated(axis, validation, column, baseline)
        axis.set_ylabel(words)
    draw_gradient(axes[0, 2], history)
    for axis in axes.flat:
        axis.set_xlabel("meta-iteration")
        axis.set_xlim(left=0)
    handles = {}
    for axis in axes.flat:
        found, words = axis.get_legend_handles_labels()
        handles |= dict(zip(words, found))
    style.below(figure, handles=handles)
    return figure


def untrained(axis, validation, column):
    """Draws the level of iteration 0 across the panel."""
    rows = validation[validation["iteration"] == 0] if column in validation else validation.iloc[:0]
    if len(rows) and np.isfinite(rows[column].iloc[0]):
        axis.axhline(rows[column].iloc[0], color=GREY, linestyle="--", linewidth=1.4, label="untrained policy")


def draw_loss(axis, history, validation):
    """Draws the loss of each batch, its running mean, and the validation loss where the file has it."""
    axis.plot(history["iteration"], history["loss"], color=BLUE, alpha=0.25, linewidth=0.8,
              label="training, each batch")
    axis.plot(history["iteration"], running_mean(history["loss"]), color=BLUE, linewidth=1.8,
              label="training, running mean")
    if "loss" in validation and validation["loss"].notna().any():  # older programs did not measure it
        untrained(axis, validation, "loss")
        axis.plot(validation["iteration"], validation["loss"], color=ORANGE, marker="o", markersize=4,
                  label="validation tasks")
    axis.set_ylabel("loss (accuracy and fairness)")


def draw_validated(axis, validation, column, baseline):
    """Draws the validation points, the untrained level, and training on all rows."""
    untrained(axis, validation, column)
    axis.plot(validation["iteration"], validation[column], color=ORANGE, marker="o", markersize=4,
              label="validation tasks")
    if len(validation) and np.isfinite(validation[baseline].iloc[-1]):
        axis.axhline(validation[baseline].iloc[-1], color=BLACK, linestyle=":", linewidth=1.4, label="all rows kept")
    if column != "accuracy":
        axis.set_ylim(bottom=0)
    if validation.empty:
        axis.text(0.5, 0.5, "no validation tasks", transform=axis.transAxes, ha="center", color=style.NOTE)


def draw_gradient(axis, history):
    """Draws the norms before clipping on a logarithmic scale: they may fall by orders of magnitude."""
    norms = history["gradient_norm"].where(history["gradient_norm"] > 0)
    axis.plot(history["iteration"], norms, color=BLUE, alpha=0.25, linewidth=0.8)
    axis.plot(history["iteration"], running_mean(pd.Series(norms)), color=BLUE, linewidth=1.8)
    if norms.notna().any():
        style.log_scale(axis)
    axis.set_ylabel("norm of the meta-gradient")
