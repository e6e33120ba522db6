"""Tables and text of comparison.md and comparison.csv, from files of `metasieve evaluate`."""
import math
import re

from ..files import findings_of, group_names_of, has_gaps, summary_of
from ..methods import FINAL_MODELS, METHODS, NO_GROUPS
from .rendering import NONE, Table, markdown

AWARENESS = {"aware": "the final model sees the group", "blind": "the final model does not see the group"}
# The same for data without groups, where only the policies differ.
TRAINED = {"aware": "policy for models that see the group", "blind": "policy for models that do not see the group"}
THRESHOLD_NOTE = ("`threshold` is not blind: its model does not see the group, but it decides by the group of each "
                  "test row.")
GAPS_EXPLAINED = """
- DP gap (demographic parity): the largest less the least share of positive predictions over the groups. EO gap
  (equalised odds): the same among the rows of one true label, the larger of the two. 0 is fair, so a minus is an
  improvement."""
ROH_EXPLAINED = " roh_dp, roh_eo: the largest deviation of a group from all rows, as Roh et al. (2021) measure it."
DETECTION_EXPLAINED = """
- Flipped labels: precision is the share of the rejected rows that are flipped, recall the share of the flipped rows
  that are rejected; by chance: if as many of these rows were rejected at random. A hidden positive is flipped from 1
  to 0, a false positive from 0 to 1; each is looked for among the rows that now have its label."""
OURS = ("meta_soft", "meta_hard")
# What a method knows besides noisy training rows.
KNOWS = {"threshold": "`threshold` decides by the group of each test row, even where the final model does not see the "
                     "group: it is no blind method.",
        "error_parity": "`error_parity` decides by the group of each test row, as `threshold` does.",
        "roh": "`roh` knows the true share of flipped labels, unless `evaluate.roh_tau` is set; in practice no user "
               "knows it."}
FINDINGS = {"constant": "Warning", "undefined": "Undefined gaps", "failed": "Failed fits", "small": "Too small",
            "test_part": "Intervals", "hidden": "Hidden positives", "fairness": "Fairness", "accuracy": "Accuracy"}


# ------------------------------------------------------------------------------------------------------ numbers

def signed(text):
    """Returns text without the sign of a number that is rounded to zero."""
    return re.sub(r"(?<![\w.])[-+](0(?:\.0+)?)(?![\d.])", r"\1", text)


def level(cell):
    return NONE if math.isnan(cell["mean"]) else f"{cell['mean']:.3f}"


def share(value):
    return NONE if math.isnan(value) else f"{100 * value:.0f} %"


def share_kept(cell):
    return NONE if math.isnan(cell["mean"]) else f"{100 * cell['mean']:.1f} %"


def points(mean, low, high):
    """Returns a difference of rates in points (hundredths), with its interval."""
    return NONE if math.isnan(mean) else signed(f"{100 * mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]")


def change(cell):
    return points(cell["baseline_change"], cell["baseline_change_low"], cell["baseline_change_high"])


def relative(cell):
    return signed(f"{100 * cell['baseline_relative']:+.0f} %") if math.isfinite(cell["baseline_relative"]) else NONE


# ------------------------------------------------------------------------------------------------------- tables

# Title, metric, function that shows a cell, and whether that is a change (undefined for the baseline).
COLUMNS = [("accuracy", "accuracy", level, False), ("change, points [95 %]", "accuracy", change, True),
           ("DP gap", "dp_gap", level, False), ("DP change", "dp_gap", relative, True),
           ("EO gap", "eo_gap", level, False), ("EO change", "eo_gap", relative, True),
           ("balanced accuracy", "balanced_accuracy", level, False),
           ("worst-group accuracy", "worst_group_accuracy", level, False),
           ("positive rate", "positive_rate", level, False),
           ("noise kept", "noise_rate_selected", share_kept, False),
           ("roh_dp", "roh_dp", level, False), ("roh_eo", "roh_eo", level, False)]
# Columns of a comparison by other final models.
OF_FINAL_MODELS = [("accuracy", "accuracy", level, False), ("change, points [95 %]", "accuracy", change, True),
                   ("balanced accuracy", "balanced_accuracy", level, False),
                   ("change, points [95 %]", "balanced_accuracy", change, True),
                   ("EO gap", "eo_gap", level, False), ("change, points [95 %]", "eo_gap", change, True),
                   ("DP gap", "dp_gap", level, False), ("change, points [95 %]", "dp_gap", change, True),
                   ("positive rate", "positive_rate", level, False),
                   ("noise kept", "noise_rate_selected", share_kept, False)]
