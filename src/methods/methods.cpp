#include "methods/methods.hpp"

#include "base/error.hpp"
#include "features/cells.hpp"
#include "kernels/network.hpp"
#include "policy/weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace metasieve {
namespace {

struct MethodInfo {
  std::string_view name;
  bool asks_policy, selects_rows, is_oracle;
  bool is_peer = false;    // what a user would choose otherwise
  bool on_request = false; // not among the methods of evaluate.methods = auto
};

constexpr std::array<MethodInfo, 24> methods{{
    {"baseline", false, false, false, true},
    {"greedy", false, true, false, true},
    {"greedy_weighted", false, true, false},
    {"reweighing", false, true, false, true},
    {"roh", false, true, false, true},
    {"penalised", false, false, false, true},
    {"threshold", false, false, false, true},
    {"jiang_nachum", false, true, false, true, true},
    {"confident", false, true, false, true, true},
    {"confident_group", false, true, false, true, true},
    {"exponentiated", false, false, false, true, true},
    {"massaging", false, false, false, true, true},
    {"influence", false, true, false, true, true},
    {"error_parity", false, false, false, true, true},
    {"reweight_meta", false, true, false, true, true},
    {"random", false, false, false},
    {"untrained_hard", false, false, false},
    {"untrained_soft", false, false, false},
    {"trained_hard", true, true, false, true},
    {"trained_soft", true, true, false, true},
    {"meta_hard", true, true, false},
    {"meta_soft", true, true, false},
    {"oracle", false, false, true},
    {"oracle_penalised", false, false, true},
}};

const MethodInfo& info(Method method) { return methods[static_cast<std::size_t>(method)]; }

Index kept_rows(Index rows, double keep) {
  // The slack makes floor(0.7 * 10) seven, whatever the rounding of 0.7.
  return std::max<Index>(1, static_cast<Index>(std::floor(keep * static_cast<double>(rows) + 1e-9)));
}

} // namespace

std::string_view to_string(Method method) { return info(method).name; }

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const MethodInfo& method : methods) names.emplace_back(method.name);
  return names;
}

Method parse_method(const std::string& name) {
  std::string all;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (methods[i].name == name) return static_cast<Method>(i);
    all += (all.empty() ? "" : ", ") + std::string(methods[i].name);
  }
  throw ConfigError("evaluate.methods = " + name + ": no such method; known are " + all);
}

bool asks_policy(Method method) { return info(method).asks_policy; }
bool selects_rows(Method method) { return info(method).selects_rows; }
bool is_oracle(Method method) { return info(method).is_oracle; }
bool is_peer(Method method) { return info(method).is_peer; }
bool on_request(Method method) { return info(method).on_request; }

Vector highest(const Vector& score, double keep) {
  std::vector<Index> order(static_cast<std::size_t>(score.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return score(a) > score(b); });
  Vector weights = Vector::Zero(score.size());
  for (Index k = 0; k < kept_rows(score.size(), keep); ++k) weights(order[static_cast<std::size_t>(k)]) = 1.0;
  return weights;
}

Vector policy_score(const PreparedTask& task, const Policy& policy) {
  return kernels::scores(policy, task.features, task.precision);
}

Vector greedy_weights(const PreparedTask& task, double keep) {
  const Vector score = design_matrix(task.train, task.probe.standardizer) * task.probe.beta;
  return highest(-logistic_loss(score, to_vector(task.train.y)), keep);
}

Vector group_weighted(const PreparedTask& task, const Vector& weights) {
  return (task.train.group.array() != 0).select(1.5 * weights, weights);
}

Vector reweighing_weights(const PreparedTask& task) {
  return log_cell_weight(task.train.y, task.train.group).array().exp();
}

Vector random_weights(const PreparedTask& task, double keep, Seed seed) {
  const Index rows = task.train.rows();
  Vector weights = Vector::Zero(rows);
  for (const Index i :
       sample_without_replacement(Stream(seed, Draw::selection, task.id), rows, kept_rows(rows, keep)))
    weights(i) = 1.0;
  return weights;
}

Vector soft_weights(const Policy& policy, const Vector& u) {
  return keep_weights(u, policy.keep, policy.temperature).weights;
}

} // namespace metasieve
