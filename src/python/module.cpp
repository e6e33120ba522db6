// The Python module metasieve._core: what the package's estimators and comparisons need of metasieve_core.

#include "base/error.hpp"
#include "base/for_each.hpp"
#include "kernels/meta_features.hpp"
#include "methods/compare_methods.hpp"
#include "tasks/resample.hpp"

#include <pybind11/eigen.h>
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace metasieve {
namespace {

namespace py = pybind11;

/// How a policy is applied to a table.
struct Settings {
  Gap fairness = Gap::eo;       ///< dp or eo
  double fairness_weight = 0.1; ///< of the gap in the adaptation
  bool adapt = true;            ///< with the recommended adaptation, or as it was trained
  Seed seed{};
};

Gap gap_of(const std::string& name) {
  if (name == "dp") return Gap::dp;
  if (name == "eo") return Gap::eo;
  throw ConfigError("fairness = " + name + ": must be dp or eo");
}

Settings settings_of(const std::string& fairness, double fairness_weight, bool adapt, std::uint64_t seed) {
  return {gap_of(fairness), fairness_weight, adapt, Seed{seed}};
}

SelectionOptions selection_of(const Settings& settings) {
  SelectionOptions options;
  options.adapt.outer.fairness = settings.fairness;
  options.adapt.outer.fairness_weight = settings.fairness_weight;
  options.adapt.seed = settings.seed;
  if (!settings.adapt) options.rounds = options.adapt.steps = 0;
  return options;
}

PreparedTask prepared(Task task, const Policy& policy, Seed seed) {
  const PrepareOptions options{policy.features, policy.use_group, InnerOptions().ridge, seed,
                               Precision::float32};
  return kernels::prepare(std::move(task), options);
}

Policy make_policy(const std::string& features, std::vector<Index> hidden, double keep, double temperature,
                   bool use_group, Vector theta) {
  const std::optional<FeatureSet> set = parse_feature_set(features);
  if (!set) throw DataError("feature_set = " + features + ": is none that this program knows");
  Policy policy;
  policy.features = *set;
  policy.hidden = std::move(hidden);
  policy.keep = keep;
  policy.temperature = temperature;
  policy.use_group = use_group;
  policy.theta = std::move(theta);
  if (parameter_count(policy) != policy.theta.size())
    throw DataError("layers have " + std::to_string(policy.theta.size()) + " numbers; hidden asks for " +
                    std::to_string(parameter_count(policy)));
  return policy;
}

/// Rows of a table: x [n, d], y [n], group [n] 0 to groups - 1, clean labels [n] if they are known.
Split rows_of(MatrixF x, const Labels& y, const Labels& group, Index groups,
              const std::optional<Labels>& y_clean) {
  if (y.size() != x.rows() || group.size() != x.rows() || (y_clean && y_clean->size() != x.rows()))
    throw DataError("x, y and group must have as many rows");
  if (x.rows() == 0 || x.cols() == 0) throw DataError("x must have rows and columns");
  if (groups < 1 || groups > most_groups || group.maxCoeff() >= groups)
    throw DataError("there must be 1 to " + std::to_string(most_groups) + " groups, numbered from 0");
  if (y.maxCoeff() > 1 || !x.allFinite()) throw DataError("y must be 0 or 1, and x finite");
  return {std::move(x), y, group, y_clean.value_or(y), groups};
}

/// Score [n], soft weights [n] and the hard selection [n] of the rows, and the estimate of hidden positives:
/// group (-1: none), share and evidence. `after_step` is called after each step of the adaptation.
std::tuple<Vector, Vector, Vector, std::tuple<Index, double, double>>
score(const Eigen::Ref<const MatrixF>& x, const Labels& y, const Labels& group, Index groups,
      const Policy& policy, const std::string& fairness, double fairness_weight, bool adapt,
      std::uint64_t seed, const std::function<void()>& after_step) {
  const Settings settings = settings_of(fairness, fairness_weight, adapt, seed);
  Task task;
  task.train = rows_of(x, y, group, groups, {});
  task.test = gather(task.train, {});
  const py::gil_scoped_release release;
  const PreparedTask ready = prepared(std::move(task), policy, settings.seed);
  const auto step = [&] {
    const py::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set(); // Ctrl-C
    if (after_step) after_step();
  };
  Selection found = policy_selection(ready, policy, selection_of(settings), step);
  if (ready.probe.status == FitStatus::diverged || !found.score.allFinite())
    throw Error(ExitCode::numerical,
                "the rows have no finite scores: the logistic regression on them diverged");
  Vector selected = highest(found.score, policy.keep);
  const HiddenPositives& hidden = found.hidden;
  const std::tuple estimate(hidden.group, hidden.share, hidden.evidence);
  return {std::move(found.score), std::move(found.weights), std::move(selected), estimate};
}

/// A table whose random splits are those of `metasieve evaluate`.
class Table {
public:
  Table(const Eigen::Ref<const MatrixF>& x, const Labels& y, const Labels& group, Index groups,
        std::string name, const std::optional<Labels>& y_clean, std::optional<Labels> split)
      : rows_(rows_of(x, y, group, groups, y_clean)), name_(std::move(name)), split_(std::move(split)),
        is_clean_(y_clean.has_value()) {
    if (split_ && split_->size() != rows_.rows()) throw DataError("split must have a value for each row");
  }

  [[nodiscard]] Index split_count(Index splits, const std::optional<double>& label_noise,
                                  const std::optional<std::string>& corruption) const {
    return !split_ || corruption_of(label_noise, corruption).changes_labels() ? splits : 1;
  }
  [[nodiscard]] Task task(Index index, const std::optional<double>& label_noise, std::uint64_t seed,
                          const std::optional<std::string>& corruption) const {
    return resample(rows_, {name_, corruption_of(label_noise, corruption), Seed{seed}, split_},
                    static_cast<std::uint64_t>(index));
  }

private:
  /// `corruption`, for which label_noise is a shorthand; none where clean labels are known.
  [[nodiscard]] LabelCorruption corruption_of(const std::optional<double>& label_noise,
                                              const std::optional<std::string>& corruption) const {
    using Kind = LabelCorruption::Kind;
    if (label_noise && corruption) throw ConfigError("give corruption or label_noise, not both");
    if (is_clean_) return {Kind::none, 0.0};
    const std::string text = corruption    ? *corruption
                             : label_noise ? to_string(LabelCorruption{Kind::flips, *label_noise})
                                           : to_string(LabelCorruption{});
    const std::optional<LabelCorruption> found = parse_label_corruption(text);
    if (!found)
      throw ConfigError(
          "corruption = " + text +
          ": must be none, flips:RATE, hidden:SHARE, groups, lowest_loss:RATE or clustered:RATE, with "
          "RATE >= 0 and < 0.5, SHARE >= 0 and <= 1");
    return *found;
  }

  Split rows_;
  std::string name_;
  std::optional<Labels> split_;
  bool is_clean_;
};

/// The training weights [n] that each method gives the rows of a task.
std::map<std::string, Vector> select(const Task& task, const std::vector<std::string>& names,
                                     const Policy& policy, const std::string& fairness,
                                     double fairness_weight, bool adapt, std::uint64_t seed) {
  const Settings settings = settings_of(fairness, fairness_weight, adapt, seed);
  std::vector<Method> methods;
  for (const std::string& name : names) methods.push_back(parse_method(name));
  const py::gil_scoped_release release;
  const PreparedTask ready = prepared(task, policy, Seed{task.metadata.seed});
  ComparisonOptions options;
  options.policies = {policy};
  options.untrained = initialise(policy, settings.seed);
  options.keep = policy.keep;
  options.seed = settings.seed;
  options.fairness = settings.fairness;
  options.selection = selection_of(settings);
  options.keep_weights = true;
  std::map<std::string, Vector> weights;
  for (MethodResult& result : compare_methods(ready, methods, options))
    weights.emplace(to_string(result.method), std::move(result.weights));
  return weights;
}

/// An array of a task's training or test part, as a copy.
template <class Part>
auto array_of(Split Task::*part, Part Split::*field) {
  return [part, field](const Task& task) { return task.*part.*field; };
}

} // namespace
} // namespace metasieve

