"""Makes a data set of any table: `python3 -m metasieve import csv`, and metasieve.read_table() in Python."""
import hashlib
import os
import pathlib
import re
import shlex
from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd

from ..commands import UsageError
from . import groups, hints, roles
from .columns import ColumnError, Style, encode, numbers
from .dataset_file import Dataset, as_float32, read_bytes
from .group_columns import group_columns
from .text_table import read_parquet, read_text_table

MISSING_WORDS = ["NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "?"]
MANY = 3  # rows at most that are named where more are left out; the first is row 0


@dataclass
class Options:
    """What to make of a table; `import csv --help` has each in words. A list may be one text."""
    label: str
    positive: list
    group: list = field(default_factory=list)
    group_value: list = field(default_factory=list)
    smallest_group: int = None
    negative: list = field(default_factory=list)
    rest_negative: bool = False
    columns: list = field(default_factory=list)
    drop: list = field(default_factory=list)
    words: list = field(default_factory=list)
    date: list = field(default_factory=list)
    id: str = None
    clean: str = None
    weight: str = None
    split: str = None
    test_value: list = field(default_factory=list)
    missing: list = field(default_factory=list)
    decimal: str = "."
    thousands: str = ""
    percent: bool = False
    encoding: str = None
    separator: str = None
    no_header: bool = False

    def __post_init__(self):
        for one in fields(self):
            value = getattr(self, one.name)
            if one.type is list:
                setattr(self, one.name, [str(word) for word in ([value] if np.isscalar(value) else value or [])])
            elif one.type is str and value is not None:
                setattr(self, one.name, str(value))
        if self.decimal not in (".", ","):
            raise UsageError(f"--decimal {self.decimal}: must be . or ,")
        if len(self.thousands) > 1 or self.thousands.isdigit() or self.thousands == self.decimal:
            raise UsageError(f"--thousands {self.thousands}: must be one character, and not that of --decimal "
                             f"('{self.decimal}')")
        if self.negative and self.rest_negative:
            raise UsageError("--negative and --rest-negative: keep one")
        if self.smallest_group is not None and not re.fullmatch(r"\d+", str(self.smallest_group)):
            raise UsageError(f"--smallest-group {self.smallest_group}: must be a whole number, 0 or more")

    @property
    def style(self):
        return Style(self.decimal, self.thousands, self.percent)


def with_gaps(data, options, kept_as_text, notes):
    """Returns the table with NaN where a value is missing. The columns in `kept_as_text` stay as they are."""
    meant = {word: numbers(pd.Series([word], dtype=object), options.style)[0] for word in options.missing}
    as_numbers = {word: number for word, number in meant.items() if not np.isnan(number)}
    found = set()
    gaps = {}
    for name, column in data.items():
        gaps[name] = column.isin(["", *MISSING_WORDS, *options.missing])
        found.update(word for word in options.missing if (column == word).any())
        if as_numbers:  # -999 is -999.0
            values = numbers(column, options.style)
            gaps[name] |= values.isin(list(as_numbers.values()))
            found.update(word for word, number in as_numbers.items() if (values == number).any())
        if name in kept_as_text:
            gaps[name] = column == ""
    notes += [f"warning: --missing {word}: no such value in the table" for word in options.missing if word not in found]
    return data.mask(pd.DataFrame(gaps, index=data.index))


def complete_rows(path, data, special, notes):
    """Returns the rows with a label, all groups and a part, and says which have none."""
    needed = [column for role in ("label", "group", "split") for column, its in special.items() if its == role]
    gaps = data[needed].isna()
    left_out = gaps.any(axis=1)
    if left_out.any():
        reasons = [f"{int(gaps[name].sum())} without '{name}' (row {', '.join(map(str, gaps.index[gaps[name]][:MANY]))}"
                   f"{', ...' if gaps[name].sum() > MANY else ''})" for name in needed if gaps[name].any()]
        lacking = " or ".join(f"'{name}'" for name in needed)
        notes.append(f"note: {int(left_out.sum())} rows without {lacking} left out: {', '.join(reasons)}")
    if left_out.all():
        both = "both " if len(needed) == 2 else ""
        raise ValueError(f"{path}: no row has {both}{lacking.replace(' or ', ' and ')}")
    return data[~left_out]


def wanted_columns(path, table, special, options):
    """Returns {column: why it is no feature} of the columns that the options leave out."""
    chosen = {option: roles.known_columns(path, table, f"--{option}", getattr(options, option))
              for option in ("columns", "drop", "words", "date")}
    for option, names in chosen.items():
        for name in names:
            if name in special:
                raise UsageError(f"--{option} {name}: is the label, the group or the split, or has another role "
                                 f"(--{special[name]})")
    for name in chosen["drop"]:
        if name in chosen["columns"]:
            raise UsageError(f"--drop {name}: is in --columns too")
    left_out = {name: "--drop" for name in chosen["drop"]}
    if options.columns:
        left_out |= {name: "not in --columns" for name in table.data.columns
                     if name not in chosen["columns"] and name not in special}
    return left_out, set(chosen["words"]), set(chosen["date"])


def unique_name(name, level, taken):
    """Returns the name of a feature. A column may be called `c=y` beside the level y of column c: both are kept."""
    if level is None:
        return name
    wanted = f"{name}={level}"
    while wanted in taken:
        wanted += f" (level of {name})"
    return wanted


def features_of(path, data, train, options, plan, outcomes, notes):
    """Returns ({feature: values}, {column: (kind, remarks)}). Raises ValueError that names the first column that cannot
    be used."""
    names, as_words, as_date = plan
    features, report, refused, taken = {}, {}, {}, set(names)
    for name in names:
        try:
            found = encode(name, data[name], train, options.style, name in as_words, name in as_date)
        except ColumnError as error:
            refused[name] = error
            continue
        notes += [f"note: {note}" for note in found.notes]
        known = hints.of_column(found.plain[train], outcomes)
        notes += [f"warning: column '{name}' {hint}; --drop {shlex.quote(name)} leaves it out" for hint in known]
        report[name] = (found.kind, [*found.remarks, *known])
        for level, values in found.features.items():
            feature = unique_name(name, level, taken)
            taken.add(feature)
            if level is not None and feature != f"{name}={level}":
                notes.append(f"note: the level '{level}' of column '{name}' is called '{feature}': another feature is "
                             f"'{name}={level}'")
            features[feature] = values
    if refused:
        name, error = next(iter(refused.items()))
        more = f" (and {len(refused) - 1} more columns: {', '.join(list(refused)[1:4])})" if len(refused) > 1 else ""
        raise ValueError(f"{path}: column '{name}' {error}{more}")
    if not features:
        raise ValueError(f"{path}: no column is left for features")
    return features, report


def column_report(data, special, left_out, found, of_groups):
    """Returns the table of columns: name, kind, levels, missing, remark. `of_groups`: {column: its groups}."""
    others = {column: (role, [of_groups[column]] if column in of_groups else []) for column, role in special.items()}
    others |= {name: ("left out", [why]) for name, why in left_out.items()}
    known, rows = others | found, []
    for name in data.columns:
        kind, remarks = known[name]
        rows.append((name, kind, data[name].nunique(), int(data[name].isna().sum()), "; ".join(remarks)))
    return pd.DataFrame(rows, columns=["name", "kind", "levels", "missing", "remark"])


def label_notes(column, y):
    """Returns what became label 1 and 0, with the rows of each value."""
    notes = [f"label {int(one)}: {int((y == one).sum())} rows, {column.name} = {roles.counted(column[y == one])}"
             for one in (True, False)]
    return notes + roles.alike_remark(column.name, column)


def split_notes(table, name, split):
    """Returns what each value of the split's column became."""
    notes = [f"training part: {int((~split).sum())} rows, {name} = {roles.counted(table[name][~split])}",
             f"test part: {int(split.sum())} rows, {name} = {roles.counted(table[name][split])}"]
    if table[name][~split].nunique() > 1:
        notes.append(f"warning: column '{name}' has more values than two: all rows but those of the test part are "
                     "training rows")
    return notes


def identifiers(column, notes):
    """Returns the texts of the id column, empty where it has none."""
    ids = column.fillna("")
    if ids.duplicated().any():
        notes.append(f"warning: column '{column.name}' (--id): '{ids[ids.duplicated()].iloc[0]}' occurs more than once")
    return ids.tolist()


def read_table(path, options):
    """Returns the Dataset of a table's file. Raises UsageError or ValueError."""
    path = pathlib.Path(path)
    content = read_bytes(path)
    if path.suffix.lower() in (".parquet", ".pq"):
        table = read_parquet(path)
    else:
        table = read_text_table(path, content, options.encoding, options.separator, not options.no_header)
    return dataset_of(path, table, options, path.name, content)


def dataset_of(path, table, options, source, content):
    """Returns the Dataset of a TextTable. Raises UsageError or ValueError.

    `path`: what messages call the table. `source`, `content`: what it was read from."""
    notes = list(table.notes)
    wanted = group_columns(path, table, options)
    special = roles.columns_of_roles(path, table, options, [column.name for column in wanted])
    left_out, as_words, as_date = wanted_columns(path, table, special, options)
    data = with_gaps(table.data, options, [column for column, role in special.items() if role == "id"], notes)
    data = complete_rows(path, data, special, notes)
    one = {role: data[column] for column, role in special.items() if role != "group"}

    y = roles.label(path, one["label"], options.label, options)
    notes += label_notes(one["label"], y)
    found_groups = groups.groups_of(path, data, wanted, options, options.style, notes)
    split = None
    if "split" in one:
        split = roles.two_values(path, one["split"], "split", options.split, options.test_value)
        notes += split_notes(data, options.split, split)
    notes += found_groups.notes(y, split)
    train = np.ones(len(data), dtype=bool) if split is None else ~split
    names = [name for name in data.columns if name not in {*special, *left_out}]
    outcomes = [("the label", hints.Levels(y, ["0", "1"])), *found_groups.outcomes()]
    features, found = features_of(path, data, train, options, (names, as_words, as_date),
                                  [(what, levels.part(train)) for what, levels in outcomes], notes)
    positive = [roles.meaning(options.label, value, one["label"])
                for value in roles.expanded(one["label"], options.positive)]
    return Dataset(
        x=as_float32(path, pd.DataFrame(features), data.index), y=y, group=found_groups.number, split=split,
        notes=notes, source=source, positive_label=" or ".join(positive), group_name=found_groups.meaning,
        group_names=found_groups.names, sha256=hashlib.sha256(content).hexdigest(), row=data.index.to_numpy("int64"),
        id=identifiers(one["id"], notes) if "id" in one else None,
        weight=roles.weights(path, one["weight"], options.weight, options.style) if "weight" in one else None,
        y_clean=roles.audited(path, one["clean"], options.clean, one["label"], y) if "clean" in one else None,
        columns=column_report(data, special, left_out, found, found_groups.remarks(y)))


def import_csv(options):
    """Returns the Dataset of the command's options. Raises UsageError or ValueError."""
    path = file_of(options)
    if os.path.realpath(options.output) == os.path.realpath(path):
        raise UsageError(f"--output {options.output}: is the table itself")
    return read_table(path, Options(**{one.name: getattr(options, one.name) for one in fields(Options)}))


def file_of(options):
    """Returns the table's path. A list of words takes all words behind it, so FILE may have ended up in one."""
    if options.file is None:
        lists = [value for value in vars(options).values() if isinstance(value, list)]
        found = [(words, word) for words in lists for word in words if os.path.isfile(word)]
        if len(found) != 1:
            words = ", ".join(word for words in lists for word in words)
            many = "more than one" if found else "no"
            raise UsageError(f"the following arguments are required: FILE; {many} file is among {words}")
        words, options.file = found[0]
        words.remove(options.file)
        if not words:
            raise UsageError(f"{options.file}: is taken as FILE; its option must have a value before it")
    return options.file
