#pragma once

#include "base/random.hpp"
#include "base/stopwatch.hpp"
#include "kernels/inner.hpp"
#include "kernels/network.hpp"
#include "kernels/outer_loss.hpp"
#include "kernels/weights.hpp"
#include "meta/meta_gradient.hpp"

#include <span>

namespace metasieve::kernels {

/// task_meta_gradient in the precision that the task was prepared in, for one thread: one task after the
/// other in the same memory. In float32 the inner fit is as InnerModel says, and tests hold the result to
/// task_meta_gradient at 1e-4. A result depends on its arguments alone.
class TaskGradient {
public:
  /// The gradient of `task` at meta-iteration `step`, valid until the next call.
  [[nodiscard]] const MetaGradient& operator()(const PreparedTask& task, const PackedPolicy<>& policy,
                                               const MetaOptions& options, std::uint64_t step);

private:
  TaskFailure differentiate(const PreparedTask& task, const PackedPolicy<>& policy,
                            const MetaOptions& options, std::uint64_t step, Stopwatch& lap);
  [[nodiscard]] std::span<const Index> draw_support(const PreparedTask& task, const MetaOptions& options,
                                                    std::uint64_t step);

  MetaGradient result_;
  Sampler sampler_;
  Network<> network_;
  Weighting weighting_;
  InnerModel inner_;
  simd::Columns<float> query_; ///< [m, p]
  simd::Buffer<float> score_, coefficients_;
  simd::Buffer<double> d_beta_;
  OuterLoss outer_;
};

} // namespace metasieve::kernels
