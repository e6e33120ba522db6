#pragma once

#include "features/prepared_task.hpp"
#include "parallel/communicator.hpp"
#include "training/schedule.hpp"

#include <vector>

namespace metasieve {

/// Collective: sends each task from the rank that prepared it to the one that holds it. prepared: those of
/// dealing.prepares of this rank, in order. @return those of dealing.holds, to the bit. A rank has at most
/// the tasks of both at a time.
[[nodiscard]] std::vector<PreparedTask>
handed_over(const Communicator& comm, std::vector<PreparedTask> prepared, const Dealing& dealing);

} // namespace metasieve
