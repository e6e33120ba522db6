"""Makes data set files of published data, and runs `import`."""
import hashlib
import io
import pathlib
from argparse import Namespace
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..commands import UsageError
from . import csv_table, download, groups
from .columns import Style
from .dataset_file import Dataset, read_bytes, write
from .group_columns import group_columns
from .r_package import csv_of_package
from .text_table import TextTable, read_text_table


@dataclass(frozen=True)
class Known:
    """A published file: its address, and the counts that an import of it must give."""
    folder: str  # of the address, which ends in the name of the file
    file: str
    sha256: str  # empty: the table has no bytes that all programs write
    rows: int
    group_rows: int
    positive_rows: int


UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases/"
KNOWN = {
    "compas": Known("https://raw.githubusercontent.com/propublica/compas-analysis/master/",
                    "compas-scores-two-years.csv",
                    "c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d", 6172, 3175, 2809),
    "adult": Known(f"{UCI}adult/", "adult.data",
                   "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d", 30162, 9782, 7508),
    "german": Known(f"{UCI}statlog/german/", "german.data",
                    "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871", 1000, 851, 300),
}
ADULT_TEST = Known(f"{UCI}adult/", "adult.test",
                   "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05", 15060, 4913, 3700)
SLID = Known("", "SLID.csv", "", 4147, 2077, 2072)


# ------------------------------------------------------------------------------------------- published files

def first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0]


def table_of(path, content, **options):
    """Returns a data frame. An empty field is missing; words such as "N/A" stay words. Raises ValueError."""
    try:
        return pd.read_csv(io.BytesIO(content), keep_default_na=False, **options)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no table that can be read: {first_line(error)}") from error


def numbers(path, table, columns):
    """Returns columns as float64. `columns`: {column: name}, or a list of names. Raises ValueError."""
    names = columns if isinstance(columns, dict) else {column: column for column in columns}
    result = {}
    for column, name in names.items():
        try:
            result[name] = pd.to_numeric(table[column]).astype("float64")
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: column {name}: {first_line(error)}; must be numbers") from error
        if not np.isfinite(result[name]).all():
            raise ValueError(f"{path}: column {name} has missing or infinite values; this file should have none")
    return pd.DataFrame(result)


def require_columns(path, table, columns):
    for column in columns:
        if column not in table.columns:
            raise ValueError(f"{path}: has no column '{column}'; is this the published file?")


def require_width(path, table, width):
    if table.shape[1] != width:
        raise ValueError(f"{path}: has {table.shape[1]} columns; must have {width}")


