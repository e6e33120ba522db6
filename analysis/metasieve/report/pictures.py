"""The pictures of a report, with captions that explain them, and their contents in words."""
import math
from dataclasses import dataclass

from ..files import has_gaps, summary_of
from ..groups import groups_of, shown_methods
from ..methods import spoken
from ..plots import comparison, frontier, groups as group_plots, learning, noise, response, scaling, suite as suites
from ..plots import sweep as sweeps
from ..tables.results import MAIN, main_of_sweep
from .words import at_point, count, listed, on_training, ours

MOST_PANELS = 6  # in one picture


@dataclass
class Picture:
    """A figure with its title and texts."""
    title: str
    figure: object  # of matplotlib
    caption: str  # how to read it
    alt: str  # its contents, for readers who cannot see it


def level(methods, method, metric):
    cell = methods.get(method, {}).get(metric)
    return f"{cell['mean']:.3f}" if cell and not math.isnan(cell["mean"]) else "undefined"


def levels(panels, metric):
    """Returns the key numbers of each source: accuracy, and a gap if it has groups, of all rows and of metasieve."""
    return "; ".join(f"{source}: " + ", ".join(
        f"{spoken(method)} {level(methods, method, 'accuracy')}"
        + (f" and {level(methods, method, metric)}" if has_gaps(methods) else "")
        for method in ("baseline", ours(methods)) if method in methods) for source, methods in panels)


def of_evaluation(evaluation):
    """Yields the pictures of an evaluation."""
    panels = list(summary_of(evaluation).items())
    grouped = [panel for panel in panels if has_gaps(panel[1])]
    ungrouped = [panel for panel in panels if not has_gaps(panel[1])]
    name = evaluation.path.name
    for start in range(0, len(grouped), MOST_PANELS):
        some = grouped[start:start + MOST_PANELS]
        for gap in ("eo_gap", "dp_gap"):
            yield Picture(
                f"Accuracy against the {MAIN[gap]}: {listed([source for source, _ in some])}",
                comparison.plot(some, gap),
                "Each mark is a method, its mean over the repeats with 95 % intervals. Further left is fairer, "
                "further up is more accurate. Oracles know the clean labels: a bound, not a choice.",
                f"Scatter plot of {name}, accuracy and {MAIN[gap]} of each method. {levels(some, gap)}.")
    for start in range(0, len(ungrouped), MOST_PANELS):
        some = ungrouped[start:start + MOST_PANELS]
        yield Picture(f"Accuracy of each method: {listed([source for source, _ in some])}", comparison.plot(some),
                      "Each mark is a method, its mean over the repeats with 95 % interval. Further right is more "
                      "accurate. Oracles know the clean labels: a bound, not a choice.",
                      f"Dot plot of {name}, accuracy of each method. {levels(some, 'accuracy')}.")
    for source, found in groups_of(evaluation).items():
        methods = shown_methods(found)
        yield Picture(f"Groups of {source}", group_plots.plot([(source, found, methods)]),
                      "Each line is a group with its test rows: rates of the model of all rows and of metasieve, with "
                      "95 % intervals. Fair by equalised odds is a model whose true and false positive rates are the "
                      "same in all groups.", f"Dot plot of {name}, rates by group. "
                      + "; ".join(group_plots.in_words(group, methods) for group in found) + ".")
    if "frontier" in evaluation and grouped:
        yield Picture("What fairness costs", frontier.plot(frontier.panels_of(evaluation, "eo_gap"), "eo_gap"),
                      "Each curve is one method over its settings, from little to much fairness asked for. Of two "
                      "curves the one further up and left is better.",
                      f"Curves of accuracy against the equalised-odds gap of {name}. At the settings evaluated, "
                      f"{levels(grouped, 'eo_gap')}.")
    if "evaluation" in evaluation and len(noise.rows_of(evaluation)):  # none where no label is known to be wrong
        table = noise.table_of(evaluation)
        yield Picture("Noise kept out of the selection", noise.plot(table),
                      "100 % is a selection without wrong labels, 0 % one as noisy as all rows; below, it is noisier.",
                      f"Noise reduction of each method of {name}. " + reduction(panels))
    if "response" in evaluation and len(evaluation.table("response")):
        table = response.table_of(evaluation)
        first = response.strength(table).sort_values(ascending=False)
        yield Picture("What the policy looks at", response.plot(table),
                      "How the mean keep weight moves when one meta-feature of all rows is set to its quantiles. "
                      "A flat line is a feature that the policy does not use alone.",
                      f"Small panels, one a meta-feature, of {name}. The keep weight moves most by " + listed(
                          [f"{feature.replace('_', ' ')} ({value:.2f})" for feature, value in first.head(3).items()])
                      + ".")


