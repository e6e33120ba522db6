#include "methods/selection.hpp"

#include "kernels/meta_features.hpp"
#include "kernels/network.hpp"
#include "methods/methods.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace metasieve {
namespace {

double correlation(const Vector& a, const Vector& b) {
  const Vector u = a.array() - a.mean(), v = b.array() - b.mean();
  const double norm = std::sqrt(u.squaredNorm() * v.squaredNorm());
  return norm > 0.0 ? std::clamp(u.dot(v) / norm, -1.0, 1.0) : 1.0;
}

std::vector<Index> kept_rows(const Vector& weights) {
  std::vector<Index> kept;
  for (Index i = 0; i < weights.size(); ++i)
    if (weights(i) > 0.0) kept.push_back(i);
  return kept;
}

bool makes_rounds(const PreparedTask& task, const Policy& policy, const SelectionOptions& options) {
  return options.rounds > 0 && detector_agreement(task, policy.features) <= options.agreement;
}

RoundsSelection selection(const Policy& policy, MatrixF features, Precision precision, Index rounds) {
  const Vector score = kernels::scores(policy, features, precision);
  return {score, highest(score, policy.keep), std::move(features), rounds};
}

} // namespace

double detector_agreement(const PreparedTask& task, FeatureSet set) {
  const Index linear = feature_column(set, "oof_margin"), nonlinear = feature_column(set, "rff_margin");
  if (linear < 0 || nonlinear < 0) return 1.0;
  return correlation(task.features.col(linear).cast<double>(), task.features.col(nonlinear).cast<double>());
}

RoundsSelection select_in_rounds(const PreparedTask& task, const Policy& policy,
                                 const SelectionOptions& options) {
  RoundsSelection out = selection(policy, task.features, task.precision, 0);
  if (!makes_rounds(task, policy, options)) return out;
  const FeatureOptions features{policy.features, options.ridge, task.seed, task.id};
  while (out.rounds < options.rounds) {
    const Probe probe = refit_probe(task.train, task.probe, out.weights, options.ridge);
    if (probe.status == FitStatus::diverged) break;
    // Through float32, as the features of the first selection.
    MatrixF seen = kernels::meta_features(task.train, probe, features, task.precision, kept_rows(out.weights))
                       .cast<float>();
    const Vector before = out.weights;
    out = selection(policy, std::move(seen), task.precision, out.rounds + 1);
    if (out.weights == before) break;
  }
  return out;
}

PreparedTask after_rounds(const PreparedTask& task, const Policy& policy, const SelectionOptions& options) {
  PreparedTask seen = task;
  if (makes_rounds(task, policy, options)) seen.features = select_in_rounds(task, policy, options).features;
  return seen;
}

Vector selection_score(const PreparedTask& task, const Policy& policy, const SelectionOptions& options,
                       const std::function<void()>& after_step) {
  const auto score_of = [&](const PreparedTask& seen) {
    return policy_score(seen, adapt(policy, seen, options.adapt, after_step));
  };
  return makes_rounds(task, policy, options) ? score_of(after_rounds(task, policy, options)) : score_of(task);
}

} // namespace metasieve
