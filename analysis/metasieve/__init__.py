"""Selects training rows with a trained policy; reads what metasieve writes; makes data sets, tables, pictures, reports.

    from metasieve import MetaSieve, SievedClassifier
    sieve = MetaSieve().fit(X, y, sensitive_features=A)        # sieve.scores_, .sample_weight_, .support_
    model = SievedClassifier(HistGradientBoostingClassifier()).fit(X, y, sensitive_features=A)

    import metasieve
    run = metasieve.read("run/results.h5")     # any file of metasieve
    run["history"]                             # a pandas data frame; run.config["meta"]["iterations"], ...
    data = metasieve.read_table("loans.csv", label="repaid", positive="yes", group=["race", "sex"])
    data.x, data.y, data.group, data.group_names, data.columns   # as `import csv` makes them; data.notes: findings

`python3 -m metasieve` is the command line. Where to look:

    estimators.py MetaSieve and SievedClassifier, which follow scikit-learn's conventions
    encoding.py   turns arrays and data frames into numbers, by the rules of the importer
    policies.py   reads policies for the compiled module, metasieve._core
    commands.py   the table of commands: their options, help and exit codes
    files.py      reads every file of metasieve; replaces files atomically
    importing/    makes data set files from published data and from CSV
    compare.py    runs the whole comparison on real data
    league.py     compares all methods on many tables under several corruptions
    final_models.py   trains scikit-learn's models on the selections: metrics.py, statistics.py, findings.py judge them
    methods.py    names, colours and markers of the methods
    groups.py     rates of the groups of a data set, and which are too small to judge
    tables/       results as tables: Markdown, LaTeX and HTML
    plots/        one module for each kind of picture, with plot(), table_of() and draw()
    report/       the HTML page of a folder, and its RO-Crate
    exports.py    .npz, CSV and LaTeX for other programs

`import metasieve` loads none of these: h5py, pandas and matplotlib are imported where they are used.
"""
import importlib
import pathlib
import pkgutil

__version__ = "0.1.0"  # as in CMakeLists.txt
__all__ = ["MetaSieve", "SievedClassifier", "read", "read_table"]

# In the source tree the compiled module is in the build folder: another one than build/ may be in PYTHONPATH.
__path__ = [*pkgutil.extend_path(__path__, __name__),
            str(pathlib.Path(__file__).absolute().parents[2] / "build/python/metasieve")]


def __getattr__(name):
    if name in ("MetaSieve", "SievedClassifier"):
        return getattr(importlib.import_module(".estimators", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def read(path, wanted=None):
    """Opens one file of metasieve. Returns files.Contents: tables and arrays by name.

    `wanted`: type that the file must have, such as "evaluation"; None for any.
    Raises OSError or ValueError that names the file and the reason.
    """
    from .files import Contents
    return Contents(path, wanted)


def read_table(path, **options):
    """Reads any table as `python3 -m metasieve import csv` does. Returns importing.dataset_file.Dataset: x [n, d] in
    float32, y, group and row [n], and where the table has them id, weight, y_clean and split; `group_names` [K] are the
    groups in the order of their numbers; `columns` is the report.

    `options`: those of the command, with _ for -, such as label="paid", positive="yes", group=["race", "sex"],
    drop=["note"], rest_negative=True. Raises ValueError that names file and column, or commands.UsageError.
    """
    from .importing.csv_table import Options, read_table as read_it
    return read_it(path, Options(**options))
