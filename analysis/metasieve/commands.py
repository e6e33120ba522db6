"""The table of commands: their help, examples and options, and how a command ends."""
import argparse
import functools
import importlib
import os
import pathlib
import re
import sys
from dataclasses import dataclass, field
from typing import Callable

from . import __doc__ as about, __version__
from .methods import FINAL_MODELS, GAPS, METHODS

NEEDED = "run it with a Python that has h5py, numpy, pandas and matplotlib (Debian: /usr/bin/python3)"
EXIT_CODES = "exit codes: 0 done; 2 wrong usage; 3 a file is bad or cannot be read or written"


class UsageError(Exception):
    """Wrong options that only the data can show. Exit code 2."""


@dataclass(frozen=True)
class Command:
    """A command, or a group of them. `run` names module and function, imported when the command runs."""
    help: str
    example: str
    options: Callable = lambda parser: None
    run: str = ""
    kinds: dict = field(default_factory=dict)


# ------------------------------------------------------------------------------------------------------ options

def known_data(file, of_people, default, official=False):
    """Options of a published data set. `of_people`: its columns that can make groups, of which it has `default`."""
    def options(parser):
        parser.add_argument("--source", metavar="DIR", help=f"folder with {file}; default with --download: metasieve "
                            "in $XDG_CACHE_HOME or ~/.cache")
        parser.add_argument("--download", nargs="?", const=True, type=address, metavar="URL", help="first fetch what "
                            "is missing there from where it is published, or from URL, the file or a folder that ends "
                            "in /; its SHA-256 must be that of the published file")
        if official:
            parser.add_argument("--official", action="store_true", help="read adult.test too, as the test part")
        group_options(parser, f"of {of_people}; default: {default}")
        data_output(parser)
    return options


def slid(parser):
    parser.add_argument("--source", metavar="DIR", help="folder with SLID.csv, instead of R with the package carData")
    group_options(parser, "of sex, age, language; default: women or not")
    data_output(parser)


def roh(parser):
    parser.add_argument("--source", required=True, metavar="DIR",
                        help="folder with roh2021/xz_train.npy and the others")
    data_output(parser)


def data_output(parser):
    parser.add_argument("--output", required=True, metavar="F.h5", help="data set file to write")


def word_list(parser, name, metavar, text, **more):
    parser.add_argument(name, nargs="+", action="extend", default=[], metavar=metavar, help=text, **more)


def group_options(parser, more):
    word_list(parser, "--group", "C", "column of the sensitive group: each value is a group; several columns: each "
              f"combination; numbers are cut as in 'age:<25,25:60,>60'; {more}")
    word_list(parser, "--group-value", "V", "value of the column that becomes group 1 against the rest, or several, or "
              "a range: '<25', '>=60', 25:40 with both ends")
    parser.add_argument("--smallest-group", type=row_count, metavar="N", help="merge groups of fewer than N rows into "
                        "'other', 0: none; default: 30, and at least 1 %% of the rows")


def csv_table(parser):
    words = functools.partial(word_list, parser)
    # Not required here: a list of words before FILE takes it along, and the importer finds it there.
    parser.add_argument("file", nargs="?", metavar="FILE", help="table: .csv, .tsv or other text, also .gz; .parquet")
    parser.add_argument("--label", required=True, metavar="C", help="column of the label")
    words("--positive", "V", "value of the label that becomes 1, or several, or a range as of --group-value",
          required=True)
    words("--negative", "V", "values that become 0, where the label has more than two")
    parser.add_argument("--rest-negative", action="store_true", help="all values but --positive become 0")
    group_options(parser, "default: no groups, and fairness is not in question")
    words("--columns", "C", "the only columns that become features; such lists may be written a,b or repeated")
    words("--drop", "C", "columns to leave out")
    words("--words", "C", "columns in which each value becomes a 0/1 column, numbers too")
    words("--date", "C", "columns of dates such as 2010-01-31, which become days since 1970")
    parser.add_argument("--id", metavar="C", help="column that names each row: kept beside the scores, no feature")
    parser.add_argument("--clean", metavar="C", help="column of audited labels in words of the label, for reports only")
    parser.add_argument("--weight", metavar="C", help="column of weights of the rows, >= 0")
    parser.add_argument("--split", metavar="C", help="column that marks the rows of the test part")
    words("--test-value", "V", "value of that column in the test part, or several")
    words("--missing", "W", "more words or numbers that mean a missing value: NA, NaN, NULL, ? and empty fields do")
    parser.add_argument("--decimal", default=".", metavar="S", help="before the decimals of a number: . or ,")
    parser.add_argument("--thousands", default="", metavar="S", help="between thousands: ',' reads 103,300 as 103300")
    parser.add_argument("--percent", action="store_true", help="5%% is the number .05")
    parser.add_argument("--encoding", metavar="E", help="of the characters, such as latin1 or cp1252; default: UTF-8")
    parser.add_argument("--separator", metavar="S", help="between fields; default: guessed from the header")
    parser.add_argument("--no-header", action="store_true", help="the first line is a row; the columns are 1, 2, ...")
    data_output(parser)


