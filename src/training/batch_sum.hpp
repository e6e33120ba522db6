#pragma once

#include "meta/meta_gradient.hpp"
#include "parallel/exact_sum.hpp"

#include <cstdint>

namespace metasieve {

/// Means over the tasks of a batch whose gradient succeeded; NaN where none did.
struct BatchGradient {
  double loss, accuracy_loss, fairness_loss;
  Vector d_theta; ///< [p]; zero where none succeeded
  std::int64_t failed;
  std::int64_t clipped; ///< tasks whose gradient was beyond BatchSum::bound
};

/// The exact sum over a batch: the same bits for any number of ranks and threads. Allocates nothing after its
/// construction.
class BatchSum {
public:
  /// `parameters`: p; `batch_size`: tasks over all ranks.
  BatchSum(Index parameters, Index batch_size);

  /// Forgets what was added.
  void clear() { sum_.clear(); }

  /// Adds the gradient of a task; thread-safe. One that failed counts as failed, nothing else.
  void add(const MetaGradient& gradient);
  /// Collective. Valid until the next call.
  [[nodiscard]] const BatchGradient& mean(const Communicator& comm);

  /// Largest norm of one task's gradient in the sum: far beyond what a healthy task gives (of order 1), and
  /// small enough that the fixed point resolves 1e-14 at a batch of 16.
  static constexpr double bound = 1e3;

private:
  Index batch_size_;
  ExactSum sum_;
  BatchGradient mean_;
};

} // namespace metasieve
