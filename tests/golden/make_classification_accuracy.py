"""Difficulty of scikit-learn's make_classification, the reference of tests/core/tasks/test_difficulty.cpp.

For each cell (separability, columns, share of positives) and each of SEEDS seeds: one problem of ROWS rows with
max(2, d/2) informative and max(1, d/4) redundant columns, two clusters a class, no label flips; a 70/30 split
stratified by label; columns standardised on the training rows; logistic regression with a ridge of 1e-3 per row
(C = 1 / (1e-3 n)); accuracy and balanced accuracy on the test rows. Prints a CSV: means over the seeds, their
standard errors, and the standard deviation of the accuracy between problems.

    python3 make_classification_accuracy.py > make_classification_accuracy.csv
"""

import warnings

import numpy as np
import sklearn
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

ROWS = 400
SEEDS = 1000
RIDGE = 1e-3


def one_problem(separability, columns, positive, seed):
    """Accuracy and balanced accuracy on the test rows of one problem."""
    x, y = make_classification(
        n_samples=ROWS, n_features=columns, n_informative=max(2, columns // 2),
        n_redundant=max(1, columns // 4), n_clusters_per_class=2, weights=[1 - positive, positive], flip_y=0,
        class_sep=separability, hypercube=True, random_state=seed)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(x_train)
    model = LogisticRegression(C=1 / (RIDGE * len(y_train)), tol=1e-6, max_iter=1000)
    predicted = model.fit(scaler.transform(x_train), y_train).predict(scaler.transform(x_test))
    return accuracy_score(y_test, predicted), balanced_accuracy_score(y_test, predicted)


def main():
    warnings.simplefilter("error", ConvergenceWarning)
    print(f"# make_classification of scikit-learn {sklearn.__version__}: {SEEDS} seeds, {ROWS} rows")
    print("separability,columns,positive,rows,seeds,accuracy,accuracy_se,balanced,balanced_se,accuracy_sd")
    cell = 0
    for separability in (0.5, 1.0, 2.0):
        for columns in (5, 7, 12, 20):
            for positive in (0.5, 0.2):
                scores = np.array([one_problem(separability, columns, positive, 100000 * cell + s)
                                   for s in range(SEEDS)])
                mean, sd = scores.mean(axis=0), scores.std(axis=0, ddof=1)
                error = sd / np.sqrt(SEEDS)
                print(f"{separability},{columns},{positive},{ROWS},{SEEDS},{mean[0]:.5f},{error[0]:.5f},"
                      f"{mean[1]:.5f},{error[1]:.5f},{sd[0]:.5f}", flush=True)
                cell += 1


if __name__ == "__main__":
    main()
