#pragma once

#include "meta/meta_gradient.hpp"
#include "parallel/exact_sum.hpp"

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace metasieve {

/// Means over the tasks of a batch that succeeded; NaN where none did.
struct BatchMean {
  double loss, accuracy_loss, fairness_loss;
  Vector d_theta; ///< [p]; zero where none succeeded
  std::int64_t failed;
  std::int64_t clipped; ///< tasks whose gradient was beyond the bound
};

/// How one rank's tasks of a batch went, and where the time of its threads.
struct Visits {
  std::vector<std::pair<TaskId, TaskFailure>> failures; ///< of those that failed
  // Wall time, means over the threads.
  double policy_seconds = 0, inner_seconds = 0; ///< see MetaGradient
  double make_seconds = 0;                      ///< of what comes before the gradient
  double idle_seconds = 0;                      ///< the rest: threads without a task, and the summing
};

/// The exact sum over a batch: the same bits for any number of ranks and threads.
class BatchSum {
public:
  BatchSum(Index parameters, Index batch_size);

  /// Thread-safe. A task that failed adds nothing but the knowledge of it.
  void add(const MetaGradient& gradient);
  /// Adds visit(0) to visit(tasks - 1), each a task and its gradient, as many at a time as there are threads.
  Visits add_all(Index tasks, const std::function<std::pair<TaskId, MetaGradient>(Index)>& visit);
  /// Collective.
  [[nodiscard]] BatchMean mean(const Communicator& comm);

  /// Largest norm of one task's gradient in the sum: far beyond what a healthy task gives (of order 1), and
  /// small enough that the fixed point resolves 1e-14 at a batch of 16.
  static constexpr double bound = 1e3;

private:
  Index batch_size_;
  ExactSum sum_;
};

} // namespace metasieve
