#pragma once

#include "features/meta_features.hpp"
#include "parallel/communicator.hpp"
#include "training/task_schedule.hpp"

#include <vector>

namespace metasieve {

/// Collective: sends each task from the rank that prepared it to its owner. prepared: this rank's of
/// schedule.prepared_by, in order. @return its own of schedule.owned_by, to the bit. Memory: at most the
/// tasks of both.
[[nodiscard]] std::vector<PreparedTask>
migrate_tasks(const Communicator& comm, std::vector<PreparedTask> prepared, const TaskSchedule& schedule);

} // namespace metasieve
