#include "run/task_shard.hpp"

#include "parallel/for_each.hpp"
#include "run/dealing.hpp"
#include "run/flops.hpp"
#include "run/machine.hpp"
#include "run/resume.hpp"
#include "tasks/shard.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>

namespace metasieve {

Shard::Shard(const Communicator& comm, const TaskSource& source, Range ids, const Config& config,
             const Uses& uses, PhaseClock& clock, const std::function<bool()>& stopped,
             const std::function<void(double)>& prepared)
    : source_(&source), prepare_(config.prepare_options(Seed{})),
      holds_rows_(config.suite.hold == Hold::memory) {
  const std::vector<std::vector<double>> costs = phase_costs(source.shapes(ids), config, uses);
  const std::vector<Range> parts = uses.visits > 0 ? training_shards(costs, config, comm.size())
                                                   : shards_balanced_over(costs, comm.size());
  const Range part = parts[static_cast<std::size_t>(comm.rank())];
  ids_ = {ids.begin + part.begin, ids.begin + part.end};
  visit_costs_.assign(costs[1].begin() + part.begin, costs[1].begin() + part.end);
  std::vector<Task> tasks;
  if (holds_rows_) {
    const auto timed = clock.measure("tasks");
    tasks = source.tasks(comm, ids_, stopped);
  }
  const bool holds_features = holds_rows_ || config.suite.hold_features;
  const auto timed = clock.measure(holds_features ? "features" : "tasks");
  if (holds_features) held_.resize(static_cast<std::size_t>(ids_.size()));
  std::vector<Index> all(static_cast<std::size_t>(ids_.size()));
  std::iota(all.begin(), all.end(), ids_.begin);
  const std::vector<Index> order = longest_first(
      std::move(all), [&](Index i) { return costs[0][static_cast<std::size_t>(i - ids.begin)]; });
  std::atomic<std::uint64_t> fingerprints = 0;
  comm.agree([&] {
    for_each_parallel({0, ids_.size()}, [&](Index turn) {
      if (stopped && stopped()) return;
      const Index i = order[static_cast<std::size_t>(turn)];
      const auto at = static_cast<std::size_t>(i - ids_.begin);
      Task task = holds_rows_ ? std::move(tasks[at]) : source.make(i);
      fingerprints += metasieve::fingerprint(task.id, task.train, task.test);
      if (!holds_features) return;
      held_[at] = prepare_task(std::move(task));
      clock.count("features", preparation_flops(shape_of(held_[at]), prepare_));
      if (!holds_rows_) held_[at].train = held_[at].test = {};
      if (prepared) prepared(1e-9 * costs[0][static_cast<std::size_t>(i - ids.begin)]);
    });
  });
  fingerprint_ = fingerprints;
  give_back_memory();
}

const std::vector<Index>& Shard::in_turn(const std::vector<Index>& tasks) {
  turns_ = tasks;
  sort_longest_first(turns_,
                     [this](Index i) { return visit_costs_[static_cast<std::size_t>(i - ids_.begin)]; });
  return turns_;
}

std::shared_ptr<const PreparedTask> Shard::task(Index i) const {
  const auto at = static_cast<std::size_t>(i - ids_.begin);
  if (holds_rows_) return {std::shared_ptr<const PreparedTask>(), &held_[at]}; // not owned
  Task made = source_->make(i);
  if (held_.empty()) return std::make_shared<const PreparedTask>(prepare_task(std::move(made)));
  auto task = std::make_shared<PreparedTask>(held_[at]);
  task->train = std::move(made.train);
  task->test = std::move(made.test);
  return task;
}

PreparedTask Shard::prepare_task(Task task) const {
  PrepareOptions options = prepare_;
  options.seed = Seed{task.metadata.seed};
  return prepare(std::move(task), options);
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
