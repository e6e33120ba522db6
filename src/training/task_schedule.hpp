#pragma once

#include "training/cost.hpp"

#include <span>
#include <vector>

namespace metasieve {

/// Which rank does what with tasks 0..n-1: consecutive ranges, by rank.
struct TaskSchedule {
  std::vector<Range> prepared_by; ///< [ranks]: tasks that the rank makes or reads, with probe and features
  std::vector<Range> owned_by;    ///< [ranks]: tasks whose gradients and assessments the rank computes
};

/// Partitions tasks such that ranks wait for each other as little as they can. Gradients are
/// balanced by batch, for after each batch the ranks wait for the last: cuts between the strata of the
/// batches (see BatchSchedule) give all ranks as many tasks of a batch, others balance the cost of
/// all tasks; which is better depends on how much the tasks differ. Preparation gets a partition of its own
/// where that saves more than the migration takes. A pure function of its arguments.
[[nodiscard]] TaskSchedule partition_tasks(const TaskCosts& costs, const MetaConfig& meta, int ranks);

/// Seconds until the last rank is done.
struct ScheduleSeconds {
  double preparation = 0; ///< with the migration
  double uses = 0;        ///< all iterations, or all validations

  [[nodiscard]] double all() const noexcept { return preparation + uses; }
};

/// Expected seconds of a schedule with so many threads a rank; of many batches, by the first ones.
[[nodiscard]] ScheduleSeconds seconds_of(const TaskSchedule& schedule, const TaskCosts& costs,
                                         const MetaConfig& meta, int threads);

/// Seconds until the last rank has done its shard of items that cost `costs` nanoseconds, `threads` at a
/// time: no less than its longest item takes.
[[nodiscard]] double busiest_seconds(std::span<const double> costs, std::span<const Range> shards,
                                     int threads);

/// The way of a task from the rank that prepares it to its owner, often the same.
struct Transfer {
  Index task;
  int from, to;
};

/// Transfers that the rank sends or receives, ordered by task; those to itself too.
[[nodiscard]] std::vector<Transfer> transfers_of(const TaskSchedule& schedule, int rank);

} // namespace metasieve
