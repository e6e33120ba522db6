#include "selectors/rounds.hpp"

#include "features/kept_features.hpp"
#include "selectors/methods.hpp"

namespace metasieve {

RoundsSelection select_in_rounds(const PreparedTask& task, const Policy& policy,
                                 const RoundsOptions& options) {
  RoundsSelection out{policy_score(task, policy), {}, 0};
  out.weights = highest(out.score, policy.keep);
  const FeatureOptions features{policy.features, options.ridge, options.seed, task.id};
  while (out.rounds < options.rounds) {
    const Probe probe = refit_probe(task.train, task.probe, out.weights, options.ridge);
    if (probe.status == FitStatus::diverged) break;
    // Through float32, as the features of the first selection.
    const MatrixF seen = kept_features(task.train, probe, out.weights, features).cast<float>();
    out.score = forward(policy, seen.cast<double>()).u;
    const Vector weights = highest(out.score, policy.keep);
    ++out.rounds;
    if (weights == out.weights) break;
    out.weights = weights;
  }
  return out;
}

} // namespace metasieve
