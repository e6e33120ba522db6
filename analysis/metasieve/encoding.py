"""Turns arrays and data frames into what the compiled module takes, by the rules of the importer."""
import numpy as np
import pandas as pd

from .importing.columns import ROUNDING, ColumnError, centred, encode, middle_of, numbers, rounding_error
from .importing.csv_table import MISSING_WORDS
from .importing.groups import FEW_OF_GROUP, MOST

MOST_CODES = 20  # different numbers at most that are taken for the codes of groups, where they are not whole


# ------------------------------------------------------------------------------------------------------ columns of X

class Column:
    """A column of X, and how it becomes columns of float32."""

    def __init__(self, name):
        self.name, self.levels, self.gap = name, None, ""
        self.median, self.middle = np.nan, None

    @property
    def width(self):
        """Columns that it becomes."""
        return 1 if self.levels is None else len(self.levels)

    def fit(self, column):
        """Returns the columns that it becomes, a list of [n]. Raises ColumnError."""
        if is_number(column):
            return [self.fit_numbers(column)]
        train = np.ones(len(column), dtype=bool)
        found = encode(self.name, as_text(column), train, as_words=isinstance(column.dtype, pd.CategoricalDtype))
        if found.kind == "words":
            self.levels, self.gap = list(found.features), found.gap
        else:
            self.median, self.middle = found.median, found.middle
        return list(found.features.values())

    def fit_numbers(self, column):
        values = as_numbers(column)
        if np.isinf(values).any():
            raise ColumnError("has infinite values", in_python="features must be finite")
        if values.isna().all():
            raise ColumnError("is empty", in_python=f"leave it out: X.drop(columns=[{self.name!r}])")
        everywhere = np.ones(len(values), dtype=bool)
        collapsed = len(values) > 1 and values.nunique() == 1 and column.nunique() > 1
        if collapsed or rounding_error(values, everywhere) > ROUNDING:
            self.middle = middle_of(values)
            values = centred(as_text(column), self.middle)
        self.median = values.median()
        return values.fillna(self.median)

    def transform(self, column):
        """Returns the columns that it becomes, a list of [m]. A word that `fit` has not seen is in none of them. Raises
        ColumnError."""
        if self.levels is not None:
            text = as_text(column).fillna(self.gap)
            return [(text == level).astype("float64") for level in self.levels]
        text = None if is_number(column) else as_text(column)
        values = as_numbers(column) if text is None else numbers(text)
        words = [] if text is None else text[values.isna() & text.notna()]
        if len(words):
            raise ColumnError(f"had numbers where fit saw it, and has '{words.iloc[0]}' in {len(words)} rows",
                              in_python="make them numbers, or missing (NaN)")
        if np.isinf(values).any():
            raise ColumnError("has infinite values", in_python="features must be finite")
        if self.middle is not None:
            values = centred(as_text(column) if text is None else text, self.middle)
        return [values.fillna(self.median)]


def is_number(column):
    return pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column) or is_date(column)


def is_date(column):
    return pd.api.types.is_datetime64_any_dtype(column)


def as_numbers(column):
    """Returns float64 [n], NaN where a value is missing; dates as days since 1970."""
    if is_date(column):
        days = column.dt.tz_localize(None) if column.dt.tz is not None else column
        return (days - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    if pd.api.types.is_complex_dtype(column):
        raise ColumnError("has complex numbers", in_python="features must be real")
    return column.astype("float64")


def as_text(column):
    """Returns objects: stripped text, NaN where a value is missing or says so, as NA and ? do."""
    gaps = column.isna()
    text = column.astype(object).where(~gaps, "").astype(str).str.strip()
    return text.astype(object).mask(gaps | text.isin(["", *MISSING_WORDS]), np.nan)


class Encoder:
    """Encodes the columns of X as `python3 -m metasieve import csv` does.

    Numbers stay; gaps become the median; each word becomes a 0/1 column; of two words one is enough. Strings that are
    numbers are numbers; a categorical column is always one of words.
    """

    def fit_transform(self, x):
        """Returns float32 [n, f] of a data frame. Raises ValueError that names the column."""
        self.columns = [Column(name) for name in x.columns]
        parts = [self.checked(column, column.fit, x.iloc[:, place]) for place, column in enumerate(self.columns)]
        return self.filled(parts, len(x))

    def transform(self, x):
        """Returns float32 [m, f] of further rows. Raises ValueError that names the column."""
        parts = [self.checked(column, column.transform, x.iloc[:, place]) for place, column in enumerate(self.columns)]
        return self.filled(parts, len(x))

    @property
    def names(self):
        """Names of the columns that `transform` gives, [f]."""
        return [str(column.name) if level is None else f"{column.name}={level}"
                for column in self.columns for level in (column.levels or [None])]

    @staticmethod
    def checked(column, encode_column, values):
        try:
            found = encode_column(values)
        except ColumnError as error:
            remedy = f"; {error.in_python}" if error.in_python else ""
            raise ValueError(f"X: column {column.name!r} {error.problem}{remedy}") from error
        with np.errstate(over="ignore"):
            found = [values.to_numpy(dtype="float32") for values in found]
        for values in found:
            if not np.isfinite(values).all():
                raise ValueError(f"X: column {column.name!r} has a value beyond float32 in row "
                                 f"{int((~np.isfinite(values)).argmax())}; scale it")
        return found

    @staticmethod
    def filled(parts, rows):
        arrays = [array for part in parts for array in part]
        out = np.empty((rows, len(arrays)), "float32")
        for place, array in enumerate(arrays):
            out[:, place] = array
        return out


# ------------------------------------------------------------------------------------------------------------ groups

def group_numbers(groups, smallest=None):
    """Returns (numbers uint8 [n], names [K]) of the groups that rows belong to.

    Parameters
    ----------
    groups : array-like [n] or [n, k], or None
        The group of each row; of several columns each combination. None: all rows are one group.
    smallest : int, optional
        If there are more than two groups, those of fewer rows are merged into 'other'. Default: 30, and at least 1 % of
        the rows; unless all groups are smaller.

    Raises
    ------
    ValueError
        If a value is missing, a column is one of many numbers, or more than 64 groups are left.
    """
    columns = pd.DataFrame(groups).reset_index(drop=True)
    for name, column in columns.items():
        if column.isna().any():
            raise ValueError(f"sensitive_features: column {name!r} has {int(column.isna().sum())} missing values; fill "
                             "them with a value of their own, or leave the rows out")
        if pd.api.types.is_float_dtype(column) and column.nunique() > MOST_CODES:
            raise ValueError(f"sensitive_features: column {name!r} has {column.nunique()} different numbers; cut it, "
                             "as in pd.cut(A, [0, 25, 60, 120])")
    keys = columns.astype(str) if columns.shape[1] > 1 else columns
    number, index = pd.factorize(keys.iloc[:, 0]) if keys.shape[1] == 1 else pd.factorize(keys.agg(", ".join, axis=1))
    names, counts = [str(name) for name in index], np.bincount(number)
    limit = max(FEW_OF_GROUP, -(-len(columns) // 100)) if smallest is None else smallest
    small = counts < limit
    if len(counts) > 2 and 1 < small.sum() < len(counts):
        place = np.cumsum(~small) - 1
        number = np.where(small[number], (~small).sum(), place[number])
        names = [name for name, is_small in zip(names, small) if not is_small] + ["other"]
    if len(names) > MOST:
        raise ValueError(f"sensitive_features: has {len(names)} groups; must be at most {MOST}: use fewer columns, or "
                         "merge values")
    return number.astype("uint8"), names
