"""A suite as one .npz a task and a metadata.json, as the first Python prototypes of metasieve read it."""
import json
import math
import re

import numpy as np

from . import files

# In this order; DESIGN.md section 2. The suite has more, which the prototypes do not know.
FIELDS = ("task_id", "n_samples", "n_train", "n_test", "n_features", "noise_rate", "group_imbalance", "class_imbalance",
          "separability", "add_group_bias", "seed", "train_pos_rate", "train_minority_rate", "train_actual_noise_rate",
          "train_dp_gap", "test_pos_rate", "test_minority_rate", "test_dp_gap", "train_pos_rate_z0",
          "train_pos_rate_z1", "test_pos_rate_z0", "test_pos_rate_z1")
AT_A_TIME = 1000  # tasks whose metadata are held as Python objects
OURS = re.compile(r"(task_\d{3,}\.npz|metadata\.json)(\.part)?")


def records(metadata):
    """[{field: value}]: the 22 fields of each task as JSON has them; undefined is None, a flag is true or false."""
    fields = metadata[list(FIELDS)]
    flags = {name: bool for name in FIELDS if fields[name].dtype == np.uint8}  # the type that a suite stores flags in
    return [{name: None if isinstance(value, float) and not math.isfinite(value) else value
             for name, value in row.items()} for row in fields.astype(flags).to_dict("records")]


def write_records(metadata, path):
    """The records of all tasks as a JSON list, some tasks at a time."""
    with open(path, "w", encoding="utf-8") as file:
        for start in range(0, len(metadata), AT_A_TIME):
            texts = [json.dumps(one, indent=1, allow_nan=False) for one in records(metadata[start:start + AT_A_TIME])]
            file.write((",\n" if start else "[\n") + ",\n".join(texts))
        file.write("\n]\n")


def file_name(index, tasks):
    """Of the task at this place of a suite: sorts as the tasks do."""
    return f"task_{index:0{max(3, len(str(tasks - 1)))}d}.npz"


def make_room(folder, replace):
    """A folder without the files of an earlier export, which `replace` removes; other files stay.

    @raises ValueError if there is an earlier export and it may not go
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(path.name for path in folder.iterdir() if OURS.fullmatch(path.name))
    if found and not replace:
        raise ValueError(f"{folder}: has an earlier export ({found[0]}{', ...' * (len(found) > 1)}); choose another "
                         "folder, or --replace it")
    for name in found:  # metadata.json first: without it nothing is whole
        (folder / name).unlink()


def export(suite, folder, tasks, replace=False):
    """Writes the tasks (a range) of a suite into the folder, one at a time; metadata.json comes last, and whole.

    @raises OSError, ValueError
    """
    metadata = suite.table("metadata")
    missing = [name for name in FIELDS if name not in metadata]
    if missing:
        raise ValueError(f"{suite.path}: /metadata has no {missing[0]}")
    make_room(folder, replace)
    for index in tasks:
        def save(part, arrays=suite.task(index)):
            with open(part, "wb") as file:  # by its name numpy would call it .part.npz
                np.savez(file, **arrays)
        files.write(folder / file_name(index, len(metadata)), save)
    files.write(folder / "metadata.json", lambda part: write_records(metadata.iloc[tasks], part))
