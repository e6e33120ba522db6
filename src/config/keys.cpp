#include "config/keys.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "config/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <sstream>

namespace metasieve {
namespace {

[[noreturn]] void reject(const ConfigKey& key, const std::string& value) {
  throw ConfigError(key.name + " = " + value + ": must be " + key.domain);
}

template <class Number>
std::optional<Number> parse(const std::string& value) {
  Number number{};
  const auto [last, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || last != value.data() + value.size()) return std::nullopt;
  return number;
}

template <class Number>
Number parse(const ConfigKey& key, const std::string& value) {
  const std::optional<Number> number = parse<Number>(value);
  if (!number) reject(key, value);
  return *number;
}

template <class Number>
std::string text(Number number) {
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return {buffer.data(), result.ptr};
}

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> out;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) {
    word.erase(std::remove_if(word.begin(), word.end(), [](unsigned char c) { return std::isspace(c); }),
               word.end());
    out.push_back(word);
  }
  return out;
}

// Makers of keys. `Field` is a captureless lambda: Config& -> the value's reference.

template <auto Field, Index Low>
ConfigKey integer(std::string name, std::string help) {
  return {std::move(name), std::move(help), "an integer from " + text(Low) + " to 1000000000",
          [](Config& config, const ConfigKey& key, const std::string& value) {
            const auto number = parse<Index>(key, value);
            if (number < Low || number > 1000000000) reject(key, value);
            Field(config) = number;
          },
          [](const Config& config) { return text(Field(const_cast<Config&>(config))); }};
}

template <auto Field>
ConfigKey seed(std::string name, std::string help) {
  return {std::move(name), std::move(help), "an integer from 0 to 18446744073709551615",
          [](Config& config, const ConfigKey& key, const std::string& value) {
            Field(config) = Seed{parse<std::uint64_t>(key, value)};
          },
          [](const Config& config) {
            return text(static_cast<std::uint64_t>(Field(const_cast<Config&>(config))));
          }};
}

enum class Bounds { positive, not_negative, open_unit, half_unit, share };

template <auto Field, Bounds Domain>
ConfigKey real(std::string name, std::string help) {
  constexpr std::array<const char*, 5> domains{"a number > 0", "a number >= 0", "a number > 0 and < 1",
                                               "a number >= 0 and < 0.5", "a number >= 0 and <= 1"};
  return {std::move(name), std::move(help), domains[static_cast<std::size_t>(Domain)],
          [](Config& config, const ConfigKey& key, const std::string& value) {
            const auto number = parse<double>(key, value);
            const bool above =
                Domain == Bounds::positive || Domain == Bounds::open_unit ? number > 0 : number >= 0;
            const double limit = Domain == Bounds::open_unit   ? 1.0
                                 : Domain == Bounds::half_unit ? 0.5
                                 : Domain == Bounds::share     ? std::nextafter(1.0, 2.0)
                                                               : std::numeric_limits<double>::infinity();
            if (!above || !(number < limit)) reject(key, value);
            Field(config) = number;
          },
          [](const Config& config) { return text(Field(const_cast<Config&>(config))); }};
}

template <auto Field>
ConfigKey flag(std::string name, std::string help) {
  return {std::move(name), std::move(help), "true or false",
          [](Config& config, const ConfigKey& key, const std::string& value) {
            if (value != "true" && value != "false") reject(key, value);
            Field(config) = value == "true";
          },
          [](const Config& config) {
            return std::string(Field(const_cast<Config&>(config)) ? "true" : "false");
          }};
}

template <auto Field>
ConfigKey free_text(std::string name, std::string help, std::string domain) {
  return {std::move(name), std::move(help), std::move(domain),
          [](Config& config, const ConfigKey&, const std::string& value) { Field(config) = value; },
          [](const Config& config) { return Field(const_cast<Config&>(config)); }};
}

/// Words of an enumeration, in its order.
template <auto Words, auto Field>
ConfigKey choice(std::string name, std::string help) {
  std::string domain;
  for (const std::string_view word : Words()) domain += (domain.empty() ? "" : " | ") + std::string(word);
  return {std::move(name), std::move(help), domain,
          [](Config& config, const ConfigKey& key, const std::string& value) {
            const auto all = Words();
            const auto* const found = std::find(all.begin(), all.end(), value);
            if (found == all.end()) reject(key, value);
            Field(config) = static_cast<std::decay_t<decltype(Field(config))>>(found - all.begin());
          },
          [](const Config& config) {
            return std::string(Words()[static_cast<std::size_t>(Field(const_cast<Config&>(config)))]);
          }};
}