def compas(path, content):
    """Reads ProPublica's two-year file with ProPublica's filters."""
    table = table_of(path, content, na_values=[""])
    features = ["age", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count"]
    require_columns(path, table, features + ["days_b_screening_arrest", "is_recid", "c_charge_degree", "score_text",
                                             "race", "two_year_recid"])
    days = pd.to_numeric(table["days_b_screening_arrest"], errors="coerce")
    kept = table[days.between(-30, 30) & (table["is_recid"] != -1) & (table["c_charge_degree"] != "O")
                 & (table["score_text"] != "N/A")]
    y = numbers(path, kept, ["two_year_recid"])["two_year_recid"].to_numpy()
    people = kept[[name for name in ("race", "sex", "age") if name in kept]].astype(str)
    return Dataset(numbers(path, kept, features), y == 1, (kept["race"] == "African-American").to_numpy(),
                   "two_year_recid", "African-American", row=kept.index, people=people)


def adult(path, content):
    """Reads the complete rows of one file of UCI Adult."""
    table = table_of(path, content, header=None, skipinitialspace=True, comment="|", na_values=["?"])
    require_width(path, table, 15)
    complete = table.dropna()
    features = {0: "age", 4: "education-num", 10: "capital-gain", 11: "capital-loss", 12: "hours-per-week"}
    label = complete[14].astype(str).str.rstrip(".")  # adult.test ends its labels in a full stop
    return Dataset(numbers(path, complete, features), (label == ">50K").to_numpy(),
                   (complete[9] == "Female").to_numpy(), ">50K", "Female", row=complete.index,
                   people=complete[[8, 9, 0]].astype(str).set_axis(["race", "sex", "age"], axis=1))


def german(path, content):
    """Reads UCI's Statlog German credit."""
    table = table_of(path, content, header=None, sep=r"\s+")
    require_width(path, table, 21)
    features = {1: "duration", 4: "credit-amount", 7: "installment-rate", 12: "age", 15: "existing-credits",
                17: "people-liable"}  # attributes 2, 5, 8, 13, 16, 18
    x = numbers(path, table, features)
    # The age is attribute 13, column 12 from 0 (attribute 2 is the duration of the credit).
    sex = table[8].isin(["A92", "A95"]).map({True: "female", False: "male"})  # attribute 9: personal status and sex
    return Dataset(x, (table[20] == 2).to_numpy(), (x["age"] >= 25).to_numpy(), "bad credit", "age >= 25",
                   row=table.index, people=pd.DataFrame({"sex": sex, "age": table[12].astype(str)}))


READERS = {"compas": compas, "adult": adult, "german": german}


def check_counts(known, path, dataset):
    """Raises ValueError if a published file gives other counts. Of another file only the number of rows is checked."""
    found = {"rows": len(dataset.y), f"rows of group {dataset.group_name}": int(dataset.group.sum()),
             f"rows of label {dataset.positive_label}": int(dataset.y.sum())}
    wanted = [known.rows, known.group_rows, known.positive_rows]
    if known.sha256 and dataset.sha256 != known.sha256:
        dataset.notes.append(f"note: {path} is not the published file (its sha256 is {dataset.sha256})")
        wanted = wanted[:1]
    for (what, count), right in zip(found.items(), wanted):
        if count != right:
            raise ValueError(f"{path}: {count} {what} are left; must be {right}: is this the whole file, in its "
                             "published version?")


def import_file(reader, known, source):
    """Returns the Dataset of one published file, with its counts checked."""
    path = pathlib.Path(source) / known.file
    content = read_bytes(path)
    dataset = reader(path, content)
    dataset.source, dataset.sha256 = known.file, hashlib.sha256(content).hexdigest()
    check_counts(known, path, dataset)
    return dataset


def import_known(options):
    is_official, wanted = getattr(options, "official", False), getattr(options, "download", None)
    if not (options.source or wanted):
        raise UsageError("--source DIR, the folder of the published file, or --download is required")
    source = pathlib.Path(options.source or download.cache_folder())
    notes = []
    if wanted:
        needed = [KNOWN[options.kind], *[ADULT_TEST] * is_official]
        notes = download.fetch_all(needed, source, wanted if wanted is not True else None)
    dataset = import_file(READERS[options.kind], KNOWN[options.kind], source)
    if is_official:
        dataset = joined(dataset, import_file(adult, ADULT_TEST, source))
    dataset.notes[:0] = notes
    return regrouped(dataset, options)


def regrouped(dataset, options):
    """Returns the data set with the groups of --group if it is given; their columns are no features."""
    options = Namespace(**{"group": [], "group_value": [], "smallest_group": None} | vars(options))
    wanted = group_columns(dataset.source, TextTable(dataset.people, "", []), options)
    if not wanted:
        return dataset
    notes = list(dataset.notes)
    found = groups.groups_of(dataset.source, dataset.people, wanted, options, Style(), notes)
    notes += found.notes(dataset.y, dataset.split)
    used = [name for name in dataset.x if name in found.levels]
    notes += [f"note: column '{name}' is of the group, and no feature" for name in used]
    return replace(dataset, x=dataset.x.drop(columns=used), group=found.number, group_name=found.meaning,
                   group_names=found.names, notes=notes)


def joined(train, test):
    """Returns the rows of both, with `split` 1 for those of `test`."""
    return Dataset(pd.concat([train.x, test.x], ignore_index=True), np.concatenate([train.y, test.y]),
                   np.concatenate([train.group, test.group]), train.positive_label, train.group_name,
                   np.repeat([False, True], [len(train.y), len(test.y)]), train.notes + test.notes,
                   f"{train.source}+{test.source}", f"{train.sha256}+{test.sha256}",
                   people=pd.concat([train.people, test.people], ignore_index=True))


# --------------------------------------------------------------------------------------------------- other tables

SLID_FEATURES = ["education", "age", "language"]
SLID_REMEDY = ("Debian: apt-get install r-base-core r-cran-cardata; elsewhere --source DIR, a folder with SLID.csv, which "
               'R writes by write.csv(carData::SLID, "SLID.csv")')


def import_slid(options):
    """Reads the table SLID of the R package carData, from R or from SLID.csv in --source.

    Label 1 is a wage above the median of the rows that have wages; at the median it is 0."""
    path = pathlib.Path(options.source) / SLID.file if options.source else "carData::SLID"
    content = read_bytes(path) if options.source else csv_of_package("carData", "SLID", SLID_REMEDY)
    table = read_text_table(path, content)
    require_columns(path, table.data, ["wages", "sex", *SLID_FEATURES])
    median = pd.to_numeric(table.data["wages"], errors="coerce").dropna().median()

    def with_groups(**wanted):
        names = [column.name for column in group_columns(path, table, Namespace(**wanted))]
        if "wages" in names:
            raise UsageError("--group wages: is the label; must be of sex, age, language")
        features = [name for name in SLID_FEATURES if name not in names]
        return csv_table.dataset_of(path, table, csv_table.Options(
            label="wages", positive=f">{median}", rest_negative=True, columns=features, **wanted),
            SLID.file if options.source else path, content)

    try:
        dataset = with_groups(group=["sex"], group_value=["Female"], smallest_group=None)
    except UsageError as error:
        raise ValueError(f"{path}: {error}: is this the table SLID of carData?") from error
    check_counts(SLID, path, dataset)
    if group_columns(path, table, options):
        dataset = with_groups(group=options.group, group_value=options.group_value,
                              smallest_group=options.smallest_group)
    dataset.notes += [
        f"note: label 1 is a wage above the median of all rows that have wages, {median}; at the median it is 0",
        "note: the data are those of the Survey of Labour and Income Dynamics, Ontario 1994, by way of the R package "
        "carData"]
    return dataset


ROH_FILES = ["xz_train", "xz_test", "y_noise_general", "y_train", "y_test"]


def import_roh(options):
    """Reads the synthetic data of Roh et al. (2021), "general" flips, with their own test part and clean labels."""
    folder = pathlib.Path(options.source) / "roh2021"
    arrays, hashes = {}, []
    for name in ROH_FILES:
        path = folder / f"{name}.npy"
        content = read_bytes(path)
        try:
            arrays[name] = np.load(io.BytesIO(content), allow_pickle=False)
        except ValueError as error:
            raise ValueError(f"{path}: is no array that numpy can read: {first_line(error)}") from error
        hashes.append(hashlib.sha256(content).hexdigest())
        shape = (2000 if "test" not in name else 1000, *((3,) if name.startswith("xz") else ()))
        if arrays[name].shape != shape:
            raise ValueError(f"{path}: has shape {arrays[name].shape}; must have {shape}")
    xz = np.concatenate([arrays["xz_train"], arrays["xz_test"]])
    return Dataset(pd.DataFrame({"x1": xz[:, 0], "x2": xz[:, 1]}),
                   np.concatenate([arrays["y_noise_general"], arrays["y_test"]]) > 0, xz[:, 2] > 0, "1", "z = 1",
                   np.repeat([False, True], [2000, 1000]), source="+".join(f"{name}.npy" for name in ROH_FILES),
                   sha256="+".join(hashes), y_clean=np.concatenate([arrays["y_train"], arrays["y_test"]]) > 0)


# ------------------------------------------------------------------------------------------------- the command

WIDEST = 40  # characters of a column's name that are printed


def printed(columns):
    """Returns the column report as lines with aligned columns; long names are cut."""
    rows = [list(columns.columns), *columns.astype(str).to_numpy().tolist()]
    for row in rows:
        row[0] = row[0] if len(row[0]) <= WIDEST else row[0][:WIDEST - 3] + "..."
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths)).rstrip() for row in rows]


def run(options):
    """Writes the data set file of `options.kind` and prints what was made of the table. Raises UsageError, OSError or
    ValueError."""
    importers = {"csv": csv_table.import_csv, "roh": import_roh, "slid": import_slid}
    dataset = importers.get(options.kind, import_known)(options)
    write(options.output, dataset, options)
    table = printed(dataset.columns) if dataset.columns is not None else []
    for line in [*dataset.notes[:1], *table, *dataset.notes[1:]]:
        print(line)
    parts = "" if dataset.split is None else f", {int(dataset.split.sum())} in the test part"
    count = len(dataset.group_names)
    two = dataset.group_name in dataset.group_names[1:]
    of_groups = f"{int(dataset.group.sum())} in group {dataset.group_name}" if two else \
        f"{count} groups of {dataset.group_name}" if count > 1 else "one group"
    print(f"{options.output}: {len(dataset.y)} rows, {dataset.x.shape[1]} columns, {int(dataset.y.sum())} with label "
          f"{dataset.positive_label}, {of_groups}{parts}")
