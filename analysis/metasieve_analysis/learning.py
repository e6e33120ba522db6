"""How a training went: losses, validation accuracy and gaps, gradient norm, all against the iteration."""
import numpy as np
import pandas as pd

from . import style
from .style import BLACK, BLUE, GREY, ORANGE, plt

SMOOTHED = 20  # parts of the curve that a running mean is taken over
# Column of /validation, words, and the column of training on all rows.
VALIDATED = {
    "accuracy": ("accuracy on validation tasks", "baseline_accuracy"),
    "dp_gap": ("demographic-parity gap", "baseline_dp_gap"),
    "eo_gap": ("equalised-odds gap", "baseline_eo_gap"),
    "noise_rate_selected": ("wrong labels among the selected rows", "noise_rate_all"),
}


def table_of(results):
    """A row an iteration, from 0, the untrained policy: /history, and /validation as validation_..., where measured."""
    validation = results.table("validation").add_prefix("validation_")
    validation = validation.rename(columns={"validation_iteration": "iteration"})
    return results.table("history").merge(validation, on="iteration", how="outer", sort=True)


def running_mean(values):
    """Over a window of len / SMOOTHED values, ended by the value itself; undefined ones are left out."""
    return values.rolling(max(1, round(len(values) / SMOOTHED)), min_periods=1).mean()


def plot(results):
    """A figure of six panels. `results`: contents of a results file or checkpoint. @raises ValueError if it is empty"""
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
    """The level of iteration 0, across the panel."""
    rows = validation[validation["iteration"] == 0] if column in validation else validation.iloc[:0]
    if len(rows) and np.isfinite(rows[column].iloc[0]):
        axis.axhline(rows[column].iloc[0], color=GREY, linestyle="--", linewidth=1.4, label="untrained policy")


def draw_loss(axis, history, validation):
    """Training: mean of each batch, and its running mean; validation where the file has it."""
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
    """Validation points, the untrained level, and training on all rows."""
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
    """Before clipping, on a logarithmic scale: norms may fall by orders of magnitude."""
    norms = history["gradient_norm"].where(history["gradient_norm"] > 0)
    axis.plot(history["iteration"], norms, color=BLUE, alpha=0.25, linewidth=0.8)
    axis.plot(history["iteration"], running_mean(pd.Series(norms)), color=BLUE, linewidth=1.8)
    if norms.notna().any():
        style.log_scale(axis)
    axis.set_ylabel("norm of the meta-gradient")
