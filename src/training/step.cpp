#include "training/step.hpp"

#include "base/for_each.hpp"
#include "base/stopwatch.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

/// Means over the threads of what each of them did in the latest batch.
void add_times(const StepWorkspace& work, PhaseClock& clock) {
  const double threads = thread_count();
  double policy = 0, inner = 0, make = 0;
  for (const TaskOutcome& outcome : work.outcomes) {
    policy += outcome.policy_seconds / threads;
    inner += outcome.inner_seconds / threads;
    make += (outcome.seconds - outcome.policy_seconds - outcome.inner_seconds) / threads;
  }
  clock.add(Phase::make, make);
  clock.add(Phase::policy, policy);
  clock.add(Phase::inner, inner);
  clock.add(Phase::idle, work.loop_seconds - policy - inner - make);
}

} // namespace

std::int64_t forward_flops(const Policy& policy) {
  std::int64_t sum = 0;
  for (const LayerView& layer : layers(policy)) sum += 2 * layer.inputs * layer.outputs;
  return sum;
}

std::int64_t pullback_flops(const Policy& policy) {
  const LayerView first = layers(policy).front(); // nothing goes back to the features
  return 2 * (forward_flops(policy) - first.inputs * first.outputs);
}

std::int64_t network_flops(const TaskOutcome& task, const Policy& policy) {
  if (task.failure == TaskFailure::one_class || task.failure == TaskFailure::probe) return 0;
  const bool ends_early = task.failure == TaskFailure::policy || task.failure == TaskFailure::inner_fit;
  return task.rows * (forward_flops(policy) + (ends_early ? 0 : pullback_flops(policy)));
}

void add_gradients(const Batch& batch, const Policy& policy, const MetaOptions& options,
                   StepWorkspace& work) {
  const double begin = wall_seconds();
  while (std::ssize(work.of_thread) < thread_count()) work.of_thread.emplace_back();
  work.policy.pack(policy);
  work.sum.clear();
  work.outcomes.resize(batch.tasks.size());
  for_each_parallel({0, std::ssize(batch.tasks)}, [&](Index i) {
    const double task_begin = wall_seconds();
    const auto at = static_cast<std::size_t>(i);
    const auto task = batch.pool.task(batch.tasks[at]);
    const MetaGradient& gradient =
        work.of_thread[static_cast<std::size_t>(thread_index())](*task, work.policy, options, batch.step);
    work.outcomes[at] = {task->id,
                         options.support > 0 ? std::min(options.support, task->train.rows())
                                             : task->train.rows(),
                         gradient.failure,
                         wall_seconds() - task_begin,
                         gradient.policy_seconds,
                         gradient.inner_seconds};
    work.sum.add(gradient);
  });
  work.loop_seconds = wall_seconds() - begin;
}

const BatchGradient& gradient_of_batch(const Batch& batch, const Policy& policy, const MetaOptions& options,
                                       StepWorkspace& work, const Communicator& comm, PhaseClock& clock,
                                       bool measured) {
  add_gradients(batch, policy, options, work);
  add_times(work, clock);
  if (measured) {
    const auto timed = clock.measure(Phase::wait);
    comm.barrier();
  }
  const auto timed = clock.measure(Phase::reduce);
  return work.sum.mean(comm);
}

double learning_rate(const MetaConfig& meta, Index t) {
  const double decay = 10 * (t - 1) < 7 * meta.iterations ? 1.0 : 0.3;
  return decay * meta.learning_rate;
}

void update(Policy& policy, Adam& adam, const BatchGradient& gradient, const MetaConfig& meta,
            StepWorkspace& work) {
  const Index t = ++policy.trained_iterations;
  if (std::isnan(gradient.loss)) return; // every task failed: the history says so
  work.clipped = clip_factor(gradient.d_theta, meta.clip) * gradient.d_theta;
  adam.move(policy.theta, work.clipped, learning_rate(meta, t));
}

} // namespace metasieve
