#pragma once

#include "training/task_source.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace metasieve {

/// The prepared tasks that one rank works on, consecutive ids: held whole, or made again each time that one
/// is asked for, as suite.hold says.
class TaskPool {
public:
  TaskPool() = default; ///< of no tasks

  /// Collective: partitions the tasks of `ids` over the ranks by what `uses` cost; each is prepared by the
  /// rank that has the time for it, see TaskSchedule. `source` must outlive the pool. Times the phases
  /// `tasks` and `features`. Once `stopped` says so on a rank, what is not begun there is left out, and no
  /// rank owns what it should: the caller must look at it too. `prepared` gets the predicted seconds of
  /// each task that this rank has prepared, by several threads at a time.
  TaskPool(const Communicator& comm, const TaskSource& source, Range ids, const Config& config,
           const Uses& uses, PhaseClock& clock, const std::function<bool()>& stopped = {},
           const std::function<void(double)>& prepared = {});

  [[nodiscard]] Range ids() const noexcept { return ids_; }

  /// Task i of ids(), with probe and features. Thread-safe; the same bits however tasks are held.
  [[nodiscard]] std::shared_ptr<const PreparedTask> task(Index i) const;

  /// `tasks` of ids() in the order in which threads should take them: see sort_by_descending_cost. Valid
  /// until the next call.
  [[nodiscard]] const std::vector<Index>& by_descending_cost(const std::vector<Index>& tasks);

  /// Sum modulo 2^64, over the tasks that this rank has prepared, of what fingerprint() says of each: over
  /// all ranks, that of all tasks.
  [[nodiscard]] std::uint64_t fingerprint() const noexcept { return fingerprint_; }

private:
  [[nodiscard]] PreparedTask prepare_task(Task task) const;

  Range ids_;
  const TaskSource* source_ = nullptr;
  std::vector<double> gradient_costs_; ///< [ids_.size()], predicted
  std::vector<Index> turns_;
  PrepareOptions prepare_;
  bool holds_rows_ = true;
  std::vector<PreparedTask>
      held_; ///< [ids_.size()], without rows unless holds_rows_; empty: no features either
  std::uint64_t fingerprint_ = 0;
};

/// Collective: the fingerprint of all tasks of `ids`, which are looked at one by one.
[[nodiscard]] std::uint64_t fingerprint_of(const Communicator& comm, const TaskSource& source, Range ids);

} // namespace metasieve
