#include "selectors/assess.hpp"

#include <limits>

namespace metasieve {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

Metrics undefined_metrics() {
  return {undefined, undefined, undefined, undefined, undefined,
          undefined, undefined, undefined, undefined, undefined};
}

} // namespace

Assessment assess(Method method, const PreparedTask& task, const Selectors& selectors, double ridge) {
  Assessment out;
  out.metrics = undefined_metrics();
  const Vector weights = training_weights(method, task, selectors);

  const Eigen::ArrayXd flipped = (task.train.y.array() != task.train.y_clean.array()).cast<double>();
  out.selected = weights.sum();
  out.noise_rate_all = flipped.mean();
  out.noise_rate_selected = (flipped * weights.array()).sum() / out.selected;
  out.noise_reduction =
      out.noise_rate_all > 0 ? 1.0 - out.noise_rate_selected / out.noise_rate_all : undefined;
  out.minority_share = weights.dot(task.train.group.cast<double>()) / out.selected;
  if (method == Method::oracle) { // it knows the flips: nothing noisy is left
    out.noise_rate_selected = 0.0;
    out.noise_reduction = out.noise_rate_all > 0 ? 1.0 : undefined;
  }

  const Matrix x = design_matrix(task.train, task.probe.standardizer);
  const Vector y = to_vector(method == Method::oracle ? task.train.y_clean : task.train.y);
  const LogisticFit fit = fit_logistic(x, y, weights, task.probe.beta, ridge_diagonal(x.cols(), ridge));
  const Vector score = design_matrix(task.test, task.probe.standardizer) * fit.beta;
  out.failed = fit.status == FitStatus::diverged || !score.allFinite();
  if (!out.failed) out.metrics = evaluate_predictor(score, task.test.y, task.test.group);
  return out;
}

} // namespace metasieve