PAIRED = {"accuracy": "accuracy", "dp_gap": "DP gap", "eo_gap": "EO gap"}


def methods_table(methods, columns=COLUMNS, named=str, caption=""):
    """Returns the methods of one data set against the fit on all rows. Metrics that the file lacks are left out.

    `named`: function from a method to its name.
    """
    columns = [column for column in columns if any(column[1] in cells for cells in methods.values())]
    rows = []
    for method, cells in methods.items():
        row = [named(method)]
        for _, metric, show, is_change in columns:
            row.append(show(cells[metric]) if metric in cells and not (is_change and method == "baseline") else "")
        rows.append(row)
    return Table(["method", *(column[0] for column in columns)], rows, caption)


def paired_of(evaluation, source, methods):
    """Returns the rows of /paired on a source, of the metrics that its methods have."""
    rows, metrics = evaluation.table("paired"), {metric for cells in methods.values() for metric in cells}
    return rows[(rows["source"] == source) & rows["metric"].isin(metrics)]


def paired_table(paired, named=str, caption=""):
    """Returns metasieve's methods minus each peer on the same splits; a pair of its own methods comes once."""
    metrics = [metric for metric in PAIRED if (paired["metric"] == metric).any()]
    rows = []
    for (method, peer), group in paired[paired["method"].isin(OURS)].groupby(["method", "peer"], sort=False):
        if peer in OURS and OURS.index(peer) < OURS.index(method):  # the mirrored pair
            continue
        row = [f"{named(method)} - {named(peer)}"]
        for metric in metrics:
            cells = group[group["metric"] == metric].to_dict("records")
            row += [points(*(cells[0][key] for key in ("difference", "low", "high"))) if cells else NONE,
                    share(cells[0]["won"]) if cells else NONE]
        rows.append(row)
    header = [word for metric in metrics for word in (f"{PAIRED[metric]}, points [95 %]", "won")]
    return Table(["difference", *header], rows, caption)


# --------------------------------------------------------------------------------------------------------- text

def detection_rows(detection, names):
    """Returns [(rows, [precision, recall], [both by chance])] of the flipped labels that meta_hard rejects.

    `names`: {group: name}. Empty if no label is flipped.
    """
    rows = detection[detection["method"] == "meta_hard"]
    kind = "all" if (rows["corruption"] == "all").any() else next(iter(rows["corruption"]), None)
    cells = {(row["group"], row["label"]): row
             for row in rows[rows["corruption"] == kind].to_dict("records")}  # -1: all groups, both labels
    if not cells or cells[-1, -1]["flipped"] == 0:
        return []
    groups = [(name, group, -1) for group, name in names.items() if len(names) > 1 and (group, -1) in cells]
    parts = [("all rows", -1, -1), *groups,
             ("hidden positives", -1, 0), ("false positives", -1, 1)]
    return [(what, [share(cell["precision"]), share(cell["recall"])],
             [share(cell[count] / cell["rows"]) if cell["rows"] else NONE for count in ("flipped", "rejected")])
            for what, cell in ((what, cells[group, label]) for what, group, label in parts)]


def detection_line(detection, names):
    """Returns detection_rows as a sentence, or an empty text."""
    rows = detection_rows(detection, names)
    return ("Flipped labels among the rows that `meta_hard` rejects, precision / recall (by chance) – "
            + "; ".join(f"{what}: {' / '.join(found)} ({' / '.join(chance)})" for what, found, chance in rows)
            + ".") if rows else ""


def heading(methods):
    """Returns a sentence: how many splits and policies the means of one data set are over."""
    base = next(iter(methods.values()))
    splits, policies = base["accuracy"]["splits"], max(cells["accuracy"]["policies"] for cells in methods.values())
    text = f"Means over {splits} split{'s' * (splits != 1)}" + (f" and {policies} policies" if policies > 1 else "")
    if "baseline" in methods and "noise_rate_selected" in methods["baseline"]:
        text += f"; {share_kept(methods['baseline']['noise_rate_selected'])} of the training labels are flipped"
    return text + ". Changes are against `baseline`, the fit on all rows."


