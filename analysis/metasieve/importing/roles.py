"""Finds the columns that are no features, and which of their values become 1."""
import difflib
import re
import shlex

import numpy as np
import pandas as pd

from ..commands import UsageError
from .columns import alike, numbers, shown

ROLES = ("label", "split", "clean", "weight", "id")  # of one column each, named by the option of this name
MANY = 10  # different numbers of a column above which one of them is an unusual group
NUMBER = r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*"
BELOW, WITHIN = re.compile(rf"(<=|>=|<|>){NUMBER}", re.IGNORECASE), re.compile(f"{NUMBER}:{NUMBER}", re.IGNORECASE)


def known_column(path, table, option, name):
    if name in table.data.columns:
        return name
    if table.data.columns.empty:
        raise ValueError(f"{path}: has no column with a name")
    near = difflib.get_close_matches(name, table.data.columns, n=1, cutoff=0)
    alone = len(table.data.columns) == 1 and table.separator
    more = f", the only one: is '{table.separator}' the --separator?" if alone else ""
    raise UsageError(f"{option} {name}: {path} has no such column; nearest is '{near[0]}'{more}")


def known_columns(path, table, option, names):
    """Returns columns from names and lists such as `a,b`. A column that is called `a,b` is one name."""
    parts = [part.strip() for name in names
             for part in ([name] if name in table.data.columns else filter(None, name.split(",")))]
    return [known_column(path, table, option, part) for part in parts]


def columns_of_roles(path, table, options, groups):
    """Returns {column: role} of the columns that are no features. Raises UsageError if one column has two roles.

    `groups`: the columns of --group."""
    if (options.split is None) != (not options.test_value):
        raise UsageError("--split and --test-value go together: the column, and its value in the test part")
    found = {}
    for role in ROLES:
        if getattr(options, role) is not None:
            found.setdefault(known_column(path, table, f"--{role}", getattr(options, role)), []).append(role)
    for column in groups:
        found.setdefault(column, []).append("group")
    for column, shared in found.items():
        if len(shared) > 1:
            raise UsageError(f"{', '.join(f'--{role}' for role in shared)}: must be different columns")
    return {column: role for column, [role] in found.items()}


# ---------------------------------------------------------------------------------------------------------- values

def same_text(column):
    """Returns the column with each number written in one way: 1.0 and 01 are 1."""
    values = numbers(column)
    return column.where(values.isna(), values.map("{:.15g}".format, na_action="ignore"))


def in_range(value, column):
    """Returns whether each number of the column is in a range such as <25, >=60 or 25:40 (both ends belong to it); None
    if `value` is no range."""
    number = numbers(column)
    below, within = BELOW.fullmatch(value), WITHIN.fullmatch(value)
    if below:
        compare = {"<": number.lt, "<=": number.le, ">": number.gt, ">=": number.ge}[below[1]]
        return compare(float(below[2]))
    return number.between(float(within[1]), float(within[2])) if within else None


def has_value(column, value):
    return (column == value.strip()) | (same_text(column) == same_text(pd.Series([value.strip()], dtype=object))[0])


def meaning(name, value, column):
    """Returns what rows with a value have in common: `sex=F`, `age<25`, `25<=age<=40`."""
    within = WITHIN.fullmatch(value)
    if has_value(column, value).any() or in_range(value, column) is None:
        return f"{name}={value}"
    return f"{within[1]}<={name}<={within[2]}" if within else name + value.replace(" ", "")


def expanded(column, values):
    """Returns values and lists such as `a,b`. A value of the column that is written `a,b` is one value."""
    return [part.strip() for value in values
            for part in ([value] if "," not in value or has_value(column, value).any() else value.split(","))]


def counted(values):
    """Returns the values with their rows, the most frequent first."""
    counts = values.value_counts()
    more = ", ..." if len(counts) > 8 else ""
    return ", ".join(f"{value} ({rows})" for value, rows in counts[:8].items()) + more


