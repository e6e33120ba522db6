"""Makes a data set of any table with a header."""
import difflib
import hashlib
import os
import pathlib

import numpy as np
import pandas as pd

from ..commands import UsageError
from .dataset_file import Dataset, read_bytes, read_table

MISSING_WORDS = ["NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "?"]
MOST_LEVELS = 200  # columns at most that one column of words becomes


def known_column(path, table, option, name):
    if name in table.columns:
        return name
    near = difflib.get_close_matches(name, map(str, table.columns), n=1, cutoff=0)
    more = "" if len(table.columns) > 1 else f", the only one: is '{table.attrs['separator']}' the --separator?"
    raise UsageError(f"{option} {name}: {path} has no such column; nearest is '{near[0]}'{more}")


def equals(column, value):
    """Returns, for each row, whether the column is `value`: as text, or as a number (1 is 1.0)."""
    same = column == value.strip()
    try:
        return same | (pd.to_numeric(column, errors="coerce") == float(value))
    except ValueError:
        return same


def binary(path, table, option, column, value_option, value):
    """Returns, for each row, whether `column` is `value`. Raises UsageError if none is, ValueError if all are."""
    result = equals(table[column], value)
    if not result.any():
        values = table[column].unique()
        shown = ", ".join(sorted(values)[:8]) + (", ..." if len(values) > 8 else "")
        raise UsageError(f"{value_option} {value}: column '{column}' has no such value; it has {shown}")
    if result.all():
        raise ValueError(f"{path}: column '{column}' ({option}) is {value} in all rows; must have two values")
    return result.to_numpy()


def number_column(path, name, column, train, where, notes):
    """Returns {name: numbers}, gaps filled with the median of the training rows."""
    gaps = column.isna()
    values = pd.to_numeric(column, errors="coerce").astype("float64")
    words = column[values.isna() & ~gaps]
    if len(words):  # only in the test part: `encode` has looked at the training part
        raise ValueError(f"{path}: column '{name}' has numbers in the training part, and words such as "
                        f"'{words.iloc[0]}' in {len(words)} rows of the test part; --missing {words.iloc[0]} makes "
                        f"them missing values, --drop {name} leaves the column out")
    if np.isinf(values).any():
        raise ValueError(f"{path}: column '{name}' has infinite values; features must be finite")
    median = values[train].median()
    if gaps.any():
        notes.append(f"column '{name}': {int(gaps.sum())} missing values set to the median{where}, {median:g}")
    return {name: values.fillna(median)}


def level_columns(path, name, column, words, train, notes):
    """Returns a 0/1 column for each value of the training rows; another value in the test part is 0 in all."""
    gaps = column.isna()
    levels = column.where(~gaps, "missing")
    known = levels[train]
    distinct = sorted(known.unique())
    if len(distinct) > max(20, min(MOST_LEVELS, 0.5 * len(known))):
        if len(words) < 0.5 * len(known):
            raise ValueError(f"{path}: column '{name}' has numbers, and in {len(words)} rows words such as "
                            f"'{words.iloc[0]}'; --missing {words.iloc[0]} makes them missing values")
        raise ValueError(f"{path}: column '{name}' has {len(distinct)} different words in {len(known)} rows: "
                        f"it looks like a name; use --drop {name}")
    if gaps[train].any():
        notes.append(f"column '{name}': {int(gaps.sum())} missing values made a level of their own, 'missing'")
    strange = ~levels.isin(distinct)
    if strange.any():
        notes.append(f"column '{name}': {int(strange.sum())} test rows have a value that no training row has, such as "
                     f"'{levels[strange].iloc[0]}'; they are in no level")
    # Two values need only one column, unless some test rows have neither value.
    shown = distinct[1:] if len(distinct) == 2 and not strange.any() else distinct
    return {f"{name}={level}": (levels == level).astype("float64") for level in shown}


def encode(path, name, column, train, notes):
    """Returns {name: column}: one numeric column, or one 0/1 column for each word.

    Only the rows of `train` (all rows if there is no split) decide which, with one exception: if a test row has a word
    that no training row has, a column of two words becomes two columns.
    """
    where = " of all rows" if train.all() else " of the training rows"
    known = column[train]
    if known.isna().all():
        raise ValueError(f"{path}: column '{name}' is empty{'' if train.all() else ' in the training part'}; "
                        f"use --drop {name}")
    words = known[pd.to_numeric(known, errors="coerce").isna() & known.notna()]
    if words.empty:
        return number_column(path, name, column, train, where, notes)
    return level_columns(path, name, column, words, train, notes)


def guess_separator(content):
    """Returns the separator that is most frequent in the header, or a comma."""
    header = content.splitlines()[0] if content else b""
    return max(",;\t|", key=lambda separator: header.count(separator.encode()))


def read_csv(path, content, options):
    """Returns a table of stripped text in which missing values are NaN."""
    separator = {"tab": "\t", "\\t": "\t", None: guess_separator(content)}.get(options.separator, options.separator)
    if len(separator) != 1:
        raise UsageError(f"--separator {separator}: must be one character, or 'tab'")
    table = read_table(path, content, dtype=str, sep=separator)
    if table.empty:
        raise ValueError(f"{path}: has no rows")
    if not isinstance(table.index, pd.RangeIndex):  # pandas makes an index of the surplus fields
        raise ValueError(f"{path}: its rows have more fields than its header has names")
    table = table.rename(columns=str.strip)
    if not table.columns.is_unique:
        raise ValueError(f"{path}: two columns are called '{table.columns[table.columns.duplicated()][0]}'")
    table = table.apply(lambda column: column.str.strip())
    gaps = table.isin(["", *MISSING_WORDS, *options.missing]) | table.isna()
    table = table.mask(gaps)
    table.attrs["separator"] = separator
    return table


def roles(path, table, options):
    """Returns {option: column} of the columns that are no features. Raises UsageError if one column has two roles."""
    if (options.split is None) != (options.test_value is None):
        raise UsageError("--split and --test-value go together: the column, and its value in the test part")
    named = {"--label": options.label, "--group": options.group, "--split": options.split}
    found = {option: known_column(path, table, option, name) for option, name in named.items() if name is not None}
    if len(set(found.values())) < len(found):
        raise UsageError(f"{', '.join(found)}: must be different columns")
    for name in options.drop:
        if known_column(path, table, "--drop", name) in found.values():
            raise UsageError(f"--drop {name}: is the label, the group or the split")
    return found


def import_csv(options):
    """Returns the Dataset. Raises UsageError or ValueError."""
    path = pathlib.Path(options.file)
    if os.path.realpath(options.output) == os.path.realpath(path):
        raise UsageError(f"--output {options.output}: is the table itself")
    content = read_bytes(path)
    table = read_csv(path, content, options)
    special = roles(path, table, options)

    notes = []
    kept = table[list(special.values())].notna().all(axis=1)
    if not kept.all():
        lacking = " or ".join(f"'{name}'" for name in special.values())
        notes.append(f"{int((~kept).sum())} rows without {lacking} left out")
        table = table[kept]
    if table.empty:
        raise ValueError(f"{path}: no row has both '{special['--label']}' and '{special['--group']}'")
    y = binary(path, table, "--label", special["--label"], "--positive", options.positive)
    z = binary(path, table, "--group", special["--group"], "--group-value", options.group_value)
    split = None
    if options.split is not None:
        split = binary(path, table, "--split", special["--split"], "--test-value", options.test_value)
    train = np.ones(len(table), dtype=bool) if split is None else ~split
    columns = {}
    for name in table.columns:
        if name.startswith("Unnamed: ") or not name:  # pandas' name for them; usually the numbers of the rows
            notes.append("a column without a name left out")
        elif name not in {*special.values(), *options.drop}:
            columns |= encode(path, name, table[name], train, notes)
    if not columns:
        raise ValueError(f"{path}: no column is left for features")
    return Dataset(pd.DataFrame(columns), y, z, f"{options.label}={options.positive}",
                   f"{options.group}={options.group_value}", split, notes, path.name,
                   hashlib.sha256(content).hexdigest())
