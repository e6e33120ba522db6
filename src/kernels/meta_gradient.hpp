#pragma once

#include "base/random.hpp"
#include "base/stopwatch.hpp"
#include "kernels/inner.hpp"
#include "kernels/network.hpp"
#include "kernels/outer_loss.hpp"
#include "kernels/weights.hpp"
#include "meta/meta_gradient.hpp"

#include <vector>

namespace metasieve {

/// task_meta_gradient in float32, the inner fit as FastInner says: for one thread, one task after the other
/// in the same memory. Held to task_meta_gradient at 1e-4 by tests. A result depends on its arguments alone.
class FastMetaGradient {
public:
  /// `packed` of `policy`. What is returned is valid until the next call.
  [[nodiscard]] const MetaGradient& operator()(const PreparedTask& task, const Policy& policy,
                                               const PackedPolicy<>& packed, const MetaOptions& options,
                                               std::uint64_t step);

private:
  TaskFailure differentiate(const PreparedTask& task, const Policy& policy, const PackedPolicy<>& packed,
                            const MetaOptions& options, std::uint64_t step, Lap& lap);
  [[nodiscard]] std::span<const Index> draw_support(const PreparedTask& task, const MetaOptions& options,
                                                    std::uint64_t step);
  void load_query(const PreparedTask& task);

  MetaGradient result_;
  Sampler sampler_;
  FastNetwork<> network_;
  FastWeights keep_;
  FastInner inner_;
  simd::Columns<float> query_;  ///< [m, p]
  std::vector<float*> columns_; ///< of it
  simd::Buffer<float> score_, coefficients_;
  simd::Buffer<double> d_beta_;
  FastOuterLoss outer_;
};

} // namespace metasieve
