#pragma once

#include "base/linalg.hpp"

#include <array>
#include <vector>

namespace metasieve {

/// Quality and fairness of a binary predictor on one test split, for K groups. A value whose denominator is
/// zero is NaN: undefined, never 0. A gap compares the groups whose rate is defined; fewer than two of them
/// leave it undefined, but for K = 1, where every gap is 0.
struct Metrics {
  double accuracy = 0;
  double dp_gap = 0;               ///< largest less least P(yhat=1|z) over the groups
  double eo_gap = 0;               ///< the larger, over y, of the largest less the least P(yhat=1|y,z)
  double eopp_gap = 0;             ///< this difference for y=1 only
  double roh_dp = 0;               ///< max over z of |P(yhat=1|z) - P(yhat=1)| (Roh et al. 2021)
  double roh_eo = 0;               ///< max over y, z of |P(yhat=1|y,z) - P(yhat=1|y)|
  double auc = 0;                  ///< area under the ROC curve, ties counted half
  double balanced_accuracy = 0;    ///< mean of the true positive and the true negative rate
  double positive_rate = 0;        ///< P(yhat=1): 0 or 1 exposes a constant predictor
  double worst_group_accuracy = 0; ///< least accuracy over the groups that have rows
  /// What dp_gap and eo_gap would be on average, by chance alone, on test rows of these counts, if the groups
  /// had the same rates: rates are independent and near-normal. Two groups: E max(|a|, |b|) = (E|a+b| +
  /// E|a-b|)/2 = sqrt(2/pi (var a + var b)). More: the mean over 2000 simulated sets of rates.
  double dp_floor = 0, eo_floor = 0;
};

/// Test rows of a cell (label, group), and how many of them are predicted 1; real numbers, for resampled
/// rows.
struct Rate {
  double hits = 0, rows = 0;
  [[nodiscard]] double value() const; ///< hits / rows; NaN without rows
  friend Rate operator+(Rate a, Rate b) { return {a.hits + b.hits, a.rows + b.rows}; }
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// The cells of K groups: [y][z].
using Cells = std::array<std::vector<Rate>, 2>;

/// The cells of predictions 0 or 1. predicted, y, group [m]; groups: K.
[[nodiscard]] Cells cells_of(const Labels& predicted, const Labels& y, const Labels& group, Index groups);

/// All metrics that follow from the cells, which must be as many for both labels: all but auc, which is NaN,
/// and, without `floors`, dp_floor and eo_floor.
[[nodiscard]] Metrics metrics_of(const Cells& positive, bool floors = true);

/// yhat = 1 where score > 0. score [m]: finite logits -> [m].
[[nodiscard]] inline Labels predictions(const Vector& score) {
  return (score.array() > 0.0).cast<std::uint8_t>();
}

/// Area under the ROC curve, ties counted half; NaN if all labels are alike. score, y [m].
[[nodiscard]] double area_under_roc(const Vector& score, const Labels& y);

/// score [m]: finite logits. y, group [m]; groups: K.
[[nodiscard]] Metrics evaluate_predictor(const Vector& score, const Labels& y, const Labels& group,
                                         Index groups = 2);

} // namespace metasieve
