"""Finds the files of metasieve in a folder by their contents, not by their names."""
import os
import pathlib
from dataclasses import dataclass, field

from .. import read

SIGNATURE = b"\x89HDF\r\n\x1a\n"
LARGE = ("suite", "dataset")  # their arrays are not read
REPORTED = ("suite", "results", "checkpoint", "evaluation", "scores", "scaling", "sweep")


@dataclass
class Folder:
    """A folder with the files that are reported, and the problems of the others."""
    path: pathlib.Path
    contents: list = field(default_factory=list)
    problems: list = field(default_factory=list)  # sentences on the files that cannot be reported

    def of(self, *types):
        return [one for one in self.contents if one.type in types]

    @property
    def name(self):
        return self.path.resolve().name

    @property
    def trainings(self):
        """Results, or else the newest checkpoint of an unfinished training."""
        return self.of("results") or self.of("checkpoint")


def found_in(paths):
    """Returns the Folder of a path, or of some files in one folder; folders below it are ignored.

    Raises OSError, or ValueError if there is nothing to report.
    """
    paths = [pathlib.Path(path) for path in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    chosen = [path for path in paths if path.is_file()]
    if not chosen and len(paths) == 1:
        folder = Folder(paths[0])
        files = [file for file in sorted(folder.path.iterdir()) if not file.name.startswith("#")]  # backups
    else:
        folder = Folder(paths[0].parent)
        files = listed_files(paths)
    for file in files:
        if file.name.endswith((".part", ".partial")):
            folder.problems.append(f"{file.name} is unfinished: a command is writing it, or was stopped")
        elif file.is_file() and (file in chosen or file.suffix == ".h5" or begins_as_hdf5(file)):
            add(folder, file)
    checkpoints = sorted(folder.of("checkpoint"), key=lambda one: one.attributes.get("step", 0))
    kept = [] if folder.of("results") else checkpoints[-1:]
    folder.contents = [one for one in folder.contents if one.type != "checkpoint"] + kept
    if not folder.of(*REPORTED):
        where = "; metasieve sweep --collect makes sweep.h5 of its points" if (folder.path / "points").is_dir() else ""
        why = f" ({'; '.join(folder.problems)})" if folder.problems else ""
        raise ValueError(f"{', '.join(map(str, paths))}: holds no results of metasieve{why}{where}")
    return folder


def listed_files(paths):
    """Returns the paths if all are files of one folder: the commands that repeat a report name one. Raises OSError or
    ValueError."""
    for path in paths:
        if not path.is_file():
            raise OSError(f"{path}: {'is a folder; must be one folder, or files' if path.is_dir() else 'no such file'}")
        if path.parent.resolve() != paths[0].parent.resolve():
            raise ValueError(f"{path}: is not in the folder of {paths[0]}; the files of a report must be in one folder")
    return paths


def begins_as_hdf5(file):
    try:
        with open(file, "rb") as opened:
            return opened.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False


def add(folder, file):
    """Adds a file to the folder, or its problem."""
    try:
        if not survives(file):
            raise ValueError("it is damaged: HDF5 itself fails on it")
        contents = read(file)
        load(contents)
        folder.contents.append(contents)
    except (OSError, ValueError, KeyError) as error:
        words = " ".join(str(error).split()).removeprefix(f"{file}: ")
        folder.problems.append(f"{file.name} is left out: {words}")


def load(contents):
    """Reads all that a report may show, so that a bad file is found before anything is made of it."""
    if contents.type in LARGE:
        return contents["metadata"] if contents.type == "suite" else None
    for name in contents:
        if name != "meta_gradient":
            contents[name]
    return contents


def survives(file):
    """Returns whether HDF5 can read a file: it ends the process on some damaged files, so a child process tries."""
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        try:
            load(read(file))
        except Exception:  # `add` reports it when it reads the file again
            pass
        finally:
            os._exit(0)
    return not os.WIFSIGNALED(os.waitpid(child, 0)[1])
