"""Opens every file that metasieve writes, and writes files whole or not at all."""
import configparser
import os
import pathlib
from collections.abc import Mapping

import h5py
import numpy as np
import pandas as pd

TYPES = ("suite", "dataset", "policy", "checkpoint", "results", "evaluation", "scores", "scaling", "sweep")


def opened(path):
    """An HDF5 file to read. @raises OSError that names it"""
    if not pathlib.Path(path).exists():
        raise OSError(f"{path}: no such file")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise OSError(f"{path}: is no HDF5 file that can be read: {error}") from error


def read(path, wanted=None):
    """The contents of a file of metasieve.

    `wanted`: one of TYPES, or None for any. @raises OSError, ValueError naming file and reason: it cannot be opened,
    was not finished, or is of another type
    """
    return Contents(path, wanted)


class Contents(Mapping):
    """What is in one file, by name: records as data frames, all else as arrays, each read when it is asked for.

    type        one of TYPES
    attributes  {name: value} of the file, text decoded
    config      {section: {key: text}}, the configuration that made it; empty if the file has none
    """

    def __init__(self, path, wanted=None):
        self.path, self._values = pathlib.Path(path), {}
        with opened(path) as file:
            try:
                self.attributes = {name: plain(value) for name, value in file.attrs.items()}
                self._names = []
                file.visititems(lambda name, item: self._names.append(name) if isinstance(item, h5py.Dataset) else None)
            except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
                raise ValueError(f"{path}: is damaged: {error}; `metasieve verify` tells more") from error
        self.type = str(self.attributes.get("filetype", "")).removeprefix("metasieve-")
        self.require_type(wanted)
        if "complete" not in self.attributes:
            raise ValueError(f"{path}: was never finished (attribute 'complete' is missing); make it again")
        try:
            self.config = parsed(str(self.attributes.get("config", "")))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def require_type(self, wanted):
        if self.type not in TYPES or wanted not in (None, self.type):
            right = f"'metasieve-{wanted}'" if wanted else "that of a file of metasieve"
            raise ValueError(f"{self.path}: filetype is '{self.attributes.get('filetype', '')}'; must be {right}")

    def __getitem__(self, name):
        name = name.strip("/")
        if name not in self._names:
            raise KeyError(f"{self.path}: has no /{name}; has {', '.join(self._names) or 'nothing'}")
        if name not in self._values:
            with opened(self.path) as file:
                try:
                    values = file[name][()]
                    self._values[name] = frame(values) if file[name].dtype.names else values
                except (OSError, TypeError, ValueError) as error:
                    raise ValueError(f"{self.path}: /{name} cannot be read: {error}") from error
        return self._values[name]

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)

    def __repr__(self):
        return f"<{self.type} {self.path}: {', '.join(self._names)}>"

    def table(self, name):
        """A data frame. @raises ValueError if there is none of this name"""
        if name not in self._names or not isinstance(self[name], pd.DataFrame):
            raise ValueError(f"{self.path}: has no table /{name}")
        return self[name]

    def task(self, index):
        """{X_train [n, d], y_train, z_train, y_clean_train [n], and the same of test}: one task of a suite."""
        if self.type != "suite":
            raise ValueError(f"{self.path}: is a {self.type}; only a suite has tasks")
        metadata = self.table("metadata").iloc[index]
        found = {}
        for part in ("train", "test"):
            rows, values = (self[f"{part}/{name}"] for name in ("row_offset", "x_offset"))
            with opened(self.path) as file:  # one task of a file that may be larger than memory
                data = file[part]
                x = data["x"][values[index]:values[index + 1]]
                found[f"X_{part}"] = x.reshape(-1, int(metadata["n_features"]))
                for name in ("y", "z", "y_clean"):
                    found[f"{name}_{part}"] = data[name][rows[index]:rows[index + 1]].astype(np.int64)
        return found


def plain(value):
    """An attribute as text, number or array."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [text.decode() if isinstance(text, bytes) else str(text) for text in value.ravel()]
    return value.item() if isinstance(value, np.generic) else value


def parsed(text):
    """{section: {key: text}} of INI text."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    config.optionxform = str
    try:
        config.read_string(text)
    except configparser.Error as error:
        raise ValueError(f"its configuration cannot be read: {' '.join(str(error).split())}") from error
    return {section: dict(config[section]) for section in config.sections()}


def frame(records):
    """Compound records as a data frame with text decoded."""
    return pd.DataFrame({name: [text.decode() for text in records[name]] if records[name].dtype.kind == "S"
                         else records[name] for name in records.dtype.names})


def arrays(path, needed, optional=()):
    """{name: values} of any HDF5 file, of `optional` those that it has. @raises OSError or ValueError that names it"""
    with opened(path) as file:
        for name in needed:
            if name not in file:
                raise ValueError(f"{path}: has no /{name}")
        try:
            return {name: file[name][:] for name in [*needed, *optional] if name in file}
        except (OSError, TypeError, ValueError) as error:  # damaged, or a group or a single value
            raise ValueError(f"{path}: its tables cannot be read: {error}") from error


def summary_of(evaluation):
    """{source: {method: {metric: row}}} of an evaluation in the file's order, without the pooled source "all"."""
    found = {}
    for row in evaluation.table("summary").to_dict("records"):
        found.setdefault(row["source"], {}).setdefault(row["method"], {})[row["metric"]] = row
    found.pop("all", None)
    return found


def write(path, save):
    """Calls save(PART) and renames PART to `path`, which is whole or what was there before."""
    path = pathlib.Path(path)
    part = path.with_name(path.name + ".part")
    try:
        save(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
