"""A data set in memory, and its file (HDF5, filetype metasieve-dataset)."""
import configparser
import datetime
import io
import os
from dataclasses import dataclass, field

import h5py
import numpy as np
import pandas as pd

from .. import __version__, files

FORMAT_VERSION = (1, 0)


@dataclass
class Dataset:
    """Rows of a data set; n is their number."""
    x: pd.DataFrame  # [n, d], numeric columns
    y: np.ndarray  # [n], 1 = positive_label
    z: np.ndarray  # [n], 1 = group_name
    positive_label: str
    group_name: str
    split: np.ndarray | None = None  # [n], 1 = test part
    notes: list = field(default_factory=list)  # what was changed, for the user
    source: str = ""  # name of the file that it was read from
    sha256: str = ""
    y_clean: np.ndarray | None = None  # [n], where the noise of y is known


# ----------------------------------------------------------------------------------------------------- reading

def read_bytes(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error


def first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0]


def read_table(path, content, **options):
    """Returns a data frame. An empty field is missing; words such as "N/A" stay words. Raises ValueError."""
    try:
        return pd.read_csv(io.BytesIO(content), keep_default_na=False, **options)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no table that can be read: {first_line(error)}") from error


# ----------------------------------------------------------------------------------------------------- writing

def config_text(options):
    """Returns the options of the import as INI text."""
    config = configparser.ConfigParser(interpolation=None)
    config["import"] = {key: " ".join(value) if isinstance(value, list) else str(value)
                        for key, value in vars(options).items()
                        if key not in ("command", "run", "parser", "output") and value not in (None, [], False)}
    text = io.StringIO()
    config.write(text)
    return text.getvalue().strip() + "\n"


def text_attribute(file, name, text):
    """Writes text of fixed length, as metasieve itself does."""
    encoded = text.encode()
    file.attrs.create(name, np.bytes_(encoded or b"\0"), dtype=h5py.string_dtype("utf-8", max(len(encoded), 1)))


def check(path, dataset):
    """Returns x in float32, [n, d].

    Raises ValueError if float32 cannot hold a value, or if a part of the data has only one label or group.
    """
    with np.errstate(over="ignore"):
        x = dataset.x.to_numpy(dtype="float32")
    row, column = np.nonzero(~np.isfinite(x)) if len(x) else ([], [])
    if len(row):
        raise ValueError(f"{path}: column '{dataset.x.columns[column[0]]}' has a value beyond float32 in row {row[0]}")
    parts = {"": slice(None)}
    if dataset.split is not None:
        parts = {" in the training part": ~dataset.split, " in the test part": dataset.split}
    for part, rows in parts.items():
        for values, what in ((dataset.y[rows], "label"), (dataset.z[rows], "group")):
            if values.all() or not values.any():
                raise ValueError(f"{path}: only one {what} is left{part}; must have two")
    return x


def fill(file, dataset, x, options):
    text_attribute(file, "filetype", "metasieve-dataset")
    file.attrs.create("version", FORMAT_VERSION, dtype="<i4")
    text_attribute(file, "created_by", f"metasieve {__version__}")
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
    if dataset.y_clean is not None:
        contents.append(("y_clean", dataset.y_clean, "label before the noise, 1 = positive_label"))
    for name, values, meaning in contents:
        data = file.create_dataset(name, data=values if name == "x" else values.astype("uint8"), track_times=False)
        text_attribute(data, "description", meaning)
    file.attrs.create("complete", 1, dtype="<i8")


def write(output, dataset, options):
    """Writes the data set file atomically. Raises OSError or ValueError."""
    x = check(dataset.source, dataset)

    # In memory first: on a full disk HDF5 ends the process instead of raising an error.
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("v108", "v110")) as file:
        fill(file, dataset, x, options)

    def save(part):
        with open(part, "wb") as file:
            file.write(image.getbuffer())
            file.flush()
            os.fsync(file.fileno())

    files.write({output: save})