def compare(parser):
    path = pathlib.Path
    root = path(__file__).resolve().parents[2]
    data = ["compas", "adult", "german", "adult_official", "roh"]
    parser.add_argument("--source", type=path, required=True, metavar="DIR", help="folder of the published files")
    parser.add_argument("--output", type=path, required=True, metavar="DIR", help="folder to write into")
    parser.add_argument("--data", nargs="*", choices=data, default=data[:3], metavar="NAME",
                        help=f"published data sets, of {', '.join(data)}; default: the first three")
    parser.add_argument("--dataset", nargs="+", action="extend", type=path, default=[], metavar="F.h5",
                        help="more data set files, as `import csv` makes them")
    parser.add_argument("--model", nargs="+", action="extend", choices=FINAL_MODELS, default=[], metavar="MODEL",
                        help=f"judge the methods that select rows with scikit-learn's models as final models, of "
                        f"{', '.join(FINAL_MODELS)}, instead of running `metasieve evaluate`; needs the module "
                        "metasieve._core")
    parser.add_argument("--policy", nargs="+", action="extend", type=path, metavar="P.h5",
                        help="policies for models that see the group; default: configs/policy.h5")
    parser.add_argument("--blind-policy", nargs="+", action="extend", type=path, metavar="P.h5",
                        help="policies for models that do not see it; default: configs/policy_blind.h5")
    parser.add_argument("--config", type=path, default=root / "configs/compare.ini", metavar="F.ini",
                        help="default: configs/compare.ini")
    parser.add_argument("--set", action="append", default=[], type=setting, metavar="section.key=value",
                        help="changes one key of the configuration; with --model: evaluate.methods, splits, label_noise, "
                        "seed, fairness, adapt_fairness_weight")
    parser.add_argument("--metasieve", type=path, default=root / "build/src/metasieve", metavar="FILE",
                        help="the program; default: build/src/metasieve")
    parser.add_argument("--ranks", type=rank_count, default=2, help="MPI ranks; 1 runs without mpirun; default: 2")
    parser.add_argument("--frontier", action="store_true",
                        help="also draw accuracy against the gap over the settings of each method")


def league(parser):
    path = pathlib.Path
    root = path(__file__).resolve().parents[2]
    parser.add_argument("folder", metavar="DIR", type=path, help="folder of tables: .csv files with the columns label "
                        "and group (yes or no), published files, data set files; also those in DIR/league")
    parser.add_argument("--output", type=path, required=True, metavar="DIR", help="folder to write or resume in")
    word_list(parser, "--tables", "NAME", "only these tables; default: all")
    parser.add_argument("--corruptions", default="flips:0.1,hidden:0.3", metavar="C,C", help="of evaluate.corruption; "
                        "default: flips:0.1,hidden:0.3")
    parser.add_argument("--policy", nargs="+", action="extend", type=path, metavar="P.h5",
                        help="default: configs/policy.h5")
    parser.add_argument("--methods", default="all", help="of evaluate.methods; default: all")
    parser.add_argument("--splits", type=rank_count, default=5, help="random splits of each table; default: 5")
    parser.add_argument("--seed", type=row_count, default=2026, help="of the splits and corruptions; default: 2026")
    parser.add_argument("--weight", type=weight, default=0.25, help="of the gap in J; default: 0.25")
    parser.add_argument("--gap", choices=GAPS, default="eo_gap", help="fairness gap in J; default: eo_gap")
    parser.add_argument("--set", action="append", default=[], type=setting, metavar="section.key=value",
                        help="changes one key of the configuration")
    parser.add_argument("--metasieve", type=path, default=root / "build/src/metasieve", metavar="FILE",
                        help="the program; default: build/src/metasieve")
    parser.add_argument("--ranks", type=rank_count, default=2, help="MPI ranks; 1 runs without mpirun; default: 2")


