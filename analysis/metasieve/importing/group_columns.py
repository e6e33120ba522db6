"""Reads --group: which columns make the groups, and how columns of numbers are cut."""
import re
from dataclasses import dataclass

import numpy as np

from ..commands import UsageError
from .roles import NUMBER, known_column

CUT = re.compile(f"(<=|>=|<|>){NUMBER}|{NUMBER}(?:[:-]{NUMBER})?", re.IGNORECASE)


@dataclass
class Cut:
    """A range of numbers. Each bound is a comparison and the number as the user wrote it."""
    text: str
    bounds: list  # [(">=", "25"), ("<", "60")], or one of them

    def rows(self, values):
        compare = {"<": values.lt, "<=": values.le, ">": values.gt, ">=": values.ge}
        return np.logical_and.reduce([compare[sign](float(number)) for sign, number in self.bounds])

    def name(self, column):
        """Returns the cut in words: `age<25`, `25<=age<60`, `age=0`."""
        if len(self.bounds) == 1:
            return column + "".join(self.bounds[0])
        (above, low), (below, high) = self.bounds
        return f"{column}={low}" if low == high else f"{low}{above.replace('>', '<')}{column}{below}{high}"


@dataclass
class GroupColumn:
    """A column of --group. Without cuts each of its values is apart."""
    name: str
    cuts: list


def cut_of(text):
    """Returns the Cut of `<25`, `>=60`, `25:60` or `25-60` with both ends, or one number; None of another text."""
    found = CUT.fullmatch(text)
    if not found:
        return None
    sign, end, low, high = found.groups()
    return Cut(text, [(sign, end)] if sign else [(">=", low), ("<=", high or low)])


def open_ends(cuts):
    """Takes an end from a range where a comparison has it: of 25:60 and >=60 the first is without 60."""
    taken = {(sign, float(number)) for cut in cuts if len(cut.bounds) == 1 for sign, number in cut.bounds}
    for cut in cuts:
        if len(cut.bounds) == 2 and cut.bounds[0][1] != cut.bounds[1][1]:
            cut.bounds = [(sign.rstrip("=") if (mirror, float(number)) in taken else sign, number)
                          for (sign, number), mirror in zip(cut.bounds, ("<=", ">="))]


def divided(part, columns):
    """Returns (column, cut or None) of `race` or `age:<25`. The name of a column may have colons too."""
    if part in columns or ":" not in part:
        return part, None
    places = [place for place, character in enumerate(part) if character == ":"]
    place = next((place for place in reversed(places) if part[:place].strip() in columns), places[0])
    return part[:place].strip(), part[place + 1:].strip()


def group_columns(path, table, options):
    """Returns the GroupColumns of --group, from names, lists such as `race,sex` and cuts such as `age:<25,25:60,>60`;
    none without --group. Raises UsageError."""
    if not options.group:
        for option, value in (("group-value", options.group_value), ("smallest-group", options.smallest_group)):
            if value not in (None, []):
                raise UsageError(f"--{option}: needs --group, the column of the group")
    found = []
    for word in options.group:
        parts = [word] if word in table.data.columns else filter(None, map(str.strip, word.split(",")))
        cuts = None  # those of the column before, if it has cuts
        for part in parts:
            cut = cut_of(part) if cuts else None
            if cut is None:
                name, text = divided(part, table.data.columns)
                cut, cuts = cut_of(text) if text is not None else None, []
                found.append(GroupColumn(known_column(path, table, "--group", name), cuts))
                if text is not None and cut is None:
                    raise UsageError(f"--group {part}: '{text}' is no cut; must be such as <25, 25:60, 25-60, >=60")
            if cut is not None:
                cuts.append(cut)
    names = [column.name for column in found]
    for column in found:
        open_ends(column.cuts)
        if names.count(column.name) > 1:
            raise UsageError(f"--group {column.name}: is there twice")
    if options.group and not found:
        raise UsageError("--group: names no column")
    if options.group_value and (len(found) > 1 or found[0].cuts):
        raise UsageError(f"--group-value {' '.join(options.group_value)}: needs one column without cuts in --group; "
                         "without --group-value each value, cut or combination is a group")
    return found
