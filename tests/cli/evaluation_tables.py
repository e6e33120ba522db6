"""A file of `metasieve evaluate` as the plots and tables read it, with values that a test can tell from its code."""
import h5py
import numpy as np

METHODS = ["baseline", "greedy", "reweighing", "meta_hard"]
CHANGES = [("baseline_change", "f8"), ("baseline_change_low", "f8"), ("baseline_change_high", "f8"),
           ("baseline_relative", "f8")]
SUMMARY = [("source", "S64"), ("method", "S32"), ("metric", "S32"), ("mean", "f8"), ("low", "f8"), ("high", "f8"),
           *CHANGES, ("splits", "i8"), ("policies", "i8"), ("policy_sd", "f8")]
PAIRED = [("source", "S64"), ("method", "S32"), ("peer", "S32"), ("metric", "S32"), ("difference", "f8"), ("low", "f8"),
          ("high", "f8"), ("won", "f8"), ("splits", "i8")]
FINDINGS = [("source", "S64"), ("kind", "S32"), ("text", "S256"), ("method", "S128")]
DETECTION = [("source", "S64"), ("corruption", "S32"), ("method", "S32"), ("group", "i8"), ("label", "i8"),
             ("rows", "i8"), ("rejected", "i8"), ("flipped", "i8"), ("caught", "i8"), ("precision", "f8"),
             ("recall", "f8")]
# Of meta_hard, by observed label and group: rows, rejected, flipped, caught. The sums are those of all 1000 rows.
FOUND = {(0, 0): (300, 60, 30, 15), (0, 1): (200, 40, 0, 0), (1, 0): (200, 80, 30, 27), (1, 1): (300, 120, 40, 28)}
FRONTIER = [("source", "S64"), ("method", "S32"), ("setting", "f8"), ("metric", "S32"), ("mean", "f8"), ("low", "f8"),
            ("high", "f8"), *CHANGES, ("splits", "i8")]

GROUPS = [("source", "S64"), ("method", "S32"), ("group", "i8"), ("name", "S64"), ("rows", "f8"), ("metric", "S32"),
          ("mean", "f8"), ("low", "f8"), ("high", "f8"), *CHANGES, ("splits", "i8"), ("policies", "i8"),
          ("policy_sd", "f8")]
UNKNOWN = float("nan")
# Rows of label 0 and of label 1 in a split; accuracy, true and false positive rate of all rows and of meta_hard. The
# last group has no row of label 1 in any split.
RACES = {"African-American": (180, 190, (0.66, 0.71, 0.39), (0.67, 0.62, 0.29)),
         "Caucasian": (140, 90, (0.69, 0.52, 0.20), (0.68, 0.55, 0.21)),
         "Hispanic": (40, 22, (0.71, 0.40, 0.12), (0.70, 0.51, 0.20)),
         "Asian": (12, 8, (0.55, 0.30, 0.29), (0.60, 0.38, 0.25)),
         "Other": (4, 0, (0.75, UNKNOWN, 0.25), (0.75, UNKNOWN, 0.25))}

ACCURACY = {method: 0.7 + k / 100 for k, method in enumerate(METHODS)}  # 0.70 .. 0.73
GAP = {method: 0.4 - k / 10 for k, method in enumerate(METHODS)}  # 0.4 .. 0.1
# What the curves are over: settings from weak to strong, gap and accuracy falling.
CURVES = {"meta_hard": [0, 0.5, 2], "penalised": [0.1, 1, 10]}


def summary(sources):
    rows = []
    for source in sources:
        for method in METHODS:
            for metric, values in (("accuracy", ACCURACY), ("eo_gap", GAP), ("dp_gap", GAP)):
                mean, base = values[method], values["baseline"]
                change = mean - base
                rows.append((source, method, metric, mean, mean - 0.01, mean + 0.02, change, change - 0.005,
                             change + 0.005, mean / base - 1, 10, *((2, 0.01) if "meta" in method else (1, np.nan))))
            rows.append((source, method, "noise_rate_selected", 0.05, 0.04, 0.06, 0, 0, 0, np.nan, 10, 1, np.nan))
            rows.append((source, method, "balanced_accuracy", *[np.nan] * 7, 0, 1, np.nan))
    return np.array(rows, SUMMARY)


