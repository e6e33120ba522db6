#pragma once

#include "base/linalg.hpp"

#include <array>

namespace metasieve {

/// Quality and fairness of a binary predictor on one test split. A value whose denominator is zero is NaN:
/// undefined, never 0.
struct Metrics {
  double accuracy = 0;
  double dp_gap = 0;               ///< |P(yhat=1|z=0) - P(yhat=1|z=1)|
  double eo_gap = 0;               ///< max over y of the difference of P(yhat=1|y,z) between groups
  double eopp_gap = 0;             ///< this difference for y=1 only
  double roh_dp = 0;               ///< max over z of |P(yhat=1|z) - P(yhat=1)| (Roh et al. 2021)
  double roh_eo = 0;               ///< max over y, z of |P(yhat=1|y,z) - P(yhat=1|y)|
  double auc = 0;                  ///< area under the ROC curve, ties counted half
  double balanced_accuracy = 0;    ///< mean of the true positive and the true negative rate
  double positive_rate = 0;        ///< P(yhat=1): 0 or 1 exposes a constant predictor
  double worst_group_accuracy = 0; ///< least accuracy over the groups that have rows
  /// What dp_gap and eo_gap would be on average, by chance alone, on test rows of these counts, if the groups
  /// had the same rates: of a difference of independent near-normal shares. E max(|a|, |b|) = (E|a+b| +
  /// E|a-b|)/2 = sqrt(2/pi (var a + var b)).
  double dp_floor = 0, eo_floor = 0;
};

/// Test rows of a cell (label, group), and how many of them are predicted 1; real numbers, for resampled
/// rows.
struct Rate {
  double hits = 0, rows = 0;
  [[nodiscard]] double value() const; ///< hits / rows; NaN without rows
  friend Rate operator+(Rate a, Rate b) { return {a.hits + b.hits, a.rows + b.rows}; }
};
using Cells = std::array<std::array<Rate, 2>, 2>; ///< [y][z]

/// All metrics that follow from the cells: all but auc, which is NaN.
[[nodiscard]] Metrics metrics_of(const Cells& positive);

/// score [m]: finite logits, yhat = 1 where score > 0. y, group [m].
[[nodiscard]] Metrics evaluate_predictor(const Vector& score, const Labels& y, const Labels& group);

} // namespace metasieve
