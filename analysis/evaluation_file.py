"""Reads the tables of a file of `metasieve evaluate` (or another HDF5 file), and writes what is made of them."""
import os
import pathlib

import h5py
import pandas as pd


def opened(path):
    """An HDF5 file to read. @raises OSError that names it"""
    if not pathlib.Path(path).exists():
        raise OSError(f"{path}: no such file")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise OSError(f"{path}: {error}") from error


def read(path):
    """{name: data frame} of the tables /summary, /paired, ... that the file has. @raises OSError, ValueError"""
    return tables_of(path, "metasieve-evaluation", "summary")


def tables_of(path, wanted, needed):
    """{name: data frame} of the tables of a file of type `wanted`, `needed` among them. @raises OSError, ValueError"""
    with opened(path) as file:
        filetype = file.attrs.get("filetype", "")
        filetype = filetype.decode() if isinstance(filetype, bytes) else filetype
        if filetype != wanted:
            raise ValueError(f"{path}: filetype is {filetype!r}; must be {wanted!r}")
        if needed not in file:
            raise ValueError(f"{path}: has no /{needed}")
        return {name: frame(table[:]) for name, table in file.items() if getattr(table, "dtype", None) is not None}


def arrays(path, needed, optional=()):
    """{name: values} of an HDF5 file, of `optional` those that it has. @raises OSError or ValueError that names it"""
    with opened(path) as file:
        for name in needed:
            if name not in file:
                raise ValueError(f"{path}: has no /{name}")
        try:
            return {name: file[name][:] for name in [*needed, *optional] if name in file}
        except (OSError, TypeError, ValueError) as error:  # damaged, or a group or a single value
            raise ValueError(f"{path}: its tables cannot be read: {error}") from error


def frame(records):
    """Compound records as a data frame with text decoded."""
    table = {name: records[name] for name in records.dtype.names or ()}
    return pd.DataFrame({name: [text.decode() for text in values] if values.dtype.kind == "S" else values
                         for name, values in table.items()})


def summary_of(tables):
    """{source: {method: {metric: row}}} in the file's order, without the pooled source "all"."""
    found = {}
    for row in tables["summary"].to_dict("records"):
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
