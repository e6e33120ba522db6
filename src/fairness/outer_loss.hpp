#pragma once

#include "base/split.hpp"

#include <array>
#include <span>

namespace metasieve {

/// balanced: zero_one with the same weight for both labels.
enum class AccuracyLoss { logistic, zero_one, balanced };
/// dp: demographic parity; eo: equalised odds; both: the mean of the two; none: 0.
enum class Gap { dp, eo, both, none };

inline constexpr double sharpness = 4.0;     ///< of the sigmoid that stands for the decision 1[f > 0]
inline constexpr double gap_floor = 1e-4;    ///< keeps sqrt(D^2 + floor) differentiable at D = 0
inline constexpr double smallest_cell = 3.0; ///< rows of a group without which a gap leaves it out

struct OuterOptions {
  AccuracyLoss accuracy_loss = AccuracyLoss::zero_one;
  Gap fairness = Gap::eo;
  double fairness_weight = 1.0;
};

/// How far the rates of groups are apart.
struct SmoothGap {
  double value = 0;                         ///< sqrt(D^2 + gap_floor)
  std::array<double, most_groups> d_rate{}; ///< derivative by each rate
};

/// rates [2..most_groups]. D^2 is the mean of (r_j - r_k)^2 over the pairs j < k. Bits do not depend on the
/// order of the rates.
[[nodiscard]] SmoothGap smooth_gap(std::span<const double> rates);

/// The loss on the clean query rows, and what its pullback needs.
struct OuterTrace {
  double loss = 0; ///< accuracy_loss + fairness_weight * fairness_loss
  double accuracy_loss = 0;
  double fairness_loss = 0;
  Vector d_score; ///< [m], d loss / d score
};

/// [2] weight of a row of each label in the accuracy term, given the rows that have it: 1, or, `balanced`,
/// half the rows over those of the label. 1 where only one label occurs.
[[nodiscard]] std::array<double, 2> label_weights(AccuracyLoss kind, Index negatives, Index positives);

/// score [m] logits, y [m], group [m]. accuracy: `logistic` mean log(1 + exp(-t f)); `zero_one` mean
/// sigmoid(-4 t f), t = 2y - 1; `balanced` that mean over each label, averaged. Gap over a set of rows:
/// smooth_gap of the mean of sigmoid(4 f) over each group with at least 3 rows in the set; a set with fewer
/// than two such groups is skipped. dp over all rows, eo the average over y = 0 and y = 1. Bits do not depend
/// on how groups are numbered.
[[nodiscard]] OuterTrace outer_loss(const Vector& score, const Labels& y, const Labels& group,
                                    const OuterOptions& options);

/// d_loss -> d_score [m].
[[nodiscard]] inline Vector pullback(const OuterTrace& trace, double d_loss = 1.0) {
  return d_loss * trace.d_score;
}

} // namespace metasieve
