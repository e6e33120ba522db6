"""Reads every file that metasieve writes, and replaces files atomically."""
import codecs
import collections
import configparser
import contextlib
import os
import pathlib
from collections.abc import Mapping

import h5py
import numpy as np
import pandas as pd

from .methods import FAIRNESS, GAPS

TYPES = ("suite", "dataset", "policy", "checkpoint", "results", "evaluation", "scores", "scaling", "sweep")


def checksum(values):
    """Returns the checksum of an array [rows] or [rows, columns], or of a list of texts, as docs/formats.md defines it."""
    if isinstance(values, list):
        values = np.frombuffer(b"".join(text.encode() + b"\0" for text in values), "u1")
    size = values.dtype.itemsize * (values.shape[1] if values.ndim == 2 else 1)
    rows = np.zeros((len(values), -(-size // 8) * 8), "u1")
    rows[:, :size] = np.frombuffer(values.tobytes(), "u1").reshape(len(values), size)
    x = rows.view("<u8").ravel() + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, rows.size // 8 + 1, dtype="u8")
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return int((x ^ (x >> np.uint64(31))).sum(dtype="u8"))


def opened(path):
    """Opens an HDF5 file to read. Raises OSError that names it."""
    if not pathlib.Path(path).exists():
        raise OSError(f"{path}: no such file")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise OSError(f"{path}: is no HDF5 file that can be read: {error}") from error


class Contents(Mapping):
    """Contents of one file by name: tables as data frames, all else as arrays. Each is read when it is first used.

    type        one of TYPES
    attributes  {name: value} of the file, text decoded
    config      {section: {key: text}}, the configuration that made the file; empty if it has none
    """

    def __init__(self, path, wanted=None):
        self.path, self._values = pathlib.Path(path), {}
        with opened(path) as file:
            try:
                self.attributes = {name: plain(value) for name, value in file.attrs.items()}
                self._names = []
                file.visititems(lambda name, item: self._names.append(name) if isinstance(item, h5py.Dataset) else None)
            except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
                raise ValueError(f"{path}: is damaged: {error}; `metasieve verify` checks it") from error
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
                    is_text = h5py.check_string_dtype(file[name].dtype)
                    values = file[name].asstr()[()] if is_text else file[name][()]
                    self._values[name] = frame(values) if file[name].dtype.names else values
                    if (self.type, name) == ("suite", "metadata") and "groups" not in self._values[name]:
                        self._values[name]["groups"] = 2  # programs before this field knew no other number
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
        """Returns a data frame. Raises ValueError if there is no table of this name."""
        if name not in self._names or not isinstance(self[name], pd.DataFrame):
            raise ValueError(f"{self.path}: has no table /{name}")
        return self[name]

    def task(self, index):
        """Returns one task of a suite: {X_train [n, d], y_train, z_train, y_clean_train [n], X_test, ...}."""
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


class Tables(dict):
    """Tables by name that were made and not read: stands for the Contents of an evaluation where these are shown."""

    def table(self, name):
        return self[name]


def names_of_groups(dataset):
    """Returns the names of the groups of a data set file [K], by their numbers. A file that names none has two groups,
    or one."""
    name = dataset.attributes.get("group_name", "")
    default = [f"not {name}" if name else "0", name or "1"] if "z" in dataset else ["all"]
    return dataset.attributes.get("group_names", default)


def plain(value):
    """Returns an attribute as text, number or array."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [text.decode() if isinstance(text, bytes) else str(text) for text in value.ravel()]
    return value.item() if isinstance(value, np.generic) else value


def parsed(text):
    """Returns INI text as {section: {key: text}}. Raises ValueError if it is no INI."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    config.optionxform = str
    try:
        config.read_string(text)
    except configparser.Error as error:
        raise ValueError(f"its configuration cannot be read: {' '.join(str(error).split())}") from error
    return {section: dict(config[section]) for section in config.sections()}


def frame(records):
    """Returns HDF5 records as a data frame with text decoded; a character that a field's end cuts is left out."""
    return pd.DataFrame({name: [codecs.utf_8_decode(text)[0] for text in records[name]]
                         if records[name].dtype.kind == "S" else records[name] for name in records.dtype.names})


def summary_of(evaluation):
    """Returns {source: {method: {metric: row}}} of an evaluation, in the file's order.

    A source is a data set or a suite's mixture; the pooled source "all" is left out. Where there is one group only,
    fairness is not in question, and its metrics are left out.
    """
    found, ungrouped = {}, ungrouped_sources(evaluation)
    for row in evaluation.table("summary").to_dict("records"):
        cells = found.setdefault(row["source"], {}).setdefault(row["method"], {})
        if row["metric"] not in FAIRNESS or row["source"] not in ungrouped:
            cells[row["metric"]] = row
    found.pop("all", None)
    return found


def has_gaps(methods):
    """Returns whether a source of summary_of has groups that could be treated unfairly."""
    return any(gap in cells for cells in methods.values() for gap in GAPS)


def lacks_gaps(table, *patterns):
    """Returns whether all gaps in a table of a training or sweep are 0, as where no task has groups.

    `patterns`: names of the columns, with {} for the gap.
    """
    columns = [pattern.format(gap) for pattern in patterns for gap in GAPS if pattern.format(gap) in table]
    values = table[columns].dropna(how="all")
    return values.size > 0 and bool((values == 0).all(axis=None))


def findings_of(evaluation):
    """Returns the findings as named tuples; none on fairness where there is one group only."""
    ungrouped = ungrouped_sources(evaluation)
    return [row for row in (evaluation.table("findings").itertuples() if "findings" in evaluation else ())
            if row.kind != "fairness" or row.source not in ungrouped]


def ungrouped_sources(evaluation):
    """Returns the sources that have one group only, as far as the file lists groups."""
    return [source for source, names in group_names_of(evaluation).items() if len(names) == 1]


def group_names_of(evaluation):
    """Returns {source: {group: name}} of the sources whose groups the file lists, no name twice.

    Groups of data sets have names, those of suites and of older files are called "group 0", ...
    """
    found = {}
    for rows in (evaluation.table(name) for name in ("detection", "group_summary") if name in evaluation):
        for row in rows[rows["group"] >= 0].drop_duplicates(["source", "group"]).to_dict("records"):
            found.setdefault(row["source"], {})[row["group"]] = row.get("name") or f"group {row['group']}"
    for names in found.values():
        counts = collections.Counter(names.values())  # long names are cut, and may be the same then
        names |= {group: f"{name} (group {group})" for group, name in names.items() if counts[name] > 1}
    return {source: dict(sorted(names.items())) for source, names in found.items()}


def write_bytes(path, content):
    """Writes a file that is on the disk before it has its name. Raises OSError that names it."""
    def save(part):
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    write({path: save})


def write(savers):
    """Writes files: each stays as it was until all of them are complete.

    `savers`: {path: function that writes the file to the path it is given}. Makes missing folders.
    Raises OSError that names the file.
    """
    parts = {}
    try:
        for path, save in savers.items():
            path = pathlib.Path(path)
            if path.exists() and not path.is_file():
                raise OSError("it is no regular file")
            if path.parent.exists() and not path.parent.is_dir():
                raise OSError(f"{path.parent} is no folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            parts[path] = path.with_name(path.name + ".part")
            save(parts[path])
        for path, part in parts.items():
            os.replace(part, path)
    except OSError as error:
        why = error.strerror or (os.strerror(error.errno) if error.errno else str(error))
        raise OSError(f"cannot write {path}: {why}") from error
    finally:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink()
