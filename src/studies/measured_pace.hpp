#pragma once

#include "kernels/meta_gradient.hpp"
#include "parallel/communicator.hpp"
#include "training/task_source.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace metasieve {

using Cost = std::function<double(const TaskShape&)>;

/// Tasks that stand for a range of them: all, or where these are more than `most`, evenly spaced runs of
/// consecutive ones, for neighbours are of all families (see family_of).
struct TaskSample {
  static constexpr Index most = 100000, run = 100;

  TaskSample(const TaskSource& source, Range range);

  std::vector<Index> ids;        ///< ascending
  std::vector<TaskShape> shapes; ///< [ids.size()]
  double weight;                 ///< tasks of the range for each of these

  /// The sum of `value` over all tasks of the range.
  [[nodiscard]] double sum(const Cost& value) const;
};

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
/// A pace is 1 where there is no task. Times some of `tasks`, from small to large by `costs` [tasks], with
/// all threads of all ranks at work; the slowest rank counts. Takes some seconds at most, unless one task
/// takes longer.
[[nodiscard]] std::vector<double> measured_pace(const Communicator& comm, const TaskSource& source,
                                                const TaskSample& tasks, const std::vector<double>& costs,
                                                const std::vector<TimedStage>& stages);

} // namespace metasieve
