"""A data set in memory, and its file (HDF5, filetype metasieve-dataset)."""
import configparser
import datetime
import io
import pathlib
import shlex
from dataclasses import dataclass, field

import h5py
import numpy as np
import pandas as pd

from .. import __version__, files

FORMAT_VERSION = (1, 2)  # 1.1: row, id, weight; 1.2: group_names
LONGEST_NAME = 63  # bytes of a data set's name in an evaluation


@dataclass
class Dataset:
    """Rows of a data set; n is their number. Arrays that the data have not are None."""
    x: pd.DataFrame  # [n, d], numeric columns
    y: np.ndarray  # [n], 1 = positive_label
    group: np.ndarray  # [n], 0 to K - 1
    positive_label: str
    group_name: str  # who is group 1, if it is in group_names; else the columns of the groups
    split: np.ndarray | None = None  # [n], 1 = test part
    notes: list = field(default_factory=list)  # what was found and changed, for the user
    source: str = ""  # name of the file that it was read from
    sha256: str = ""
    y_clean: np.ndarray | None = None  # [n], where the noise of y is known
    row: np.ndarray | None = None  # [n], number of the row in the table that it was read from, from 0
    id: list | None = None  # [n] texts
    weight: np.ndarray | None = None  # [n], >= 0
    columns: pd.DataFrame | None = None  # a line for each column of the table: name, kind, levels, missing, remark
    group_names: list | None = None  # [K], in the order of the numbers; None: two groups
    people: pd.DataFrame | None = None  # [n] texts: columns of published data that can make groups

    def __post_init__(self):
        if self.group_names is None:
            self.group_names = [f"not {self.group_name}", self.group_name]

    @property
    def feature_names(self):
        return list(self.x.columns)


# ----------------------------------------------------------------------------------------------------- reading

def read_bytes(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error


# ----------------------------------------------------------------------------------------------------- writing

def config_text(options):
    """Returns the options of the import as INI text."""
    config = configparser.ConfigParser(interpolation=None)
    config["import"] = {key: shlex.join(value) if isinstance(value, list) else str(value)
                        for key, value in vars(options).items()
                        if key not in ("command", "run", "parser", "output") and value is not False
                        and value not in (None, [], "")}
    text = io.StringIO()
    config.write(text)
    return text.getvalue().strip() + "\n"


def text_attribute(file, name, text):
    """Writes text of fixed length, as metasieve itself does."""
    encoded = text.encode()
    file.attrs.create(name, np.bytes_(encoded or b"\0"), dtype=h5py.string_dtype("utf-8", max(len(encoded), 1)))


def as_float32(path, x, rows=None):
    """Returns the columns in float32. Raises ValueError if that cannot hold a value; `rows`: numbers of the rows."""
    with np.errstate(over="ignore"):
        values = x.to_numpy(dtype="float32")
    row, column = np.nonzero(~np.isfinite(values)) if len(values) else ([], [])
    if len(row):
        raise ValueError(f"{path}: column '{x.columns[column[0]]}' has a value beyond float32 in row "
                         f"{row[0] if rows is None else rows[row[0]]}")
    return pd.DataFrame(values, columns=x.columns)


def check_parts(path, dataset):
    """Raises ValueError if a part of the data has only one label, or only one of two groups."""
    parts = {"": slice(None)}
    if dataset.split is not None:
        parts = {" in the training part": ~dataset.split, " in the test part": dataset.split}
    for part, rows in parts.items():
        for values, what in [(dataset.y, "label")] + [(dataset.group, "group")] * (len(dataset.group_names) == 2):
            if values[rows].all() or not values[rows].any():
                raise ValueError(f"{path}: only one {what} is left{part}; must have two")


def check_name(output):
    """Raises ValueError if an evaluation would cut the data set's name, and take it for another's that begins alike."""
    name = pathlib.Path(output).stem
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"--output {output}: names a data set with {len(name.encode())} bytes; must be at most "
                         f"{LONGEST_NAME}, so that evaluations tell data sets apart")


def describe(data_set, meaning, values):
    """Writes the attributes of a data set: what it holds, and the checksum of its values."""
    text_attribute(data_set, "description", meaning)
    data_set.attrs.create("checksum", files.checksum(values), dtype="<u8")


def fill(file, dataset, x, options):
    text_attribute(file, "filetype", "metasieve-dataset")
    file.attrs.create("version", FORMAT_VERSION, dtype="<i4")
    text_attribute(file, "created_by", f"metasieve {__version__}")
    text_attribute(file, "created", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    text_attribute(file, "config", config_text(options))
    names = [name.encode() for name in map(str, dataset.x.columns)]
    file.attrs.create("feature_names", names, dtype=h5py.string_dtype("utf-8", max(map(len, names))))
    text_attribute(file, "group_name", dataset.group_name)
    file.attrs.create("group_names", dataset.group_names, dtype=h5py.string_dtype("utf-8"))
    text_attribute(file, "positive_label", dataset.positive_label)
    text_attribute(file, "source", dataset.source)
    text_attribute(file, "source_sha256", dataset.sha256)
    contents = [("x", x, "features, raw [rows, columns]"), ("y", dataset.y, "label, 1 = positive_label"),
                ("z", dataset.group, "sensitive group, by its place in group_names")]
    if dataset.split is not None:
        contents.append(("split", dataset.split, "0 training part, 1 test part"))
    if dataset.y_clean is not None:
        contents.append(("y_clean", dataset.y_clean, "label before the noise, 1 = positive_label"))
    contents = [(name, values if name == "x" else np.asarray(values).astype("uint8"), meaning)
                for name, values, meaning in contents]
    if dataset.row is not None:
        contents.append(("row", np.asarray(dataset.row, "<i8"), "row of the table that was imported, from 0"))
    if dataset.weight is not None:
        contents.append(("weight", np.asarray(dataset.weight, "<f8"), "weight of the row in the table"))
    for name, values, meaning in contents:
        describe(file.create_dataset(name, data=values, track_times=False), meaning, values)
    if dataset.id is not None:
        data = file.create_dataset("id", data=[text.encode() for text in dataset.id], dtype=h5py.string_dtype("utf-8"),
                                   track_times=False)
        describe(data, "identifier of the row in the table", list(dataset.id))
    file.attrs.create("complete", 1, dtype="<i8")


def write(output, dataset, options):
    """Writes the data set file atomically. Raises OSError or ValueError."""
    check_name(output)
    check_parts(dataset.source, dataset)
    x = as_float32(dataset.source, dataset.x, dataset.row).to_numpy()

    # In memory first: on a full disk HDF5 ends the process instead of raising an error.
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("v108", "v110")) as file:
        fill(file, dataset, x, options)
    files.write_bytes(output, image.getbuffer())