def report(awareness, tables, meanings, columns=COLUMNS):
    """Returns the Markdown of one half: for each data set its findings, methods, detection and paired differences.

    `meanings`: {data set: sentence that explains label 1 and the groups}. `columns`: of the table of methods.
    """
    blocks, names = [], group_names_of(tables)
    for source, methods in summary_of(tables).items():
        blocks.append(f"## {source}: {(AWARENESS if has_gaps(methods) else TRAINED)[awareness]}")
        found = [f"- **{FINDINGS.get(row.kind, row.kind)}**: {signed(row.text.removeprefix('WARNING: '))}"
                 for row in findings_of(tables) if row.source == source]
        blocks += ["\n".join(found)] if found else []
        blocks += [" ".join(text for text in (meanings.get(source), heading(methods)) if text),
                   markdown(methods_table(methods, columns))]
        blocks += [THRESHOLD_NOTE] if awareness == "blind" and "threshold" in methods and has_gaps(methods) else []
        rows = tables.table("detection") if "detection" in tables else None
        line = "" if rows is None else detection_line(rows[rows["source"] == source], names.get(source, {}))
        table = paired_table(paired_of(tables, source, methods)) if "paired" in tables else None
        blocks += [line] if line else []
        blocks += ["Differences on the same splits, and the share of them that metasieve's method wins (ties half):",
                   markdown(table)] if table and table.rows else []
    return "\n\n".join(blocks)


def introduction(halves, model=None):
    """Returns Markdown that explains how to read the reports. `halves`: list of evaluations. `model`: the final model,
    one of FINAL_MODELS, or None for that of `metasieve evaluate`."""
    methods = dict.fromkeys(method for tables in halves for found in summary_of(tables).values()
                            for method in found)
    names = "; ".join(f"`{method}`: {METHODS[method][0]}" for method in methods if method in METHODS)
    oracle = " Methods with clean labels know what no user knows: a bound, not a choice." if "oracle" in names else ""
    known = "".join(f"\n- {KNOWS[method]}" for method in KNOWS if method in methods)
    grouped = {source: has_gaps(found) for tables in halves for source, found in summary_of(tables).items()}
    without = [source for source, is_grouped in grouped.items() if not is_grouped]
    title, final, roh, detection = (f": {FINAL_MODELS[model][0]}", f"\n- {about_model(model)}", "", "") if model else \
        ("", "", ROH_EXPLAINED, DETECTION_EXPLAINED)
    gaps = (GAPS_EXPLAINED + roh) * any(grouped.values())
    gaps += f"\n- On {', '.join(without)}, {NO_GROUPS}." if without else ""
    return f"""# Comparison on real data{title}

How to read it:

- Each method learns from training rows of which some have a flipped label, and is judged on test rows with their labels
  as they are; several times, each with other flips, and with another split unless the data set brings its own.{final}
- Methods: {names}. Hard: rows are kept or rejected; soft: they are weighted.{oracle}{known}
- Points are hundredths: from 0.679 to 0.673 is -0.6 points. In brackets the 95 % interval, which allows for the rows that
  splits of one table share; a change whose interval contains 0 may be chance. What is said to raise accuracy or lower
  a gap holds with Holm's correction for all methods that are compared.{gaps}
- Positive rate: the share of positive predictions; near 0 or 1 the model says the same of all rows, which is of no
  use. Noise kept: the share of flipped labels in what a method learns from.{detection}
- {NONE}: undefined."""


def about_model(model):
    """Returns sentences on one of FINAL_MODELS."""
    name, learner = FINAL_MODELS[model]
    return f"""The final model is {name}: scikit-learn's {learner}, otherwise with its defaults
  and a fixed random state. It learns from the rows that a method gives a weight above 0, with the weights as
  `sample_weight`. A model that sees the group has a 0/1 column for each group but the first. Splits, flipped labels and
  selections are those of `metasieve evaluate`: no method knows the final model when it selects. `penalised` and
  `threshold` select no rows; of `roh` the last selection is taken, and not the model that it trains."""


def tidy(awareness, tables):
    """Returns a record for each data set, method and metric: mean, interval, and change against all rows."""
    names = {"source": "data", "baseline_change": "change", "baseline_change_low": "change_low",
             "baseline_change_high": "change_high", "baseline_relative": "relative_change", "baseline_p": "p"}
    rows = tables.table("summary").rename(columns=names)
    rows.insert(1, "model", awareness)
    return rows.to_dict("records")


def wide(awareness, tables):
    """Returns a record for each data set and method, with mean, interval and change of every metric."""
    endings = {"mean": "", "low": "_low", "high": "_high", "baseline_change": "_change",
               "baseline_change_low": "_change_low", "baseline_change_high": "_change_high",
               "baseline_relative": "_relative", "policy_sd": "_policy_sd"}
    records = []
    for source, methods in summary_of(tables).items():
        for method, cells in methods.items():
            record = {"data": source, "model": awareness, "method": method,
                      "splits": max(cell["splits"] for cell in cells.values())}
            for metric, cell in cells.items():
                record |= {metric + ending: cell[key] for key, ending in endings.items() if key in cell}
            records.append(record)
    return records
