"""The picture of the idea: noisy rows, their keep weights, and the decision boundary before and after.

    python3 -m metasieve.plots.idea idea.png [--metasieve build/src/metasieve] [--policy configs/policy_blind.h5]

Makes a table of two columns in which some labels are wrong, has the real program score its rows, and fits a logistic
regression to all rows and to the kept rows. Nothing in the picture is drawn by hand.
"""
import argparse
import io
import pathlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import matplotlib
import numpy as np
import pandas as pd
from PIL import Image

from .. import files, read
from ..importing.dataset_file import Dataset, write
from ..methods import BLACK, BLUE, GREEN, GREY, ORANGE

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is chosen)
from matplotlib.lines import Line2D  # noqa: E402

PROGRAM, POLICY = "build/src/metasieve", "configs/policy_blind.h5"
NOTE = ("A synthetic table of 500 rows. A third of group B's positives are recorded as negative, and 5 % of all labels "
        "are flipped. The policy has never seen this table, nor the clean labels.")


@dataclass
class Table:
    """Rows with two columns; n is their number."""
    x: np.ndarray  # [n, 2]
    y: np.ndarray  # [n] labels as they are recorded
    clean: np.ndarray  # [n] labels as they should be
    group: np.ndarray  # [n] 1 = group B

    @property
    def wrong(self):
        return self.y != self.clean


def make_table(rows, seed):
    random = np.random.default_rng(seed)
    group, clean = random.random(rows) < 0.4, random.random(rows) < 0.5
    x = random.normal(size=(rows, 2)) * [1.0, 0.8] + np.stack([np.where(group, 1.4, -1.4),
                                                               np.where(clean, 1.1, -1.1)], axis=1)
    hidden = clean & group & (random.random(rows) < 1 / 3)
    flipped = random.random(rows) < 0.05
    return Table(x, (clean & ~hidden) ^ flipped, clean, group)


def score(table, program, policy):
    """Returns what `metasieve score` says of the rows, a data frame [n]. Raises OSError if the program fails."""
    with tempfile.TemporaryDirectory() as folder:
        data, scores = pathlib.Path(folder, "table.h5"), pathlib.Path(folder, "scores.h5")
        write(data, Dataset(pd.DataFrame(table.x, columns=["across", "along"]), table.y, table.group, "yes", "B"),
              argparse.Namespace())  # without the clean labels
        done = subprocess.run([program, "score", "--policy", policy, "--dataset", data, "--output", scores],
                              capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"{program} score: exit code {done.returncode}: {done.stderr.strip()}")
        return read(scores)["scores"]


def with_intercept(x):
    return np.column_stack([x, np.ones(len(x))])


def fit(x, y):
    """Logistic regression by Newton's method. Returns the coefficients, intercept last."""
    design, beta = with_intercept(x), np.zeros(x.shape[1] + 1)
    for _ in range(25):
        p = 1 / (1 + np.exp(-design @ beta))
        hessian = design.T @ (design * (p * (1 - p))[:, None]) + 1e-3 * np.eye(len(beta))
        beta -= np.linalg.solve(hessian, design.T @ (p - y) + 1e-3 * beta)
    return beta


def quality(beta, test):
    """Returns accuracy, and recall in group A and in group B."""
    decision = with_intercept(test.x) @ beta > 0
    found = [decision[test.clean & (test.group == group)].mean() for group in (False, True)]
    return (decision == test.clean).mean(), *found


# ------------------------------------------------------------------------------------------------------ drawing

def scatter(axis, table, shown, colours, **style):
    """Draws the rows `shown`: circles are group A, triangles group B; a ring marks a wrong label."""
    for group, marker in ((False, "o"), (True, "^")):
        for wrong in (False, True):
            rows = shown & (table.group == group) & (table.wrong == wrong)
            drawn = axis.scatter(*table.x[rows].T, c=colours[rows], marker=marker, s=34 if wrong else 22,
                                 edgecolors=BLACK if wrong else "none", linewidths=1.1, **style)
    return drawn


def draw_boundary(axis, beta, **style):
    across = np.array([-5.0, 5.0])
    axis.plot(across, -(beta[0] * across + beta[2]) / beta[1], **style)


