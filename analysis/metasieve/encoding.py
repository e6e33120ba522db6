"""Turns arrays and data frames into what the compiled module takes, by the rules of the importer."""
import warnings

import numpy as np
import pandas as pd
from scipy import sparse

from .importing.columns import ROUNDING, ColumnError, centred, encode, middle_of, numbers, rounding_error
from .importing.csv_table import MISSING_WORDS
from .importing.groups import FEW_OF_GROUP, MOST
from .importing.roles import same_text

MOST_CODES = 20  # different numbers at most that are taken for the codes of groups


# ------------------------------------------------------------------------------------------------------ columns of X

class Column:
    """A column of X, and how it becomes columns of float32."""

    def __init__(self, name):
        self.name, self.kind = name, ""  # number, date or words
        self.levels, self.gap, self.is_categorical = None, "", False
        self.median, self.middle = np.nan, None

    def fit(self, column):
        """Returns the columns that it becomes, a list of [n]. Raises ColumnError."""
        column = plain(column)
        self.kind = kind_of(column)
        if self.kind != "words":
            return [self.fit_numbers(column)]
        self.is_categorical = isinstance(column.dtype, pd.CategoricalDtype)
        train = np.ones(len(column), dtype=bool)
        found = encode(self.name, self.text(column), train, as_words=self.is_categorical)
        if found.kind == "words":
            self.levels, self.gap = list(found.features), found.gap
        else:
            self.kind, self.median, self.middle = "number", found.median, found.middle
        return list(found.features.values())

    def fit_numbers(self, column):
        values = as_numbers(column)
        if values.isna().all():
            raise ColumnError("is empty", in_python=f"leave it out: X.drop(columns=[{self.name!r}])")
        everywhere = np.ones(len(values), dtype=bool)
        collapsed = values.nunique() == 1 and column.nunique() > 1
        if collapsed or rounding_error(values, everywhere) > ROUNDING:
            self.middle = middle_of(values)
            values = self.apart(column, values)
        self.median = values.median()
        return values.fillna(self.median)

    def transform(self, column):
        """Returns the columns that it becomes, a list of [m]. A word that `fit` has not seen is in none of them. Raises
        ColumnError."""
        column = plain(column)
        kind = kind_of(column)
        if self.levels is not None:
            text = self.text(column).fillna(self.gap)
            if len(text) and not text.isin([*self.levels, self.gap]).any() and len(self.levels) > 1:
                warnings.warn(f"X: column {self.name!r}: fit has seen none of its values, such as "
                              f"'{text.iloc[0]}'", stacklevel=2)
            return [(text == level).astype("float64") for level in self.levels]
        if kind == "words":
            text = as_text(column)
            values = numbers(text)
            words = text[values.isna() & text.notna()]
            if len(words):
                raise ColumnError(f"had numbers where fit saw it, and has '{words.iloc[0]}' in {len(words)} rows",
                                  in_python="make them numbers, or missing (NaN)")
            column = text
        elif kind != self.kind:
            raise ColumnError(f"was a column of kind '{self.kind}' where fit saw it, and is of kind '{kind}'",
                              in_python="give the same kind of column")
        else:
            values = as_numbers(column)
        if np.isinf(values).any():
            raise ColumnError("has infinite values", in_python="features must be finite")
        values = values if self.middle is None else self.apart(column, values)
        return [values.fillna(self.median)]

    def text(self, column):
        """Returns text; of a categorical column each number written in one way, as 1 is 1.0."""
        return same_text(as_text(column)) if self.is_categorical else as_text(column)

    def apart(self, column, values):
        """Returns the differences to the middle, which float32 can tell apart."""
        return values - float(self.middle) if self.kind == "date" else centred(as_text(column), self.middle)


def plain(column):
    """Returns a column of numbers, booleans, dates, categories or objects. Raises ColumnError for other objects."""
    if isinstance(column.dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
    if column.dtype == object:
        known = column.dropna()
        if known.map(pd.api.types.is_list_like).any():
            raise ColumnError("has lists or other containers", in_python="make a column of each of their parts")
        inferred = known.infer_objects()
        if inferred.dtype != object and len(known):
            column = inferred.astype("float64" if inferred.dtype == bool else inferred.dtype).reindex(column.index)
    if pd.api.types.is_timedelta64_dtype(column):
        column = column / pd.Timedelta(days=1)
    return column


def kind_of(column):
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    return "number" if pd.api.types.is_numeric_dtype(column) else "words"


def as_numbers(column):
    """Returns float64 [n], NaN where a value is missing; dates as days since 1970 in UTC. Raises ColumnError."""
    if pd.api.types.is_complex_dtype(column):
        raise ColumnError("has complex numbers", in_python="features must be real")
    if kind_of(column) == "date":
        naive = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
        return (naive - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    values = column.astype("float64")
    if np.isinf(values).any():
        raise ColumnError("has infinite values", in_python="features must be finite")
    return values


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
        If a value is missing, a column has more than 20 different numbers, or more than 64 groups are left.
    """
    columns = group_columns_of(groups)
    number, names = np.zeros(len(columns), dtype=np.int64), [""]
    for name, column in columns.items():
        place, values = pd.factorize(column, sort=False)
        pairs, first, number = np.unique(number * len(values) + place, return_index=True, return_inverse=True)
        names = [f"{names[pair // len(values)]}, {values[pair % len(values)]}".removeprefix(", ") for pair in pairs]
    order = np.argsort(first, kind="stable")  # by their first rows
    number, names = np.argsort(order)[number], [names[place] for place in order]
    counts = np.bincount(number)
    limit = max(FEW_OF_GROUP, -(-len(columns) // 100)) if smallest is None else smallest
    small = counts < limit
    if len(counts) > 2 and 1 < small.sum() < len(counts):
        place = np.cumsum(~small) - 1
        number = np.where(small[number], (~small).sum(), place[number])
        names = [name for name, is_small in zip(names, small) if not is_small]
        names.append("other" if "other" not in names else "other (merged)")
    if len(names) > MOST:
        raise ValueError(f"sensitive_features: has {len(names)} groups; must be at most {MOST}: use fewer columns, or "
                         "merge values")
    return number.astype("uint8"), names


def group_columns_of(groups):
    """Returns a data frame of the columns that make the groups. Raises ValueError."""
    is_table = not sparse.issparse(groups) and not isinstance(groups, dict) and np.ndim(groups) in (1, 2)
    if not is_table or 0 in np.shape(groups)[1:]:
        raise ValueError("sensitive_features: must have a value, or a row of values, for each row of X")
    columns = pd.DataFrame(groups).reset_index(drop=True)
    for name, column in columns.items():
        if column.isna().any():
            raise ValueError(f"sensitive_features: column {name!r} has {int(column.isna().sum())} missing values; fill "
                             "them with a value of their own, or leave the rows out")
        if pd.api.types.is_numeric_dtype(column) and column.nunique() > MOST_CODES:
            raise ValueError(f"sensitive_features: column {name!r} has {column.nunique()} different numbers; cut it, "
                             "as in pd.cut(A, [0, 25, 60, 120]), or make codes text: A.astype(str)")
    return columns
