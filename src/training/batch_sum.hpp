#pragma once

#include "meta/meta_gradient.hpp"
#include "parallel/exact_sum.hpp"
#include "parallel/for_each.hpp"
#include "runtime/phases.hpp"

#include <cstdint>
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

/// The exact sum over a batch: the same bits for any number of ranks and threads. Used for one batch after
/// the other (clear), it allocates no memory once it has seen the largest, but for tasks that fail.
class BatchSum {
public:
  BatchSum(Index parameters, Index batch_size);

  /// Forgets what was added.
  void clear() { sum_.clear(); }

  /// Thread-safe. A task that failed adds nothing but the knowledge of it.
  void add(const MetaGradient& gradient);
  /// Adds visit(0) to visit(tasks - 1), as many at a time as there are threads: each gives the task's id and
  /// a pointer to its gradient, which is not looked at after the thread's next visit. Valid until the next
  /// call.
  template <class Visit>
  const Visits& add_all(Index tasks, Visit&& visit);
  /// Collective. Valid until the next call.
  [[nodiscard]] const BatchMean& mean(const Communicator& comm);

  /// Largest norm of one task's gradient in the sum: far beyond what a healthy task gives (of order 1), and
  /// small enough that the fixed point resolves 1e-14 at a batch of 16.
  static constexpr double bound = 1e3;

private:
  struct Outcome {
    TaskId id{};
    TaskFailure failure = TaskFailure::none;
    double seconds = 0, policy_seconds = 0, inner_seconds = 0;
  };
  void count(double loop_seconds);

  Index batch_size_;
  ExactSum sum_;
  std::vector<Outcome> outcomes_;
  Visits visits_;
  BatchMean mean_;
};

template <class Visit>
const Visits& BatchSum::add_all(Index tasks, Visit&& visit) {
  outcomes_.resize(static_cast<std::size_t>(tasks));
  const double begin = wall_seconds();
  for_each_parallel({0, tasks}, [&](Index i) {
    const double task_begin = wall_seconds();
    const auto [id, gradient] = visit(i);
    outcomes_[static_cast<std::size_t>(i)] = {id, gradient->failure, wall_seconds() - task_begin,
                                              gradient->policy_seconds, gradient->inner_seconds};
    add(*gradient);
  });
  count(wall_seconds() - begin);
  return visits_;
}

} // namespace metasieve
