#include "config/keys.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace metasieve {
namespace {

[[noreturn]] void reject(const ConfigKey& key, const std::string& value) {
  throw ConfigError(key.name + " = " + value + ": must be " + key.domain);
}

/// A key whose value is Field(config), read as Read(key, text) and written as Write(value).
template <auto Field, auto Read, auto Write>
ConfigKey make_key(std::string name, std::string help, std::string domain) {
  return {
      std::move(name), std::move(help), std::move(domain),
      [](Config& config, const ConfigKey& key, const std::string& text) { Field(config) = Read(key, text); },
      [](const Config& config) -> std::string { return Write(Field(config)); }};
}

template <class Number>
Number read_number(const ConfigKey& key, const std::string& text) {
  const std::optional<Number> number = parse_number<Number>(text);
  if (!number) reject(key, text);
  return *number;
}

/// 1 to `most` comma-separated numbers, each of which `is_legal`.
template <class Number>
std::vector<Number> read_numbers(const ConfigKey& key, const std::string& text, std::size_t most,
                                 const auto& is_legal) {
  std::vector<Number> numbers;
  for (const std::string& word : split(text, ',')) {
    const std::optional<Number> number = parse_number<Number>(word);
    if (!number || !is_legal(*number)) reject(key, text);
    numbers.push_back(*number);
  }
  if (numbers.empty() || numbers.size() > most) reject(key, text);
  return numbers;
}

constexpr auto as_number = [](auto number) { return number_text(number); };
constexpr auto as_text = [](const std::string& text) { return text; };
constexpr auto as_list = [](const auto& values, const auto& text_of) {
  std::vector<std::string> words;
  for (const auto value : values) words.emplace_back(text_of(value));
  return joined(words, ",");
};

// Makers of keys. `Field` is a captureless lambda: Config& -> the value's reference.

template <auto Field, Index Low>
ConfigKey integer(std::string name, std::string help) {
  constexpr auto read = [](const ConfigKey& key, const std::string& text) {
    const auto number = read_number<Index>(key, text);
    if (number < Low || number > 1000000000) reject(key, text);
    return number;
  };
  return make_key<Field, read, as_number>(std::move(name), std::move(help),
                                          "an integer from " + number_text(Low) + " to 1000000000");
}

template <auto Field>
ConfigKey seed(std::string name, std::string help) {
  constexpr auto read = [](const ConfigKey& key, const std::string& text) {
    return Seed{read_number<std::uint64_t>(key, text)};
  };
  constexpr auto write = [](Seed seed) { return number_text(static_cast<std::uint64_t>(seed)); };
  return make_key<Field, read, write>(std::move(name), std::move(help),
                                      "an integer from 0 to 18446744073709551615");
}

enum class Bounds { positive, not_negative, open_unit, half_unit, share };

template <auto Field, Bounds Domain>
ConfigKey real(std::string name, std::string help) {
  constexpr std::array<const char*, 5> domains{"a number > 0", "a number >= 0", "a number > 0 and < 1",
                                               "a number >= 0 and < 0.5", "a number >= 0 and <= 1"};
  constexpr auto read = [](const ConfigKey& key, const std::string& text) {
    const auto number = read_number<double>(key, text);
    const bool above = Domain == Bounds::positive || Domain == Bounds::open_unit ? number > 0 : number >= 0;
    const double limit = Domain == Bounds::open_unit   ? 1.0
                         : Domain == Bounds::half_unit ? 0.5
                         : Domain == Bounds::share     ? std::nextafter(1.0, 2.0)
                                                       : std::numeric_limits<double>::infinity();
    if (!above || !(number < limit)) reject(key, text);
    return number;
  };
  return make_key<Field, read, as_number>(std::move(name), std::move(help),
                                          domains[static_cast<std::size_t>(Domain)]);
}

template <auto Field>
ConfigKey flag(std::string name, std::string help) {
  constexpr auto read = [](const ConfigKey& key, const std::string& text) {
    if (text != "true" && text != "false") reject(key, text);
    return text == "true";
  };
  constexpr auto write = [](bool is_set) { return is_set ? "true" : "false"; };
  return make_key<Field, read, write>(std::move(name), std::move(help), "true or false");
}

template <auto Field>
ConfigKey free_text(std::string name, std::string help, std::string domain) {
  constexpr auto read = [](const ConfigKey&, const std::string& text) { return text; };
  return make_key<Field, read, as_text>(std::move(name), std::move(help), std::move(domain));
}

/// One of the words of an enumeration, which are in its order.
template <auto Words, auto Field>
ConfigKey choice(std::string name, std::string help) {
  using Value = std::decay_t<decltype(Field(std::declval<Config&>()))>;
  constexpr auto read = [](const ConfigKey& key, const std::string& text) {
    const auto all = Words();
    const auto* const found = std::find(all.begin(), all.end(), text);
    if (found == all.end()) reject(key, text);
    return static_cast<Value>(found - all.begin());
  };
  constexpr auto write = [](Value value) { return std::string(Words()[static_cast<std::size_t>(value)]); };
  std::string domain;
  for (const std::string_view word : Words()) domain += (domain.empty() ? "" : " | ") + std::string(word);
  return make_key<Field, read, write>(std::move(name), std::move(help), domain);
}

constexpr auto as_numbers = [](const auto& numbers) { return as_list(numbers, as_number); };

template <auto Field>
ConfigKey layer_widths(std::string name, std::string help) {
  constexpr auto read = [](const ConfigKey& key, const std::string& text) {
    return read_numbers<Index>(key, text, 8, [](Index width) { return width >= 1 && width <= 4096; });
  };
  return make_key<Field, read, as_numbers>(std::move(name), std::move(help),
                                           "1 to 8 comma-separated integers from 1 to 4096");
}

template <auto Field>
ConfigKey list_of_reals(std::string name, std::string help) {
  constexpr auto read = [](const ConfigKey& key, const std::string& text) {
    return read_numbers<double>(key, text, 100, [](double x) { return x >= 0 && std::isfinite(x); });
  };
  return make_key<Field, read, as_numbers>(std::move(name), std::move(help),
                                           "1 to 100 comma-separated numbers >= 0");
}

/// Counts, ascending; none of them: "auto".
template <auto Field>
ConfigKey list_of_counts(std::string name, std::string help) {
  constexpr auto read = [](const ConfigKey& key, const std::string& text) {
    if (text == "auto") return std::vector<Index>();
    auto counts = read_numbers<Index>(key, text, 100, [](Index n) { return n >= 1 && n <= 1000000; });
    std::sort(counts.begin(), counts.end());
    counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
    return counts;
  };
  constexpr auto write = [](const std::vector<Index>& counts) {
    return counts.empty() ? "auto" : as_numbers(counts);
  };
  return make_key<Field, read, write>(std::move(name), std::move(help),
                                      "auto, or 1 to 100 comma-separated integers from 1 to 1000000");
}

constexpr auto read_kinds = [](const ConfigKey& key, const std::string& text) {
  std::vector<ScalingKind> kinds;
  const std::vector<std::string> words = split(text, ',');
  for (const std::string& word : words)
    if (word != "strong" && word != "weak") reject(key, text);
  for (const ScalingKind kind : {ScalingKind::strong, ScalingKind::weak})
    if (std::find(words.begin(), words.end(), kind == ScalingKind::strong ? "strong" : "weak") != words.end())
      kinds.push_back(kind);
  if (kinds.empty()) reject(key, text);
  return kinds;
};
constexpr auto as_kinds = [](const std::vector<ScalingKind>& kinds) {
  return as_list(kinds, [](ScalingKind kind) { return kind == ScalingKind::strong ? "strong" : "weak"; });
};

constexpr auto read_mixture = [](const ConfigKey&, const std::string& text) {
  static_cast<void>(mixture_names(text));
  return text;
};

/// Methods without repetition. Every result is compared with the baseline, so it is always there.
constexpr auto read_methods = [](const ConfigKey&, const std::string& text) {
  std::vector<Method> methods;
  for (const std::string& name : split(text, ',')) {
    const Method method = parse_method(name);
    if (std::find(methods.begin(), methods.end(), method) == methods.end()) methods.push_back(method);
  }
  if (std::find(methods.begin(), methods.end(), Method::baseline) == methods.end())
    methods.insert(methods.begin(), Method::baseline);
  return methods;
};
constexpr auto as_methods = [](const std::vector<Method>& methods) {
  return as_list(methods, [](Method method) { return to_string(method); });
};

constexpr auto read_features = [](const ConfigKey& key, const std::string& text) {
  const std::optional<FeatureSet> set = parse_feature_set(text);
  if (!set) reject(key, text);
  return *set;
};
constexpr auto as_features = [](FeatureSet set) { return std::string(to_string(set)); };
constexpr auto precision_words = [] { return std::array<std::string_view, 2>{"float32", "float64"}; };
constexpr auto method_words = [] {
  return std::array<std::string_view, 3>{"implicit", "unrolled", "first-order"};
};
constexpr auto hold_words = [] { return std::array<std::string_view, 2>{"memory", "regenerate"}; };
constexpr auto start_words = [] { return std::array<std::string_view, 2>{"zero", "probe"}; };
constexpr auto gap_words = [] { return std::array<std::string_view, 4>{"dp", "eo", "both", "none"}; };
constexpr auto peer_gap_words = [] { return std::array<std::string_view, 2>{"dp", "eo"}; };
constexpr auto accuracy_words = [] { return std::array<std::string_view, 2>{"logistic", "zero-one"}; };

constexpr auto sampling_words = [] { return std::array<std::string_view, 2>{"latin", "random"}; };

#define FIELD(path) ([](auto& c) -> auto& { return c.path; })

/// All keys of the groups, in their order, each with what its group affects.
std::vector<ConfigKey> with_effects(const std::vector<std::pair<Affects, std::vector<ConfigKey>>>& groups) {
  std::vector<ConfigKey> all;
  for (const auto& [affects, keys] : groups)
    for (const ConfigKey& key : keys) all.emplace_back(key).affects = affects;
  return all;
}

std::vector<ConfigKey> make_keys() {
  return with_effects({
      {Affects::tasks,
       {integer<FIELD(suite.tasks), 1>("suite.tasks", "tasks of the suite, validation tasks included")}},
      {Affects::policy,
       {integer<FIELD(suite.validation_tasks), 0>("suite.validation_tasks",
                                                  "the last tasks, kept from training")}},
      {Affects::tasks,
       {seed<FIELD(suite.seed)>("suite.seed", "of every random number of the suite"),
        make_key<FIELD(suite.mixture), read_mixture, as_text>("suite.mixture", "families and their shares",
                                                              "NAME:SHARE,NAME:SHARE with shares > 0")}},
      {Affects::nothing,
       {choice<hold_words, FIELD(suite.hold)>("suite.hold",
                                              "tasks of a rank: kept, or made anew for each use"),
        flag<FIELD(suite.hold_features)>("suite.hold_features",
                                         "with regenerate: are features kept, or made anew too?")}},
      {Affects::policy,
       {make_key<FIELD(policy.features), read_features, as_features>(
            "policy.features", "meta-features the policy sees", "basic | full | context"),
        layer_widths<FIELD(policy.hidden)>("policy.hidden", "widths of the hidden layers"),
        real<FIELD(policy.keep), Bounds::open_unit>("policy.keep",
                                                    "share of rows kept; mean of the soft weights"),
        real<FIELD(policy.temperature), Bounds::positive>("policy.temperature", "of the soft weights"),
        choice<precision_words, FIELD(precision)>("policy.precision", "of the network and the features"),
        choice<method_words, FIELD(inner.method)>("inner.method",
                                                  "how the inner fit is made and differentiated"),
        integer<FIELD(inner.unrolled.steps), 1>("inner.steps", "gradient steps (unrolled, first-order)"),
        real<FIELD(inner.unrolled.step_size), Bounds::positive>("inner.step_size", "of a gradient step"),
        choice<start_words, FIELD(inner.unrolled.start)>("inner.start", "of the gradient steps"),
        flag<FIELD(inner.unrolled.precondition)>("inner.precondition",
                                                 "gradient steps by (X'X/n + 1e-3 I)^-1"),
        real<FIELD(inner.ridge), Bounds::positive>("inner.ridge", "penalty of the logistic regressions"),
        flag<FIELD(inner.use_group)>("inner.use_group", "is the group an input of the model?"),
        integer<FIELD(meta.iterations), 1>("meta.iterations", "updates of the policy"),
        integer<FIELD(meta.batch), 0>("meta.batch", "tasks per iteration; 0: all"),
        integer<FIELD(meta.support), 0>("meta.support", "training rows drawn per task and iteration; 0: all"),
        real<FIELD(meta.learning_rate), Bounds::not_negative>("meta.learning_rate",
                                                              "of Adam; x 0.3 after 70 %"),
        choice<gap_words, FIELD(meta.outer.fairness)>("meta.fairness", "gap in the outer loss"),
        real<FIELD(meta.outer.fairness_weight), Bounds::not_negative>("meta.fairness_weight", "of the gap"),
        choice<accuracy_words, FIELD(meta.outer.accuracy_loss)>("meta.accuracy_loss", "accuracy term"),
        real<FIELD(meta.clip), Bounds::not_negative>("meta.clip",
                                                     "largest norm of the mean gradient; 0: off"),
        seed<FIELD(meta.seed)>("meta.seed", "of the initial policy, batches and support rows"),
        integer<FIELD(meta.validate_every), 0>("meta.validate_every",
                                               "iterations; 0: only before and after")}},
      {Affects::nothing,
       {integer<FIELD(output.checkpoint_every), 0>("output.checkpoint_every", "iterations; 0: only the last"),
        real<FIELD(output.checkpoint_minutes), Bounds::not_negative>("output.checkpoint_minutes",
                                                                     "wall time; 0: off"),
        integer<FIELD(output.log_every), 1>("output.log_every",
                                            "iterations between lines when not on a terminal"),
        flag<FIELD(output.save_gradients)>("output.save_gradients", "keep every meta-gradient in results.h5"),
        real<FIELD(run.max_minutes), Bounds::not_negative>(
            "run.max_minutes", "wall time; stops before it with a checkpoint, exit code 75; 0: off"),
        real<FIELD(run.margin_minutes), Bounds::not_negative>("run.margin_minutes",
                                                              "stops so long before SLURM ends the job"),
        real<FIELD(run.max_failed), Bounds::share>(
            "run.max_failed", "share of task fits that may fail before the run ends with 4")}},
      {Affects::evaluation,
       {make_key<FIELD(evaluate.methods), read_methods, as_methods>(
            "evaluate.methods", "methods to compare", "a comma-separated list of " + joined(method_names())),
        integer<FIELD(evaluate.splits), 1>("evaluate.splits", "random 70/30 splits of a data set"),
        real<FIELD(evaluate.label_noise), Bounds::half_unit>("evaluate.label_noise",
                                                             "training labels flipped"),
        seed<FIELD(evaluate.seed)>("evaluate.seed",
                                   "of splits, flips, features, untrained policy, intervals"),
        choice<peer_gap_words, FIELD(evaluate.fairness)>("evaluate.fairness",
                                                         "gap for roh, penalised, threshold and adaptation"),
        real<FIELD(evaluate.roh_tau), Bounds::share>(
            "evaluate.roh_tau", "share of rows roh keeps; 0: told the share of clean labels"),
        real<FIELD(evaluate.penalty), Bounds::not_negative>("evaluate.penalty",
                                                            "weight of the gap in penalised"),
        real<FIELD(evaluate.tolerance), Bounds::share>("evaluate.tolerance",
                                                       "gap on training rows that threshold allows"),
        integer<FIELD(evaluate.rounds), 0>("evaluate.refit_rounds",
                                           "meta_*: refits of probe and features on the kept rows"),
        real<FIELD(evaluate.rounds_agreement), Bounds::share>(
            "evaluate.refit_below_correlation",
            "refits only where linear and nonlinear margins correlate less; 1: always"),
        integer<FIELD(evaluate.adapt.steps), 0>("evaluate.adapt_steps",
                                                "meta_*: meta-steps on halves of the noisy training rows"),
        integer<FIELD(evaluate.adapt.support), 0>("evaluate.adapt_support",
                                                  "rows of each half at most; 0: all"),
        real<FIELD(evaluate.adapt.learning_rate), Bounds::positive>("evaluate.adapt_learning_rate",
                                                                    "of these steps"),
        real<FIELD(evaluate.adapt.outer.fairness_weight), Bounds::not_negative>(
            "evaluate.adapt_fairness_weight", "of the gap in these steps"),
        list_of_reals<FIELD(evaluate.frontier.weights)>("evaluate.frontier_weights",
                                                        "of the gap, for --frontier: adaptation, penalised"),
        list_of_reals<FIELD(evaluate.frontier.tolerances)>("evaluate.frontier_tolerances",
                                                           "of threshold, for --frontier")}},
      {Affects::nothing,
       {make_key<FIELD(scaling.kinds), read_kinds, as_kinds>(
            "scaling.kinds", "same work for all cores (strong), or for each (weak)",
            "strong, weak, or strong,weak"),
        list_of_counts<FIELD(scaling.ranks)>("scaling.ranks",
                                             "auto: powers of two up to the job's, and these"),
        list_of_counts<FIELD(scaling.threads)>("scaling.threads", "of each rank; auto: the job's"),
        integer<FIELD(scaling.repeats), 1>("scaling.repeats", "trainings at each point"),
        integer<FIELD(scaling.weak_tasks), 1>(
            "scaling.weak_tasks", "training tasks a core in weak scaling; meta.batch too is a core's")}},
  });
}

std::vector<ConfigKey> make_sweep_keys() {
  return {
      free_text<FIELD(sweep.together)>("sweep.together", "swept keys that are walked in step, not crossed",
                                       "KEY, KEY; several such groups are divided by ;"),
      integer<FIELD(sweep.samples), 0>("sweep.samples", "points of the keys that are uniform() or log()"),
      choice<sampling_words, FIELD(sweep.sampling)>("sweep.sampling", "how these are drawn"),
      seed<FIELD(sweep.seed)>("sweep.seed", "of these draws"),
      integer<FIELD(sweep.ranks_per_point), 0>("sweep.ranks_per_point",
                                               "ranks that work on one point together; 0: all"),
      integer<FIELD(sweep.attempts), 1>("sweep.attempts",
                                        "starts of a point whose process dies, before it is failed"),
      integer<FIELD(sweep.evaluate_tasks), 0>(
          "sweep.evaluate_tasks", "held-out tasks, of the point's mixture, to evaluate on; 0: none"),
      seed<FIELD(sweep.evaluate_seed)>("sweep.evaluate_seed", "of the held-out tasks"),
      free_text<FIELD(sweep.suite)>("sweep.suite", "suite file to train on; as --suite", "FILE"),
      free_text<FIELD(sweep.datasets)>(
          "sweep.datasets", "data sets to evaluate on instead of held-out tasks; as --dataset", "FILE; FILE"),
  };
}

#undef FIELD

} // namespace

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

const std::vector<ConfigKey>& sweep_keys() {
  static const std::vector<ConfigKey> keys = make_sweep_keys();
  return keys;
}

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_keys();
  return keys;
}

} // namespace metasieve
