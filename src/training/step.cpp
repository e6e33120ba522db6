#include "training/step.hpp"

#include "base/stopwatch.hpp"
#include "parallel/for_each.hpp"
#include "training/flops.hpp"

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

StepOptions step_options(const MetaOptions& options, const MetaConfig& config) {
  return {options, config.learning_rate, config.clip, config.iterations};
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
                         shape_of(*task),
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

double learning_rate(const StepOptions& options, Index t) {
  const double decay = 10 * (t - 1) < 7 * options.iterations ? 1.0 : 0.3;
  return decay * options.learning_rate;
}

void update(Policy& policy, Adam& adam, const BatchGradient& gradient, const StepOptions& options,
            StepWorkspace& work) {
  const Index t = ++policy.trained_iterations;
  if (std::isnan(gradient.loss)) return; // every task failed: the history says so
  work.clipped = clip_factor(gradient.d_theta, options.clip) * gradient.d_theta;
  adam.move(policy.theta, work.clipped, learning_rate(options, t));
}

} // namespace metasieve
