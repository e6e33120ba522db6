#!/usr/bin/env python3
"""Trains scikit-learn models on what `metasieve score` says of each training row, and compares them with all rows.

    metasieve score --policy policy.h5 --dataset D.h5 --output scores.h5
    score_example.py --dataset D.h5 --scores scores.h5        (D.h5 has a `split`, and `y_clean` if y was made noisy)

Or all of it, on random splits of a data set of import_dataset.py with some training labels flipped:

    score_example.py --make compas.h5 --splits 10 --label-noise 0.1 --policy policy.h5 --metasieve build/src/metasieve

Exit codes: 0 done; 2 usage; 3 bad or unreadable data, or scikit-learn is missing; else that of metasieve.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
from metasieve_analysis.files import arrays

try:
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler
except ImportError as error:
    print(f"score_example.py: {error}; install scikit-learn (Debian: python3-sklearn)", file=sys.stderr)
    sys.exit(3)

METRICS = ["accuracy", "balanced accuracy", "DP gap", "EO gap", "positive rate"]
WAYS = ["all rows", "sample_weight", "selected rows"]
MODELS = {"logistic regression": LogisticRegression(max_iter=1000),
          "gradient boosting": GradientBoostingClassifier(random_state=0),
          "random forest": RandomForestClassifier(min_samples_leaf=5, random_state=0)}


def read_dataset(path):
    """{name: values} of a metasieve-dataset file."""
    return arrays(path, ("x", "y", "z"), ("y_clean", "split"))


def read_scores(path):
    """One record a row of the data set: row, score, weight, selected, y, z."""
    csv = str(path).endswith(".csv")
    return np.genfromtxt(path, delimiter=",", names=True) if csv else arrays(path, ["scores"])["scores"]


def quality(predicted, y, z):
    """METRICS of 0/1 predictions; a rate of no rows is NaN."""
    def rate(values, rows):
        return values[rows].mean() if rows.any() else np.nan

    right = predicted == y
    def gap(rows):  # between the groups
        return abs(rate(predicted, rows & (z == 1)) - rate(predicted, rows & (z == 0)))

    return [right.mean(), (rate(right, y == 0) + rate(right, y == 1)) / 2, gap(y >= 0), max(gap(y == 0), gap(y == 1)),
            predicted.mean()]


def compare(data, scores, use_group=True):
    """{model: [ways, metrics]}, each model trained on the training part and judged on the test part."""
    if "split" not in data:
        raise ValueError("the data set has no split: which rows are the test part?")
    same = {"y", "z", "weight", "selected"} <= set(scores.dtype.names or ()) and len(scores) == len(data["y"])
    if not same or (scores["y"] != data["y"]).any() or (scores["z"] != data["z"]).any():
        raise ValueError("the scores are of another data set, or no table of `metasieve score`")
    train, test = data["split"] == 0, data["split"] == 1
    x = np.column_stack([data["x"], data["z"]]) if use_group else data["x"]
    x = StandardScaler().fit(x[train]).transform(x)
    y, truth, ones = data["y"], data.get("y_clean", data["y"]), np.ones(len(data["y"]))
    ways = [(train, ones), (train, scores["weight"]), (train & (scores["selected"] == 1), ones)]
    return {name: [quality(model.fit(x[rows], y[rows], sample_weight=weight[rows]).predict(x[test]), truth[test],
                           data["z"][test]) for rows, weight in ways] for name, model in MODELS.items()}


def write_split(path, source, label_noise, seed):
    """A data set file with a random 70/30 `split`, a share of the training labels flipped, and `y_clean`."""
    clean = read_dataset(source)["y"]
    train, test = train_test_split(np.arange(len(clean)), test_size=0.3, stratify=clean, random_state=seed)
    y = clean.copy()
    y[np.random.default_rng(seed).choice(train, int(label_noise * len(train)), replace=False)] ^= 1
    with h5py.File(source, "r") as old, h5py.File(path, "w", libver=("v108", "v110")) as new:
        for name, value in old.attrs.items():
            new.attrs[name] = value
        new["x"], new["y"], new["z"], new["y_clean"] = old["x"][:], y, old["z"][:], clean
        new["split"] = np.isin(np.arange(len(y)), test).astype("uint8")


def made_splits(options):
    """Yields data set and scores of each random split, scored by `metasieve score`."""
    with tempfile.TemporaryDirectory() as folder:
        dataset, scores = pathlib.Path(folder, "split.h5"), pathlib.Path(folder, "scores.h5")
        for k in range(options.splits):
            write_split(dataset, options.make, options.label_noise, options.seed + k)
            subprocess.run([options.metasieve, "score", "--policy", options.policy, "--dataset", dataset, "--output",
                            scores, *(["--config", options.config] if options.config else [])], check=True,
                           stdout=subprocess.DEVNULL)
            yield read_dataset(dataset), read_scores(scores)


def print_table(found):
    """Means over splits, and the mean gain over all rows with its standard error (more than one split)."""
    splits = len(found)
    print(f"means over {splits} split(s); gain: points of accuracy over all rows (standard error)")
    for model in found[0]:
        values = np.array([split[model] for split in found])  # [splits, ways, metrics]
        print(f"\n{model:20}" + "".join(f"{metric:>19}" for metric in METRICS) + f"{'gain':>16}{'EO gap by':>11}")
        for way, name in enumerate(WAYS):
            gains = 100 * (values[:, way, 0] - values[:, 0, 0])
            error = f" ({gains.std(ddof=1) / splits ** 0.5:.2f})" if splits > 1 else ""
            means, base = values[:, way].mean(axis=0), values[:, 0].mean(axis=0)
            by = f"{100 * (means[3] / base[3] - 1):+.0f} %" if base[3] > 0 and means[3] >= 0 else "-"
            print(f"  {name:18}" + "".join(f"{value:19.3f}" for value in means)
                  + (f"{f'{gains.mean():+.2f}{error}':>16}{by:>11}" if way else ""))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", metavar="D.h5", help="data set with a split")
    parser.add_argument("--scores", metavar="F", help="its scores, .h5 or .csv")
    parser.add_argument("--make", metavar="D.h5", help="data set to split, score and train on, again and again")
    for name, default in (("splits", 10), ("label-noise", 0.1), ("seed", 0)):
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"of --make; default {default}")
    parser.add_argument("--policy", metavar="P.h5", help="of --make")
    parser.add_argument("--metasieve", default="build/src/metasieve", metavar="FILE", help="of --make")
    parser.add_argument("--config", metavar="F.ini", help="of --make; configs/compare.ini adapts the policy to the data")
    parser.add_argument("--blind", action="store_true", help="the models do not see the group")
    options = parser.parse_args()
    if (options.make is None) == (options.dataset is None) or (options.dataset is None) != (options.scores is None):
        parser.error("give --dataset and --scores, or --make and --policy")
    if options.make and (options.policy is None or options.splits < 1 or not 0 <= options.label_noise < 0.5):
        parser.error("--make needs --policy, 1 or more --splits, and --label-noise from 0 to below 0.5")
    return options


def main(options):
    try:
        pairs = made_splits(options) if options.make else [(read_dataset(options.dataset), read_scores(options.scores))]
        print_table([compare(*pair, not options.blind) for pair in pairs])
    except subprocess.CalledProcessError as error:  # metasieve has said why
        return error.returncode
    except (OSError, ValueError, KeyError) as error:
        print(f"score_example.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(parse()))
