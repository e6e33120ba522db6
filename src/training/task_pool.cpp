#include "training/task_pool.hpp"

#include "base/for_each.hpp"
#include "hdf5/checksum.hpp"
#include "kernels/meta_features.hpp"
#include "parallel/partition.hpp"
#include "runtime/machine.hpp"

#include <array>
#include <atomic>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>

namespace metasieve {
namespace {

/// Calls `body` with each array of a task.
template <class Body>
void for_each_array(PreparedTask& task, const Body& body) {
  for (Split* split : {&task.train, &task.test}) {
    body(split->x);
    body(split->y);
    body(split->group);
    body(split->y_clean);
  }
  body(task.probe.standardizer.mean);
  body(task.probe.standardizer.inverse_scale);
  body(task.probe.standardizer.group_values);
  body(task.probe.beta);
  body(task.features);
}

template <class Array>
auto values_of(Array& array) {
  return std::span(array.data(), static_cast<std::size_t>(array.size()));
}

/// All else in a task, and the sizes of the arrays.
struct Head {
  TaskId id;
  Seed seed;
  Corruption corruption;
  Precision precision;
  FitStatus probe_status;
  Index groups;
  std::array<std::array<Index, 2>, 13> sizes;
};
static_assert(std::is_trivially_copyable_v<Head>);

Head head_of(PreparedTask& task) {
  const Probe& probe = task.probe;
  Head head{task.id,     task.seed, task.corruption, task.precision, probe.status, task.train.groups,
            /*sizes=*/{}};
  auto size = head.sizes.begin();
  for_each_array(task, [&](const auto& array) { *size++ = {array.rows(), array.cols()}; });
  return head;
}

PreparedTask receive(const Communicator& comm, int from) {
  Head head{};
  comm.receive(std::as_writable_bytes(std::span(&head, 1)), from);
  PreparedTask task;
  task.id = head.id;
  task.seed = head.seed;
  task.corruption = head.corruption;
  task.precision = head.precision;
  task.probe.status = head.probe_status;
  task.train.groups = task.test.groups = head.groups;
  auto size = head.sizes.begin();
  for_each_array(task, [&](auto& array) {
    const auto [rows, columns] = *size++;
    array.resize(rows, columns);
    comm.receive(std::as_writable_bytes(values_of(array)), from);
  });
  return task;
}

} // namespace

TaskPool::TaskPool(const Communicator& comm, const TaskSource& source, const TaskPart& part,
                   PhaseClock& clock, const PoolHooks& hooks)
    : source_(&source), use_(part.use) {
  const TaskCosts costs = task_costs(source.shapes(part.ids), use_);
  const TaskSchedule schedule = partition_tasks(costs, part.meta, comm.size());
  const auto rank = static_cast<std::size_t>(comm.rank());
  const Range mine = schedule.owned_by[rank], first = schedule.prepared_by[rank];
  ids_ = {part.ids.begin + mine.begin, part.ids.begin + mine.end};
  use_costs_.assign(costs.uses.begin() + mine.begin, costs.uses.begin() + mine.end);
  const Range to_prepare{part.ids.begin + first.begin, part.ids.begin + first.end};
  const auto stopped = [&] { return hooks.stopped && hooks.stopped(); };
  std::vector<Task> tasks;
  if (use_.holds_rows) {
    const auto timed = clock.measure(Phase::tasks);
    tasks = source.tasks(comm, to_prepare, stopped);
  }
  const auto timed = clock.measure(use_.holds_features ? Phase::features : Phase::tasks);
  std::vector<PreparedTask> ready(static_cast<std::size_t>(use_.holds_features ? to_prepare.size() : 0));
  std::vector<Index> order(static_cast<std::size_t>(to_prepare.size()));
  std::iota(order.begin(), order.end(), to_prepare.begin);
  sort_by_descending_cost(
      order, [&](Index i) { return costs.preparation[static_cast<std::size_t>(i - part.ids.begin)]; });
  std::atomic<std::uint64_t> fingerprints = 0;
  std::atomic<Index> done = 0;
  comm.run_collectively([&] {
    for_each_parallel({0, to_prepare.size()}, [&](Index turn) {
      if (stopped()) return;
      const Index i = order[static_cast<std::size_t>(turn)];
      const auto at = static_cast<std::size_t>(i - to_prepare.begin);
      Task task = use_.holds_rows ? std::move(tasks[at]) : source.make(i);
      fingerprints += metasieve::fingerprint(task.id, task.train, task.test);
      require_groups(use_.prepare.features, task.train.groups); // also of tasks that are prepared later
      if (use_.holds_features) {
        ready[at] = prepare_task(std::move(task));
        if (!use_.holds_rows) ready[at].train = ready[at].test = {};
      }
      ++done;
      if (hooks.prepared) hooks.prepared(static_cast<double>(done) / static_cast<double>(to_prepare.size()));
    });
  });
  fingerprint_ = fingerprints;
  if (comm.max(to_prepare.size() - done) > 0) return; // stopped
  if (use_.holds_features) held_ = migrate_tasks(comm, std::move(ready), schedule);
  give_back_memory();
}

const std::vector<Index>& TaskPool::by_descending_cost(const std::vector<Index>& tasks) {
  turns_ = tasks;
  sort_by_descending_cost(turns_,
                          [this](Index i) { return use_costs_[static_cast<std::size_t>(i - ids_.begin)]; });
  return turns_;
}

std::shared_ptr<const PreparedTask> TaskPool::task(Index i) const {
  const auto at = static_cast<std::size_t>(i - ids_.begin);
  if (use_.holds_rows) return {std::shared_ptr<const PreparedTask>(), &held_[at]}; // not owned
  Task made = source_->make(i);
  if (held_.empty()) return std::make_shared<const PreparedTask>(prepare_task(std::move(made)));
  auto task = std::make_shared<PreparedTask>(held_[at]);
  task->train = std::move(made.train);
  task->test = std::move(made.test);
  return task;
}

PreparedTask TaskPool::prepare_task(Task task) const {
  PrepareOptions options = use_.prepare;
  options.seed = Seed{task.metadata.seed};
  return kernels::prepare(std::move(task), options);
}

std::vector<PreparedTask> migrate_tasks(const Communicator& comm, std::vector<PreparedTask> prepared,
                                        const TaskSchedule& schedule) {
  if (schedule.prepared_by == schedule.owned_by) return prepared;
  const std::vector<Transfer> transfers = transfers_of(schedule, comm.rank());
  std::vector<Head> heads;
  heads.reserve(prepared.size()); // they stay where they are
  Sends sends(comm);
  auto source = prepared.begin();
  for (const Transfer& transfer : transfers) {
    if (transfer.from != comm.rank()) continue;
    PreparedTask& task = *source++;
    if (transfer.to == comm.rank()) continue;
    heads.push_back(head_of(task));
    sends.add(std::as_bytes(std::span(&heads.back(), 1)), transfer.to);
    for_each_array(task, [&](auto& array) { sends.add(std::as_bytes(values_of(array)), transfer.to); });
  }
  std::vector<PreparedTask> held;
  held.reserve(static_cast<std::size_t>(schedule.owned_by[static_cast<std::size_t>(comm.rank())].size()));
  source = prepared.begin();
  for (const Transfer& transfer : transfers) {
    PreparedTask* const mine = transfer.from == comm.rank() ? &*source++ : nullptr;
    if (transfer.to == comm.rank())
      held.push_back(mine != nullptr ? std::move(*mine) : receive(comm, transfer.from));
  }
  sends.finish();
  return held;
}

std::uint64_t fingerprint(TaskId id, const Split& train, const Split& test) {
  std::uint64_t sum = 0, place = 8 * static_cast<std::uint64_t>(id);
  const auto add = [&](const auto& values, Index rows) {
    const auto bytes = std::as_bytes(std::span(values.data(), static_cast<std::size_t>(values.size())));
    ++place;
    if (!bytes.empty())
      sum += checksum(static_cast<std::int64_t>(place << 32U), bytes.size() / static_cast<std::size_t>(rows),
                      bytes);
  };
  for (const Split* split : {&train, &test}) {
    add(split->x, split->rows());
    add(split->y, split->rows());
    add(split->group, split->rows());
    add(split->y_clean, split->rows());
  }
  return sum;
}

std::uint64_t fingerprint_of(const Communicator& comm, const TaskSource& source) {
  std::atomic<std::uint64_t> sum = 0;
  comm.run_collectively([&] {
    for_each_parallel(my_range(comm, source.costs(generation_cost)), [&](Index i) {
      const Task task = source.make(i);
      sum += fingerprint(task.id, task.train, task.test);
    });
  });
  return comm.wrapping_sum(sum);
}

} // namespace metasieve