PYBIND11_MODULE(_core, m) {
  using namespace metasieve;
  using py::arg;
  m.doc() = "What metasieve's Python package needs of its C++ library; see metasieve.MetaSieve.";
  py::register_exception<Error>(m, "Error", PyExc_ValueError);

  py::class_<Policy>(m, "Policy", "A trained policy.")
      .def(py::init(&make_policy), arg("features"), arg("hidden"), arg("keep"), arg("temperature"),
           arg("use_group"), arg("theta"))
      .def_readwrite("keep", &Policy::keep, "mean of the soft weights, and share of rows selected")
      .def_readonly("temperature", &Policy::temperature)
      .def_readonly("use_group", &Policy::use_group, "whether it was trained for models that see the group")
      .def_property_readonly("features",
                             [](const Policy& policy) { return std::string(to_string(policy.features)); });

  m.def(
      "score", &score, arg("x"), arg("y"), arg("group"), arg("groups"), arg("policy"), arg("fairness"),
      arg("fairness_weight"), arg("adapt"), arg("seed"), arg("after_step") = nullptr,
      "Scores, soft weights and hard selection (0 or 1) of the rows, each [n], as `metasieve score`; and of "
      "hidden positives group (-1: no estimate), share and evidence.");
  m.attr("adapt_steps") = SelectionOptions().adapt.steps;

  py::class_<Table>(m, "Table", "A table whose random splits are those of `metasieve evaluate`.")
      .def(py::init<const Eigen::Ref<const MatrixF>&, const Labels&, const Labels&, Index, std::string,
                    const std::optional<Labels>&, std::optional<Labels>>(),
           arg("x"), arg("y"), arg("group"), arg("groups"), arg("name"), arg("y_clean") = py::none(),
           arg("split") = py::none())
      .def("split_count", &Table::split_count, arg("splits"), arg("label_noise") = py::none(),
           arg("corruption") = py::none(), "How many splits there are: 1 where nothing is left to chance.")
      .def("task", &Table::task, arg("index"), arg("label_noise") = py::none(), arg("seed") = 0,
           arg("corruption") = py::none(),
           "One split, with corrupted training labels: `corruption` as evaluate.corruption, or the rate of "
           "flips.");
  py::class_<Task>(m, "Task", "Training rows with noisy labels, and test rows with clean ones.")
      .def_property_readonly("train_x", array_of(&Task::train, &Split::x))
      .def_property_readonly("train_y", array_of(&Task::train, &Split::y))
      .def_property_readonly("train_y_clean", array_of(&Task::train, &Split::y_clean))
      .def_property_readonly("train_group", array_of(&Task::train, &Split::group))
      .def_property_readonly("test_x", array_of(&Task::test, &Split::x))
      .def_property_readonly("test_y", array_of(&Task::test, &Split::y_clean))
      .def_property_readonly("test_group", array_of(&Task::test, &Split::group));
  m.def("select", &metasieve::select, arg("task"), arg("methods"), arg("policy"), arg("fairness") = "eo",
        arg("fairness_weight") = 0.1, arg("adapt") = true, arg("seed") = 0,
        "The weights [n] that each method gives the training rows, by the method's name.");
  m.def("set_thread_count", &set_thread_count, arg("threads"), "Threads that this module uses from now on.");
}
