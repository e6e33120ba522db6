"""Writes files for other programs: a suite as .npz files, tables as CSV and LaTeX."""
import json
import math
import re
from functools import partial

import numpy as np

from . import files, read
from .commands import UsageError

# Fields of metadata.json, in this order.
FIELDS = ("task_id", "n_samples", "n_train", "n_test", "n_features", "noise_rate", "group_imbalance", "class_imbalance",
          "separability", "add_group_bias", "seed", "train_pos_rate", "train_minority_rate", "train_actual_noise_rate",
          "train_dp_gap", "test_pos_rate", "test_minority_rate", "test_dp_gap", "train_pos_rate_z0",
          "train_pos_rate_z1", "test_pos_rate_z0", "test_pos_rate_z1", "groups")
AT_A_TIME = 1000  # tasks whose metadata are in memory as Python objects
EXPORTED = re.compile(r"(task_\d{3,}\.npz|metadata\.json)(\.part)?")


def records(metadata):
    """Returns [{field: value}] for JSON: undefined is None, a flag is true or false."""
    fields = metadata[list(FIELDS)]
    flags = {name: bool for name in FIELDS if fields[name].dtype == np.uint8}  # flags of a suite
    return [{name: None if isinstance(value, float) and not math.isfinite(value) else value
             for name, value in row.items()} for row in fields.astype(flags).to_dict("records")]


def write_records(metadata, path):
    """Writes the records of all tasks as a JSON list, AT_A_TIME tasks at a time."""
    with open(path, "w", encoding="utf-8") as file:
        for start in range(0, len(metadata), AT_A_TIME):
            texts = [json.dumps(one, indent=1, allow_nan=False) for one in records(metadata[start:start + AT_A_TIME])]
            file.write((",\n" if start else "[\n") + ",\n".join(texts))
        file.write("\n]\n")


def file_name(index, tasks):
    """Returns the name of a task's file. Names sort as the tasks do."""
    return f"task_{index:0{max(3, len(str(tasks - 1)))}d}.npz"


def make_room(folder, replace):
    """Makes the folder, and with `replace` removes an earlier export from it. Other files stay.

    Raises ValueError if there is an earlier export and `replace` is false.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(path.name for path in folder.iterdir() if EXPORTED.fullmatch(path.name))
    if found and not replace:
        raise ValueError(f"{folder}: has an earlier export ({found[0]}{', ...' * (len(found) > 1)}); choose another "
                         "folder, or --replace it")
    for name in found:  # metadata.json first: without it an export is incomplete
        (folder / name).unlink()


def export_tasks(suite, folder, tasks, replace=False):
    """Writes the tasks (a range) of a suite into the folder, one at a time, and last metadata.json.

    Raises OSError or ValueError.
    """
    metadata = suite.table("metadata")
    missing = [name for name in FIELDS if name not in metadata]
    if missing:
        raise ValueError(f"{suite.path}: /metadata has no {missing[0]}")
    make_room(folder, replace)
    for index in tasks:
        def save(part, arrays=suite.task(index)):
            with open(part, "wb") as file:  # given a name, numpy would append .npz to it
                np.savez(file, **arrays)
        files.write({folder / file_name(index, len(metadata)): save})
    files.write({folder / "metadata.json": lambda part: write_records(metadata.iloc[tasks], part)})


def npz(options):
    """Runs `export npz`."""
    suite = read(options.files[0], "suite")
    count = len(suite.table("metadata"))
    tasks = options.tasks or range(count)
    if tasks.stop > count:
        raise ValueError(f"{suite.path}: has {count} tasks; --tasks {tasks.start}:{tasks.stop} ends after them")
    export_tasks(suite, options.output, tasks, options.replace)
    print(f"wrote {len(tasks)} tasks and metadata.json to {options.output}")


# ------------------------------------------------------------------------------------------------------- tables

def export_tables(contents, folder):
    """Writes every table of a file as CSV and its results as LaTeX. Returns the names."""
    from .tables import rendering, results  # with matplotlib, which `export npz` does not need

    stem, savers = contents.path.stem, {}
    for name in contents:
        if hasattr(contents[name], "to_csv"):
            savers[folder / f"{stem}_{name.replace('/', '_')}.csv"] = partial(contents[name].to_csv, index=False)
    found = [rendering.latex(table, f"tab:{stem}:{name}") for name, table in results.of(contents).items()]
    if found:
        text = "% needs \\usepackage{booktabs}\n" + "\n\n".join(found) + "\n"
        savers[folder / f"{stem}.tex"] = lambda part: part.write_text(text, encoding="utf-8")
    files.write(savers)
    return list(savers)


def tables(options):
    """Runs `export tables`."""
    stems = [path.stem for path in options.files]
    for stem in stems:
        if stems.count(stem) > 1:
            raise UsageError(f"two files are called {stem}: export them one after the other, each to its own --output")
    for contents in [read(path) for path in options.files]:  # every file is checked before the first is written
        names = export_tables(contents, options.output)
        print(f"{contents.path}: " + (f"wrote {', '.join(map(str, names))}" if names else "has no tables"))