ConfigKey hidden_layers() {
  return {"policy.hidden", "widths of the hidden layers", "1 to 8 comma-separated integers from 1 to 4096",
          [](Config& config, const ConfigKey& key, const std::string& value) {
            std::vector<Index> widths;
            for (const std::string& word : words(value)) {
              const std::optional<Index> width = parse<Index>(word);
              if (!width || *width < 1 || *width > 4096) reject(key, value);
              widths.push_back(*width);
            }
            if (widths.empty() || widths.size() > 8) reject(key, value);
            config.policy.hidden = widths;
          },
          [](const Config& config) {
            std::string list;
            for (const Index width : config.policy.hidden) list += (list.empty() ? "" : ",") + text(width);
            return list;
          }};
}

template <auto Field>
ConfigKey list_of_reals(std::string name, std::string help) {
  return {std::move(name), std::move(help), "1 to 100 comma-separated numbers >= 0",
          [](Config& config, const ConfigKey& key, const std::string& value) {
            std::vector<double> numbers;
            for (const std::string& word : words(value)) {
              const std::optional<double> number = parse<double>(word);
              if (!number || !(*number >= 0) || !std::isfinite(*number)) reject(key, value);
              numbers.push_back(*number);
            }
            if (numbers.empty() || numbers.size() > 100) reject(key, value);
            Field(config) = numbers;
          },
          [](const Config& config) {
            std::string list;
            for (const double number : Field(const_cast<Config&>(config)))
              list += (list.empty() ? "" : ",") + text(number);
            return list;
          }};
}

/// Counts, ascending; none of them: "auto".
template <auto Field>
ConfigKey list_of_counts(std::string name, std::string help) {
  return {std::move(name), std::move(help), "auto, or 1 to 100 comma-separated integers from 1 to 1000000",
          [](Config& config, const ConfigKey& key, const std::string& value) {
            std::set<Index> counts;
            for (const std::string& word : value == "auto" ? std::vector<std::string>() : words(value)) {
              const std::optional<Index> count = parse<Index>(word);
              if (!count || *count < 1 || *count > 1000000) reject(key, value);
              counts.insert(*count);
            }
            if ((value != "auto" && counts.empty()) || counts.size() > 100) reject(key, value);
            Field(config).assign(counts.begin(), counts.end());
          },
          [](const Config& config) {
            std::string list;
            for (const Index count : Field(const_cast<Config&>(config)))
              list += (list.empty() ? "" : ",") + text(count);
            return list.empty() ? "auto" : list;
          }};
}

ConfigKey scaling_kinds() {
  return {
      "scaling.kinds", "same work for all cores (strong), or for each (weak)", "strong, weak, or strong,weak",
      [](Config& config, const ConfigKey& key, const std::string& value) {
        std::set<ScalingKind> kinds;
        for (const std::string& word : words(value)) {
          if (word != "strong" && word != "weak") reject(key, value);
          kinds.insert(word == "strong" ? ScalingKind::strong : ScalingKind::weak);
        }
        if (kinds.empty()) reject(key, value);
        config.scaling.kinds.assign(kinds.begin(), kinds.end());
      },
      [](const Config& config) {
        std::string list;
        for (const ScalingKind kind : config.scaling.kinds)
          list += (list.empty() ? "" : ",") + std::string(kind == ScalingKind::strong ? "strong" : "weak");
        return list;
      }};
}

ConfigKey mixture_key() {
  return {"suite.mixture", "families and their shares", "NAME:SHARE,NAME:SHARE with shares > 0",
          [](Config& config, const ConfigKey&, const std::string& value) {
            Config changed;
            changed.suite.mixture = value;
            static_cast<void>(mixture_names(changed));
            config.suite.mixture = value;
          },
          [](const Config& config) { return config.suite.mixture; }};
}

ConfigKey methods_key() {
  return {"evaluate.methods", "methods to compare", "a comma-separated list of " + joined(method_names()),
          [](Config& config, const ConfigKey&, const std::string& value) {
            std::vector<Method> methods;
            for (const std::string& name : words(value)) {
              const Method method = parse_method(name);
              if (std::find(methods.begin(), methods.end(), method) == methods.end())
                methods.push_back(method);
            }
            // Everything is reported against it, so it is always there.
            if (std::find(methods.begin(), methods.end(), Method::baseline) == methods.end())
              methods.insert(methods.begin(), Method::baseline);
            config.evaluate.methods = methods;
          },
          [](const Config& config) {
            std::string list;
            for (const Method method : config.evaluate.methods)
              list += (list.empty() ? "" : ",") + std::string(to_string(method));
            return list;
          }};
}