def plotting(inputs, many=False, more=lambda parser: None):
    """Options of a kind of picture. `inputs`: help on the files."""
    def options(parser):
        parser.add_argument("files", nargs="+" if many else 1, metavar="FILE", type=pathlib.Path, help=inputs)
        parser.add_argument("--output", required=True, type=pathlib.Path, metavar="PATH",
                            help="writes PATH.png, PATH.svg and PATH.csv (the numbers that are drawn)")
        more(parser)
    return options


def gap(parser):
    parser.add_argument("--gap", choices=GAPS, default="eo_gap", help="fairness gap; default: eo_gap")
    parser.add_argument("--only", nargs="+", metavar="SOURCE", help="draw only these suites or data sets")


def gap_and_methods(parser):
    gap(parser)
    parser.add_argument("--leave-out", nargs="+", metavar="METHOD", default=[], choices=METHODS,
                        help="methods that are not drawn")


def groups(parser):
    parser.add_argument("--only", nargs="+", metavar="SOURCE", help="draw only these data sets")
    parser.add_argument("--method", metavar="METHOD", choices=METHODS,
                        help="method that is compared with all rows; default: metasieve, soft where it was evaluated")


def method(parser):
    parser.add_argument("--method", help="method whose metrics are drawn; default: meta_hard where it was evaluated")


def efficiency(parser):
    parser.add_argument("--efficiency", type=share, default=0.8, metavar="E",
                        help="least parallel efficiency to recommend; default: 0.8")


def report(parser):
    parser.add_argument("files", nargs="+", metavar="FOLDER", type=pathlib.Path,
                        help="folder with files of metasieve, or some files in one folder")
    parser.add_argument("--output", metavar="F.html", type=pathlib.Path, help="default: report.html in that folder")
    parser.add_argument("--crate", nargs="?", const=True, type=pathlib.Path, metavar="F.json", help="also write an "
                        "RO-Crate of the folder, or of the files: hashes, inputs, configurations, software, core-hours "
                        "and energy; default: ro-crate-metadata.json in that folder")


def export_npz(parser):
    parser.add_argument("files", nargs=1, metavar="FILE", type=pathlib.Path, help="suite of `metasieve generate`")
    parser.add_argument("--output", required=True, metavar="DIR", type=pathlib.Path, help="folder to write into")
    parser.add_argument("--tasks", metavar="A:B", type=span, help="only the tasks from A to B - 1, counted from 0")
    parser.add_argument("--replace", action="store_true", help="first remove an earlier export from DIR")


def export_tables(parser):
    parser.add_argument("files", nargs="+", metavar="FILE", type=pathlib.Path,
                        help="files of `metasieve evaluate`, train, sweep, scaling, score or generate")
    parser.add_argument("--output", required=True, metavar="DIR", type=pathlib.Path, help="folder to write into")


# ------------------------------------------------------------------------------------------------ option values

def checked(value, is_right, wanted):
    """Returns the value. Raises argparse's error where it is not right."""
    if not is_right:
        raise argparse.ArgumentTypeError(f"{value}: must be {wanted}")
    return value


def address(text):
    return checked(text, re.match(r"https?://[^/]", text), "an address that begins with http:// or https://")


def setting(text):
    return checked(text, re.match(r"[a-z_]+(\.[a-z_]+)+=", text, re.IGNORECASE), "section.key=value")


def rank_count(text):
    return int(checked(text, re.fullmatch(r"0*[1-9]\d*", text), "1 or more"))


