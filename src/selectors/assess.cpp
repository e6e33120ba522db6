#include "selectors/assess.hpp"

#include "inner/logistic.hpp"

#include <limits>

namespace metasieve {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

Metrics undefined_metrics() {
  return {undefined, undefined, undefined, undefined, undefined, undefined,
          undefined, undefined, undefined, undefined, undefined, undefined};
}

} // namespace

Model fit_model(const PreparedTask& task, const Vector& weights, const Labels& labels, double ridge) {
  const Matrix x = design_matrix(task.train, task.probe.standardizer);
  const LogisticFit fit =
      fit_logistic(x, to_vector(labels), weights, task.probe.beta, ridge_diagonal(x.cols(), ridge));
  return {weights, design_matrix(task.test, task.probe.standardizer) * fit.beta,
          fit.status == FitStatus::diverged};
}

Assessment assess(const PreparedTask& task, const Model& model) {
  Assessment out;
  const Eigen::ArrayXd flipped = (task.train.y.array() != task.train.y_clean.array()).cast<double>();
  out.selected = model.weights.sum();
  out.noise_rate_all = flipped.mean();
  out.noise_rate_selected = (flipped * model.weights.array()).sum() / out.selected;
  out.noise_reduction =
      out.noise_rate_all > 0 ? 1.0 - out.noise_rate_selected / out.noise_rate_all : undefined;
  out.minority_share = model.weights.dot(task.train.group.cast<double>()) / out.selected;
  out.detection = detect(model.weights, task.train.y, task.train.y_clean, task.train.group);
  out.failed = model.failed || !model.score.allFinite();
  out.metrics =
      out.failed ? undefined_metrics() : evaluate_predictor(model.score, task.test.y, task.test.group);
  return out;
}

Assessment assess_oracle(const PreparedTask& task, const Model& model) {
  Assessment out = assess(task, model);
  out.noise_rate_selected = 0.0;
  out.noise_reduction = out.noise_rate_all > 0 ? 1.0 : undefined;
  return out;
}

} // namespace metasieve
