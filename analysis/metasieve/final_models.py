"""scikit-learn's models as final models, trained with the weights of every method that selects rows, on the splits and
flipped labels of `metasieve evaluate`.

The selections come from the compiled module (policies.core).
"""
import sys
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import files, read
from .commands import UsageError

try:
    from sklearn.base import clone
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
except ImportError as error:
    raise UsageError(f"--model needs scikit-learn (Debian: python3-sklearn): {error}") from error
from .findings import findings_of  # noqa: E402  (needs SciPy, as scikit-learn does)
from .metrics import cells_of, floors_of, metrics_of  # noqa: E402
from .policies import core, load_policy  # noqa: E402
from .statistics import Repeats, resampled_metrics  # noqa: E402
from .tables.comparison import OURS, PAIRED  # noqa: E402

try:
    _core = core()
except ImportError as error:
    raise UsageError(f"--model: {error}") from error

# As scikit-learn makes them; one random state, so that all methods are compared with the same.
MODELS = {"boosting": HistGradientBoostingClassifier(random_state=0),
          "forest": RandomForestClassifier(random_state=0, n_jobs=-1),
          "logistic": LogisticRegression(max_iter=1000)}
STANDARDISED = ("logistic",)  # models that see standardised columns
POLICY_METHODS = ("trained_hard", "trained_soft", "meta_hard", "meta_soft")  # each policy gives them another result
KNOWN_METHODS = ("baseline", "greedy", "reweighing", "roh", *POLICY_METHODS, "oracle")
DEFAULT_METHODS = tuple(name for name in KNOWN_METHODS if not name.startswith("trained"))
PATIENCE = 30  # seconds without a word before the progress is shown


# ----------------------------------------------------------------------------------------------------- settings

@dataclass(frozen=True)
class Settings:
    """The keys of `evaluate` that act here."""
    methods: tuple = DEFAULT_METHODS
    splits: int = 10
    label_noise: float = 0.1
    seed: int = 2026
    fairness: str = "eo"
    adapt_fairness_weight: float = 0.1


def methods_of(text):
    names = text.split(",")
    for name in names:
        if name not in KNOWN_METHODS:
            raise ValueError(f"some of {', '.join(KNOWN_METHODS)}; {name} is none of these ways to select rows")
    return tuple(name for name in KNOWN_METHODS if name in names or name == "baseline")


# Key: how its text is read, whether the value is right, and what would be.
KEYS = {"methods": (methods_of, lambda value: True, ""),
        "splits": (int, lambda value: value >= 1, "an integer >= 1"),
        "label_noise": (float, lambda value: 0 <= value < 0.5, "a number >= 0 and < 0.5"),
        "seed": (int, lambda value: 0 <= value < 2**64, "an integer >= 0 and < 2^64"),
        "fairness": (str, ("dp", "eo").__contains__, "dp or eo"),
        "adapt_fairness_weight": (float, lambda value: 0 <= value < np.inf, "a number >= 0")}


def settings_of(texts):
    """Returns Settings from texts `evaluate.key=value`. Raises UsageError that names the key."""
    found = {}
    for text in texts:
        key, value = text.split("=", 1)
        name = key.removeprefix("evaluate.")
        if name == key or name not in KEYS:
            raise UsageError(f"--set {key}: has no effect with --model; what has: "
                             f"{', '.join(f'evaluate.{known}' for known in KEYS)}")
        parse, is_right, wanted = KEYS[name]
        try:
            found[name] = parse(value)
        except ValueError as error:
            wanted = wanted or error
        if name not in found or not is_right(found[name]):
            raise UsageError(f"--set {text}: must be {wanted}")
    return Settings(**found)


# ------------------------------------------------------------------------------------------------------- tables