def row_count(text):
    return int(checked(text, re.fullmatch(r"\d+", text), "a whole number, 0 or more"))


def weight(text):
    return float(checked(text, re.fullmatch(r"\d+\.?\d*|\.\d+", text), "a number >= 0"))


def share(text):
    return float(checked(text, re.fullmatch(r"0?\.\d*[1-9]\d*", text), "> 0 and < 1, such as 0.8"))


def span(text):
    found = re.fullmatch(r"(\d+):(\d+)", text)
    wanted = "A:B with A < B: the tasks from A to B - 1, counted from 0"
    checked(text, found and int(found[1]) < int(found[2]), wanted)
    return range(int(found[1]), int(found[2]))


# ----------------------------------------------------------------------------------------------------- the table

IMPORTERS = {
    "compas": Command("COMPAS of ProPublica: group African-American, label recidivism in two years",
                      "import compas --source data --output compas.h5",
                      known_data("compas-scores-two-years.csv", "race, sex, age", "African-American or not")),
    "adult": Command("Adult of UCI: group Female, label income above 50K",
                     "import adult --official --source data --output adult.h5",
                     known_data("adult.data", "race, sex, age", "Female or not", True)),
    "german": Command("German credit of UCI: group age >= 25, label bad credit",
                      "import german --source data --output german.h5",
                      known_data("german.data", "sex, age", "age >= 25 or not")),
    "roh": Command("synthetic data of Roh et al. (2021) with clustered label flips",
                   "import roh --source data --output roh.h5", roh),
    "slid": Command("wages in Ontario from R's package carData: group women, label wages above the median",
                    "import slid --output slid.h5", slid),
    "csv": Command("any table with a header; a column of words becomes one 0/1 column for each word",
                   "import csv loans.csv --label paid --positive yes --group sex --group-value female --output l.h5",
                   csv_table),
}
EVALUATION = "file of `metasieve evaluate`"
PLOTS = {
    "learning": Command("losses, accuracy, fairness gaps and gradient norm of a training against its iterations",
                        "plot learning run/results.h5 --output learning",
                        plotting("results.h5 of `metasieve train`, or a checkpoint.h5")),
    "comparison": Command("accuracy of each method against a fairness gap, with their intervals",
                          "plot comparison evaluation.h5 --output comparison",
                          plotting("files of `metasieve evaluate`", True, gap_and_methods)),
    "frontier": Command("accuracy against a fairness gap over the settings of each method",
                        "plot frontier evaluation.h5 --only compas --output frontier",
                        plotting("files of `metasieve evaluate --frontier`", True, gap)),
    "groups": Command("accuracy, true and false positive rate of each group of a data set, for all rows and metasieve",
                      "plot groups compas_evaluation.h5 --output groups",
                      plotting("files of `metasieve evaluate --dataset`", True, groups)),
    "noise": Command("how much label noise each method keeps out of its selection",
                     "plot noise evaluation.h5 --output noise", plotting(EVALUATION)),
    "response": Command("mean keep weight of the policy as one meta-feature goes from its least to its largest value",
                        "plot response evaluation.h5 --output response", plotting(EVALUATION)),
    "suite": Command("how diverse the tasks of a suite are: PATH_diversity and PATH_correlation",
                     "plot suite suite.h5 --output suite", plotting("file of `metasieve generate`")),
    "sweep": Command("effects of the swept keys: PATH_effects, and of two or more keys PATH_maps and PATH_parallel",
                     "plot sweep runs/sweep/sweep.h5 --output runs/sweep/plot",
                     plotting("file of `metasieve sweep --collect`", more=method)),
    "scaling": Command("parallel efficiency, times of the phases and recommended nodes: PATH_efficiency, PATH_phases",
                       "plot scaling runs/scaling/scaling.h5 --output runs/scaling/scaling",
                       plotting("file of `metasieve scaling`", more=efficiency)),
    "simulation": Command("efficiency of a training on a simulated cluster against its nodes",
                          "plot simulation runs/simulation --output simulation",
                          plotting("folder with weak.csv and strong.csv of tests/simgrid/run.sh")),
}
EXPORTS = {
    "npz": Command("a suite as one .npz file a task and metadata.json, for Python without HDF5",
                   "export npz suite.h5 --output tasks --tasks 0:100", export_npz, "exports.npz"),
    "tables": Command("every table as CSV, and the results as LaTeX tables (they need \\usepackage{booktabs})",
                      "export tables evaluation.h5 results.h5 --output tables", export_tables, "exports.tables"),
}
COMMANDS = {
    "import": Command("make a data set file for `metasieve evaluate --dataset`", IMPORTERS["compas"].example,
                      run="importing.published.run", kinds=IMPORTERS),
    "compare": Command("evaluate every method on real data: comparison.md, comparison.csv and pictures",
                       "compare --source data --output runs/compare --frontier", compare, "compare.run"),
    "league": Command("compare all methods on many tables under several corruptions of the labels",
                      "league data --corruptions flips:0.1,hidden:0.3 --output runs/league", league, "league.run"),
    "plot": Command("draw a picture as PNG and SVG, with its numbers as CSV", PLOTS["learning"].example,
                    run="plots.style.run", kinds=PLOTS),
    "report": Command("make one HTML page of a run, a sweep, a scaling study or a folder of evaluations",
                      "report runs/local", report, "report.page.run"),
    "export": Command("write files for other programs", EXPORTS["npz"].example, kinds=EXPORTS),
}


