#include "methods/selection.hpp"

#include "kernels/meta_features.hpp"
#include "kernels/network.hpp"
#include "methods/methods.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace metasieve {
namespace {

constexpr double full_share = 0.25; // of hidden positives, from which on the blend is at its end

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

/// Whether flips seem to come in clusters, which mislead the features.
bool is_clustered(const PreparedTask& task, const Policy& policy, const SelectionOptions& options) {
  return detector_agreement(task, policy.features) <= options.agreement;
}

bool makes_rounds(const PreparedTask& task, const Policy& policy, const SelectionOptions& options) {
  return options.rounds > 0 && is_clustered(task, policy, options);
}

RoundsSelection selection(const Policy& policy, MatrixF features, Precision precision, Index rounds) {
  const Vector score = kernels::scores(policy, features, precision);
  return {score, highest(score, policy.keep), std::move(features), rounds};
}

/// w and log w - log(1 - w), where w of `trained` and `adapted` keep weights is a mean with this share of the
/// latter.
Selection blended(const Vector& trained, const Vector& adapted, double share, const HiddenPositives& hidden) {
  const Vector weights = (1.0 - share) * trained + share * adapted;
  const Vector score = weights.unaryExpr([](double w) {
    // Keep weights may be 0 or 1 to rounding.
    const double inside =
        std::clamp(w, std::numeric_limits<double>::min(), 1.0 - std::numeric_limits<double>::epsilon());
    return std::log(inside) - std::log(1.0 - inside);
  });
  return {score, weights, hidden};
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

bool blends(const PreparedTask& task, const Policy& policy, const SelectionOptions& options) {
  return options.blend && options.adapt.steps > 0 && !is_clustered(task, policy, options);
}

std::vector<Selection> policy_selections(const PreparedTask& task, const Policy& policy,
                                         const SelectionOptions& options,
                                         const std::vector<double>& fairness_weights,
                                         const std::function<void()>& after_step) {
  std::optional<PreparedTask> refitted; // with the features of the last round
  if (makes_rounds(task, policy, options)) {
    refitted = task;
    refitted->features = select_in_rounds(task, policy, options).features;
  }
  const PreparedTask& seen = refitted ? *refitted : task;
  const bool is_blend = blends(task, policy, options);
  const HiddenPositives hidden = is_blend ? hidden_positives(task, policy.features) : HiddenPositives();
  const Vector trained = is_blend ? soft_weights(policy, policy_score(task, policy)) : Vector();
  const double certainty = std::min(1.0, hidden.share / full_share);

  std::vector<Selection> selections;
  for (const double weight : fairness_weights) {
    AdaptOptions adaptation = options.adapt;
    adaptation.outer.fairness_weight = weight * (1.0 + certainty);
    const Vector score = policy_score(seen, adapt(policy, seen, adaptation, after_step));
    const Vector weights = soft_weights(policy, score);
    selections.push_back(is_blend ? blended(trained, weights, 0.6 - 0.3 * certainty, hidden)
                                  : Selection{score, weights, hidden});
  }
  return selections;
}

Selection policy_selection(const PreparedTask& task, const Policy& policy, const SelectionOptions& options,
                           const std::function<void()>& after_step) {
  return policy_selections(task, policy, options, {options.adapt.outer.fairness_weight}, after_step).front();
}

} // namespace metasieve
