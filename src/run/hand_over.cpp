#include "run/hand_over.hpp"

#include <array>
#include <type_traits>
#include <utility>

namespace metasieve {
namespace {

/// All of a task whose size is not known before.
template <class Visit>
void for_each_array(PreparedTask& task, const Visit& visit) {
  for (Split* split : {&task.train, &task.test}) {
    visit(split->x);
    visit(split->y);
    visit(split->group);
    visit(split->y_clean);
  }
  visit(task.probe.standardizer.mean);
  visit(task.probe.standardizer.inverse_scale);
  visit(task.probe.beta);
  visit(task.features);
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

void send(const Communicator& comm, PreparedTask task, int to) {
  Head head{task.id,
            task.seed,
            task.corruption,
            task.precision,
            task.probe.status,
            task.probe.standardizer.use_group,
            {}};
  auto size = head.sizes.begin();
  for_each_array(task, [&](const auto& array) { *size++ = {array.rows(), array.cols()}; });
  comm.send(std::as_bytes(std::span(&head, 1)), to);
  for_each_array(task, [&](const auto& array) {
    comm.send(std::as_bytes(std::span(array.data(), static_cast<std::size_t>(array.size()))), to);
  });
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
    array.resize((*size)[0], (*size)[1]);
    ++size;
    comm.receive(std::as_writable_bytes(std::span(array.data(), static_cast<std::size_t>(array.size()))),
                 from);
  });
  return task;
}

} // namespace

std::vector<PreparedTask> handed_over(const Communicator& comm, std::vector<PreparedTask> prepared,
                                      const Dealing& dealing) {
  if (dealing.prepares == dealing.holds) return prepared;
  const auto rank = static_cast<std::size_t>(comm.rank());
  std::vector<PreparedTask> held(static_cast<std::size_t>(dealing.holds[rank].size()));
  auto source = prepared.begin();
  auto target = held.begin();
  for (const Transfer& transfer : transfers_of(dealing, comm.rank())) {
    if (transfer.from == transfer.to)
      *target++ = std::move(*source++);
    else if (transfer.from == comm.rank())
      send(comm, std::exchange(*source++, {}), transfer.to);
    else
      *target++ = receive(comm, transfer.from);
  }
  return held;
}

} // namespace metasieve
