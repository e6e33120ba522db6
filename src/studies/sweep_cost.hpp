#pragma once

#include "studies/sweep_points.hpp"
#include "training/calibration.hpp"
#include "training/task_source.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// Predicted nanoseconds of one core for a point, stage by stage: see cost.hpp.
struct PointCost {
  double generation = 0, preparation = 0, visits = 0, assessments = 0, contest = 0;
  double held_bytes = 0; ///< of all tasks of the training

  /// Core-seconds on a machine of this speed.
  [[nodiscard]] double seconds(const Speed& speed = {}) const;
};

/// Predicts what points cost. Draws the shapes of a suite's tasks once, for all points that train on them.
class SweepCosts {
public:
  /// Collective: opens the files. @throws AgreedError
  SweepCosts(const Communicator& comm, const Config& base, const SweepInputs& inputs);

  /// @throws Error (exit code 2) if nothing is left to train on
  [[nodiscard]] PointCost of(const Config& point);
  /// Of a training task in the middle, by cost: what a machine is timed on.
  [[nodiscard]] TaskShape typical(const Config& point);

private:
  /// So many tasks, and the shapes of some of them, which stand for all.
  struct Tasks {
    Index count = 0;
    std::vector<TaskShape> shapes;
    [[nodiscard]] double mean(const std::function<double(const TaskShape&)>& value) const;
  };
  [[nodiscard]] static Tasks tasks_of(const TaskSource& source);
  [[nodiscard]] const Tasks& generated(const Config& config);
  [[nodiscard]] const Tasks& trained_on(const Config& point);

  std::optional<Tasks> suite_;
  std::vector<Tasks> datasets_;            ///< one task a split
  std::map<std::string, Tasks> by_config_; ///< by what decides the tasks
};

/// What is evaluated on where no data sets are given: the point's configuration with other tasks.
[[nodiscard]] Config held_out_config(const Config& point);

} // namespace metasieve
