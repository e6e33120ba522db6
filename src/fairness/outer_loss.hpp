#pragma once

#include "base/linalg.hpp"

namespace metasieve {

enum class AccuracyLoss { logistic, zero_one };
/// dp: demographic parity; eo: equalised odds; both: the mean of the two; none: 0.
enum class Gap { dp, eo, both, none };

inline constexpr double sharpness = 4.0;     ///< of the sigmoid that stands for the decision 1[f > 0]
inline constexpr double gap_floor = 1e-4;    ///< keeps sqrt(D^2 + floor) differentiable at D = 0
inline constexpr double smallest_cell = 3.0; ///< rows of a group without which a gap is undefined

struct OuterOptions {
  AccuracyLoss accuracy_loss = AccuracyLoss::zero_one;
  Gap fairness = Gap::eo;
  double fairness_weight = 1.0;
};

/// The loss on the clean query rows, and what its pullback needs.
struct OuterTrace {
  double loss = 0; ///< accuracy_loss + fairness_weight * fairness_loss
  double accuracy_loss = 0;
  double fairness_loss = 0;
  Vector d_score; ///< [m], d loss / d score
};

/// score [m] logits, y [m], group [m]. accuracy: `logistic` mean log(1 + exp(-t f)); `zero_one` mean
/// sigmoid(-4 t f), t = 2y - 1. Gap over a set of rows: sqrt(D^2 + 1e-4), D the difference between the groups
/// of mean sigmoid(4 f); dp over all rows, eo the average over y = 0 and y = 1. A set with fewer than 3 rows
/// of a group is skipped.
[[nodiscard]] OuterTrace outer_loss(const Vector& score, const Labels& y, const Labels& group,
                                    const OuterOptions& options);

/// d_loss -> d_score [m].
[[nodiscard]] inline Vector pullback(const OuterTrace& trace, double d_loss = 1.0) {
  return d_loss * trace.d_score;
}

} // namespace metasieve
