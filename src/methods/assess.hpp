#pragma once

#include "fairness/metrics.hpp"
#include "features/prepared_task.hpp"
#include "methods/diagnostics.hpp"
#include "numerics/newton.hpp"

namespace metasieve {

/// What a method made of a task.
struct Model {
  Vector weights;      ///< [n] >= 0, of the training rows
  Vector score;        ///< [m], of the test rows: yhat = 1 where it is > 0
  bool failed = false; ///< the fit diverged
};

/// The final fits of one task: its designs are made once, and the memory of the fit is kept.
class FinalFits {
public:
  /// `ridge` as in the inner problem. `task` must outlive it.
  FinalFits(const PreparedTask& task, double ridge);
  /// A logistic regression to convergence on the weighted training rows, with `labels` [n].
  [[nodiscard]] Model fit(const Vector& weights, const Labels& labels);
  /// Scores of the training rows by the last fit, unless that has failed. [n]
  [[nodiscard]] Vector train_score() const { return newton_.logits(); }
  /// Scores of the test rows by coefficients [p]. [m]
  [[nodiscard]] Vector test_score(const Vector& beta) const { return test_ * beta; }

private:
  const PreparedTask& task_;
  Vector ridge_;
  Matrix test_;
  NewtonFit newton_;
};

/// The final fit of most methods: a logistic regression to convergence on the weighted training rows, with
/// `labels` [n]. `ridge` as in the inner problem.
[[nodiscard]] Model fit_model(const PreparedTask& task, const Vector& weights, const Labels& labels,
                              double ridge);

/// Quality of a model on the clean test rows, and what it was trained on. NaN: undefined.
struct Assessment {
  Metrics metrics;
  double noise_rate_all = 0;      ///< share of training labels that differ from the clean ones
  double noise_rate_selected = 0; ///< the same among the selected rows, by weight
  double noise_reduction = 0;     ///< 1 - selected / all; undefined where no label is flipped
  double minority_share = 0;      ///< share of group 1 in the selection, by weight
  double selected = 0;            ///< rows kept, or the sum of the weights
  DetectionReport detection;      ///< of flipped labels by the rows of weight 0
  bool failed = false;            ///< the fit diverged, or a score is not finite: the metrics are NaN
};

[[nodiscard]] Assessment assess(const PreparedTask& task, const Model& model);

/// The same of a model that was fitted to the clean labels: nothing noisy is left in what it was trained on.
[[nodiscard]] Assessment assess_oracle(const PreparedTask& task, const Model& model);

} // namespace metasieve
