"""Points at columns that should perhaps not be features."""
import numpy as np
import pandas as pd

AUC = 0.98  # of one column alone: above it, the column is probably known only together with the label
SENTINELS = [-99, -999, -9999, -99999, 999, 9999, 99999]  # numbers that often stand for a missing value
FEW = 5  # rows of one outcome: with fewer, any column may have such an AUC by chance


def evidence(column, outcome):
    """Returns what a column alone says of the outcome of each row: its number, or for a word the share of the outcome
    among the other rows with this word."""
    if column.dtype != object:
        return column
    rows, ones = (outcome.groupby(column).transform(name) for name in ("count", "sum"))
    return ((ones - outcome) / (rows - 1)).where(rows > 1, outcome.mean())


def auc(evidence, outcome):
    """Area under the ROC curve, ties half."""
    ones = int(outcome.sum())
    ranks = evidence.rank().to_numpy()
    return (ranks[outcome.to_numpy() == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(outcome) - ones))


def tells(column, outcome):
    """Returns how well a column alone tells an outcome: its AUC if that is above the bound, else None.

    `column`: numbers, or words as objects. `outcome`: booleans.
    """
    outcome = pd.Series(outcome.astype("float64"), index=column.index)
    if min(outcome.sum(), (1 - outcome).sum()) < FEW:
        return None
    found = auc(evidence(column, outcome), outcome)
    found = max(found, 1 - found) if column.dtype != object else found
    return found if found > AUC else None


def of_column(column, label, group):
    """Returns remarks on a column: tells the label or the group, counts up, is different in each row, never changes."""
    remarks = []
    for outcome, what in ((label, "label"), (group, "group")):
        found = tells(column, outcome) if outcome is not None else None
        if found:
            remarks.append(f"alone predicts the {what} (AUC {found:.3f})")
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
