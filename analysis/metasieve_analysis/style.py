"""How all pictures look, what things are called in them, and how they are saved."""
import argparse
import pathlib

from . import command_line, files, refuse

try:
    import matplotlib
except ImportError as error:
    refuse(error)
from matplotlib.ticker import LogLocator, NullLocator  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is chosen)

plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
                     "axes.axisbelow": True, "axes.titlesize": 11, "legend.frameon": False, "legend.fontsize": 9,
                     "figure.constrained_layout.use": True, "figure.constrained_layout.h_pad": 0.07,
                     "figure.constrained_layout.w_pad": 0.07, "svg.hashsalt": "metasieve"})

# Okabe and Ito's palette: told apart by colour-blind readers too.
BLACK, GREY, BLUE, ORANGE, GREEN, PINK = "#000000", "#999999", "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, YELLOW = "#56B4E9", "#E69F00", "#F0E442"
SERIES = [BLUE, ORANGE, GREEN, PINK, AMBER, SKY, BLACK, GREY]
MARKERS = "os^DvPX*"
NOTE = "#444444"  # of captions
LEGEND_ENTRY = 2.3  # inches, the longest name and its mark

GAPS = {"dp_gap": "demographic-parity gap", "eo_gap": "equalised-odds gap", "eopp_gap": "equal-opportunity gap"}
# Words, colour and marker of each method.
METHODS = {
    "baseline": ("all rows", BLACK, "s"),
    "greedy": ("lowest loss", SKY, "v"),
    "greedy_weighted": ("lowest loss, group 1 favoured", SKY, "<"),
    "reweighing": ("reweighing (Kamiran-Calders)", AMBER, "^"),
    "roh": ("sampler of Roh et al.", AMBER, "D"),
    "penalised": ("fairness penalty", PINK, "p"),
    "threshold": ("group thresholds", SKY, ">"),
    "random": ("random rows", GREY, "x"),
    "untrained_hard": ("untrained policy, hard", GREY, "P"),
    "untrained_soft": ("untrained policy, soft", GREY, "X"),
    "trained_hard": ("metasieve as trained, hard", ORANGE, "d"),
    "trained_soft": ("metasieve as trained, soft", GREEN, "d"),
    "meta_hard": ("metasieve, hard", ORANGE, "o"),
    "meta_soft": ("metasieve, soft", GREEN, "o"),
    "oracle": ("clean labels (oracle)", BLUE, "*"),
    "oracle_penalised": ("clean labels, fairness penalty", BLUE, "p"),
}


def method_style(method):
    """Words, colour and marker; its name in black where it is unknown."""
    return METHODS.get(method, (method, BLACK, "o"))


def in_order(methods):
    """Those of METHODS first, in its order."""
    return sorted(methods, key=lambda name: list(METHODS).index(name) if name in METHODS else len(METHODS))


def log_scale(axis):
    """Of the y axis, with plain numbers at 1, 2 and 5 of each decade."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())


def below(figure, note="", handles=None):
    """Under all panels: one legend, if there are `handles` {words: what was drawn}, and a note under it."""
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
    """Lengths of a 95 % interval's two sides, as errorbar takes them; none where it is undefined."""
    sides = cell["mean"] - cell["low"], cell["high"] - cell["mean"]
    return [[side if side > 0 else 0] for side in sides]


# ------------------------------------------------------------------------------------------------------- saving

def stem_of(path):
    """What .png, .svg and .csv are put behind."""
    path = pathlib.Path(path)
    return path.with_suffix("") if path.suffix in (".png", ".svg", ".csv") else path


def save(figure, table, output):
    """Writes OUTPUT.png, OUTPUT.svg and, of the data frame that was drawn, OUTPUT.csv. Returns their names."""
    stem = stem_of(output)
    beside = stem.with_name(f"{stem.name}.h5")
    if beside.exists() and files.read(beside).type in ("scores", "sweep"):  # metasieve has written a CSV of this name
        raise ValueError(f"{stem}.csv belongs to {beside}: choose another --output")
    stem.parent.mkdir(parents=True, exist_ok=True)
    names = [stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "svg", "csv")]
    files.write(names[0], lambda part: figure.savefig(part, dpi=130, format="png"))
    files.write(names[1], lambda part: figure.savefig(part, format="svg", metadata={"Date": None}))
    files.write(names[2], lambda part: table.to_csv(part, index=False))
    plt.close(figure)
    return names


# ----------------------------------------------------------------------------------------------------- commands

def parser_of(text, output="F", meaning="writes F.png, F.svg and F.csv (the numbers that are drawn)"):
    """Of a command that makes pictures: its description is the command's docstring."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, type=pathlib.Path, metavar=output, help=meaning)
    return parser


def command(draw, output, folder=False):
    """Saves each (ending, figure, table) that `draw()` yields as OUTPUT + ending, or in the folder OUTPUT under the
    name `ending`, and says so; an error is one line on standard error. Returns the exit code."""
    def work():
        for ending, figure, table in draw():
            stem = output / ending if folder else stem_of(output)
            png, *_ = save(figure, table, stem if folder else stem.with_name(stem.name + ending))
            print(f"wrote {png}, .svg and .csv")

    return command_line.run(work)
