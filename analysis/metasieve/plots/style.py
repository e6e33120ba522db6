"""The look of all pictures, and how they are saved."""
import importlib
import pathlib

import matplotlib
import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from .. import files
from ..methods import AMBER, BLACK, BLUE, GREEN, GREY, ORANGE, PINK, SKY

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is chosen)

plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
                     "axes.axisbelow": True, "axes.titlesize": 11, "legend.frameon": False, "legend.fontsize": 9,
                     "figure.constrained_layout.use": True, "figure.constrained_layout.h_pad": 0.07,
                     "figure.constrained_layout.w_pad": 0.07, "svg.hashsalt": "metasieve"})

SERIES = [BLUE, ORANGE, GREEN, PINK, AMBER, SKY, BLACK, GREY]
MARKERS = "os^DvPX*"
NOTE = "#444444"  # colour of notes
LEGEND_ENTRY = 2.3  # inches, the longest name with its mark


def log_scale(axis):
    """Makes the y axis logarithmic, with plain numbers at 1, 2 and 5 of each decade."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())


def below(figure, note="", handles=None):
    """Puts one legend under all panels, and a note below it. `handles`: {words: what was drawn}."""
    handles = handles or {}
    columns = max(1, min(len(handles), int(figure.get_figwidth() / LEGEND_ENTRY)))
    note_height = 0.17 * (note.count("\n") + 1) if note else 0  # inches
    legend_height = 0.21 * -(-len(handles) // columns) + 0.06 if handles else 0
    total = figure.get_figheight()
    share = (note_height + legend_height + 0.05) / total
    figure.get_layout_engine().set(rect=(0, share, 1, 1 - share))
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=columns, borderaxespad=0,
                      bbox_to_anchor=(0.5, (note_height + 0.08) / total))
    if note:
        figure.text(0.5, 0.06 / total, note, ha="center", va="bottom", fontsize=8, color=NOTE)


def bars(cell):
    """Returns the lengths of an interval's two sides for errorbar; 0 where it is undefined."""
    sides = cell["mean"] - cell["low"], cell["high"] - cell["mean"]
    return [[side if side > 0 else 0] for side in sides]


# ------------------------------------------------------------------------------------------------------- saving

def stem_of(path):
    """Returns the path that .png, .svg and .csv are appended to."""
    path = pathlib.Path(path)
    return path.with_suffix("") if path.suffix in (".png", ".svg", ".csv") else path


def save(figure, table, output):
    """Writes OUTPUT.png, OUTPUT.svg and OUTPUT.csv, the table that was drawn. Returns their names; closes the figure.

    Raises OSError, or ValueError if metasieve has written another CSV of this name.
    """
    stem = stem_of(output)
    beside = stem.with_name(f"{stem.name}.h5")
    if beside.exists() and files.Contents(beside).type in ("scores", "sweep"):
        raise ValueError(f"{stem}.csv belongs to {beside}: choose another --output")
    png, svg, csv = (stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "svg", "csv"))
    files.write({png: lambda part: figure.savefig(part, dpi=130, format="png"),
                 svg: lambda part: figure.savefig(part, format="svg", metadata={"Date": None}),
                 csv: lambda part: table.to_csv(part, index=False)})
    plt.close(figure)
    return [png, svg, csv]


def has_marks(figure):
    """Returns whether any panel shows a value; undefined values leave none."""
    return any(np.isfinite(axis.dataLim.get_points()).all() for axis in figure.axes)


def say_empty(axis):
    """Writes into a panel without any mark that there is nothing to show."""
    if not np.isfinite(axis.dataLim.get_points()).all():
        axis.text(0.5, 0.5, "undefined for all methods", transform=axis.transAxes, ha="center", color=NOTE)


def run(options):
    """Runs `plot`: draws and saves the pictures of options.kind that show anything. Raises ValueError if none does."""
    stem = stem_of(options.output)
    drawings = list(importlib.import_module(f".{options.kind}", __package__).draw(options))
    if not any(has_marks(figure) for _, figure, _ in drawings):
        raise ValueError(f"{', '.join(map(str, options.files))}: nothing to draw: all values of the picture are undefined")
    for ending, figure, table in drawings:
        name = stem.with_name(stem.name + ending)
        if has_marks(figure):
            print(f"wrote {save(figure, table, name)[0]}, .svg and .csv")
        else:
            print(f"note: {name}: nothing to draw: all values are undefined")
