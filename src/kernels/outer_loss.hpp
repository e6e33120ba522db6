#pragma once

#include "fairness/outer_loss.hpp"
#include "numerics/registers.hpp"

namespace metasieve::kernels {

/// outer_loss and its pullback (fairness/outer_loss.hpp) in float32, sums in double. Keeps its memory. Takes
/// one pass over the rows for each group number up to the largest.
class OuterLoss {
public:
  struct Value {
    double loss, accuracy_loss, fairness_loss;
  };

  /// score [m], in whole registers; y [m], group [m]; m >= 1.
  [[nodiscard]] Value operator()(const float* score, const Labels& y, const Labels& group,
                                 const OuterOptions& options);
  /// d loss / d score of the last call, [m], 0 beyond up to whole registers.
  [[nodiscard]] const float* d_score() const noexcept { return d_score_.data(); }

private:
  simd::Buffer<float> y_, group_, decision_, d_decision_, d_score_;
};

} // namespace metasieve::kernels