class Table:
    """A data set.

    groups      names of the groups [K]
    rows        number of all rows
    cells       test rows of a split by label and group [2, K]
    untrained   names of the groups without a row in the training part
    """

    def __init__(self, path):
        """Raises OSError or ValueError that names the file."""
        data = read(path, "dataset")
        x, y = data["x"], data["y"]
        self.name, self.groups = path.stem, files.names_of_groups(data)
        self.rows, self.has_clean, self.has_test_part = len(y), "y_clean" in data, "split" in data
        clean, own = (data[name].astype("u1") if name in data else None for name in ("y_clean", "split"))
        group = (data["z"] if "z" in data else np.zeros(len(y))).astype("u1")
        try:
            self.splits = _core.Table(np.ascontiguousarray(x, "f4"), y.astype("u1"), group, len(self.groups), self.name,
                                      y_clean=clean, split=own)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        in_test = np.ones(len(y), bool) if own is None else own == 1
        _, self.cells = cells_of(y[in_test], (y if clean is None else clean)[in_test], group[in_test], len(self.groups))
        trained = np.bincount(group[own == 0] if self.has_test_part else group, minlength=len(self.groups))
        self.untrained = [name for name, rows in zip(self.groups, trained) if rows == 0]
        if not self.has_test_part:
            self.cells = self.cells * -(-3 * self.rows // 10) // self.rows  # of a random 70/30 split


def weights_of(task, methods, policies, settings):
    """Yields (method, number of the policy, weights [n], training labels [n]) of a split."""
    for number, policy in enumerate(policies):
        asked = [name for name in methods if name != "oracle" and (number == 0 or name in POLICY_METHODS)]
        found = _core.select(task, asked, policy, fairness=settings.fairness,
                             fairness_weight=settings.adapt_fairness_weight, seed=settings.seed) if asked else {}
        for name in asked:
            yield name, number, found[name], task.train_y
    if "oracle" in methods:
        yield "oracle", 0, np.ones(len(task.train_y)), task.train_y_clean


def designs(task, groups, sees_group, is_standardised):
    """Returns what a model sees of the training and of the test rows: the columns and, where it sees the group, a 0/1
    column for each group but the first."""
    parts = [np.column_stack([x, group[:, None] == np.arange(1, groups)]) if sees_group else x
             for x, group in ((task.train_x, task.train_group), (task.test_x, task.test_group))]
    if is_standardised:
        scaler = StandardScaler().fit(parts[0].astype(float))
        parts = [scaler.transform(part.astype(float)) for part in parts]
    return parts


def predictions(model, x, y, weights, x_test):
    """Returns the predictions [m] of a model that learns from the rows of weight above 0."""
    used = weights > 0
    if len(np.unique(y[used])) < 2:  # scikit-learn's models refuse a single label
        return np.full(len(x_test), y[used][0])
    return clone(model).fit(x[used], y[used], sample_weight=weights[used]).predict(x_test)


# -------------------------------------------------------------------------------------------------------- runs

def fits_of(models, table, sees_group, policies, settings):
    """Trains every model with the weights of every method on every split.

    Returns ({model: data frame with a row for each fit}, {model: predictions [m] of each fit on a test part of the
    table's own}, last split).
    """
    methods = [name for name in settings.methods if name != "oracle" or table.has_clean]
    records, predicted = ({model: [] for model in models} for _ in range(2))
    count, said = table.splits.split_count(settings.splits, settings.label_noise), time.monotonic()
    for split in range(count):
        task = table.splits.task(split, label_noise=settings.label_noise, seed=settings.seed)
        selections = list(weights_of(task, methods, policies, settings))
        flipped = task.train_y != task.train_y_clean
        for model in models:
            x, x_test = designs(task, len(table.groups), sees_group, model in STANDARDISED)
            for method, policy, weights, y in selections:
                labels = predictions(MODELS[model], x, y, weights, x_test)
                hits, rows = cells_of(labels, task.test_y, task.test_group, len(table.groups))
                noise = 0.0 if method == "oracle" else weights[flipped].sum() / weights.sum()
                floors = floors_of(hits, rows) if len(table.groups) > 1 else {}
                values = metrics_of(hits, rows) | floors | {"noise_rate_selected": noise}
                records[model].append({"method": method, "split": split, "policy": policy}
                                      | {metric: float(value) for metric, value in values.items()})
                predicted[model] += [labels] if table.has_test_part else []
        if time.monotonic() - said > PATIENCE:
            said = time.monotonic()
            print(f"{table.name}: {split + 1} of {count} splits", file=sys.stderr, flush=True)
    return {model: pd.DataFrame(of_model) for model, of_model in records.items()}, predicted, task


def judge(models, paths, sees_group, policies, settings):
    """Returns {model: Tables}: /summary, /paired and /findings as in an evaluation, of all data sets.

    models: names of MODELS. paths: data set files. policies: policy files for models that see the group or do not.
    Raises OSError or ValueError that names the file.
    """
    names = [path.stem for path in paths]
    for name in names:
        if name == "all" or names.count(name) > 1:
            raise UsageError(f"two data sets are called {name}; rename one of the files" if name != "all" else
                             "all.h5: reports call the union of all sources `all`; rename the file")
    policies = [load_policy(str(path)) for path in policies]
    parts = {model: {"summary": [], "paired": [], "findings": []} for model in models}
    for path in paths:
        table = Table(path)
        fits, predicted, task = fits_of(models, table, sees_group, policies, settings)
        for model in models:
            resampled = resampled_metrics(np.column_stack(predicted[model]), task.test_y, task.test_group,
                                          len(table.groups), settings.seed) if table.has_test_part else None
            repeats = Repeats(fits[model], len(task.test_y) / len(task.train_y), resampled)
            summary, cells = repeats.summary(), {}
            for record in summary:
                cells.setdefault(record["method"], {})[record["metric"]] = record
            found = {"summary": summary, "paired": repeats.paired(OURS, PAIRED),
                     "findings": [{"kind": kind, "text": text}
                                  for kind, text in findings_of(table, fits[model], cells)]}
            for name, records in found.items():
                parts[model][name] += [{"source": table.name, **record} for record in records]
    return {model: files.Tables({name: pd.DataFrame(records) for name, records in of_model.items() if records})
            for model, of_model in parts.items()}
