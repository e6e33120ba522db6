#pragma once

#include "numerics/registers.hpp"

namespace metasieve::kernels {

/// keep_weights and its pullback (policy/weights.hpp) in float32, sums in double. Keeps its memory.
class Weighting {
public:
  /// u [n], in whole registers -> s [n], 0 beyond. n >= 1.
  [[nodiscard]] const float* forward(const float* u, Index n, double keep, double temperature);

  /// d_s [n] -> d_u [n], 0 beyond; both in whole registers. For the last `forward`.
  [[nodiscard]] const float* pullback(const float* d_weights);

private:
  Index rows_ = 0;
  float temperature_ = 1;
  float scale_ = 0; ///< sd(u); 0 where u is constant
  simd::Buffer<float> standardised_, weights_, d_u_;
};

} // namespace metasieve::kernels