def frontier(sources):
    rows = [(source, method, setting, metric, mean, mean - 0.01, mean + 0.01, 0, 0, 0, 0, 10)
            for source in sources for method, settings in CURVES.items() for k, setting in enumerate(settings)
            for metric, mean in (("accuracy", 0.75 - k / 100), ("eo_gap", 0.3 - k / 10), ("dp_gap", 0.25 - k / 10),
                                 ("positive_rate", 0.3))]
    return np.array(rows[::-1], FRONTIER)  # in no order that a reader may count on


def detection(sources):
    rows = []
    for source in sources:
        for group, label in [(-1, -1), (0, -1), (1, -1), (-1, 0), (-1, 1), (0, 0), (1, 0), (0, 1), (1, 1)]:
            cells = [counts for (y, z), counts in FOUND.items() if group in (-1, z) and label in (-1, y)]
            counts = np.sum(cells, axis=0)
            precision, recall = counts[3] / counts[1], counts[3] / counts[2] if counts[2] else np.nan
            rows += [(source, "uniform", "greedy", group, label, *counts, 0.99, 0.99),
                     (source, "uniform", "meta_hard", group, label, *counts, precision, recall)]
    return np.array(rows, DETECTION)


def group_summary(source, groups, methods=("baseline", "meta_hard"), splits=10):
    """Returns /group_summary of a data set. `groups`: as RACES; intervals are wider for fewer rows."""
    rows = []
    for number, (name, (zeros, ones, *rates)) in enumerate(groups.items()):
        for method, means in zip(methods, rates):
            for metric, count, mean in zip(("accuracy", "true_positive_rate", "false_positive_rate"),
                                           (zeros + ones, ones, zeros), means):
                wide = 1 / max(count, 1) ** 0.5 if splits > 1 else UNKNOWN
                rows.append((source, method, number, name.encode()[:63], count, metric, mean, mean - wide, mean + wide,
                             *[UNKNOWN] * 4, 0 if np.isnan(mean) else min(splits, max(count, 1)), 1, UNKNOWN))
    return np.array(rows, GROUPS)


def add_groups(path, source, groups=RACES, **options):
    """Adds the groups of a data set to a file of write_evaluation; with one group, gaps are 0 and cells of one."""
    rows = group_summary(source, groups, **options)
    with h5py.File(path, "a") as file:
        if "group_summary" in file:
            rows = np.concatenate([file["group_summary"][:], rows])
            del file["group_summary"]
        file["group_summary"] = rows
        if len(groups) == 1:
            for name, values in (("summary", ("mean", "low", "high", *(name for name, _ in CHANGES))),
                                 ("paired", ("difference", "low", "high"))):
                table = file[name][:]
                gaps = (table["source"] == source.encode()) & np.isin(table["metric"], [b"eo_gap", b"dp_gap"])
                for value in values:
                    table[value][gaps] = 0
                file[name][:] = table
            found = file["detection"][:]
            del file["detection"]
            file["detection"] = found[(found["source"] != source.encode()) | (found["group"] < 1)]
    return path


def write_evaluation(path, sources, with_frontier=False):
    with h5py.File(path, "w") as file:
        file.attrs["filetype"] = "metasieve-evaluation"
        file.attrs["complete"] = 1
        file["summary"] = summary(sources)
        pairs = [("meta_hard", "reweighing", 0.012), ("greedy", "reweighing", 0.012), ("meta_hard", "meta_soft", 0.003),
                 ("meta_soft", "reweighing", -0.0001), ("meta_soft", "meta_hard", -0.003)]
        file["paired"] = np.array([(source, method, peer, "accuracy", mean, mean - 0.008, mean + 0.008, 0.85, 10)
                                   for source in sources for method, peer, mean in pairs], PAIRED)
        file["detection"] = detection(sources)
        file["findings"] = np.array([finding for source in sources for finding in (
            (source, "constant", "WARNING: one class: splits of threshold 1", "threshold 1"),
            (source, "accuracy", f"meta_hard gains on {source}, -0.0 points", "meta_hard"))], FINDINGS)
        if with_frontier:
            file["frontier"] = frontier(sources)
    return path
