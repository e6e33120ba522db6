"""Means over the splits of a table with 95 % intervals, and which of them hold together: docs/mathematics.md has the
formulas."""
import itertools
from typing import NamedTuple

import numpy as np
from scipy import stats

from .metrics import metrics_of

RESAMPLES, AT_ONCE = 1000, 50


class Estimate(NamedTuple):
    """A mean, its 95 % interval, the two-sided p-value of "the mean is 0", and how many values are defined.

    NaN where no value is defined; interval and p-value also where they cannot be known.
    """
    mean: float
    low: float
    high: float
    p: float
    count: int


def of_splits(values, test_over_train):
    """Returns the Estimate of values [J] of random splits of one table, NaN left out: mean +- t(J - 1) s sqrt(1/J +
    n_test/n_train) (Nadeau and Bengio 2003, doi:10.1023/A:1024068626366)."""
    known = values[~np.isnan(values)]
    count = len(known)
    mean = known.mean() if count else np.nan
    if count < 2:
        return Estimate(mean, np.nan, np.nan, np.nan, count)
    error = known.std(ddof=1) * np.sqrt(1 / count + test_over_train)
    half = stats.t.ppf(0.975, count - 1) * error
    if error <= 1e-12 * abs(mean) + 1e-15:  # values that are all alike: 0, or without doubt not 0
        p = float(abs(mean) <= 1e-12)
    else:
        p = 2 * stats.t.cdf(-abs(mean) / error, count - 1)
    return Estimate(mean, mean - half, mean + half, p, count)


def of_resamples(values, resampled):
    """Returns the Estimate of values [J] on one test part: the interval is that of their mean on resamples of its rows,
    NaN left out."""
    known = values[~np.isnan(values)]
    mean, count = known.mean() if len(known) else np.nan, len(known)
    means = np.sort(resampled[~np.isnan(resampled)])
    if not count or not len(means):
        return Estimate(mean, np.nan, np.nan, np.nan, count)
    tail = len(means) * 25 // 1000
    p = 2 * min(1 + (means <= 0).sum(), 1 + (means >= 0).sum()) / (1 + len(means))
    return Estimate(mean, means[tail], means[-1 - tail], min(p, 1.0), count)


def resampled_metrics(predicted, y, group, groups, seed):
    """Returns {metric: [RESAMPLES, fits]} of fits on resamples of the rows of a test part.

    Each cell of label and group is resampled for itself; the resamples are the same for all fits.

    predicted: [m, fits], 0 or 1. y, group: [m]. groups: K.
    """
    random = np.random.default_rng(seed)
    cells = [[np.flatnonzero((y == label) & (group == z)) for z in range(groups)] for label in (0, 1)]
    rows = np.array([[len(cell) for cell in of_label] for of_label in cells])
    hits = np.zeros((RESAMPLES, predicted.shape[1], 2, groups))
    for label, of_label in enumerate(cells):
        for z, cell in enumerate(of_label):
            values = predicted[cell].astype("f4")
            for first in range(0, RESAMPLES if len(cell) else 0, AT_ONCE):
                times = random.multinomial(len(cell), np.full(len(cell), 1 / len(cell)), AT_ONCE)
                hits[first:first + AT_ONCE, :, label, z] = times.astype("f4") @ values
    return metrics_of(hits, rows)


def holm(p, level=0.05):
    """Returns which of the tests with these p-values hold, all together at the level (Holm 1979). NaN never holds."""
    p = np.asarray(p, float)
    holds = np.zeros(len(p), bool)
    for rank, place in enumerate(np.argsort(p, kind="stable")):  # NaN comes last
        if not p[place] <= level / (len(p) - rank):
            break
        holds[place] = True
    return holds


class Repeats:
    """Fits of several methods on the splits of one table.

    values  {method: data frame [J, metrics]}, a row for each split, mean over the policies
    """

    def __init__(self, fits, test_over_train, resampled=None):
        """fits: data frame with `method`, `split`, `policy` and metrics, a row for each fit. test_over_train: n_test /
        n_train of random splits. resampled: {metric: [RESAMPLES, fits]} of a test part of its own."""
        methods = fits["method"].to_numpy()
        means = fits.drop(columns="policy").groupby(["method", "split"]).mean()
        self.values = {method: means.loc[method] for method in dict.fromkeys(methods)}
        self.policies = fits.groupby("method")["policy"].nunique()
        self._test_over_train = test_over_train
        self._resampled = resampled and {
            method: {metric: of_fits[:, methods == method].mean(-1) for metric, of_fits in resampled.items()}
            for method in self.values}

    def estimate(self, method, metric, peer=None):
        """Returns the Estimate of a metric, or of its difference to a peer on the same splits."""
        values = self.values[method][metric] - (self.values[peer][metric] if peer else 0)
        if self._resampled is None:
            return of_splits(values.to_numpy(), self._test_over_train)
        own, other = (self._resampled[name].get(metric) if name else 0 for name in (method, peer))
        return of_resamples(values.to_numpy(), np.array([]) if own is None else own - other)

    def relative_change(self, method, metric):
        """Returns mean(method) / mean(baseline) - 1 over the splits where both are defined."""
        both = np.array([self.values[name][metric] for name in (method, "baseline")])
        own, base = both[:, ~np.isnan(both).any(axis=0)].sum(axis=1)
        return own / base - 1 if base > 0 else np.nan

    def won(self, method, metric, peer):
        """Returns the share of splits in which the method is better than a peer, ties half."""
        difference = (self.values[method][metric] - self.values[peer][metric]).dropna().to_numpy()
        difference *= 1 if metric.endswith("accuracy") else -1
        ties = np.abs(difference) < 1e-12
        return np.where(ties, 0.5, difference > 0).mean() if len(difference) else np.nan

    def summary(self):
        """Returns a record for each method and metric, as /summary of an evaluation has them."""
        records = []
        for method, values in self.values.items():
            for metric in values:
                level, change = self.estimate(method, metric), self.estimate(method, metric, "baseline")
                records.append({"method": method, "metric": metric, "mean": level.mean, "low": level.low,
                                "high": level.high, "baseline_change": change.mean, "baseline_change_low": change.low,
                                "baseline_change_high": change.high, "baseline_p": change.p,
                                "baseline_relative": self.relative_change(method, metric), "splits": level.count,
                                "policies": self.policies[method]})
        return records

    def paired(self, methods, metrics):
        """Returns a record for each of `methods`, other method and metric, as /paired of an evaluation has them."""
        records = []
        for method, peer, metric in itertools.product(methods, self.values, metrics):
            if method in self.values and peer != method and metric in self.values[method]:
                found = self.estimate(method, metric, peer)
                records.append({"method": method, "peer": peer, "metric": metric, "difference": found.mean,
                                "low": found.low, "high": found.high, "won": self.won(method, metric, peer),
                                "splits": found.count})
        return records
