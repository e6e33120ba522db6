#!/usr/bin/env python3
"""Turns a table into a data set file (HDF5, filetype metasieve-dataset) for `metasieve evaluate --dataset`.

    import_dataset.py compas|adult|german --source DIR --output F
    import_dataset.py adult --official --source DIR --output F       (adult.test as the test part)
    import_dataset.py csv FILE --label C --positive V --group C --group-value V [--drop C ...]
                      [--split C --test-value V] [--missing W ...] [--separator S] --output F

Exit codes: 0 done; 2 usage; 3 bad or unreadable data, or F cannot be written. Errors are one line.
"""

import argparse
import configparser
import datetime
import difflib
import hashlib
import io
import os
import pathlib
import sys
from dataclasses import dataclass, field

try:
    import h5py
    import numpy as np
    import pandas as pd
except ImportError as error:
    print(f"import_dataset.py: {error}; run it with a Python that has h5py, numpy and pandas (Debian: /usr/bin/python3 "
          "with python3-h5py and python3-pandas)", file=sys.stderr)
    sys.exit(3)

FORMAT_VERSION = (1, 0)
MISSING_WORDS = ["NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "?"]
MOST_LEVELS = 200  # columns that one column of words may become


class UsageError(Exception):
    """Exit code 2."""


class DataError(Exception):
    """Exit code 3."""


@dataclass
class Dataset:
    x: pd.DataFrame  # numeric columns
    y: np.ndarray  # 1 = positive_label
    z: np.ndarray  # 1 = group_name
    positive_label: str
    group_name: str
    split: np.ndarray | None = None  # 1 = test part
    notes: list = field(default_factory=list)  # what was changed, for the user
    source: str = ""  # name of the file it was read from
    sha256: str = ""


@dataclass(frozen=True)
class Known:
    """A published file: its name, and what must come out of it."""
    file: str
    sha256: str
    rows: int
    group_rows: int
    positive_rows: int


KNOWN = {
    "compas": Known("compas-scores-two-years.csv",
                    "c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d", 6172, 3175, 2809),
    "adult": Known("adult.data",
                   "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d", 30162, 9782, 7508),
    "german": Known("german.data",
                    "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871", 1000, 851, 300),
}
ADULT_TEST = Known("adult.test",
                   "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05", 15060, 4913, 3700)


# ------------------------------------------------------------------------------------------- published files

def read_table(path, content, **options):
    """A data frame; empty fields are missing, words such as "N/A" are themselves."""
    try:
        return pd.read_csv(io.BytesIO(content), keep_default_na=False, **options)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is no table that can be read: {first_line(error)}") from error


def numbers(path, table, columns):
    """These columns (a dict: column -> name, or a list of names) as float64. @raises DataError"""
    names = columns if isinstance(columns, dict) else {column: column for column in columns}
    result = {}
    for column, name in names.items():
        try:
            result[name] = pd.to_numeric(table[column]).astype("float64")
        except (ValueError, TypeError) as error:
            raise DataError(f"{path}: column {name}: {first_line(error)}; must be numbers") from error
        if not np.isfinite(result[name]).all():
            raise DataError(f"{path}: column {name} has missing or infinite values; this file should have none")
    return pd.DataFrame(result)


def require_columns(path, table, columns):
    for column in columns:
        if column not in table.columns:
            raise DataError(f"{path}: has no column '{column}'; is this the file of the README?")


def require_width(path, table, width):
    if table.shape[1] != width:
        raise DataError(f"{path}: has {table.shape[1]} columns; must have {width}")


def compas(path, content):
    """ProPublica's two-year file with ProPublica's filters; group African-American, label recidivism."""
    table = read_table(path, content, na_values=[""])
    features = ["age", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count"]
    require_columns(path, table, features + ["days_b_screening_arrest", "is_recid", "c_charge_degree", "score_text",
                                             "race", "two_year_recid"])
    days = pd.to_numeric(table["days_b_screening_arrest"], errors="coerce")
    kept = table[days.between(-30, 30) & (table["is_recid"] != -1) & (table["c_charge_degree"] != "O")
                 & (table["score_text"] != "N/A")]
    y = numbers(path, kept, ["two_year_recid"])["two_year_recid"].to_numpy()
    return Dataset(numbers(path, kept, features), y == 1, (kept["race"] == "African-American").to_numpy(),
                   "two_year_recid", "African-American")


def adult(path, content):
    """UCI Adult, complete rows of one file; group Female, label income above 50K."""
    table = read_table(path, content, header=None, skipinitialspace=True, comment="|", na_values=["?"])
    require_width(path, table, 15)
    complete = table.dropna()
    features = {0: "age", 4: "education-num", 10: "capital-gain", 11: "capital-loss", 12: "hours-per-week"}
    label = complete[14].astype(str).str.rstrip(".")  # adult.test ends its labels in a full stop
    return Dataset(numbers(path, complete, features), (label == ">50K").to_numpy(),
                   (complete[9] == "Female").to_numpy(), ">50K", "Female")


def german(path, content):
    """UCI Statlog German credit; group age >= 25, label bad credit."""
    table = read_table(path, content, header=None, sep=r"\s+")
    require_width(path, table, 21)
    features = {1: "duration", 4: "credit-amount", 7: "installment-rate", 12: "age", 15: "existing-credits",
                17: "people-liable"}  # attributes 2, 5, 8, 13, 16, 18
    x = numbers(path, table, features)
    # The age is attribute 13, column 12 from 0 (attribute 2 is the duration of the credit).
    return Dataset(x, (table[20] == 2).to_numpy(), (x["age"] >= 25).to_numpy(), "bad credit", "age >= 25")


READERS = {"compas": compas, "adult": adult, "german": german}


def check_counts(known, path, dataset):
    """What the published file must give; the rows that the filters leave are checked for any file."""
    found = {"rows": len(dataset.y), f"rows of group {dataset.group_name}": int(dataset.z.sum()),
             f"rows of label {dataset.positive_label}": int(dataset.y.sum())}
    wanted = [known.rows, known.group_rows, known.positive_rows]
    if dataset.sha256 != known.sha256:
        dataset.notes.append(f"{path} is not the published file (its sha256 is {dataset.sha256})")
        wanted = wanted[:1]
    for (what, count), right in zip(found.items(), wanted):
        if count != right:
            raise DataError(f"{path}: {count} {what} are left; must be {right}: is this the whole file?")


def import_file(reader, known, source):
    """One published file, with its counts checked."""
    path = pathlib.Path(source) / known.file
    content = read_bytes(path)
    dataset = reader(path, content)
    dataset.source, dataset.sha256 = known.file, hashlib.sha256(content).hexdigest()
    check_counts(known, path, dataset)
    return dataset


def import_known(options):
    dataset = import_file(READERS[options.kind], KNOWN[options.kind], options.source)
    if getattr(options, "official", False):
        dataset = joined(dataset, import_file(adult, ADULT_TEST, options.source))
    return dataset


def joined(train, test):
    """The rows of both, told apart by `split`."""
    return Dataset(pd.concat([train.x, test.x], ignore_index=True), np.concatenate([train.y, test.y]),
                   np.concatenate([train.z, test.z]), train.positive_label, train.group_name,
                   np.repeat([False, True], [len(train.y), len(test.y)]), train.notes + test.notes,
                   f"{train.source}+{test.source}", f"{train.sha256}+{test.sha256}")


# ------------------------------------------------------------------------------------------------ any table

def known_column(path, table, option, name):
    if name in table.columns:
        return name
    near = difflib.get_close_matches(name, map(str, table.columns), n=1, cutoff=0)
    more = "" if len(table.columns) > 1 else f", the only one: is '{table.attrs['separator']}' the --separator?"
    raise UsageError(f"{option} {name}: {path} has no such column; nearest is '{near[0]}'{more}")


def equals(column, value):
    """Where the column is `value`: as text, or as a number if both are numbers (1 is 1.0)."""
    same = column == value.strip()
    try:
        return same | (pd.to_numeric(column, errors="coerce") == float(value))
    except ValueError:
        return same


def binary(path, table, option, column, value_option, value):
    """1 where `column` is `value`. @raises UsageError or DataError if that gives one value alone"""
    result = equals(table[column], value)
    if not result.any():
        values = table[column].unique()
        shown = ", ".join(sorted(values)[:8]) + (", ..." if len(values) > 8 else "")
        raise UsageError(f"{value_option} {value}: column '{column}' has no such value; it has {shown}")
    if result.all():
        raise DataError(f"{path}: column '{column}' ({option}) is {value} in all rows; must have two values")
    return result.to_numpy()


def encode(path, name, column, notes):
    """One column as one numeric column, or as one 0/1 column for each of its values."""
    gaps = column.isna()
    values = pd.to_numeric(column, errors="coerce").astype("float64")
    words = column[values.isna() & ~gaps]
    if gaps.all():
        raise DataError(f"{path}: column '{name}' is empty; use --drop {name}")
    if words.empty:
        if np.isinf(values).any():
            raise DataError(f"{path}: column '{name}' has infinite values; features must be finite")
        if gaps.any():
            notes.append(f"column '{name}': {int(gaps.sum())} missing values set to the median {values.median():g}")
        return {name: values.fillna(values.median())}
    levels = column.where(~gaps, "missing")
    distinct = sorted(levels.unique())
    if len(distinct) > max(20, min(MOST_LEVELS, 0.5 * len(levels))):
        if len(words) < 0.5 * len(column):
            raise DataError(f"{path}: column '{name}' has numbers, and in {len(words)} rows words such as "
                            f"'{words.iloc[0]}'; --missing {words.iloc[0]} makes them missing values")
        raise DataError(f"{path}: column '{name}' has {len(distinct)} different words in {len(levels)} rows: "
                        f"it looks like a name; use --drop {name}")
    if gaps.any():
        notes.append(f"column '{name}': {int(gaps.sum())} missing values made a level of their own, 'missing'")
    # Two values need one column: the other says nothing more.
    shown = distinct[1:] if len(distinct) == 2 else distinct
    return {f"{name}={level}": (levels == level).astype("float64") for level in shown}


def guess_separator(content):
    """The one that the header has most of; a comma if it has none."""
    header = content.splitlines()[0] if content else b""
    return max(",;\t|", key=lambda separator: header.count(separator.encode()))


def read_csv(path, content, options):
    """A table of stripped text, where missing values are NaN."""
    separator = {"tab": "\t", "\\t": "\t", None: guess_separator(content)}.get(options.separator, options.separator)
    if len(separator) != 1:
        raise UsageError(f"--separator {separator}: must be one character, or 'tab'")
    table = read_table(path, content, dtype=str, sep=separator)
    if table.empty:
        raise DataError(f"{path}: has no rows")
    if not isinstance(table.index, pd.RangeIndex):  # what pandas makes of it
        raise DataError(f"{path}: its rows have more fields than its header has names")
    table = table.rename(columns=str.strip)
    if not table.columns.is_unique:
        raise DataError(f"{path}: two columns are called '{table.columns[table.columns.duplicated()][0]}'")
    table = table.apply(lambda column: column.str.strip())
    gaps = table.isin(["", *MISSING_WORDS, *options.missing]) | table.isna()
    table = table.mask(gaps)
    table.attrs["separator"] = separator
    return table


def roles(path, table, options):
    """{role: column} of those that are no features. @raises UsageError if one column has two roles"""
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
        raise DataError(f"{path}: no row has both '{special['--label']}' and '{special['--group']}'")
    y = binary(path, table, "--label", special["--label"], "--positive", options.positive)
    z = binary(path, table, "--group", special["--group"], "--group-value", options.group_value)
    split = None
    if options.split is not None:
        split = binary(path, table, "--split", special["--split"], "--test-value", options.test_value)
    columns = {}
    for name in table.columns:
        if name.startswith("Unnamed: ") or not name:  # how pandas calls them: as a rule the numbers of the rows
            notes.append("a column without a name left out")
        elif name not in {*special.values(), *options.drop}:
            columns |= encode(path, name, table[name], notes)
    if not columns:
        raise DataError(f"{path}: no column is left for features")
    return Dataset(pd.DataFrame(columns), y, z, f"{options.label}={options.positive}",
                   f"{options.group}={options.group_value}", split, notes, path.name,
                   hashlib.sha256(content).hexdigest())


# -------------------------------------------------------------------------------------------------- the file

def config_text(options):
    """What was asked for, as INI text."""
    config = configparser.ConfigParser(interpolation=None)
    config["import"] = {key: " ".join(value) if isinstance(value, list) else str(value)
                        for key, value in vars(options).items() if key != "output" and value not in (None, [], False)}
    text = io.StringIO()
    config.write(text)
    return text.getvalue().strip() + "\n"


def text_attribute(file, name, text):
    """Fixed length, as metasieve itself writes."""
    encoded = text.encode()
    file.attrs.create(name, np.bytes_(encoded or b"\0"), dtype=h5py.string_dtype("utf-8", max(len(encoded), 1)))


def check(path, dataset):
    """x in float32. @raises DataError for what float32 has not, and a part with one label or group alone"""
    with np.errstate(over="ignore"):
        x = dataset.x.to_numpy(dtype="float32")
    row, column = np.nonzero(~np.isfinite(x)) if len(x) else ([], [])
    if len(row):
        raise DataError(f"{path}: column '{dataset.x.columns[column[0]]}' has a value beyond float32 in row {row[0]}")
    parts = {"": slice(None)}
    if dataset.split is not None:
        parts = {" in the training part": ~dataset.split, " in the test part": dataset.split}
    for part, rows in parts.items():
        for values, what in ((dataset.y[rows], "label"), (dataset.z[rows], "group")):
            if values.all() or not values.any():
                raise DataError(f"{path}: only one {what} is left{part}; must have two")
    return x


def fill(file, dataset, x, options):
    text_attribute(file, "filetype", "metasieve-dataset")
    file.attrs.create("version", FORMAT_VERSION, dtype="<i4")
    text_attribute(file, "created_by", "metasieve import_dataset.py")
    text_attribute(file, "created", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    text_attribute(file, "config", config_text(options))
    names = [name.encode() for name in map(str, dataset.x.columns)]
    file.attrs.create("feature_names", names, dtype=h5py.string_dtype("utf-8", max(map(len, names))))
    text_attribute(file, "group_name", dataset.group_name)
    text_attribute(file, "positive_label", dataset.positive_label)
    text_attribute(file, "source", dataset.source)
    text_attribute(file, "source_sha256", dataset.sha256)
    contents = [("x", x, "features, raw [rows, columns]"), ("y", dataset.y, "label, 1 = positive_label"),
                ("z", dataset.z, "sensitive group, 1 = group_name")]
    if dataset.split is not None:
        contents.append(("split", dataset.split, "0 training part, 1 test part"))
    for name, values, meaning in contents:
        data = file.create_dataset(name, data=values if name == "x" else values.astype("uint8"), track_times=False)
        text_attribute(data, "description", meaning)
    file.attrs.create("complete", 1, dtype="<i8")


def write(output, dataset, options):
    """OUTPUT.part first, then renamed: OUTPUT is whole, or what was there before."""
    x = check(dataset.source, dataset)
    output = pathlib.Path(output)
    part = pathlib.Path(f"{output}.part")
    try:
        if output.exists() and not output.is_file():
            raise DataError(f"cannot write {output}: it is no regular file")
        output.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(part, "w", libver=("v108", "v110")) as file:
            fill(file, dataset, x, options)
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        part.replace(output)
    except OSError as error:
        raise DataError(f"cannot write {output}: {error.strerror or first_line(error)}") from error
    finally:
        try:
            part.unlink()
        except OSError:
            pass


def read_bytes(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0]


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(f"{message} (--help tells more)")


def parse(arguments):
    parser = Parser(prog="import_dataset.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", metavar="compas|adult|german|csv", required=True)
    for name, known in KNOWN.items():
        one = kinds.add_parser(name, help=f"{READERS[name].__doc__}")
        one.add_argument("--source", required=True, metavar="DIR", help=f"folder with {known.file}")
        if name == "adult":
            one.add_argument("--official", action="store_true", help="read adult.test too, as the test part")
        one.add_argument("--output", required=True, metavar="F")
    one = kinds.add_parser("csv", help="Any table with a header; words become one 0/1 column for each value.")
    one.add_argument("file", metavar="FILE")
    one.add_argument("--label", required=True, metavar="C", help="column of the label")
    one.add_argument("--positive", required=True, metavar="V", help="its value that becomes 1")
    one.add_argument("--group", required=True, metavar="C", help="column of the sensitive group")
    one.add_argument("--group-value", required=True, metavar="V", help="its value that becomes 1")
    one.add_argument("--drop", nargs="+", action="extend", default=[], metavar="C", help="columns to leave out")
    one.add_argument("--split", metavar="C", help="column that says which rows are the test part")
    one.add_argument("--test-value", metavar="V", help="its value there")
    one.add_argument("--missing", nargs="+", action="extend", default=[], metavar="W",
                     help=f"words that mean a missing value, besides nothing and {' '.join(MISSING_WORDS)}")
    one.add_argument("--separator", metavar="S", help="between fields; guessed from the header by default")
    one.add_argument("--output", required=True, metavar="F")
    return parser.parse_args(arguments)


def run(arguments):
    """Makes the file and says so. @raises UsageError, DataError"""
    options = parse(arguments)
    dataset = import_csv(options) if options.kind == "csv" else import_known(options)
    write(options.output, dataset, options)
    for note in dataset.notes:
        print(f"note: {note}")
    parts = "" if dataset.split is None else f", {int(dataset.split.sum())} in the test part"
    print(f"{options.output}: {len(dataset.y)} rows, {dataset.x.shape[1]} columns, {int(dataset.y.sum())} with label "
          f"{dataset.positive_label}, {int(dataset.z.sum())} in group {dataset.group_name}{parts}")


def main(arguments):
    try:
        run(arguments)
    except (UsageError, DataError) as error:
        print(f"import_dataset.py: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
