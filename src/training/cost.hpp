#pragma once

#include "config/config.hpp"
#include "parallel/communicator.hpp"
#include "tasks/task.hpp"

#include <span>
#include <vector>

namespace metasieve {

/// What a training does with each task of one part of its suite.
struct TaskUse {
  PrepareOptions prepare;     ///< but for the seed, which is the task's
  Index parameters = 0;       ///< number of the policy's parameters
  Index support = 0;          ///< rows of a gradient; 0: all
  Index unrolled_steps = 0;   ///< steps of the inner fit; 0: Newton's method
  bool holds_rows = true;     ///< else made or read again for each use
  bool holds_features = true; ///< else computed again for each use
  bool is_generated = true;   ///< else read from a file
  double gradients = 0;       ///< over the whole training, of each task on average
  double assessments = 0;     ///< in validations, over the whole training

  [[nodiscard]] FeatureSet features() const noexcept { return prepare.features; }
};

/// How a training with `config` uses a task, gradients and assessments apart.
[[nodiscard]] TaskUse task_use(const Config& config, bool is_generated);

/// Consecutive tasks of a suite with the same use.
struct TaskPart {
  Range ids;
  TaskUse use;
  MetaConfig meta; ///< how batches are drawn; batch 0 (all tasks) in validation
};

/// The tasks of a training: it trains on the first ones and validates on the others.
struct TrainingParts {
  TaskPart train, held_out;
};

/// The parts of a suite of `total` tasks. @throws CollectiveError (exit code 2) if no task is left to train
/// on; every rank must call it with the same arguments.
[[nodiscard]] TrainingParts training_parts(const Config& config, Index total, bool is_generated);

// Rough costs in nanoseconds of one core of 2023. Ranks are balanced by them, for which their ratios are
// enough; a dry run scales them by what some tasks take.

/// One fit of the inner model by Newton's method.
[[nodiscard]] double fit_cost(double rows, Index columns);
[[nodiscard]] double generation_cost(const TaskShape& task);
/// Probe and features.
[[nodiscard]] double preparation_cost(const TaskShape& task, FeatureSet features);
/// One meta-gradient.
[[nodiscard]] double gradient_cost(const TaskShape& task, const TaskUse& use);
/// A hard and a soft selection, each with its final fit.
[[nodiscard]] double assessment_cost(const TaskShape& task, Index parameters);
/// Making a task: generating or reading it.
[[nodiscard]] double making_cost(const TaskShape& task, bool is_generated);

/// Measured seconds of each stage over the seconds that its rough cost says.
struct StagePace {
  double making = 1, preparation = 1, gradient = 1, assessment = 1;
};

/// Costs of the tasks of one part, each [tasks].
struct TaskCosts {
  std::vector<double> preparation; ///< until a task can be used for the first time
  std::vector<double> uses;        ///< all gradients and assessments, with what is made again for each
  std::vector<double> moving;      ///< to another rank, once prepared
};
[[nodiscard]] TaskCosts task_costs(std::span<const TaskShape> tasks, const TaskUse& use,
                                   const StagePace& pace = {});

/// Bytes of a task's rows: x, y, group, y_clean.
[[nodiscard]] double data_bytes(const TaskShape& task);
/// Bytes of a prepared task: its rows and their features.
[[nodiscard]] double prepared_bytes(const TaskShape& task, FeatureSet features);
/// Bytes that a rank keeps of a task.
[[nodiscard]] double held_bytes(const TaskShape& task, const TaskUse& use);
/// Bytes that each rank keeps for all `tasks`: shapes and costs, and the records of a suite file.
[[nodiscard]] double index_bytes(Index tasks, bool is_generated);
/// Most bytes that a thread needs for a moment as it prepares or uses a task.
[[nodiscard]] double working_bytes(const TaskShape& task, FeatureSet features);

} // namespace metasieve
