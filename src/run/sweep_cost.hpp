#pragma once

#include "run/calibration.hpp"
#include "run/sweep_points.hpp"
#include "run/task_source.hpp"

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
  using Shapes = std::vector<TaskShape>;
  [[nodiscard]] const Shapes& generated(const Config& tasks);
  [[nodiscard]] const Shapes& trained_on(const Config& point);

  std::optional<Shapes> suite_;
  std::vector<Shapes> datasets_;           ///< one shape a split
  std::map<std::string, Shapes> by_tasks_; ///< by what decides the tasks
};

/// What is evaluated on where no data sets are given: the point's configuration with other tasks.
[[nodiscard]] Config held_out_config(const Config& point);

} // namespace metasieve
