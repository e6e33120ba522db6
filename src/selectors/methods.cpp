#include "selectors/methods.hpp"

#include "base/error.hpp"
#include "policy/weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace metasieve {
namespace {

constexpr std::array<std::string_view, 10> names{
    "baseline",       "greedy",         "greedy_weighted", "reweighing", "random",
    "untrained_hard", "untrained_soft", "meta_hard",       "meta_soft",  "oracle"};

Index kept_rows(Index rows, double keep) {
  // The slack makes floor(0.7 * 10) seven, whatever the rounding of 0.7.
  return std::max<Index>(1, static_cast<Index>(std::floor(keep * static_cast<double>(rows) + 1e-9)));
}

Vector probe_losses(const PreparedTask& task) {
  const Vector score = design_matrix(task.train, task.probe.standardizer) * task.probe.beta;
  return logistic_loss(score, to_vector(task.train.y));
}

Vector scores(const PreparedTask& task, const Policy& policy) {
  return forward(policy, task.features.cast<double>()).u;
}

Vector hard(const PreparedTask& task, const Policy& policy) {
  return highest(scores(task, policy), policy.keep);
}

Vector soft(const PreparedTask& task, const Policy& policy) {
  return keep_weights(scores(task, policy), policy.keep, policy.temperature).weights;
}

Vector reweighing(const PreparedTask& task) {
  const auto& [y, z] = std::tie(task.train.y, task.train.group);
  std::array<std::array<double, 2>, 2> count{};
  for (Index i = 0; i < y.size(); ++i) ++count[y(i)][z(i)];
  const double rows = static_cast<double>(y.size());
  Vector weights(y.size());
  for (Index i = 0; i < y.size(); ++i) {
    const double same_y = count[y(i)][0] + count[y(i)][1], same_z = count[0][z(i)] + count[1][z(i)];
    weights(i) = same_y * same_z / (rows * count[y(i)][z(i)]);
  }
  return weights;
}

Vector random_rows(const PreparedTask& task, const Selectors& selectors) {
  const Index rows = task.train.rows();
  const Stream stream(selectors.seed, Draw::selection, task.id);
  Vector weights = Vector::Zero(rows);
  for (const Index i : sample_without_replacement(stream, rows, kept_rows(rows, selectors.keep)))
    weights(i) = 1.0;
  return weights;
}

} // namespace

std::string_view to_string(Method method) { return names[static_cast<std::size_t>(method)]; }

std::vector<std::string> method_names() { return {names.begin(), names.end()}; }

Method parse_method(const std::string& name) {
  const auto* const found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<Method>(found - names.begin());
  std::string all;
  for (const std::string_view known : names) all += (all.empty() ? "" : ", ") + std::string(known);
  throw ConfigError("evaluate.methods = " + name + ": no such method; known are " + all);
}

Vector highest(const Vector& score, double keep) {
  std::vector<Index> order(static_cast<std::size_t>(score.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return score(a) > score(b); });
  Vector weights = Vector::Zero(score.size());
  for (Index k = 0; k < kept_rows(score.size(), keep); ++k) weights(order[static_cast<std::size_t>(k)]) = 1.0;
  return weights;
}

Vector training_weights(Method method, const PreparedTask& task, const Selectors& selectors) {
  switch (method) {
  case Method::greedy: return highest(-probe_losses(task), selectors.keep);
  case Method::greedy_weighted:
    return highest(-probe_losses(task), selectors.keep).array() *
           (1.0 + 0.5 * task.train.group.cast<double>().array());
  case Method::reweighing: return reweighing(task);
  case Method::random: return random_rows(task, selectors);
  case Method::untrained_hard: return hard(task, *selectors.untrained);
  case Method::untrained_soft: return soft(task, *selectors.untrained);
  case Method::meta_hard: return hard(task, *selectors.trained);
  case Method::meta_soft: return soft(task, *selectors.trained);
  case Method::baseline:
  case Method::oracle: break;
  }
  return Vector::Ones(task.train.rows());
}

} // namespace metasieve