constexpr auto feature_words = [] {
  std::array<std::string_view, feature_sets.size()> words;
  std::ranges::transform(feature_sets, words.begin(), [](FeatureSet set) { return to_string(set); });
  return words;
};
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

#define FIELD(path) ([](Config & c) -> auto& { return c.path; })

std::vector<ConfigKey> make_keys() {
  return {
      integer<FIELD(suite.tasks), 1>("suite.tasks", "tasks of the suite, validation tasks included"),
      integer<FIELD(suite.validation_tasks), 0>("suite.validation_tasks",
                                                "the last tasks, kept from training"),
      seed<FIELD(suite.seed)>("suite.seed", "of every random number of the suite"),
      mixture_key(),
      choice<hold_words, FIELD(suite.hold)>("suite.hold", "tasks of a rank: kept, or made anew for each use"),
      flag<FIELD(suite.hold_features)>("suite.hold_features",
                                       "with regenerate: are features kept, or made anew too?"),
      choice<feature_words, FIELD(policy.features)>("policy.features", "meta-features the policy sees"),
      hidden_layers(),
      real<FIELD(policy.keep), Bounds::open_unit>("policy.keep",
                                                  "share of rows kept; mean of the soft weights"),
      real<FIELD(policy.temperature), Bounds::positive>("policy.temperature", "of the soft weights"),
      choice<precision_words, FIELD(precision)>("policy.precision", "of the network and the features"),
      choice<method_words, FIELD(inner.method)>("inner.method",
                                                "how the inner fit is made and differentiated"),
      integer<FIELD(inner.unrolled.steps), 1>("inner.steps", "gradient steps (unrolled, first-order)"),
      real<FIELD(inner.unrolled.step_size), Bounds::positive>("inner.step_size", "of a gradient step"),
      choice<start_words, FIELD(inner.unrolled.start)>("inner.start", "of the gradient steps"),
      flag<FIELD(inner.unrolled.precondition)>("inner.precondition", "gradient steps by (X'X/n + 1e-3 I)^-1"),
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
      real<FIELD(meta.clip), Bounds::not_negative>("meta.clip", "largest norm of the mean gradient; 0: off"),
      seed<FIELD(meta.seed)>("meta.seed", "of the initial policy, batches and support rows"),
      integer<FIELD(meta.validate_every), 0>("meta.validate_every", "iterations; 0: only before and after"),
      integer<FIELD(output.checkpoint_every), 0>("output.checkpoint_every", "iterations; 0: only the last"),
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
          "run.max_failed", "share of task fits that may fail before the run ends with 4"),
      methods_key(),
      integer<FIELD(evaluate.splits), 1>("evaluate.splits", "random 70/30 splits of a data set"),
      real<FIELD(evaluate.label_noise), Bounds::half_unit>("evaluate.label_noise", "training labels flipped"),
      seed<FIELD(evaluate.seed)>("evaluate.seed", "of splits, flips, features, untrained policy, intervals"),
      choice<peer_gap_words, FIELD(evaluate.fairness)>("evaluate.fairness",
                                                       "gap for roh, penalised, threshold and adaptation"),
      real<FIELD(evaluate.roh_tau), Bounds::share>(
          "evaluate.roh_tau", "share of rows roh keeps; 0: told the share of clean labels"),
      real<FIELD(evaluate.penalty), Bounds::not_negative>("evaluate.penalty",
                                                          "weight of the gap in penalised"),
      real<FIELD(evaluate.tolerance), Bounds::share>("evaluate.tolerance",
                                                     "gap on training rows that threshold allows"),
      integer<FIELD(evaluate.rounds), 0>("evaluate.rounds",
                                         "meta_*: refits of probe and features on the kept rows"),
      real<FIELD(evaluate.rounds_agreement), Bounds::share>(
          "evaluate.rounds_agreement",
          "rounds only where linear and nonlinear margins correlate less; 1: always"),
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
                                                         "of threshold, for --frontier"),
      scaling_kinds(),
      list_of_counts<FIELD(scaling.ranks)>("scaling.ranks", "auto: powers of two up to the job's, and these"),
      list_of_counts<FIELD(scaling.threads)>("scaling.threads", "of each rank; auto: the job's"),
      integer<FIELD(scaling.repeats), 1>("scaling.repeats", "trainings at each point"),
      integer<FIELD(scaling.weak_tasks), 1>(
          "scaling.weak_tasks", "training tasks a core in weak scaling; meta.batch too is a core's"),
  };
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

const std::vector<ConfigKey>& sweep_keys() {
  static const std::vector<ConfigKey> keys = make_sweep_keys();
  return keys;
}

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_keys();
  return keys;
}

} // namespace metasieve
