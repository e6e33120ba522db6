#include "training/migration.hpp"

#include <array>
#include <span>
#include <type_traits>
#include <utility>

namespace metasieve {
namespace {

/// All of a task whose size is not known before.
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
  body(task.probe.beta);
  body(task.features);
}

template <class Array>
auto values_of(Array& array) {
  return std::span(array.data(), static_cast<std::size_t>(array.size()));
}

/// The rest, and the sizes.
struct Head {
  TaskId id;
  Seed seed;
  Corruption corruption;
  Precision precision;
  FitStatus probe_status;
  bool use_group;
  std::array<std::array<Index, 2>, 12> sizes;
};
static_assert(std::is_trivially_copyable_v<Head>);

Head head_of(PreparedTask& task) {
  const Probe& probe = task.probe;
  Head head{task.id,        task.seed,    task.corruption,
            task.precision, probe.status, probe.standardizer.use_group,
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
  task.probe.standardizer.use_group = head.use_group;
  auto size = head.sizes.begin();
  for_each_array(task, [&](auto& array) {
    const auto [rows, columns] = *size++;
    array.resize(rows, columns);
    comm.receive(std::as_writable_bytes(values_of(array)), from);
  });
  return task;
}

} // namespace

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

} // namespace metasieve