def entries(colours):
    """Entries of the legend of recorded labels and groups."""
    dot = {"linestyle": "none", "markersize": 6}
    return [Line2D([], [], marker="s", color=colours[1], label="recorded as 1", **dot),
            Line2D([], [], marker="s", color=colours[0], label="recorded as 0", **dot),
            Line2D([], [], marker="o", color=GREY, label="group A", **dot),
            Line2D([], [], marker="^", color=GREY, label="group B", **dot),
            Line2D([], [], marker="o", markerfacecolor="none", color=BLACK, label="label is wrong", **dot)]


def save(figure, path):
    """Writes a PNG of 256 colours, which is small enough for a repository; closes the figure."""
    png = io.BytesIO()
    figure.savefig(png, dpi=100, format="png")
    plt.close(figure)
    picture = Image.open(png).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE)
    files.write({path: lambda part: picture.save(part, format="png", optimize=True)})


def draw(output, program=PROGRAM, policy=POLICY, seed=1):
    """Draws the picture to `output`. Returns the qualities of the models on all rows, kept rows, clean labels."""
    table, test = make_table(500, seed), make_table(20000, seed + 1000)
    scores = score(table, program, policy)
    kept = (scores["selected"] == 1).to_numpy()
    models = {"all rows": fit(table.x, table.y), "kept rows": fit(table.x[kept], table.y[kept]),
              "clean labels": fit(table.x, table.clean)}
    qualities = {name: quality(beta, test) for name, beta in models.items()}

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12.6, 4.6), sharex=True, sharey=True)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.93, bottom=0.23, wspace=0.05)
    everything, labels = np.ones(len(table.y), bool), np.where(table.y, ORANGE, BLUE)
    scatter(left, table, everything, labels, alpha=0.75)
    left.set_title(f"1. Noisy rows: {100 * table.wrong.mean():.0f} % of the labels are wrong")
    left.legend(handles=entries((BLUE, ORANGE)), loc="upper center", bbox_to_anchor=(0.5, -0.02), ncol=3, frameon=False)

    drawn = scatter(middle, table, everything, scores["weight"].to_numpy(), cmap="cividis", vmin=0, vmax=1)
    middle.set_title("2. The policy gives each row a keep weight")
    figure.colorbar(drawn, cax=middle.inset_axes([0.1, -0.09, 0.8, 0.05]), orientation="horizontal",
                    label="keep weight")

    scatter(right, table, kept, labels, alpha=0.45)
    right.set_title(f"3. A model on the kept rows ({100 * table.wrong[kept].mean():.0f} % wrong)")
    for name, style in {"all rows": {"color": GREY, "linestyle": "--"}, "kept rows": {"color": BLACK},
                        "clean labels": {"color": GREEN, "linestyle": ":"}}.items():
        accuracy, group_a, group_b = qualities[name]
        words = f"{name}: accuracy {accuracy:.3f}, recall {100 * group_a:.0f} % in A, {100 * group_b:.0f} % in B"
        draw_boundary(right, models[name], linewidth=2.2, label=words, **style)
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), frameon=False, fontsize=9)
    for axis in (left, middle, right):
        axis.set(xlim=(-4.2, 4.2), ylim=(-3.4, 3.4), xticks=[], yticks=[])
    figure.text(0.5, 0.015, NOTE, ha="center", fontsize=9, color="#444444")
    save(figure, pathlib.Path(output))
    return qualities


def main():
    parser = argparse.ArgumentParser(prog="python3 -m metasieve.plots.idea", description=__doc__.splitlines()[0])
    parser.add_argument("output", metavar="OUTPUT", help="picture to write, such as idea.png")
    parser.add_argument("--metasieve", default=PROGRAM, metavar="FILE", help=f"the program; default: {PROGRAM}")
    parser.add_argument("--policy", default=POLICY, metavar="P.h5", help=f"default: {POLICY}")
    options = parser.parse_args()
    try:
        for name, (accuracy, group_a, group_b) in draw(options.output, options.metasieve, options.policy).items():
            print(f"{name}: accuracy {accuracy:.3f}, recall {group_a:.3f} in A, {group_b:.3f} in B")
    except (OSError, ValueError) as error:
        print(f"metasieve.plots.idea: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
