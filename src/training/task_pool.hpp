#pragma once

#include "training/cost.hpp"
#include "training/task_schedule.hpp"
#include "training/task_source.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace metasieve {

/// Calls that a pool makes while it prepares its tasks.
struct PoolHooks {
  std::function<bool()> stopped; ///< whether to leave out what is not begun
  /// Gets the share of this rank's tasks that are prepared; by several threads at a time.
  std::function<void(double share)> prepared;
};

/// The prepared tasks that one rank works on, consecutive ids: held whole, or made again each time that one
/// is asked for, as suite.hold says.
class TaskPool {
public:
  TaskPool() = default; ///< a pool without tasks

  /// Collective: partitions the tasks of `part` over the ranks by what their use costs; each is prepared by
  /// the rank that has the time for it, see TaskSchedule. `source` must outlive the pool. Times the phases
  /// `tasks` and `features`. After a stop no rank owns what it should: the caller must look at it too.
  TaskPool(const Communicator& comm, const TaskSource& source, const TaskPart& part, PhaseClock& clock,
           const PoolHooks& hooks = {});

  [[nodiscard]] Range ids() const noexcept { return ids_; }

  /// Task i of ids(), with probe and features. Thread-safe; the same bits however tasks are held.
  [[nodiscard]] std::shared_ptr<const PreparedTask> task(Index i) const;

  /// `tasks` of ids() in the order in which threads should take them: see sort_by_descending_cost. Valid
  /// until the next call.
  [[nodiscard]] const std::vector<Index>& by_descending_cost(const std::vector<Index>& tasks);

  /// Sum modulo 2^64, over the tasks that this rank has prepared, of fingerprint() of each; over all
  /// ranks it is the fingerprint of all tasks.
  [[nodiscard]] std::uint64_t fingerprint() const noexcept { return fingerprint_; }

private:
  [[nodiscard]] PreparedTask prepare_task(Task task) const;

  Range ids_;
  const TaskSource* source_ = nullptr;
  TaskUse use_;
  std::vector<double> use_costs_; ///< [ids_.size()]
  std::vector<Index> turns_;
  std::vector<PreparedTask>
      held_; ///< [ids_.size()], without rows unless use_.holds_rows; empty: no features either
  std::uint64_t fingerprint_ = 0;
};

/// Collective: sends each task from the rank that prepared it to its owner. prepared: this rank's of
/// schedule.prepared_by, in order. @return its own of schedule.owned_by, to the bit. Memory: at most the
/// tasks of both.
[[nodiscard]] std::vector<PreparedTask>
migrate_tasks(const Communicator& comm, std::vector<PreparedTask> prepared, const TaskSchedule& schedule);

/// 64 bits of all values of a task; sums over tasks modulo 2^64 do not depend on who holds them.
[[nodiscard]] std::uint64_t fingerprint(TaskId id, const Split& train, const Split& test);

/// Collective: the fingerprint of all tasks of a source, which are made one by one.
[[nodiscard]] std::uint64_t fingerprint_of(const Communicator& comm, const TaskSource& source);

} // namespace metasieve
