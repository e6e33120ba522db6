#pragma once

#include "kernels/meta_gradient.hpp"
#include "policy/adam.hpp"
#include "runtime/phases.hpp"
#include "training/batch_sum.hpp"
#include "training/task_pool.hpp"

#include <deque>
#include <span>
#include <vector>

namespace metasieve {

/// This rank's tasks of a batch, in the order in which threads take them.
struct Batch {
  const TaskPool& pool;
  std::span<const Index> tasks; ///< among pool.ids()
  std::uint64_t step;           ///< from 0
};

/// How the gradient of one task went.
struct TaskOutcome {
  TaskId id{};
  Index rows = 0; ///< rows of the gradient
  TaskFailure failure = TaskFailure::none;
  double seconds = 0, policy_seconds = 0, inner_seconds = 0; ///< the whole, and its parts: see MetaGradient
};

/// Floating-point operations of the policy's network on one row, a multiply-add counting two: its output,
/// and the gradient that goes back from it.
[[nodiscard]] std::int64_t forward_flops(const Policy& policy);
[[nodiscard]] std::int64_t pullback_flops(const Policy& policy);
/// Floating-point operations of the network in the gradient of one task, up to where it failed.
[[nodiscard]] std::int64_t network_flops(const TaskOutcome& task, const Policy& policy);

/// Memory of the training step, for one batch after the other: once the largest was seen, a step allocates
/// nothing but for tasks that fail.
struct StepWorkspace {
  /// `parameters`: p; `batch_size`: tasks over all ranks.
  StepWorkspace(Index parameters, Index batch_size) : sum(parameters, batch_size) {}

  kernels::PackedPolicy<> policy;
  std::deque<kernels::TaskGradient> of_thread;
  BatchSum sum;
  std::vector<TaskOutcome> outcomes; ///< this rank's tasks in the latest batch
  double loop_seconds = 0;           ///< wall time of the loop over the latest batch
  Vector clipped;                    ///< [p]
};

/// Adds the gradients of this rank's tasks to work.sum, as many at a time as there are threads.
void add_gradients(const Batch& batch, const Policy& policy, const MetaOptions& options, StepWorkspace& work);

/// Collective: the mean gradient over the tasks of all ranks, the same bits for any number of ranks and
/// threads; valid until the next call. Times the phases make, policy, inner, idle, reduce, and, behind a
/// barrier, wait if `measured`.
[[nodiscard]] const BatchGradient& gradient_of_batch(const Batch& batch, const Policy& policy,
                                                     const MetaOptions& options, StepWorkspace& work,
                                                     const Communicator& comm, PhaseClock& clock,
                                                     bool measured);

/// The learning rate of iteration t, from 1: 0.3 of it after 70 % of the iterations.
[[nodiscard]] double learning_rate(const MetaConfig& meta, Index t);

/// Moves the policy along the clipped -gradient by Adam and counts the iteration; where every task of the
/// batch failed, it only counts.
void update(Policy& policy, Adam& adam, const BatchGradient& gradient, const MetaConfig& meta,
            StepWorkspace& work);

} // namespace metasieve
