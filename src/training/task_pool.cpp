#include "training/task_pool.hpp"

#include "kernels/meta_features.hpp"
#include "parallel/for_each.hpp"
#include "parallel/partition.hpp"
#include "runtime/machine.hpp"
#include "training/flops.hpp"
#include "training/migration.hpp"
#include "training/resume.hpp"
#include "training/task_schedule.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>

namespace metasieve {

TaskPool::TaskPool(const Communicator& comm, const TaskSource& source, Range ids, const Config& config,
                   const Uses& uses, PhaseClock& clock, const std::function<bool()>& stopped,
                   const std::function<void(double)>& prepared)
    : source_(&source), prepare_(config.prepare_options(Seed{})),
      holds_rows_(config.suite.hold == Hold::memory) {
  const TaskCosts costs = task_costs(source.shapes(ids), config, uses);
  const TaskSchedule schedule = partition_tasks(costs, config.meta, comm.size());
  const auto rank = static_cast<std::size_t>(comm.rank());
  const Range part = schedule.owned_by[rank], first = schedule.prepared_by[rank];
  ids_ = {ids.begin + part.begin, ids.begin + part.end};
  gradient_costs_.assign(costs.visits.begin() + part.begin, costs.visits.begin() + part.end);
  const Range to_prepare{ids.begin + first.begin, ids.begin + first.end};
  std::vector<Task> tasks;
  if (holds_rows_) {
    const auto timed = clock.measure(Phase::tasks);
    tasks = source.tasks(comm, to_prepare, stopped);
  }
  const bool features = holds_features(config);
  const auto timed = clock.measure(features ? Phase::features : Phase::tasks);
  std::vector<PreparedTask> ready(static_cast<std::size_t>(features ? to_prepare.size() : 0));
  const auto cost = [&](Index i) { return costs.preparation[static_cast<std::size_t>(i - ids.begin)]; };
  std::vector<Index> all(static_cast<std::size_t>(to_prepare.size()));
  std::iota(all.begin(), all.end(), to_prepare.begin);
  const std::vector<Index> order = metasieve::by_descending_cost(std::move(all), cost);
  std::atomic<std::uint64_t> fingerprints = 0;
  std::atomic<bool> left_out = false;
  comm.agree([&] {
    for_each_parallel({0, to_prepare.size()}, [&](Index turn) {
      if (stopped && stopped()) {
        left_out = true;
        return;
      }
      const Index i = order[static_cast<std::size_t>(turn)];
      const auto at = static_cast<std::size_t>(i - to_prepare.begin);
      Task task = holds_rows_ ? std::move(tasks[at]) : source.make(i);
      fingerprints += metasieve::fingerprint(task.id, task.train, task.test);
      if (!features) return;
      ready[at] = prepare_task(std::move(task));
      clock.count(Phase::features, preparation_flops(shape_of(ready[at]), prepare_));
      if (!holds_rows_) ready[at].train = ready[at].test = {};
      if (prepared) prepared(1e-9 * cost(i));
    });
  });
  fingerprint_ = fingerprints;
  if (comm.max(std::int64_t{left_out}) > 0) return;
  if (features) held_ = migrate_tasks(comm, std::move(ready), schedule);
  give_back_memory();
}

const std::vector<Index>& TaskPool::by_descending_cost(const std::vector<Index>& tasks) {
  turns_ = tasks;
  sort_by_descending_cost(
      turns_, [this](Index i) { return gradient_costs_[static_cast<std::size_t>(i - ids_.begin)]; });
  return turns_;
}

std::shared_ptr<const PreparedTask> TaskPool::task(Index i) const {
  const auto at = static_cast<std::size_t>(i - ids_.begin);
  if (holds_rows_) return {std::shared_ptr<const PreparedTask>(), &held_[at]}; // not owned
  Task made = source_->make(i);
  if (held_.empty()) return std::make_shared<const PreparedTask>(prepare_task(std::move(made)));
  auto task = std::make_shared<PreparedTask>(held_[at]);
  task->train = std::move(made.train);
  task->test = std::move(made.test);
  return task;
}

PreparedTask TaskPool::prepare_task(Task task) const {
  PrepareOptions options = prepare_;
  options.seed = Seed{task.metadata.seed};
  return kernels::prepare(std::move(task), options);
}

std::uint64_t fingerprint_of(const Communicator& comm, const TaskSource& source, Range ids) {
  std::atomic<std::uint64_t> sum = 0;
  comm.agree([&] {
    for_each_parallel(my_range(comm, ids.begin, source.costs(ids, generation_cost)), [&](Index i) {
      const Task task = source.make(i);
      sum += fingerprint(task.id, task.train, task.test);
    });
  });
  return comm.wrapping_sum(sum);
}

} // namespace metasieve