# ---------------------------------------------------------------------------------------------------- running it

class Parser(argparse.ArgumentParser):
    """Prints an error as one line."""

    def error(self, message):
        message = re.sub(r"^argument (\S+): (\S+: must be)", r"\1 \2", message)
        self.exit(2, f"{self.prog.removeprefix('python3 -m ')}: {message} (-h shows the options)\n")


def add_commands(parser, commands, title, run=""):
    """Adds a table of commands to a parser, and the kinds of each below it."""
    found = parser.add_subparsers(dest=title, metavar=title.upper(), required=True)
    for name, command in commands.items():
        one = found.add_parser(name, help=command.help, description=f"{command.help[0].upper()}{command.help[1:]}.",
                               epilog=f"example:\n  python3 -m metasieve {command.example}\n\n{EXIT_CODES}",
                               formatter_class=argparse.RawDescriptionHelpFormatter)
        command.options(one)
        if command.kinds:
            add_commands(one, command.kinds, "kind", command.run)
        else:
            one.set_defaults(run=command.run or run, parser=one)


def parser():
    found = Parser(prog="python3 -m metasieve", description=about.splitlines()[0],
                   epilog=f"example:\n  python3 -m metasieve {COMMANDS['report'].example}\n\n{EXIT_CODES}",
                   formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--version", action="version", version=f"metasieve {__version__}")
    add_commands(found, COMMANDS, "command")
    return found


def reason(error, options):
    """Returns what is wrong, on one line, with the name of the file."""
    inputs = ", ".join(map(str, getattr(options, "files", ())))
    text = str(error)
    if isinstance(error, ImportError):
        text = f"{error}; {NEEDED}"
    elif isinstance(error, OSError) and error.filename:
        text = f"{error.filename}: {error.strerror}"
    elif isinstance(error, MemoryError):
        text = f"{inputs}: not enough memory"
    elif not isinstance(error, (OSError, ValueError, UsageError)):  # a table of another shape than metasieve writes
        what = f"has no {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        text = f"{inputs}: cannot be used: {what}; `metasieve verify` checks a file"
    return " ".join(text.split())


def main(words=None):
    """Runs the command in `words` (default: the arguments of this process). Returns its exit code."""
    options, unknown = parser().parse_known_args(words)
    if unknown:  # argparse itself would not name the command
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    module, function = options.run.rsplit(".", 1)
    code = 3
    try:
        code = getattr(importlib.import_module(f".{module}", __package__), function)(options) or 0
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except UsageError as error:
        code, message = 2, reason(error, options)
    except Exception as error:  # a bad file can fail in many ways; `python3 -X dev` shows where
        if sys.flags.dev_mode:
            raise
        message = reason(error, options)
    name = " ".join(filter(None, (options.command, getattr(options, "kind", None))))
    print(f"metasieve {name}: {message}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:  # standard output is full or closed: the interpreter must not try again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
