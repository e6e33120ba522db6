"""Quality and fairness of predictions from the cells of label and group, as src/fairness/metrics.hpp defines them."""
import numpy as np

SIMULATIONS = 2000  # of the gap by chance among more than two groups


def cells_of(predicted, y, group, groups):
    """Returns (hits, rows) [2, K]: rows of each label and group that are predicted 1, and all of them.

    predicted, y: [m], 0 or 1. group: [m], 0 to K - 1. groups: K.
    """
    cell = groups * y.astype(int) + group
    return tuple(np.bincount(cell, weights, 2 * groups).reshape(2, groups) for weights in (predicted, None))


def rate(hits, rows):
    """Returns hits / rows; NaN without rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(rows > 0, hits / rows, np.nan)


def spread(rates):
    """Returns the largest less the least of the defined rates of the groups [..., K]; NaN with fewer than two."""
    known = ~np.isnan(rates)
    gap = np.where(known, rates, -np.inf).max(-1) - np.where(known, rates, np.inf).min(-1)
    return np.where(known.sum(-1) > 1, gap, np.nan)


def metrics_of(hits, rows):
    """Returns {metric: [...]} of cells [..., 2, K]. A metric that cannot be computed is NaN: undefined, never 0.

    Without a second group there is no metric that compares groups.
    """
    hits, rows = np.broadcast_arrays(np.asarray(hits, float), np.asarray(rows, float))
    correct = np.concatenate([(rows - hits)[..., :1, :], hits[..., 1:, :]], -2)  # by label
    labels = rate(hits.sum(-1), rows.sum(-1))  # positive rate among the rows of each label
    found = {"accuracy": rate(correct.sum((-2, -1)), rows.sum((-2, -1))),
             "balanced_accuracy": (labels[..., 1] + 1 - labels[..., 0]) / 2,
             "positive_rate": rate(hits.sum((-2, -1)), rows.sum((-2, -1)))}
    if rows.shape[-1] > 1:
        gaps = spread(rate(hits, rows))  # [..., 2]
        of_group = rate(correct.sum(-2), rows.sum(-2))
        least = np.where(np.isnan(of_group), np.inf, of_group).min(-1)
        found |= {"eo_gap": gaps.max(-1), "dp_gap": spread(rate(hits.sum(-2), rows.sum(-2))), "eopp_gap": gaps[..., 1],
                  "worst_group_accuracy": np.where(np.isinf(least), np.nan, least)}
    return found


def floors_of(hits, rows):
    """Returns {"eo_floor", "dp_floor"}: gaps that a model with equal rates in all groups would show by chance.

    Cells [2, K], K > 1. Rates of the groups are independent and near-normal: with two groups the mean gap has a closed
    form, with more it is the mean over simulations.
    """
    return {"eo_floor": chance_gap(hits, rows), "dp_floor": chance_gap(hits.sum(0)[None], rows.sum(0)[None])}


def chance_gap(hits, rows):
    """Returns the mean of the larger spread of two kinds of rates, or of the spread of one. hits, rows: [kinds, K]."""
    known = rows > 0
    if (known.sum(-1) < 2).any():
        return np.nan
    overall = (hits.sum(-1) / rows.sum(-1))[:, None]
    variance = np.where(known, overall * (1 - overall) / np.maximum(rows, 1), np.nan)
    if (known.sum(-1) == 2).all():
        return np.sqrt(2 / np.pi * np.nansum(variance))
    normal = np.random.default_rng(0).normal(size=(SIMULATIONS, *rows.shape))
    return spread(normal * np.sqrt(variance)).max(-1).mean()
