#pragma once

#include "kernels/meta_gradient.hpp"
#include "parallel/communicator.hpp"
#include "training/task_source.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace metasieve {

using Cost = std::function<double(const TaskShape&)>;

/// What a thread works on while it is timed.
struct TimedTask {
  Task task;
  PreparedTask prepared;
  kernels::TaskGradient gradient;
  std::uint64_t calls = 0;
};

/// One stage of a run: its work on a task, after the stages before it, and its rough cost in nanoseconds.
struct TimedStage {
  std::function<void(TimedTask&)> work;
  Cost cost;
};

/// Collective: measured seconds over the rough costs in seconds, first of making tasks, then of each stage.
/// A pace is 1 where there is no task. Times some tasks of the source, from small to large by `costs`
/// [tasks], with all threads of all ranks at work; the slowest rank counts. Takes some seconds at most,
/// unless one task takes longer.
[[nodiscard]] std::vector<double> measured_pace(const Communicator& comm, const TaskSource& source,
                                                const std::vector<double>& costs,
                                                const std::vector<TimedStage>& stages);

} // namespace metasieve
