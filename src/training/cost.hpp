#pragma once

#include "base/linalg.hpp"
#include "config/config.hpp"

#include <functional>
#include <span>
#include <vector>

namespace metasieve {

/// The tasks that `config` trains on, of a suite of `total`. @throws AgreedError (exit code 2) if none are
/// left: every rank must call it alike.
[[nodiscard]] Range training_tasks(const Config& config, Index total);

/// How often a validation task is assessed over the whole training, once for the baseline included.
[[nodiscard]] double assessments_per_task(const Config& config);

/// How often a task is used once it is prepared.
struct Uses {
  double visits = 0;      ///< meta-gradients
  double assessments = 0; ///< as a task for validation
  bool generated = true;  ///< or read from a file; matters where tasks are not held
};

/// How often a training task is visited over the whole training, on average.
[[nodiscard]] double mean_visits(const Config& config, Index training_tasks);

// Predicted nanoseconds of one core in float32, within 20 % on a 2023 server processor with AVX-512 (fitted
// to tests/simgrid/measure_tasks.cpp for 70 to 18,000 training rows and 5 to 40 columns, which the forms
// follow within 6 %, one standard deviation; methods to profiles of evaluate). On others the ratios hold, and
// dealing tasks over ranks needs no more.
[[nodiscard]] double generation_cost(const TaskShape& task);
/// Probe and features.
[[nodiscard]] double preparation_cost(const TaskShape& task, FeatureSet features);
/// One meta-gradient.
[[nodiscard]] double visit_cost(const TaskShape& task, const Config& config);
/// What one policy has learnt of each feature: see response_of.
[[nodiscard]] double response_cost(const TaskShape& task, const Config& config);
/// One method, measured on one task.
[[nodiscard]] double assessment_cost(const TaskShape& task, const Config& config);
/// A validation task: a hard and a soft selection, each with its final fit.
[[nodiscard]] double validation_cost(const TaskShape& task, const Config& config);
/// All methods of evaluate.methods on one task, those that ask a policy for each of `policies`; with those of
/// a frontier of so many steps too, if there are any.
[[nodiscard]] double contest_cost(const TaskShape& task, const Config& config, Index policies,
                                  Index frontier_steps);
/// Whether features are held, or made anew at each use.
[[nodiscard]] bool holds_features(const Config& config);
/// Of each use of a task that is not held, as suite.hold says: making or reading it, and its features unless
/// these are held. 0 for a task that is held.
[[nodiscard]] double fetch_cost(const TaskShape& task, const Config& config, bool generated);
/// Of handing a prepared task over to another rank, as suite.hold says what is held of it.
[[nodiscard]] double moving_cost(const TaskShape& task, const Config& config);

/// All that is done with each task of a training, [tasks]. After the preparation, and after each turn of the
/// visits and of the assessments, all ranks wait for the last.
struct TaskCosts {
  std::vector<double> preparation; ///< making or reading it too
  std::vector<double> visits, assessments;
  std::vector<double> moving; ///< if one rank prepares the task and another holds it

  [[nodiscard]] Index tasks() const noexcept { return std::ssize(preparation); }
};
[[nodiscard]] TaskCosts task_costs(std::span<const TaskShape> tasks, const Config& config, const Uses& uses);

/// The shape in the middle of at least one, by cost: what a machine is timed on.
[[nodiscard]] TaskShape median_shape(std::vector<TaskShape> shapes,
                                     const std::function<double(const TaskShape&)>& cost);

/// Predicted seconds until the last of the ranks has done its shard of items that cost `costs` nanoseconds,
/// `threads` at a time: no less than its longest item takes.
[[nodiscard]] double busiest_seconds(std::span<const double> costs, std::span<const Range> shards,
                                     int threads);

/// The same where only `items` are done, ascending, as of a batch.
[[nodiscard]] double busiest_seconds(std::span<const Index> items, std::span<const double> costs,
                                     std::span<const Range> shards, int threads);

/// Bytes of a task's rows as they are held: x, y, group, y_clean.
[[nodiscard]] double data_bytes(const TaskShape& task);
/// Bytes of a prepared task: its rows and their features.
[[nodiscard]] double prepared_bytes(const TaskShape& task, FeatureSet features);
/// Bytes of what a rank keeps of a task, as suite.hold says.
[[nodiscard]] double held_bytes(const TaskShape& task, const Config& config);
/// Bytes of what each rank knows of all `tasks`: shapes and costs, and the records of a suite file.
[[nodiscard]] double index_bytes(Index tasks, bool generated);
/// Most bytes that a thread takes for a while as it prepares, visits or assesses a task.
[[nodiscard]] double working_bytes(const TaskShape& task, const Policy& policy);

} // namespace metasieve
