"""Fetches published files, and keeps none that has not the right SHA-256."""
import hashlib
import http.client
import os
import pathlib
import urllib.error
import urllib.request

from .. import files
from .dataset_file import read_bytes

TIMEOUT = 30  # seconds without an answer
LARGEST = 64 * 2**20  # bytes of a file; the published ones have at most 4 MB


def cache_folder():
    """Returns the folder of downloads without --source. Raises ValueError if there is no home folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if cache.startswith("~"):
        raise ValueError("there is no home folder to download into; --source DIR names a folder")
    return pathlib.Path(cache) / "metasieve"


def body(url):
    """Returns what the server sends. Raises OSError, or ValueError with the reason."""
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        announced = answer.headers.get("Content-Length") or ""
        size = int(announced) if announced.isdigit() else None
        content = b"" if size and size > LARGEST else answer.read(LARGEST + 1)
    if max(len(content), size or 0) > LARGEST:
        raise ValueError(f"is larger than {LARGEST // 2**20} MB")
    if size is not None and len(content) != size:
        raise ValueError(f"ends after {len(content)} of {size} bytes")
    return content


def why(error):
    """Returns the reason of an error of urllib in words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT} s"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def fetch(url, path, known):
    """Makes sure that `path` is the published file `known`. Returns a note on what was done.

    Fetches nothing if it is there, and never replaces another file. Raises OSError or ValueError."""
    if path.exists():
        found = hashlib.sha256(read_bytes(path)).hexdigest()
        if found != known.sha256:
            raise ValueError(f"{path}: is there, but is not the published file (its sha256 is {found}), and is not "
                             "replaced; move it away, or leave --download out to import it as it is")
        return f"note: {path} is the published file already: nothing was fetched"
    remedy = f"fetch {known.folder}{known.file} by hand into {path.parent}, and import it with --source {path.parent}"
    try:
        content = body(url)
        found = hashlib.sha256(content).hexdigest()
        if found != known.sha256:
            raise ValueError(f"is not the published file: its sha256 is {found}, must be {known.sha256}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ValueError(f"{url}: cannot be used: {why(error)}; {remedy}") from error
    try:
        files.write_bytes(path, content)
    except OSError as error:
        raise OSError(f"{error}; make room there, or name another folder with --source DIR") from error
    return f"note: fetched {url} into {path.parent}"


def fetch_all(wanted, folder, mirror=None):
    """Makes sure that the published files `wanted` are in a folder. Returns notes. Raises OSError or ValueError.

    `mirror`: another address, of the file, or of the folder of several files."""
    notes = []
    for known in wanted:
        is_folder = mirror and (len(wanted) > 1 or mirror.endswith("/"))
        url = f"{mirror.rstrip('/')}/{known.file}" if is_folder else mirror or known.folder + known.file
        notes.append(fetch(url, folder / known.file, known))
    return notes