def rows_with(column, option, name, values):
    """Returns whether each row has one of the values. Raises UsageError if one of them is not in the column."""
    found = np.zeros(len(column), dtype=bool)
    for value in expanded(column, values):
        rows = has_value(column, value)
        if not rows.any() and in_range(value, column) is not None:
            rows = in_range(value, column)
            words = column[numbers(column).isna()]
            if len(words):
                raise UsageError(f"{option} {value}: column '{name}' must have only numbers for a range; it has "
                                 f"{shown(words.unique())}")
        if not rows.any():
            distinct = sorted(column.unique())
            raise UsageError(f"{option} {value}: column '{name}' has no such value; it has "
                             f"{', '.join(distinct[:8])}{', ...' if len(distinct) > 8 else ''}")
        found |= rows.to_numpy()
    return found


def alike_remark(name, column):
    """Returns a warning for each group of values that may be meant to be one."""
    return [f"warning: column '{name}': {shown(group)} differ in case, blanks or a full stop alone"
            for group in alike(column.unique())]


def one_number_remark(name, column, values):
    """Returns a warning if the group is one number of many: perhaps a range was meant."""
    is_one = len(values) == 1 and has_value(column, values[0]).any()
    if not is_one or column.nunique() <= MANY or numbers(column).isna().any():
        return []
    return [f"warning: column '{name}': group 1 is {values[0]} alone, of {column.nunique()} numbers; a range is "
            f"--group-value '<{values[0]}' or {values[0]}:{column[column.astype(float).idxmax()]}"]


def two_values(path, column, role, name, values):
    """Returns 1 where the column has one of the values. Raises ValueError if all rows have."""
    option = {"label": "--positive", "group": "--group-value", "split": "--test-value"}[role]
    result = rows_with(column, option, name, values)
    if result.all():
        raise ValueError(f"{path}: column '{name}' (--{role}) is {' or '.join(values)} in all rows; must have two "
                         "values")
    return result


def label(path, column, name, options):
    """Returns whether each row has the positive value. Raises ValueError if there are more than two values and nothing
    says which of them are negative."""
    positive = two_values(path, column, "label", name, options.positive)
    if options.rest_negative:
        return positive
    negative = rows_with(column, "--negative", name, options.negative)
    if (positive & negative).any():
        raise UsageError(f"--negative {column[positive & negative].iloc[0]}: is --positive too")
    others = same_text(column)[~positive & ~negative]
    if len(others) and (options.negative or others.nunique() > 1):
        divided = [group for group in alike(column.unique()) if 0 < positive[column.isin(group)].mean() < 1]
        likely = [f"; {shown(group)} differ in case, blanks or a full stop alone: --positive {shlex.join(group)}"
                  for group in divided]
        raise ValueError(f"{path}: column '{name}' (--label) has more values than two: {counted(same_text(column))}; "
                         "--negative V ... or --rest-negative says which become 0, --missing V leaves the rows of V out"
                         f"{''.join(likely)}")
    return positive


def audited(path, column, name, label_column, y):
    """Returns y_clean: the audited label of each row, in the words of the label."""
    if column.isna().any():
        raise ValueError(f"{path}: column '{name}' (--clean) is empty in {int(column.isna().sum())} rows that have a "
                         "label; must have the audited label of each row")
    words, text = same_text(column), same_text(label_column)
    strange = words[~words.isin(text)]
    if len(strange):
        raise ValueError(f"{path}: column '{name}' (--clean) has '{strange.iloc[0]}' in {len(strange)} rows, which "
                         f"the label has nowhere; must have its words, {counted(text)}")
    return words.isin(text[y]).to_numpy()


def weights(path, column, name, style):
    """Returns the weight of each row, float64, >= 0."""
    values = numbers(column, style)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any() or not (values > 0).any():
        shown_value = column[wrong].fillna("empty").iloc[0] if wrong.any() else "0 in all"
        raise ValueError(f"{path}: column '{name}' (--weight) is {shown_value} in {int(wrong.sum()) or len(values)} "
                         "rows; must be a number >= 0 in each row, and > 0 in some")
    return values.to_numpy()
