"""Trained policies, and the compiled module that applies them."""
import functools
import os
import pathlib
import sys

import numpy as np

SHIPPED = {"default": "policy.h5", "blind": "policy_blind.h5"}


def core():
    """Returns the compiled module. Raises ImportError that says how to build it."""
    try:
        first = f"{__package__}._core" not in sys.modules
        from . import _core
        if first:  # the threads of OpenMP do not survive a fork
            os.register_at_fork(after_in_child=functools.partial(_core.set_thread_count, 1))
    except ImportError as error:
        raise ImportError(f"metasieve's compiled module cannot be imported ({error}): `pip install .` builds it, or "
                          "`cmake -S . -B build -DMETASIEVE_PYTHON=ON && cmake --build build`; both need "
                          "pybind11") from error
    return _core


def shipped_file(name):
    """Returns the path of a policy that comes with metasieve: beside the package, or in configs/."""
    package = pathlib.Path(__file__).resolve().parent
    folders = package / "configs", package.parents[1] / "configs"
    return next((folder / SHIPPED[name] for folder in folders if (folder / SHIPPED[name]).is_file()),
                folders[1] / SHIPPED[name])


def load_policy(policy="default"):
    """Returns a trained policy.

    Parameters
    ----------
    policy : {"default", "blind"} or path
        "default" was trained for models that see the group, "blind" for models that do not; a path names a policy.h5 of
        ``metasieve train``.

    Returns
    -------
    _core.Policy
        Its `keep` may be changed.

    Raises
    ------
    ValueError
        If there is no such file, or it is no policy, or damaged.
    OSError
        If it cannot be read.
    """
    from .files import Contents
    if not isinstance(policy, (str, os.PathLike)):
        raise ValueError(f"policy={policy!r}: must be {' or '.join(map(repr, SHIPPED))}, or a path")
    path = shipped_file(policy) if policy in SHIPPED else pathlib.Path(policy)
    if policy not in SHIPPED and not path.exists():
        raise ValueError(f"policy={str(policy)!r}: is neither {' nor '.join(map(repr, SHIPPED))}, nor a file")
    file = Contents(path, "policy")
    about = file.attributes
    layers = sorted({int(name.split("/")[1]) for name in file if name.startswith("layers/")})
    parts = [np.ravel(file[f"layers/{layer}/{part}"]) for layer in layers for part in ("weight", "bias")]
    try:
        return core().Policy(features=about["feature_set"], hidden=[int(width) for width in np.ravel(about["hidden"])],
                             keep=float(about["keep"]), temperature=float(about["temperature"]),
                             use_group=bool(about["use_group"]), theta=np.concatenate(parts).astype("float64"))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: is no policy that can be used: {error}") from error
