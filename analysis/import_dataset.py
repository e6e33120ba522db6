#!/usr/bin/env python3
"""Turns a table into a data set file (HDF5, filetype metasieve-dataset) for `metasieve evaluate --dataset`.

    import_dataset.py compas|adult|german --source DIR --output F
    import_dataset.py csv FILE --label C --positive V --group C --group-value V [--drop C ...] --output F

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
    notes: list = field(default_factory=list)  # what was changed, for the user


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
    """UCI Adult, training file, complete rows; group Female, label income above 50K."""
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


def check_counts(name, path, dataset, sha256):
    """What the published file must give; the rows that the filters leave are checked for any file."""
    known = KNOWN[name]
    found = {"rows": len(dataset.y), f"rows of group {dataset.group_name}": int(dataset.z.sum()),
             f"rows of label {dataset.positive_label}": int(dataset.y.sum())}
    wanted = [known.rows, known.group_rows, known.positive_rows]
    if sha256 != known.sha256:
        dataset.notes.append(f"{path} is not the published file (its sha256 is {sha256})")
        wanted = wanted[:1]
    for (what, count), right in zip(found.items(), wanted):
        if count != right:
            raise DataError(f"{path}: {count} {what} are left; must be {right}: is this the whole file?")


def import_known(name, source):
    path = pathlib.Path(source) / KNOWN[name].file
    content = read_bytes(path)
    dataset = READERS[name](path, content)
    sha256 = hashlib.sha256(content).hexdigest()
    check_counts(name, path, dataset, sha256)
    return dataset, path, sha256


# ------------------------------------------------------------------------------------------------ any table

def known_column(path, table, option, name):
    if name in table.columns:
        return name
    near = difflib.get_close_matches(name, map(str, table.columns), n=1, cutoff=0)
    raise UsageError(f"{option} {name}: {path} has no such column; nearest is '{near[0]}'" if near else
                     f"{option} {name}: {path} has no columns")


def equals(column, value):
    """Where the column is `value`: as text, or as a number if both are numbers (1 is 1.0)."""
    same = column.astype(str).str.strip() == value.strip()
    try:
        return same | (pd.to_numeric(column, errors="coerce") == float(value))
    except ValueError:
        return same


def binary(path, table, option, column, value_option, value):
    """1 where `column` is `value`. @raises UsageError or DataError if that gives one value alone"""
    result = equals(table[column], value)
    if not result.any():
        values = table[column].astype(str).str.strip().unique()
        shown = ", ".join(sorted(values)[:8]) + (", ..." if len(values) > 8 else "")
        raise UsageError(f"{value_option} {value}: column '{column}' has no such value; it has {shown}")
    if result.all():
        raise DataError(f"{path}: column '{column}' ({option}) is {value} in all rows; must have two values")
    return result.to_numpy()


def missing(column):
    return column.isna() | (column.astype(str).str.strip() == "")


def encode(path, name, column, notes):
    """One column as one numeric column, or as one 0/1 column for each of its values."""
    gaps = missing(column)
    values = pd.to_numeric(column.where(~gaps), errors="coerce").astype("float64")
    if gaps.all():
        raise DataError(f"{path}: column '{name}' is empty; use --drop {name}")
    if not (values.isna() & ~gaps).any():
        if np.isinf(values).any():
            raise DataError(f"{path}: column '{name}' has infinite values; features must be finite")
        if gaps.any():
            notes.append(f"column '{name}': {int(gaps.sum())} missing values set to the median {values.median():g}")
        return {name: values.fillna(values.median())}
    levels = column.astype(str).str.strip().where(~gaps, "missing")
    distinct = sorted(levels.unique())
    if len(distinct) > max(20, 0.5 * len(levels)):
        raise DataError(f"{path}: column '{name}' has {len(distinct)} different words in {len(levels)} rows: "
                        f"it looks like a name; use --drop {name}")
    if gaps.any():
        notes.append(f"column '{name}': {int(gaps.sum())} missing values made a level of their own, 'missing'")
    # Two values need one column: the other says nothing more.
    shown = distinct[1:] if len(distinct) == 2 else distinct
    return {f"{name}={level}": (levels == level).astype("float64") for level in shown}


def import_csv(options):
    path = pathlib.Path(options.file)
    content = read_bytes(path)
    table = read_table(path, content, na_values=["", "NA", "N/A", "NaN", "nan", "?"], skipinitialspace=True)
    if table.empty:
        raise DataError(f"{path}: has no rows")
    label = known_column(path, table, "--label", options.label)
    group = known_column(path, table, "--group", options.group)
    dropped = [known_column(path, table, "--drop", name) for name in options.drop]

    notes = []
    gaps = missing(table[label]) | missing(table[group])
    if gaps.any():
        notes.append(f"{int(gaps.sum())} rows without '{label}' or '{group}' left out")
        table = table[~gaps]
    if table.empty:
        raise DataError(f"{path}: no row has both '{label}' and '{group}'")
    y = binary(path, table, "--label", label, "--positive", options.positive)
    z = binary(path, table, "--group", group, "--group-value", options.group_value)
    columns = {}
    for name in table.columns:
        if name not in {label, group, *dropped}:
            columns |= encode(path, str(name), table[name], notes)
    if not columns:
        raise DataError(f"{path}: no column is left for features")
    return (Dataset(pd.DataFrame(columns), y, z, f"{label}={options.positive}", f"{group}={options.group_value}",
                    notes), path, hashlib.sha256(content).hexdigest())


# -------------------------------------------------------------------------------------------------- the file

def config_text(options):
    """What was asked for, as INI text."""
    config = configparser.ConfigParser(interpolation=None)
    config["import"] = {key: " ".join(value) if isinstance(value, list) else str(value)
                        for key, value in vars(options).items() if key != "output" and value is not None}
    text = io.StringIO()
    config.write(text)
    return text.getvalue().strip() + "\n"


def text_attribute(file, name, text):
    """Fixed length, as metasieve itself writes."""
    encoded = text.encode()
    file.attrs.create(name, np.bytes_(encoded or b"\0"), dtype=h5py.string_dtype("utf-8", max(len(encoded), 1)))


def check_finite(path, dataset):
    with np.errstate(over="ignore"):
        x = dataset.x.to_numpy(dtype="float32")
    row, column = np.nonzero(~np.isfinite(x)) if len(x) else ([], [])
    if len(row):
        raise DataError(f"{path}: column '{dataset.x.columns[column[0]]}' has a value beyond float32 in row {row[0]}")
    for values, what in ((dataset.y, "label"), (dataset.z, "group")):
        if values.all() or not values.any():
            raise DataError(f"{path}: only one {what} is left; must have two")
    return x


def fill(file, dataset, x, path, sha256, options):
    text_attribute(file, "filetype", "metasieve-dataset")
    file.attrs.create("version", FORMAT_VERSION, dtype="<i4")
    text_attribute(file, "created_by", "metasieve import_dataset.py")
    text_attribute(file, "created", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    text_attribute(file, "config", config_text(options))
    names = [name.encode() for name in map(str, dataset.x.columns)]
    file.attrs.create("feature_names", names, dtype=h5py.string_dtype("utf-8", max(map(len, names))))
    text_attribute(file, "group_name", dataset.group_name)
    text_attribute(file, "positive_label", dataset.positive_label)
    text_attribute(file, "source", path.name)
    text_attribute(file, "source_sha256", sha256)
    for name, values, meaning in (("x", x, "features, raw [rows, columns]"),
                                  ("y", dataset.y.astype("uint8"), "label, 1 = positive_label"),
                                  ("z", dataset.z.astype("uint8"), "sensitive group, 1 = group_name")):
        data = file.create_dataset(name, data=values, track_times=False)
        text_attribute(data, "description", meaning)
    file.attrs.create("complete", 1, dtype="<i8")


def write(output, dataset, path, sha256, options):
    """OUTPUT.part first, then renamed: OUTPUT is whole, or what was there before."""
    x = check_finite(path, dataset)
    output = pathlib.Path(output)
    part = pathlib.Path(f"{output}.part")
    try:
        if output.exists() and not output.is_file():
            raise DataError(f"cannot write {output}: it is no regular file")
        output.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(part, "w", libver=("v108", "v110")) as file:
            fill(file, dataset, x, path, sha256, options)
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
        one.add_argument("--output", required=True, metavar="F")
    one = kinds.add_parser("csv", help="Any table with a header; words become one 0/1 column for each value.")
    one.add_argument("file", metavar="FILE")
    one.add_argument("--label", required=True, metavar="C", help="column of the label")
    one.add_argument("--positive", required=True, metavar="V", help="its value that becomes 1")
    one.add_argument("--group", required=True, metavar="C", help="column of the sensitive group")
    one.add_argument("--group-value", required=True, metavar="V", help="its value that becomes 1")
    one.add_argument("--drop", nargs="+", action="extend", default=[], metavar="C", help="columns to leave out")
    one.add_argument("--output", required=True, metavar="F")
    return parser.parse_args(arguments)


def main(arguments):
    try:
        options = parse(arguments)
        dataset, path, sha256 = import_csv(options) if options.kind == "csv" else import_known(options.kind,
                                                                                               options.source)
        write(options.output, dataset, path, sha256, options)
    except UsageError as error:
        print(f"import_dataset.py: {error}", file=sys.stderr)
        return 2
    except DataError as error:
        print(f"import_dataset.py: {error}", file=sys.stderr)
        return 3
    for note in dataset.notes:
        print(f"note: {note}")
    print(f"{options.output}: {len(dataset.y)} rows, {dataset.x.shape[1]} columns, {int(dataset.y.sum())} with label "
          f"{dataset.positive_label}, {int(dataset.z.sum())} in group {dataset.group_name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
