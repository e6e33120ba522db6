"""Reads a table of text: its characters, its separator, its header and its rows."""
import collections
import csv
import gzip
import io
import itertools
import re
from dataclasses import dataclass

import pandas as pd

from ..commands import UsageError

SEPARATORS = ",;\t|"
SAMPLE, SAMPLE_CHARACTERS = 5, 65536  # lines and characters at most from which the separator is guessed
ENCODINGS = "such as latin1, cp1252 or utf-16"


@dataclass
class TextTable:
    """A table of stripped text. Row i of `data` is row i of the user's table, counted from 0."""
    data: pd.DataFrame
    separator: str
    notes: list  # what was found, for the user


# ------------------------------------------------------------------------------------------------------ characters

def decompressed(path, content):
    """Returns the content of a .gz file, and any other content as it is."""
    if content[:2] == b"PK":
        raise ValueError(f"{path}: is a spreadsheet or another zip archive; save the table as .csv")
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise ValueError(f"{path}: cannot be decompressed: {error}") from error


def decoded(path, content, encoding):
    """Returns the characters. Without --encoding they must be UTF-8: another encoding would be a guess."""
    name = encoding or "utf-8"
    try:
        text = content.decode(name).removeprefix("\ufeff")
    except LookupError as error:
        raise UsageError(f"--encoding {name}: is no encoding of text; must be one that Python knows, "
                         f"{ENCODINGS}") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}: is no table that can be read: byte 0x{content[error.start]:02x} in line {line} is "
                         f"not {name}; --encoding names the right one, {ENCODINGS}") from error
    except UnicodeError as error:
        raise ValueError(f"{path}: is not {name}: {error}; --encoding names the right one, {ENCODINGS}") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{path}: is no table that can be read: line {line} has "
                         f"a zero byte; --encoding utf-16 reads a table of 16-bit characters")
    return text


# ------------------------------------------------------------------------------------------------------- separator

def guess_separator(text):
    """Returns the separator that makes most fields of the header, and as many of the next lines; or a comma."""
    def fit(separator):
        lines = io.StringIO(text[:SAMPLE_CHARACTERS], newline="")
        rows = itertools.islice(csv.reader(lines, delimiter=separator), SAMPLE)
        widths = [len(row) for row in rows if row] or [0]
        return widths[0] > 1 and len(set(widths)) == 1, widths[0]
    return max(SEPARATORS, key=fit)


def separated(text, option):
    """Returns (separator, text without a first line `sep=;`, lines that were removed)."""
    named = {"tab": "\t", "\\t": "\t"}.get(option, option)
    if named is not None and (len(named) != 1 or named in '"\r\n'):
        raise UsageError(f"--separator {option}: must be one character, or 'tab'")
    first = re.match(r'"?sep=(.)"?[ \t]*(\r\n|\r|\n)', text, re.IGNORECASE)
    if first:
        text = text[first.end():]
    return named or (first and first[1]) or guess_separator(text), text, 1 if first else 0


# ------------------------------------------------------------------------------------------------------------ rows

def swallowed_field(row, separator):
    """Returns the place of a field that holds whole rows, as between two stray quotes, or None.

    Such a field has all separators of each line that it runs over. In two columns, any text may have as many.
    """
    for place, field in enumerate(row):
        breaks = field.count("\n") or field.count("\r")
        if len(row) > 2 and breaks and field.count(separator) == breaks * (len(row) - 1):
            return place
    return None


def read_rows(path, text, separator, removed):
    """Returns (rows, the header first, lines read). Raises ValueError if a row has not the fields of the first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, end = [], 0
    try:
        for row in reader:
            begin, end = end + 1, reader.line_num
            if not row:
                continue
            rows.append(row)
            line = f"line {begin + removed}"
            if len(row) > len(rows[0]):
                raise ValueError(f"{path}: its rows have more fields than its header has names ({line}: {len(row)}, "
                                 f"the header: {len(rows[0])}); a field with a separator in it needs quotes")
            if len(row) < len(rows[0]):
                raise ValueError(f"{path}: {line} has {len(row)} fields, the header has {len(rows[0])}: is a quote or "
                                 "a separator missing or too many there?")
            place = swallowed_field(row, separator) if end > begin and len(rows) > 1 else None
            if place is not None:
                raise ValueError(f"{path}: column '{rows[0][place]}': a quote that opens in {line} closes in line "
                                 f"{end + removed}, and {end - begin} rows are lost in one field; remove stray quotes")
    except csv.Error as error:
        raise ValueError(f"{path}: is no table that can be read: line {end + 1 + removed}: {error}; is a quote "
                         "missing or too many there?") from error
    return rows, end + removed


def column_names(path, rows, has_header, notes):
    """Returns the names of the columns: of the header, else 1, 2, ..."""
    if not has_header:
        return [str(place + 1) for place in range(len(rows[0]))]
    names = [re.sub(r"\s*[\r\n]+\s*", " ", name.strip()) for name in rows[0]]
    for name, count in collections.Counter(filter(None, names)).items():
        if count > 1:
            places = " and ".join(str(place + 1) for place, other in enumerate(names) if other == name)
            raise ValueError(f"{path}: two columns are called '{name}' ({places}); rename or remove one of them")
    if sum(is_number(name) for name in names) > len(names) / 2:
        notes.append(f"warning: most names of the header are numbers, such as '{next(filter(is_number, names))}': if "
                     "it is a row, use --no-header")
    return names


def is_number(text):
    return not pd.isna(pd.to_numeric(text, errors="coerce")) if text else False


def read_text_table(path, content, encoding=None, separator=None, has_header=True):
    """Returns the TextTable of a file's content. Raises UsageError or ValueError."""
    text = decoded(path, decompressed(path, content), encoding)
    separator, text, removed = separated(text, separator)
    rows, lines = read_rows(path, text, separator, removed)
    if not rows:
        raise ValueError(f"{path}: is no table that can be read: it is empty")
    notes = []
    names = column_names(path, rows, has_header, notes)
    del rows[:int(has_header)]
    if not rows:
        raise ValueError(f"{path}: has no rows")
    expected = len(rows) + has_header + removed
    inside = " (fields in quotes run over several lines, or lines are empty)" if lines != expected else ""
    shown = "tab" if separator == "\t" else f"'{separator}'"
    notes.insert(0, f"read {lines} lines as {len(rows)} rows of {len(names)} columns, separator {shown}{inside}")
    data = pd.DataFrame(rows, columns=names, dtype=object)
    notes += ["note: a column without a name left out"] * names.count("")  # usually the numbers of the rows
    data = data.loc[:, [name != "" for name in names]]
    return TextTable(data.apply(lambda column: column.str.strip()), separator, notes)


def read_parquet(path):
    """Returns the TextTable of a .parquet file: its values as text, so that one way of reading serves all."""
    try:
        data = pd.read_parquet(path)
    except ImportError as error:
        raise ValueError(f"{path}: reading .parquet needs pyarrow, which is not here; write a .csv") from error
    data = data.rename(columns=str)
    return TextTable(data.astype(str).mask(data.isna(), ""), "", [f"read {len(data)} rows of {data.shape[1]} columns"])
