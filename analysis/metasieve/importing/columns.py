"""Turns a column of text into numbers: what kind of column it is, and how it becomes features."""
import dataclasses
import decimal
import re
import shlex
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

MOST_LEVELS = 200  # columns at most that one column of words becomes
UNITS = 20  # levels at which `$5` or `5 kg` are numbers with a unit rather than codes such as A11
ROUNDING = 1e-3  # largest error of float32, in standard deviations of a column
DATE = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}([ T]\d{1,2}:\d\d.*)?"
                  r"|\d{1,2}([-/.])\d{1,2}\3(\d\d|\d{4})( \d{1,2}:\d\d.*)?"
                  r"|\d{1,2}[- ][a-z]{3,9}\.?[- ](\d\d|\d{4})|\d{1,2}:\d\d(:\d\d(\.\d+)?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Style:
    """How numbers are written."""
    decimal: str = "."
    thousands: str = ""
    percent: bool = False  # 5% is .05


# What numbers may be written like that the options have not said: {options that read it: changes of the style}.
HABITS = {"--thousands ,": {"thousands": ",", "decimal": "."}, "--decimal ,": {"thousands": "", "decimal": ","},
          "--thousands ' '": {"thousands": " "}, '--thousands "\'"': {"thousands": "'"},
          "--decimal .": {"thousands": "", "decimal": "."}, "--percent": {"percent": True},
          "--thousands . --decimal ,": {"thousands": ".", "decimal": ","}}


@dataclass
class Encoded:
    """A column as features."""
    kind: str  # number, words or date
    features: dict = field(default_factory=dict)  # {level, or None for a column of numbers: [n] float64}
    plain: pd.Series = None  # [n] the numbers or words themselves
    notes: list = field(default_factory=list)
    remarks: list = field(default_factory=list)  # for the line of the column report
    median: float = np.nan  # of the training rows, which fills gaps in numbers
    middle: decimal.Decimal | None = None  # whole number that was taken from each number
    gap: str = ""  # level of the rows without a word


class ColumnError(ValueError):
    """A column that is refused. The message begins with what is wrong; the caller adds file and column.

    `problem`: the message without remedies. `in_python`: remedies in terms of a data frame X.
    """

    def __init__(self, problem, remedy="", in_python=""):
        super().__init__(f"{problem}; {remedy}" if remedy else problem)
        self.problem, self.in_python = problem, in_python


# --------------------------------------------------------------------------------------------------------- numbers

def plain_numbers(column, style):
    """Returns text in which numbers are written as Python writes them."""
    if style.percent:
        percent = column.str.endswith("%", na=False)
        column = column.where(~percent, column.str.rstrip("% ") + "e-2")  # exact, unlike a division by 100
    point = re.escape(style.decimal)
    if style.thousands == " ":
        column = column.str.replace("[\u00a0\u202f]", " ", regex=True)  # blanks that do not break a line
    if style.thousands:
        pattern = rf"[+-]?\d{{1,3}}({re.escape(style.thousands)}\d{{3}})+({point}\d*)?(e-2)?"
        grouped = column.str.fullmatch(pattern).fillna(False).astype(bool)
        column = column.where(~grouped, column.str.replace(style.thousands, "", regex=False))
    if style.decimal != ".":
        foreign = column.str.contains(".", regex=False, na=False)
        column = column.where(~foreign, "no number").str.replace(style.decimal, ".", regex=False)
    return column


def numbers(column, style=Style()):
    """Returns float64; NaN where the text is no number."""
    if style != Style():
        column = plain_numbers(column, style)
    return pd.to_numeric(column, errors="coerce").astype("float64")


