"""A model of the time of an iteration on R ranks of t threads, fitted to the trainings of a scaling study.

    T(R ranks of t threads, C = R t cores) = serial                                       update, bookkeeping
                                           + work W / C                                   policy, inner fit
                                           + thread_imbalance (W / B) (1 - 1 / t)         the last task of a rank
                                           + rank_imbalance (W / C) E(R) / sqrt(B / R)    the slowest rank
                                           + reduction log2(R)                            the allreduce

W is the predicted work of an iteration in seconds of one core and B its number of tasks, both from the study; E(R) is
the mean of the largest of R standard normal numbers (Blom's approximation): each rank's share is a sum of B / R tasks.
A study has one message size, so latency and size over bandwidth (alpha and beta of a tree of log2(R) steps) cannot be
distinguished: `reduction` is both, in seconds a step.

Each parameter is >= 0. It is found by least squares, relative to the time of the iteration, on the phase that was
measured for it: a few points are enough. Trainings on more threads than cores are left out.
"""
import itertools
import statistics

import numpy as np

PARAMETERS = {"serial": "s", "work": "s per predicted s", "thread_imbalance": "tasks", "rank_imbalance": "",
              "reduction": "s"}
BUSY = ["make", "policy", "inner"]


def largest_of(count):
    """Returns the mean of the largest of `count` standard normal numbers."""
    return statistics.NormalDist().inv_cdf((count - 0.375) / (count + 0.25))


def terms(rows):
    """Returns {parameter: its factor in the model, [trainings]}."""
    cores = rows["ranks"] * rows["threads"]
    share = rows["work"] / cores
    largest = rows["ranks"].map(largest_of)
    return {"serial": 1 + 0 * share, "work": share,
            "thread_imbalance": rows["work"] / rows["batch"] * (1 - 1 / rows["threads"]),
            "rank_imbalance": share * largest / np.sqrt(rows["batch"] / rows["ranks"]),
            "reduction": np.log2(rows["ranks"])}


def per_iteration(rows, phases):
    return sum(rows[f"{phase}_mean"] for phase in phases) / rows["iterations"]


def not_negative(columns, values):
    """Returns the least-squares coefficients >= 0 of `columns` [n, k] for `values` [n], by trying all subsets."""
    best, least = np.zeros(columns.shape[1]), np.sum(values ** 2)
    for size in range(1, columns.shape[1] + 1):
        for chosen in map(list, itertools.combinations(range(columns.shape[1]), size)):
            found, _, rank, _ = np.linalg.lstsq(columns[:, chosen], values, rcond=None)
            error = np.sum((columns[:, chosen] @ found - values) ** 2)
            if rank == size and (found >= 0).all() and error < least * (1 - 1e-12):
                best, least = np.zeros(columns.shape[1]), error
                best[chosen] = found
    return best


def fit(rows):
    """Returns {parameter: value} from trainings (rows of /points)."""
    seconds = rows["seconds_per_iteration"]
    of = {name: (term / seconds).to_numpy(float) for name, term in terms(rows).items()}

    def coefficients(names, part):
        return not_negative(np.column_stack([of[name] for name in names]), (part / seconds).to_numpy(float))

    busy, idle, wait, reduction = (per_iteration(rows, phases) for phases in (BUSY, ["idle"], ["wait"], ["reduce"]))
    rest = (seconds - busy - idle - wait - reduction).clip(lower=0)
    work, = coefficients(["work"], busy)
    summing, threads = coefficients(["work", "thread_imbalance"], idle)  # adding up gradients counts as idle
    ranks, = coefficients(["rank_imbalance"], wait)
    steps, = coefficients(["reduction"], reduction)
    serial, = coefficients(["serial"], rest)
    return dict(zip(PARAMETERS, map(float, (serial, work + summing, threads, ranks, steps))))


def seconds_of(parameters, rows):
    """Returns the predicted seconds of an iteration, [trainings]."""
    return sum(parameters[name] * term for name, term in terms(rows).items())


def bootstrap(rows, samples=500, seed=1):
    """Returns {parameter: (2.5 %, 97.5 %)} over random draws of the repeats at each point."""
    random = np.random.default_rng(seed)
    points = [group.index.to_numpy() for _, group in rows.groupby(["kind", "ranks", "threads"])]
    fits = [fit(rows.loc[np.concatenate([random.choice(index, len(index)) for index in points])].reset_index(drop=True))
            for _ in range(samples)]
    return {name: tuple(np.percentile([one[name] for one in fits], [2.5, 97.5])) for name in PARAMETERS}
