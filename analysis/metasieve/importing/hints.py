"""Points at columns that should perhaps not be features."""
from dataclasses import dataclass

import numpy as np
import pandas as pd

AUC = 0.98  # of one column alone: above it, the column is probably known only together with the label
SENTINELS = [-99, -999, -9999, -99999, 999, 9999, 99999]  # numbers that often stand for a missing value
FEW = 5  # rows of one outcome: with fewer, any column may have such an AUC by chance
SHOWN = 4  # groups at most that a remark names


@dataclass
class Levels:
    """What each of n rows is: its label, or its group by some columns."""
    number: np.ndarray  # [n], 0 to K - 1
    names: list  # [K]

    def rows(self):
        return np.bincount(self.number, minlength=len(self.names))

    def part(self, rows):
        return Levels(self.number[rows], self.names)


def aucs_of_numbers(ranks, number, counts):
    """Returns the area under the ROC curve of each level against the others, [K], .5 or more; ties half.

    `ranks`: [n] of a column of numbers. `number`: [n] levels of the rows. `counts`: [K] rows of each level."""
    sums = np.bincount(number, weights=ranks, minlength=len(counts))
    with np.errstate(invalid="ignore"):  # a level without rows
        found = (sums - counts * (counts + 1) / 2) / (counts * (len(ranks) - counts))
    return np.maximum(found, 1 - found)


def aucs_of_words(words, number, counts):
    """Returns the AUCs of a column of words: its evidence is the share of the level among other rows with this word.

    `words`: [n] number of each row's word."""
    table = np.bincount(words * len(counts) + number, minlength=(words.max() + 1) * len(counts))
    table = table.reshape(-1, len(counts))  # [words, K] rows
    rows, found = table.sum(axis=1), []
    for ones, count in zip(table.T, counts):
        others = np.maximum(rows - 1, 1)
        shares = [np.where(rows > 1, (ones - own) / others, count / len(words)) for own in (0, 1)]
        place = np.unique(np.concatenate(shares), return_inverse=True)[1]
        without = np.bincount(place, np.concatenate([rows - ones, 0 * ones]))
        having = np.bincount(place, np.concatenate([0 * ones, ones]))
        below = np.cumsum(without) - without / 2
        with np.errstate(invalid="ignore"):
            found.append(np.divide(having @ below, count * (len(words) - count)))
    return np.array(found)


def predicted(column, outcomes):
    """Returns remarks on the outcomes that a column alone predicts, each of their levels against the others.

    `column`: numbers, or words as objects. `outcomes`: [(what it is, Levels)].
    """
    values, aucs = (pd.factorize(column)[0], aucs_of_words) if column.dtype == object else \
        (column.rank().to_numpy(), aucs_of_numbers)
    remarks = []
    for what, levels in outcomes:
        counts = levels.rows()
        enough = np.minimum(counts, len(column) - counts) >= FEW
        found = [(name, auc) for name, auc, known in zip(levels.names, aucs(values, levels.number, counts), enough)
                 if known and auc > AUC]
        if found and len(counts) == 2:  # as well as each other
            remarks.append(f"alone predicts {what} (AUC {found[-1][1]:.3f})")
        elif found:
            listed = "; ".join(f"{name} (AUC {auc:.3f})" for name, auc in found[:SHOWN])
            remarks.append(f"alone predicts {what}: {listed}{'; ...' if len(found) > SHOWN else ''}")
    return remarks


def of_column(column, outcomes):
    """Returns remarks on a column: predicts an outcome, counts up, is different in each row, never changes."""
    remarks = predicted(column, outcomes)
    if len(column) < FEW:
        return remarks
    if column.nunique() == 1:
        remarks.append("has one value only")
    elif column.dtype == object and column.nunique() == len(column):
        remarks.append("is different in each row: an identifier?")
    elif column.dtype != object and (np.mod(column, 1) == 0).all() and (np.diff(column) > 0).all():
        remarks.append("counts up by row: an identifier?")
    if column.dtype != object:
        remarks += [f"is {end:g} in {int((column == end).sum())} rows: a missing value? (--missing {end:g})"
                    for end in (column.min(), column.max()) if end in SENTINELS and (column == end).sum() > 1]
    return remarks