def rounding_error(values, train):
    """Returns the largest error of float32, in standard deviations of the training rows."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        worst = (values - values.astype("float32").astype("float64")).abs().max()
        return np.divide(worst, values[train].std(ddof=0)) if worst > 0 else 0.0


def middle_of(values):
    """Returns a whole number in the middle of the values."""
    return decimal.Decimal(repr(float(values.median()))).to_integral_value()


def centred(column, middle, style=Style()):
    """Returns the differences of text to a whole number. They are exact before they are rounded to float64, so that
    integers of any length stay apart."""
    text = plain_numbers(column, style)
    with decimal.localcontext(decimal.Context(prec=60)):
        apart = text.map(lambda number: float(decimal.Decimal(number) - middle), na_action="ignore")
    return apart.astype("float64")


def number_column(name, column, train, style, where):
    """Returns one feature, gaps filled with the median of the training rows."""
    gaps, values = column.isna(), numbers(column, style)
    words = column[values.isna() & ~gaps]
    if len(words):  # only in the test part: `encode` has looked at the training part
        raise ColumnError(f"has numbers in the training part, and words such as '{words.iloc[0]}' in {len(words)} "
                          f"rows of the test part; --missing {shlex.quote(words.iloc[0])} makes them missing values, "
                          f"--drop {shlex.quote(str(name))} leaves the column out")
    if np.isinf(values).any():
        raise ColumnError("has infinite values; features must be finite")
    found = Encoded("number")
    collapsed = values[train].nunique() == 1 and column[train].nunique() > 1  # also where 1 and 1.0 are all there is
    if collapsed or rounding_error(values, train) > ROUNDING:
        middle = middle_of(values[train])
        apart = centred(column, middle, style)
        if apart[train].nunique() > 1:
            values, found.middle = apart, middle
            found.notes.append(f"column '{name}': float32 cannot tell its values apart; stored as differences to "
                               f"{middle}")
            found.remarks.append(f"less {middle}")
    median = found.median = values[train].median()
    if gaps.any():
        found.notes.append(f"column '{name}': {int(gaps.sum())} missing values set to the median{where}, {median:g}")
    found.plain = values.fillna(median)
    found.features = {None: found.plain}
    return found


# ----------------------------------------------------------------------------------------------------------- words

def alike(values):
    """Returns groups of values that differ in case, blanks or a full stop alone."""
    groups = {}
    for value in values:
        groups.setdefault(re.sub(r"\s", "", value).rstrip(".").casefold(), []).append(value)
    return [sorted(group) for group in groups.values() if len(group) > 1]


def shown(values, most=5):
    """Returns the first values in quotes."""
    values = list(values)
    return ", ".join(f"'{value}'" for value in values[:most]) + (", ..." if len(values) > most else "")


def level_columns(name, column, train):
    """Returns a 0/1 feature for each value of the training rows; another value in the test part is 0 in all."""
    gaps = column.isna()
    gap = "missing" if not (column == "missing").any() else "(missing)"
    levels = column.where(~gaps, gap)
    distinct = sorted(levels[train].unique())
    if len(distinct) > max(UNITS, min(MOST_LEVELS, 0.5 * train.sum())):
        raise ColumnError(f"has {len(distinct)} different words in {int(train.sum())} rows: it looks like a name",
                          f"use --drop {shlex.quote(str(name))}, or --id {shlex.quote(str(name))} to keep it beside the scores",
                          f"leave it out: X.drop(columns=[{name!r}])")
    found = Encoded("words", plain=levels, gap=gap)
    if gaps[train].any():
        found.notes.append(f"column '{name}': {int(gaps.sum())} missing values made a level of their own, '{gap}'")
    strange = ~levels.isin(distinct)
    if strange.any():
        found.notes.append(f"column '{name}': {int(strange.sum())} test rows have a value that no training row has, "
                           f"such as '{levels[strange].iloc[0]}'; they are in no level")
    found.remarks += [f"{shown(group)} differ in case, blanks or a full stop alone" for group in alike(distinct)]
    # Two values need only one column, unless some test rows have neither value.
    kept = distinct[1:] if len(distinct) == 2 and not strange.any() else distinct
    found.features = {level: (levels == level).astype("float64") for level in kept}
    return found


def days(name, column, where, train):
    """Returns the days since 1970 of dates such as 2010-01-31; other ways to write a date leave day and month open."""
    gaps = column.isna()
    dates = pd.to_datetime(column.where(~gaps), format="%Y-%m-%d", exact=False, errors="coerce")
    wrong = column[~gaps & (dates.isna() | ~column.str.match(r"\d{4}-", na=False))]
    if len(wrong):
        raise ColumnError(f"has '{wrong.iloc[0]}' in {len(wrong)} rows; --date needs dates such as 2010-01-31")
    values = (dates - pd.Timestamp("1970-01-01")).dt.days.astype("float64")
    notes = [f"column '{name}': days since 1970-01-01"]
    if gaps.any():
        notes[0] += f", {int(gaps.sum())} missing values set to the median{where}"
    values = values.fillna(values[train].median())
    return Encoded("date", {None: values}, values, notes)


def refuse_other_numbers(name, words, style):
    """Raises ColumnError if most of these words are numbers that are written in another way."""
    words = words.drop_duplicates()
    read = {option: int(numbers(words, dataclasses.replace(style, **changes)).notna().sum())
            for option, changes in HABITS.items() if dataclasses.replace(style, **changes) != style}
    best = [option for option, count in read.items() if count == max(read.values()) and 2 * count > len(words)]
    best = best[:2]  # the simplest; 103,300 can be either
    example = f"has numbers that are written in another way, such as '{words.iloc[0]}'"
    in_python = f"turn it into numbers, or X[{name!r}].astype('category') makes each value a level"
    if best:
        raise ColumnError(example, f"{' or '.join(best)} reads them, --words {shlex.quote(str(name))} makes each a level",
                          in_python)
    parts = words.str.extract(r"^([^\w\u2212]*?)([-+]?[\d.,]*\d)(\D*)$")  # letters before it, as in A11, make it a name
    if len(words) > UNITS and parts[1].notna().all() and len(parts[[0, 2]].drop_duplicates()) == 1:
        raise ColumnError(example, f"remove '{(parts[0] + parts[2]).iloc[0].strip()}' in the table, or "
                          f"--words {shlex.quote(str(name))} makes each a level", in_python)


def encode(name, column, train, style=Style(), as_words=False, as_date=False):
    """Returns the Encoded column: one number, or a 0/1 feature for each word.

    Only the rows of `train` (all rows if there is no split) decide which, with one exception: if a test row has a word
    that no training row has, a column of two words becomes two features. Raises ColumnError.
    """
    where = " of all rows" if train.all() else " of the training rows"
    quoted, known = shlex.quote(str(name)), column[train].dropna()
    drop, levels = f"X.drop(columns=[{name!r}])", f"X[{name!r}].astype('category') makes each value a level"
    if known.empty:
        raise ColumnError(f"is empty{'' if train.all() else ' in the training part'}", f"use --drop {quoted}",
                          f"leave it out: {drop}")
    if as_words:
        return level_columns(name, column, train)
    if as_date:
        return days(name, column, where, train)
    words = known[numbers(known, style).isna()]
    if words.empty:
        return number_column(name, column, train, style, where)
    distinct = words.drop_duplicates()
    if 2 * distinct.map(lambda word: DATE.fullmatch(word) is not None).sum() > len(distinct):
        raise ColumnError(f"has dates or times, such as '{distinct.iloc[0]}'",
                          f"--date {quoted} reads 2010-01-31 as a number of days, --drop {quoted} leaves the column out",
                          f"pd.to_datetime(X[{name!r}]) makes it a number of days, {drop} leaves the column out")
    refuse_other_numbers(name, words, style)
    if len(words) < len(known):
        few = " ".join(map(shlex.quote, distinct[:5]))
        raise ColumnError(f"has numbers, and in {len(words)} rows words such as {shown(distinct)}",
                          f"--missing {few} makes them missing values, --words {quoted} makes each value a level",
                          f"pd.to_numeric(X[{name!r}], errors='coerce') makes them missing values, {levels}")
    return level_columns(name, column, train)