def reduction(panels):
    """Returns sentences on the share of wrong labels before and after selection."""
    said = []
    for source, methods in panels:
        before, after = (methods.get(method, {}).get("noise_rate_selected", {}).get("mean", math.nan)
                         for method in ("baseline", ours(methods)))
        if not math.isnan(before + after):
            said.append(f"{source}: {100 * before:.1f} % of all training labels are wrong, {100 * after:.1f} % of "
                        f"those that {spoken(ours(methods))} keeps")
    return "; ".join(said) + "." if said else "No rate of wrong labels is defined."


def of_training(training):
    history = training.table("history")
    ends = f" The training loss goes from {history['loss'].iloc[0]:.3f} to {history['loss'].iloc[-1]:.3f}." \
        if len(history) else ""
    yield Picture("How the training went", learning.plot(training),
                  "Solid: the policy as it is trained. Dashed: before training. Dotted: all rows kept. Accuracy should "
                  "rise above both, gaps should fall below.",
                  f"Six panels over the iterations. {on_training(training)}{ends}")


def of_suite(suite):
    metadata = suite.table("metadata")
    noise_rate, size = (metadata[name].mean() for name in ("train_actual_noise_rate", "n_samples"))
    yield Picture(f"The tasks of {suite.path.name}", suites.plot_diversity(metadata),
                  "Each histogram counts tasks. A policy is trusted on data like those it was trained on: wide "
                  "histograms are good.",
                  f"Histograms over {count(len(metadata), 'task')}: on average {size:,.0f} rows, "
                  f"{metadata['n_features'].mean():.0f} features and {100 * noise_rate:.0f} % wrong training labels.")
    largest = suites.correlation_table(metadata)
    if len(largest) < 2:
        return
    yield Picture(f"What goes together in the tasks of {suite.path.name}", suites.plot_correlation(metadata),
                  "Near 0, two parameters were drawn independently of each other; near 1 or -1 the policy cannot tell "
                  "their effects apart.",
                  f"Matrix of correlations of {len(largest)} parameters; the strongest: {strongest(largest)}.")


def strongest(table):
    """Returns the pair of parameters with the largest correlation, in words."""
    pairs = [(abs(table.loc[a, b]), a, b) for i, a in enumerate(table) for b in list(table)[:i]
             if not math.isnan(table.loc[a, b])]
    if not pairs:
        return "none is defined"
    _, a, b = max(pairs)
    return f"{suites.PARAMETERS[a]} and {suites.PARAMETERS[b]} ({table.loc[a, b]:.2f})"


SWEEP = {"_effects": ("What each swept key does", "A column a key, a row a metric: dots are points of the sweep, the "
                      "line is their mean, dotted is training on all rows."),
         "_maps": ("Pairs of keys", "Each cell is the mean over the points with these two values; the frame marks the "
                   "best."),
         "_parallel": ("All keys at once", "A line a point, through its settings on the left and its results on "
                       "the right; follow the colours of low gaps back to the settings.")}


def of_sweep(sweep):
    points = sweep.table("points")
    method = sweeps.method_of(sweeps.done(sweep))
    best = listed([text for metric in main_of_sweep(points, method) for text in at_point(points, method, metric)])
    for ending, figure, _ in sweeps.plots(sweep):
        title, caption = SWEEP[ending]
        yield Picture(title, figure, caption, f"{title}, {len(points)} points: {best}.")


def of_scaling(contents):
    study = scaling.studied(contents)
    said = "; ".join(f"{row.kind}, {row.ranks} x {row.threads}: efficiency {row.efficiency:.2f}"
                     for row in study.summary.itertuples())
    yield Picture("Efficiency", scaling.plot_efficiency(study.summary, study.parameters),
                  "1 is perfect: twice the cores do twice the work. Bars: the least and most of the repeats.",
                  f"Parallel efficiency against cores. {said}.")
    yield Picture("Where the time goes", scaling.plot_phases(study.phases),
                  "Above, the time of an iteration; below, what comes once. What grows with the cores limits scaling.",
                  "Stacked bars of the phases of an iteration. " + "; ".join(
                      f"{row.kind}, {row.ranks} x {row.threads}: inner fit {row.inner:.3g} s, policy "
                      f"{row.policy:.3g} s, waiting {row.wait:.3g} s" for row in study.phases.itertuples()) + ".")


def pictures(folder):
    """Yields (picture, None), or (None, problem) if a picture cannot be drawn."""
    for files, kind in ((folder.of("evaluation"), of_evaluation), (folder.of("sweep"), of_sweep),
                        (folder.of("scaling"), of_scaling), (folder.trainings, of_training),
                        (folder.of("suite"), of_suite)):
        for one in files:
            try:
                for picture in kind(one):
                    yield picture, None
            except (ValueError, KeyError, IndexError) as error:
                yield None, f"{one.path.name}: {error.args[0] if error.args else error}"
