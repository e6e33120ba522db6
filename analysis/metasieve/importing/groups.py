"""Makes the sensitive groups of a table: each value of a column, each combination of several columns, cuts of a column
of numbers, or some values against the rest."""
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..commands import UsageError
from .columns import numbers, shown
from .hints import Levels
from .roles import MANY, alike_remark, counted, expanded, meaning, one_number_remark, same_text, two_values

MOST = 64  # groups of a data set
ALL, OTHER = "all", "other"  # the group without --group, and that of merged groups
FEW_OF_TABLE, FEW_OF_GROUP, FEW_OF_CELL = 200, 30, 10  # rows that are enough to judge; a cell is a label in a group
SHOWN, LISTED = 4, 20  # groups at most that the column report shows, and that a note lists


# ------------------------------------------------------------------------------------------------------ of a row

def one_line(text):
    """Returns a text without line breaks and control characters."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


def numbered(place, texts):
    """Returns the Levels of rows with these texts, each at its place [n]. Rows of equal texts are in one level."""
    number, names = pd.factorize(np.array(texts, dtype=object))
    return Levels(number[place], list(names))


def levels_by_value(column, style):
    """Returns the Levels of a column in which each value is apart. Raises UsageError if most of many are numbers."""
    place, distinct = pd.factorize(column)
    distinct = pd.Series(distinct, dtype=object)
    values = numbers(distinct, style)
    if values.nunique() > max(MANY, len(distinct) / 2):
        middle = max(np.nanmedian(values.to_numpy()[place]), values.sort_values().iloc[1])
        raise UsageError(f"--group {column.name}: has {values.nunique()} different numbers; must have at most {MANY}, "
                         f"or be cut as in --group '{column.name}:<{middle:g},>={middle:g}'")
    return numbered(place, [one_line(f"{column.name}={value}") for value in same_text(distinct)])


def levels_by_cut(column, cuts, style, notes):
    """Returns the Levels of a column that is cut. Raises UsageError if a row is in no cut or in two."""
    option = f"--group {column.name}:{','.join(cut.text for cut in cuts)}"
    place, distinct = pd.factorize(column)
    distinct = pd.Series(distinct, dtype=object)
    values = numbers(distinct, style)
    if values.isna().any():
        raise UsageError(f"{option}: column '{column.name}' must have only numbers for cuts; it has "
                         f"{shown(distinct[values.isna()])}")
    inside = np.array([cut.rows(values) for cut in cuts])
    wrong = inside.sum(axis=0) != 1
    if wrong.any():
        first = wrong.argmax()
        found = " and ".join(cut.text for cut, values in zip(cuts, inside) if values[first])
        raise UsageError(f"{option}: the number {distinct[first]} is in {found or 'no cut'}; each row must be in "
                         f"exactly one cut ({int(wrong[place].sum())} rows are not)")
    names = [cut.name(one_line(column.name)) for cut in cuts]
    notes += [f"warning: --group: no row has {name}" for name, values in zip(names, inside) if not values.any()]
    return numbered(place, [names[k] for k in inside.argmax(axis=0)])


def combined(levels):
    """Returns the combinations of the Levels of several columns that some row has."""
    first, *others = levels
    number, names = first.number, first.names
    for other in others:
        found, number = np.unique(number * len(other.names) + other.number, return_inverse=True)
        names = [f"{names[pair // len(other.names)]}, {other.names[pair % len(other.names)]}" for pair in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"--group: two combinations are called '{twice}'; rename values that have a comma in them")
    return Levels(number, names)


# ------------------------------------------------------------------------------------------------------- groups

@dataclass
class Groups:
    """Groups of n rows."""
    number: np.ndarray  # [n], 0 to K - 1; booleans where --group-value says who is group 1
    names: list  # [K], in the order of the numbers
    meaning: str  # who is group 1 where --group-value says it, else the columns
    levels: dict  # {column: Levels}
    values: pd.Series | None = None  # [n], the column of --group-value

    def outcomes(self):
        """Returns what features should not predict, [(in words, Levels)]: the group, or each of several columns."""
        several = len(self.levels) > 1
        return [(f"'{column}' of the group" if several else "the group", levels)
                for column, levels in self.levels.items()]

    def remarks(self, y):
        """Returns {column: its largest levels, with rows and share of label 1}."""
        found = {}
        for column, levels in self.levels.items():
            rows, ones = levels.rows(), np.bincount(levels.number, weights=y)
            order = np.argsort(-rows, kind="stable")[:SHOWN]
            found[column] = "; ".join(f"{levels.names[k]} ({rows[k]} rows, {share(ones[k] / rows[k])} with label 1)"
                                      for k in order) + ("; ..." if len(rows) > SHOWN else "")
        return found

    def notes(self, y, split=None):
        """Returns the rows of each group and its share of label 1, and what is too small."""
        if len(self.names) == 1:
            return ["note: without --group all rows are one group: fairness is not in question", *size_notes(y, self)]
        order = range(len(self.names)) if self.values is None else (1, 0)
        notes = []
        for k in order:
            rows = self.number == k
            what = self.names[k] if self.values is None else f"{self.values.name} = {counted(self.values[rows])}"
            notes.append(f"group {k}: {int(rows.sum())} rows, {share(y[rows].mean())} with label 1, {what}")
        return notes + size_notes(y, self) + part_notes(self, split)


def share(part):
    return f"{100 * part:.1f} %"


def size_notes(y, groups):
    """Returns warnings that the table, a group, or a label in a group, has too few rows to judge by."""
    def few(what, numbers, least):
        counts = np.bincount(numbers, minlength=len(groups.names))
        small = [f"{name} ({rows})" for name, rows in zip(groups.names, counts) if rows < least]
        warning = f"warning: few rows {what}: {'; '.join(small)}; fewer than {least} are too few to judge by"
        return [warning] * bool(small)

    small = f"warning: {len(y)} rows; fewer than {FEW_OF_TABLE} are too few to judge a method"
    notes = [small] * (len(y) < FEW_OF_TABLE)
    notes += few("in a group", groups.number, FEW_OF_GROUP) * (len(groups.names) > 1)
    for label in (1, 0):
        notes += few(f"with label {label} in a group", groups.number[y == label], FEW_OF_CELL)
    return notes


def part_notes(groups, split):
    """Returns warnings of groups without rows in the training or test part. Two groups must be in both."""
    if split is None or len(groups.names) <= 2:
        return []
    parts = {"training": groups.number[~split], "test": groups.number[split]}
    return [f"warning: the {part} part has no row of group {name}" for part, numbers in parts.items()
            for k, name in enumerate(groups.names) if not (numbers == k).any()]


def merged(columns, groups, smallest, notes):
    """Returns the Levels with small groups merged into one, unless there is only one."""
    total = len(groups.number)
    counts = pd.Series(groups.rows(), index=groups.names).sort_values(ascending=False, kind="stable")
    limit = max(FEW_OF_GROUP, -(-total // 100)) if smallest is None else smallest
    small = counts[counts < limit]
    if len(small) == len(counts):
        raise UsageError(f"--group {columns}: no group has {limit} rows, the largest, {counts.index[0]}, has "
                         f"{counts.iloc[0]} of {total}, and smaller ones are merged; --smallest-group N lowers that, 0 "
                         "merges none")
    left = len(counts) - len(small) + (len(small) > 0)
    if left > MOST:
        enough = counts.iloc[MOST - 1] + 1
        more = f", or merge small ones: --smallest-group {enough}" if enough <= counts.iloc[0] else ""
        raise UsageError(f"--group {columns}: makes {left} groups, those of fewer than {limit} rows merged; must be at "
                         f"most {MOST}: name fewer columns, or cut numbers as in 'age:<25,25:60,>60'{more}")
    if len(small) < 2:
        return groups
    listed = "; ".join(f"{name} ({rows})" for name, rows in small[:LISTED].items())
    notes.append(f"note: {len(small)} groups of fewer than {limit} rows merged into '{OTHER}' ({small.sum()} rows): "
                 f"{listed}{'; ...' if len(small) > LISTED else ''}; --smallest-group N changes the limit")
    if 2 * small.sum() > total:
        notes.append(f"warning: '{OTHER}' has {share(small.sum() / total)} of the rows; fewer columns or cuts would show "
                     "more of them")
    return numbered(groups.number, [OTHER if name in small.index else name for name in groups.names])


def by_size(groups):
    """Returns the Levels numbered from the largest to the smallest, and by name; OTHER is the last."""
    rows = groups.rows()
    order = sorted(range(len(rows)), key=lambda k: (groups.names[k] == OTHER, -rows[k], groups.names[k]))
    return Levels(np.argsort(order)[groups.number].astype("uint8"), [groups.names[k] for k in order])


def some_against_the_rest(path, column, values):
    """Returns the two Groups of --group-value: 1 has one of the values."""
    ones = two_values(path, column, "group", column.name, values)
    wanted = [meaning(column.name, value, column) for value in expanded(column, values)]
    name, rest = one_line(" or ".join(wanted)), same_text(column)[~ones].unique()
    names = [one_line(f"{column.name}={rest[0]}") if len(rest) == 1 else f"not {name}", name]
    return Groups(ones, names, name, {column.name: Levels(ones, names)}, column)


def groups_of(path, data, wanted, options, style, notes):
    """Returns the Groups of a table's rows. `wanted`: GroupColumns, without missing values in `data`.

    Without --group-value the largest group is 0, and that of merged ones the last. Raises UsageError or ValueError.
    """
    if not wanted:
        return Groups(np.zeros(len(data), "uint8"), [ALL], ALL, {})
    for one in wanted:
        notes += [] if one.cuts else [one_line(remark) for remark in alike_remark(one.name, data[one.name])]
    if options.group_value:
        column = data[wanted[0].name]
        notes += one_number_remark(column.name, column, expanded(column, options.group_value))
        return some_against_the_rest(path, column, options.group_value)
    levels = {one.name: levels_by_cut(data[one.name], one.cuts, style, notes) if one.cuts else
              levels_by_value(data[one.name], style) for one in wanted}
    groups, columns = combined(levels.values()), ", ".join(map(one_line, levels))
    if len(groups.names) < 2:
        raise ValueError(f"{path}: all rows are in one group, {groups.names[0]} (--group); must be two or more, or "
                         "leave --group out")
    groups = by_size(merged(columns, groups, options.smallest_group, notes))
    if len(levels) == 1:
        levels = {wanted[0].name: groups}
    return Groups(groups.number, groups.names, columns, levels)
