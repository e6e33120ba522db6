"""Names, colours and markers of the methods, and the names of the fairness gaps."""

# Okabe and Ito's palette: colour-blind readers can tell its colours apart.
BLACK, GREY, BLUE, ORANGE, GREEN, PINK = "#000000", "#999999", "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, YELLOW = "#56B4E9", "#E69F00", "#F0E442"

GAPS = {"dp_gap": "demographic-parity gap", "eo_gap": "equalised-odds gap", "eopp_gap": "equal-opportunity gap"}
# Metrics that compare groups.
FAIRNESS = (*GAPS, "dp_floor", "eo_floor", "roh_dp", "roh_eo", "worst_group_accuracy", "minority_share")
NO_GROUPS = "no groups given: fairness is not in question"
# Method: its name for readers, colour and marker.
METHODS = {
    "baseline": ("all rows", BLACK, "s"),
    "greedy": ("lowest loss", SKY, "v"),
    "greedy_weighted": ("lowest loss, all groups but 0 favoured", SKY, "<"),
    "reweighing": ("reweighing (Kamiran-Calders)", AMBER, "^"),
    "roh": ("sampler of Roh et al.", AMBER, "D"),
    "penalised": ("fairness penalty", PINK, "p"),
    "threshold": ("group thresholds", SKY, ">"),
    "jiang_nachum": ("label-bias weights (Jiang-Nachum)", PINK, "^"),
    "confident": ("confident learning", YELLOW, "v"),
    "confident_group": ("confident learning within groups", YELLOW, "<"),
    "exponentiated": ("reductions (Agarwal et al.)", PINK, "D"),
    "massaging": ("massaging (Kamiran-Calders)", AMBER, "v"),
    "influence": ("influence weights (Li-Liu)", AMBER, "<"),
    "error_parity": ("relaxed equalised odds (Cruz-Hardt)", SKY, "D"),
    "reweight_meta": ("meta-learnt row weights (Ren et al.)", YELLOW, "o"),
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

# Final models of `compare --model`: name for readers, and what it is in scikit-learn.
FINAL_MODELS = {"boosting": ("gradient boosting", "`HistGradientBoostingClassifier`"),
                "forest": ("random forest", "`RandomForestClassifier`"),
                "logistic": ("logistic regression", "`LogisticRegression` on standardised columns with `max_iter=1000`")}


def method_style(method):
    """Name, colour and marker of a method; an unknown one keeps its own name and is black."""
    return METHODS.get(method, (method, BLACK, "o"))


def named(method):
    """Name of a method for readers."""
    return method_style(method)[0]


def spoken(method):
    """Name of a method within a sentence: "metasieve (hard)"."""
    words, comma, more = named(method).partition(", ")
    return f"{words} ({more})" if comma else words


def in_order(methods):
    """Methods sorted as in METHODS, unknown ones last."""
    return sorted(methods, key=lambda name: list(METHODS).index(name) if name in METHODS else len(METHODS))
