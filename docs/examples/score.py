"""Trains scikit-learn models on the rows that a policy selects, and compares them with training on all rows.

    PYTHONPATH=analysis python3 docs/examples/score.py compas.h5 --policy configs/policy.h5

It works with the files of the program; in Python alone, metasieve.SievedClassifier does this. Each random split flips a share of the training labels, runs `metasieve score` on it, and judges every model on the test
part with its labels as they are.
"""
import argparse
import pathlib
import subprocess
import tempfile

import h5py
import metasieve
import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

MODELS = {"logistic regression": LogisticRegression(max_iter=1000),
          "gradient boosting": GradientBoostingClassifier(random_state=0),
          "random forest": RandomForestClassifier(min_samples_leaf=5, random_state=0)}


def write_split(path, source, label_noise, seed):
    """Writes a copy of a data set with `split` (30 % are the test part), and `y` with flipped training labels."""
    clean = source["y"]
    train, test = train_test_split(np.arange(len(clean)), test_size=0.3, stratify=clean, random_state=seed)
    flipped = np.random.default_rng(seed).choice(train, int(label_noise * len(train)), replace=False)
    with h5py.File(source.path) as old, h5py.File(path, "w", libver=("v108", "v110")) as new:
        new.attrs.update(old.attrs)
        new["x"], new["z"], new["y_clean"] = source["x"], source["z"], clean
        new["y"] = clean ^ np.isin(np.arange(len(clean)), flipped).astype("uint8")
        new["split"] = np.isin(np.arange(len(clean)), test).astype("uint8")


def quality(predicted, y, z):
    """Returns accuracy and equalised-odds gap of 0/1 predictions, [n] each."""
    rate = {(label, group): predicted[(y == label) & (z == group)].mean() for label in (0, 1) for group in (0, 1)}
    return (predicted == y).mean(), max(abs(rate[label, 1] - rate[label, 0]) for label in (0, 1))


def compare(data, scores):
    """Returns [models, ways, metrics]; the ways are all rows, weighted rows, selected rows."""
    train, test = data["split"] == 0, data["split"] == 1
    x = np.column_stack([data["x"], data["z"]])
    x = StandardScaler().fit(x[train]).transform(x)
    ways = [(train, None), (train, scores["weight"]), (train & (scores["selected"] == 1), None)]
    return [[quality(model.fit(x[rows], data["y"][rows], None if weight is None else weight[rows]).predict(x[test]),
                     data["y_clean"][test], data["z"][test]) for rows, weight in ways] for model in MODELS.values()]


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("dataset", help="file of `python3 -m metasieve import`")
parser.add_argument("--policy", required=True)
parser.add_argument("--config", help="configuration of `metasieve score`")
parser.add_argument("--metasieve", default="build/src/metasieve", help="the program; default: %(default)s")
parser.add_argument("--splits", type=int, default=10, help="default: %(default)s")
parser.add_argument("--label-noise", type=float, default=0.1, help="default: %(default)s")
parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
options = parser.parse_args()

found = []
with tempfile.TemporaryDirectory() as folder:
    split, scores = pathlib.Path(folder, "split.h5"), pathlib.Path(folder, "scores.h5")
    for k in range(options.splits):
        write_split(split, metasieve.read(options.dataset, "dataset"), options.label_noise, options.seed + k)
        config = ["--config", options.config] if options.config else []
        subprocess.run([options.metasieve, "score", "--policy", options.policy, "--dataset", split, "--output", scores,
                        *config], check=True, stdout=subprocess.DEVNULL)
        found.append(compare(metasieve.read(split), metasieve.read(scores)["scores"]))

found = np.array(found)  # [splits, models, ways, metrics]
gains = 100 * (found[..., 0] - found[:, :, :1, 0])
print(f"means over {options.splits} splits; gain: points of accuracy over all rows (standard error)")
for model, name in enumerate(MODELS):
    print(f"\n{name:20}{'accuracy':>10}{'EO gap':>10}{'gain':>16}")
    for way, words in enumerate(("all rows", "sample_weight", "selected rows")):
        error = gains[:, model, way].std(ddof=1) / options.splits ** 0.5 if options.splits > 1 else float("nan")
        accuracy, gap = found[:, model, way].mean(axis=0)
        gain = f"{gains[:, model, way].mean():+9.2f} ({error:.2f})" if way else ""
        print(f"  {words:18}{accuracy:10.3f}{gap:10.3f}{gain}")
