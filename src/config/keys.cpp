#include "config/keys.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace metasieve {
namespace {

/// How values of a type are written as text.
template <class T>
struct Form {
  std::string domain;
  std::function<std::optional<T>(const std::string&)> parse; ///< none if the text is not in the domain
  std::function<std::string(const T&)> text;
  std::vector<std::string> words = {}; ///< see ConfigKey
};

/// A key whose value is field(config), in this form.
template <class T>
ConfigKey key(std::string name, auto field, Affects affects, std::string help, const Form<T>& form) {
  ConfigKey out{std::move(name), affects, std::move(help), form.domain, form.words, {}, {}, false};
  out.set = [field, form, name = out.name](Config& config, const std::string& text) {
    std::optional<T> value = form.parse(text);
    if (!value) throw ConfigError(name + " = " + text + ": must be " + form.domain);
    field(config) = std::move(*value);
  };
  out.get = [field, form](const Config& config) { return form.text(field(config)); };
  return out;
}

template <class Number>
Form<Number> number(std::string domain, std::function<bool(Number)> is_legal) {
  return {std::move(domain),
          [is_legal](const std::string& text) {
            const std::optional<Number> number = parse_number<Number>(text);
            return number && is_legal(*number) ? number : std::nullopt;
          },
          [](const Number& value) { return number_text(value); }};
}

Form<Index> integer(Index low, Index high = 1000000000) {
  return number<Index>("an integer from " + number_text(low) + " to " + number_text(high),
                       [low, high](Index value) { return value >= low && value <= high; });
}

Form<double> real(std::string domain, bool (*is_legal)(double)) {
  return number<double>(std::move(domain), [is_legal](double x) { return std::isfinite(x) && is_legal(x); });
}
Form<double> positive() {
  return real("a number > 0", [](double x) { return x > 0; });
}
Form<double> not_negative() {
  return real("a number >= 0", [](double x) { return x >= 0; });
}
Form<double> share() {
  return real("a number >= 0 and <= 1", [](double x) { return x >= 0 && x <= 1; });
}

Form<Seed> seed() {
  return {"an integer from 0 to 18446744073709551615",
          [](const std::string& text) {
            const auto number = parse_number<std::uint64_t>(text);
            return number ? std::optional(Seed{*number}) : std::nullopt;
          },
          [](Seed seed) { return number_text(static_cast<std::uint64_t>(seed)); }};
}

Form<std::string> free_text(std::string domain) {
  const auto same = [](const std::string& text) { return text; };
  return {std::move(domain), same, same};
}

/// One of these words, which are in the order of the enumeration.
template <class Enum>
Form<Enum> choice(std::vector<std::string> words) {
  return {joined(words, " | "),
          [words](const std::string& text) {
            const auto found = std::find(words.begin(), words.end(), text);
            return found != words.end() ? std::optional(static_cast<Enum>(found - words.begin()))
                                        : std::nullopt;
          },
          [words](Enum value) { return words[static_cast<std::size_t>(value)]; }, words};
}

Form<bool> flag() {
  Form<bool> form = choice<bool>({"false", "true"});
  form.domain = "true or false";
  return form;
}

Form<FeatureSet> feature_set() {
  Form<FeatureSet> form = choice<FeatureSet>({"basic", "full", "context", "relative", "fair"});
  form.parse = [](const std::string& text) { return parse_feature_set(text); };
  return form;
}

/// 1 to `most` values of this form, divided by commas.
template <class T>
Form<std::vector<T>> list(std::string domain, const Form<T>& item, std::size_t most) {
  return {std::move(domain),
          [item, most](const std::string& text) -> std::optional<std::vector<T>> {
            std::vector<T> values;
            for (const std::string& word : split(text, ',')) {
              const std::optional<T> value = item.parse(word);
              if (!value) return std::nullopt;
              values.push_back(*value);
            }
            return values.empty() || values.size() > most ? std::nullopt : std::optional(values);
          },
          [item](const std::vector<T>& values) {
            std::vector<std::string> words;
            for (const T& value : values) words.push_back(item.text(value));
            return joined(words, ",");
          },
          item.words};
}

/// A list in ascending order, without repetition.
template <class T>
Form<std::vector<T>> ascending(Form<std::vector<T>> form) {
  form.parse = [parse = form.parse](const std::string& text) {
    auto values = parse(text);
    if (!values) return values;
    std::sort(values->begin(), values->end());
    values->erase(std::unique(values->begin(), values->end()), values->end());
    return values;
  };
  return form;
}

/// Counts, ascending; none of them: "auto".
Form<std::vector<Index>> counts() {
  Form<std::vector<Index>> form = ascending(
      list("auto, or 1 to 100 comma-separated integers from 1 to 1000000", integer(1, 1000000), 100));
  form.parse = [parse = form.parse](const std::string& text) {
    return text == "auto" ? std::vector<Index>() : parse(text);
  };
  form.text = [as_list = form.text](const std::vector<Index>& values) {
    return values.empty() ? "auto" : as_list(values);
  };
  return form;
}

/// Methods without repetition; none of them: "auto". Every result is compared with the baseline, so it is
/// always there.
Form<std::vector<Method>> methods() {
  Form<Method> method = choice<Method>(method_names());
  method.parse = [](const std::string& name) { return parse_method(name); };
  Form<std::vector<Method>> form =
      list("auto, all, or a comma-separated list of " + joined(method_names()), method, 1000);
  form.words.insert(form.words.begin(), {"auto", "all"});
  form.parse = [parse = form.parse](const std::string& text) -> std::optional<std::vector<Method>> {
    if (text == "auto") return std::vector<Method>();
    if (text == "all") return parse(joined(method_names(), ","));
    std::vector<Method> distinct;
    const std::vector<Method> given = parse(text).value_or(std::vector<Method>());
    if (std::find(given.begin(), given.end(), Method::baseline) == given.end())
      distinct.push_back(Method::baseline);
    for (const Method one : given)
      if (std::find(distinct.begin(), distinct.end(), one) == distinct.end()) distinct.push_back(one);
    return distinct;
  };
  form.text = [as_list = form.text](const std::vector<Method>& values) {
    return values.empty() ? "auto" : as_list(values);
  };
  return form;
}

/// Corruptions without repetition: each is a source of its own.
Form<std::vector<LabelCorruption>> corruptions() {
  const Form<LabelCorruption> one{
      "",
      [](const std::string& text) { return parse_label_corruption(text); },
      [](const LabelCorruption& value) { return to_string(value); },
      {"none", "flips:0.1", "hidden:0.3", "groups", "lowest_loss:0.1", "clustered:0.1"}};
  Form<std::vector<LabelCorruption>> form = list(
      "a comma-separated list of none, flips:RATE, hidden:SHARE, groups, lowest_loss:RATE, clustered:RATE, "
      "each once, with RATE >= 0 and < 0.5, SHARE >= 0 and <= 1",
      one, 100);
  form.parse = [parse = form.parse](const std::string& text) {
    auto values = parse(text);
    if (!values) return values;
    for (auto value = values->begin(); value != values->end(); ++value)
      if (std::find(values->begin(), value, *value) != value) return decltype(values)();
    return values;
  };
  return form;
}

/// evaluate.label_noise: the rate of flips, if they are the only corruption.
ConfigKey label_noise(const Form<double>& rate) {
  ConfigKey out{"evaluate.label_noise",
                Affects::evaluation,
                "shorthand of evaluate.corruption = flips:RATE",
                rate.domain,
                {},
                {},
                {},
                true};
  out.set = [rate, name = out.name](Config& config, const std::string& text) {
    const std::optional<double> value = rate.parse(text);
    if (!value) throw ConfigError(name + " = " + text + ": must be " + rate.domain);
    config.evaluate.corruptions = {LabelCorruption{LabelCorruption::Kind::flips, *value}};
  };
  out.get = [rate](const Config& config) {
    const std::vector<LabelCorruption>& all = config.evaluate.corruptions;
    return all.size() == 1 && all[0].kind == LabelCorruption::Kind::flips ? rate.text(all[0].rate) : "";
  };
  return out;
}

Form<std::string> mixture_text() {
  Form<std::string> form = free_text("NAME:SHARE,NAME:SHARE with shares > 0");
  form.parse = [](const std::string& text) {
    static_cast<void>(mixture_names(text));
    return text;
  };
  return form;
}

// A place in Config; and a place whose path is also the name of the key.
#define FIELD(path)                                                                                          \
  [](auto& config) -> auto& { return config.path; } // NOLINT(bugprone-macro-parentheses)
#define NAMED(path) #path, FIELD(path)

/// A key that sets how policies are adapted asks for adaptation on suites too. In the resolved text
/// evaluate.adapt follows, and has the last word.
ConfigKey asking_to_adapt(ConfigKey key) {
  key.set = [set = std::move(key.set)](Config& config, const std::string& value) {
    set(config, value);
    config.evaluate.adaptation = Adaptation::always;
  };
  return key;
}

std::vector<ConfigKey> make_keys() {
  using enum Affects;
  const Form<double> open_unit = real("a number > 0 and < 1", [](double x) { return x > 0 && x < 1; });
  const Form<double> half_unit = real("a number >= 0 and < 0.5", [](double x) { return x >= 0 && x < 0.5; });
  const auto reals = list("1 to 100 comma-separated numbers >= 0", not_negative(), 100);
  const auto widths = list("1 to 8 comma-separated integers from 1 to 4096", integer(1, 4096), 8);
  const auto kinds =
      ascending(list("strong, weak, or strong,weak", choice<ScalingKind>({"strong", "weak"}), 100));
  return {
      key(NAMED(suite.tasks), tasks, "tasks of the suite, validation tasks included", integer(1)),
      key(NAMED(suite.validation_tasks), policy, "the last tasks, kept from training", integer(0)),
      key(NAMED(suite.seed), tasks, "of every random number of the suite", seed()),
      key(NAMED(suite.mixture), tasks, "families and their shares", mixture_text()),
      key(NAMED(suite.hold), nothing, "tasks of a rank: kept, or made again for each use",
          choice<Hold>({"memory", "regenerate"})),
      key(NAMED(suite.hold_features), nothing, "with regenerate: are features kept, or made again too?",
          flag()),
      key(NAMED(policy.features), policy, "meta-features the policy sees", feature_set()),
      key(NAMED(policy.hidden), policy, "widths of the hidden layers", widths),
      key(NAMED(policy.keep), policy, "share of rows kept; mean of the soft weights", open_unit),
      key(NAMED(policy.temperature), policy, "of the soft weights", positive()),
      key("policy.precision", FIELD(precision), policy, "of the network and the features",
          choice<Precision>({"float32", "float64"})),
      key(NAMED(inner.method), policy, "how the inner fit is made and differentiated",
          choice<InnerMethod>({"implicit", "unrolled", "first-order"})),
      key("inner.steps", FIELD(inner.unrolled.steps), policy, "gradient steps (unrolled, first-order)",
          integer(1)),
      key("inner.step_size", FIELD(inner.unrolled.step_size), policy, "of a gradient step", positive()),
      key("inner.start", FIELD(inner.unrolled.start), policy, "of the gradient steps",
          choice<Start>({"zero", "probe"})),
      key("inner.precondition", FIELD(inner.unrolled.precondition), policy,
          "gradient steps by (X'X/n + 1e-3 I)^-1", flag()),
      key(NAMED(inner.ridge), policy, "penalty of the logistic regressions", positive()),
      key(NAMED(inner.use_group), policy, "is the group an input of the model?", flag()),
      key(NAMED(meta.iterations), policy, "updates of the policy", integer(1)),
      key(NAMED(meta.batch), policy, "tasks per iteration; 0: all", integer(0)),
      key(NAMED(meta.support), policy, "training rows drawn per task and iteration; 0: all", integer(0)),
      key(NAMED(meta.learning_rate), policy, "of Adam; x 0.3 after 70 %", not_negative()),
      key("meta.fairness", FIELD(meta.outer.fairness), policy, "gap in the outer loss",
          choice<Gap>({"dp", "eo", "both", "none"})),
      key("meta.fairness_weight", FIELD(meta.outer.fairness_weight), policy, "of the gap", not_negative()),
      key("meta.accuracy_loss", FIELD(meta.outer.accuracy_loss), policy, "accuracy term",
          choice<AccuracyLoss>({"logistic", "zero-one", "balanced"})),
      key(NAMED(meta.clip), policy, "largest norm of the mean gradient; 0: off", not_negative()),
      key(NAMED(meta.seed), policy, "of the initial policy, batches and support rows", seed()),
      key(NAMED(meta.validate_every), policy, "iterations; 0: only before and after", integer(0)),
      key(NAMED(output.checkpoint_every), nothing, "iterations; 0: only the last", integer(0)),
      key(NAMED(output.checkpoint_minutes), nothing, "wall time; 0: off", not_negative()),
      key(NAMED(output.log_every), nothing, "iterations between lines when not on a terminal", integer(1)),
      key(NAMED(output.save_gradients), nothing, "keep every meta-gradient in results.h5", flag()),
      key(NAMED(output.io), nothing, "how ranks write a file: together by MPI-IO, or all through rank 0",
          choice<FileIo>({"collective", "gather"})),
      key(NAMED(run.max_minutes), nothing,
          "wall time; stops before it with a checkpoint, exit code 75; 0: off", not_negative()),
      key(NAMED(run.margin_minutes), nothing, "stops so long before SLURM ends the job", not_negative()),
      key(NAMED(run.max_failed), nothing, "share of task fits that may fail before the run ends with 4",
          share()),
      key(NAMED(evaluate.methods), evaluation, "methods to compare; auto: few on data sets, more on suites",
          methods()),
      key(NAMED(evaluate.splits), evaluation, "random 70/30 splits of a data set", integer(1)),
      key("evaluate.corruption", FIELD(evaluate.corruptions), evaluation,
          "of the training labels of data sets, for comparing methods", corruptions()),
      label_noise(half_unit),
      key(NAMED(evaluate.seed), evaluation, "of splits, flips, features, untrained policy, intervals",
          seed()),
      key(NAMED(evaluate.fairness), evaluation, "gap that fair peers and the adaptation lower",
          choice<Gap>({"dp", "eo"})),
      key(NAMED(evaluate.roh_tau), evaluation, "share of rows roh keeps; 0: the true share of clean labels",
          share()),
      key(NAMED(evaluate.penalty), evaluation, "weight of the gap in penalised", not_negative()),
      key(NAMED(evaluate.tolerance), evaluation,
          "gap on training rows that threshold, error_parity, exponentiated allow", share()),
      asking_to_adapt(key("evaluate.refit_rounds", FIELD(evaluate.selection.rounds), evaluation,
                          "refits of probe and features on the kept rows", integer(0))),
      key("evaluate.refit_below_correlation", FIELD(evaluate.selection.agreement), evaluation,
          "refits only where linear and nonlinear margins correlate less; 1: always", share()),
      asking_to_adapt(key("evaluate.adapt_steps", FIELD(evaluate.selection.adapt.steps), evaluation,
                          "meta-steps of the adaptation, on halves of the noisy training rows", integer(0))),
      key("evaluate.adapt_support", FIELD(evaluate.selection.adapt.support), evaluation,
          "rows of each half at most; 0: all", integer(0)),
      key("evaluate.adapt_learning_rate", FIELD(evaluate.selection.adapt.learning_rate), evaluation,
          "of these steps, by Adam", positive()),
      key("evaluate.adapt_fairness_weight", FIELD(evaluate.selection.adapt.outer.fairness_weight), evaluation,
          "of the gap in the adaptation", not_negative()),
      key("evaluate.blend", FIELD(evaluate.selection.blend), evaluation,
          "is the mean of the trained and the adapted policy's weights taken, or are the adapted one's?",
          flag()),
      key("evaluate.adapt", FIELD(evaluate.adaptation), evaluation,
          "to what the policy is adapted: to data sets (auto), to generated tasks too, or to nothing",
          choice<Adaptation>({"auto", "always", "none"})),
      key("evaluate.frontier_weights", FIELD(evaluate.frontier.weights), evaluation,
          "of the gap, for --frontier: adaptation, penalised", reals),
      key("evaluate.frontier_tolerances", FIELD(evaluate.frontier.tolerances), evaluation,
          "of threshold, for --frontier", reals),
      key(NAMED(scaling.kinds), nothing, "same work for all cores (strong), or for each (weak)", kinds),
      key(NAMED(scaling.ranks), nothing, "auto: powers of two up to the job's, and these", counts()),
      key(NAMED(scaling.threads), nothing, "of each rank; auto: the job's", counts()),
      key(NAMED(scaling.repeats), nothing, "trainings at each point", integer(1)),
      key(NAMED(scaling.weak_tasks), nothing,
          "training tasks a core in weak scaling; meta.batch too is a core's", integer(1)),
      key(NAMED(sweep.together), nothing, "swept keys that are walked in step, not crossed",
          free_text("KEY, KEY; several such groups are divided by ;")),
      key(NAMED(sweep.samples), nothing, "points of the keys that are uniform() or log()", integer(0)),
      key(NAMED(sweep.sampling), nothing, "how these are drawn", choice<Sampling>({"latin", "random"})),
      key(NAMED(sweep.seed), nothing, "of these draws", seed()),
      key(NAMED(sweep.ranks_per_point), nothing, "ranks that work on one point together; 0: all", integer(0)),
      key(NAMED(sweep.attempts), nothing, "starts of a point whose process dies, before it is failed",
          integer(1)),
      key(NAMED(sweep.halving), nothing,
          "rung by rung, 1 of so many points is promoted to so many times the iterations; 0: off",
          integer(0)),
      key(NAMED(sweep.rungs), nothing, "of the halving at most; 0: as many as points and iterations allow",
          integer(0)),
      key(NAMED(sweep.keep), nothing, "of a finished point: its folder, or its row; the best policy stays",
          choice<Keep>({"points", "table"})),
      key(NAMED(sweep.evaluate_tasks), nothing,
          "held-out tasks, of the point's mixture, to evaluate on; 0: none", integer(0)),
      key(NAMED(sweep.evaluate_seed), nothing, "of the held-out tasks", seed()),
      key(NAMED(sweep.suite), nothing, "suite file to train on; as --suite", free_text("FILE")),
      key(NAMED(sweep.datasets), nothing, "data sets to evaluate on instead of held-out tasks; as --dataset",
          free_text("FILE; FILE")),
  };
}

#undef NAMED
#undef FIELD

} // namespace

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_keys();
  return keys;
}

const ConfigKey* find_key(const std::string& name) {
  const auto found = std::ranges::find(config_keys(), name, &ConfigKey::name);
  return found == config_keys().end() ? nullptr : &*found;
}

const KeyValues& renamed_keys() {
  static const KeyValues renamed{{"evaluate.rounds", "evaluate.refit_rounds"},
                                 {"evaluate.rounds_agreement", "evaluate.refit_below_correlation"}};
  return renamed;
}

std::string current_name(const std::string& name) {
  for (const auto& [old, current] : renamed_keys())
    if (name == old) return current;
  return name;
}

} // namespace metasieve
