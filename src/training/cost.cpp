#include "training/cost.hpp"

#include "features/meta_features.hpp"
#include "features/neighbours.hpp"

#include <algorithm>
#include <string>

namespace metasieve {
namespace {

double real(Index count) { return static_cast<double>(count); }

/// A forward pass per row and parameter, and one with its pullback.
constexpr double forward_pass = 0.02, forward_and_back = 0.055;
/// A byte of a task that is read and checked, or sent to another rank.
constexpr double moved_byte = 1.0;

} // namespace

TaskUse task_use(const Config& config, bool is_generated) {
  TaskUse use;
  use.prepare = config.prepare_options(Seed{});
  use.parameters = parameter_count(config.policy);
  use.support = config.meta.support;
  use.unrolled_steps = config.inner.method == InnerMethod::implicit ? 0 : config.inner.unrolled.steps;
  use.holds_rows = config.suite.hold == Hold::memory;
  use.holds_features = use.holds_rows || config.suite.hold_features;
  use.is_generated = is_generated;
  return use;
}

TrainingParts training_parts(const Config& config, Index total, bool is_generated) {
  const MetaConfig& meta = config.meta;
  const Index train = total - config.suite.validation_tasks;
  if (train <= 0)
    throw CollectiveError(ExitCode::usage,
                          "suite.validation_tasks = " + std::to_string(config.suite.validation_tasks) +
                              ": the suite has " + std::to_string(total) +
                              " tasks, so nothing is left to train on; set it below that");
  TaskPart part{{0, train}, task_use(config, is_generated), meta};
  TaskPart held_out{{train, total}, part.use, meta};
  const double batch = real(meta.batch > 0 ? std::min(meta.batch, train) : train);
  part.use.gradients = real(meta.iterations) * batch / real(train);
  held_out.meta.batch = 0;
  const Index between = meta.validate_every > 0 ? (meta.iterations - 1) / meta.validate_every : 0;
  held_out.use.assessments = real(between + 3); // the baseline, the start and the end too
  return {part, held_out};
}

double fit_cost(double rows, Index columns) { return 5.0 * rows * (12.0 + real(columns)); }

double generation_cost(const TaskShape& task) {
  return 37.0 * real(task.train_rows + task.test_rows) * (3.0 + real(task.columns));
}

double preparation_cost(const TaskShape& task, FeatureSet features) {
  const double rows = real(task.train_rows), columns = real(task.columns);
  const double probe = 2.0 * fit_cost(rows, task.columns);
  if (features == FeatureSet::basic) return probe;
  const NeighbourOptions limits;
  const double references = task.train_rows > limits.exact_rows ? real(limits.reference_rows) : rows;
  const double neighbours = 0.011 * rows * references * (20.0 + columns);
  const double folds_and_fourier = 80.0 * rows * (34.0 + columns) + 2.4e6; // one eigenproblem of any task
  const double evaluations = 100.0 + 5.0 * columns;                        // by the four fair probes together
  const double fair_probes = features == FeatureSet::fair ? evaluations * rows * (3.0 + 0.7 * columns) : 0.0;
  return probe + neighbours + folds_and_fourier + fair_probes;
}

double gradient_cost(const TaskShape& task, const TaskUse& use) {
  const double rows = real(use.support > 0 ? std::min(use.support, task.train_rows) : task.train_rows);
  const double fits = use.unrolled_steps == 0 ? 1.0 : 0.06 * real(use.unrolled_steps);
  const double query = 0.25 * fit_cost(real(task.test_rows), task.columns);
  return forward_and_back * rows * real(use.parameters) + fits * fit_cost(rows, task.columns) + query + 3e4;
}

double assessment_cost(const TaskShape& task, Index parameters) {
  const double rows = real(task.train_rows);
  return 250.0 * rows + forward_pass * rows * real(parameters) + 2.0 * fit_cost(rows, task.columns);
}

double making_cost(const TaskShape& task, bool is_generated) {
  return is_generated ? generation_cost(task) : moved_byte * data_bytes(task);
}

TaskCosts task_costs(std::span<const TaskShape> tasks, const TaskUse& use, const StagePace& pace) {
  TaskCosts costs;
  for (std::vector<double>* values : {&costs.preparation, &costs.uses, &costs.moving})
    values->reserve(tasks.size());
  for (const TaskShape& task : tasks) {
    const double making = pace.making * making_cost(task, use.is_generated);
    const double features = pace.preparation * preparation_cost(task, use.features());
    const double fetch = (use.holds_rows ? 0.0 : making) + (use.holds_features ? 0.0 : features);
    costs.preparation.push_back(making + (use.holds_features ? features : 0.0));
    costs.uses.push_back(use.gradients * (fetch + pace.gradient * gradient_cost(task, use)) +
                         use.assessments * (fetch + pace.assessment * assessment_cost(task, use.parameters)));
    costs.moving.push_back(moved_byte * held_bytes(task, use));
  }
  return costs;
}

double data_bytes(const TaskShape& task) {
  return real(task.train_rows + task.test_rows) * (4.0 * real(task.columns) + 3.0);
}

double prepared_bytes(const TaskShape& task, FeatureSet features) {
  return data_bytes(task) + 4.0 * real(task.train_rows) * real(feature_count(features));
}

double held_bytes(const TaskShape& task, const TaskUse& use) {
  if (!use.holds_features) return 0.0;
  const double probe = 24.0 * real(task.columns + 2),
               blocks = 10 * 16.0; // blocks of memory, each with a head
  const double rows = use.holds_rows ? 0.0 : data_bytes(task);
  return prepared_bytes(task, use.features()) - rows + sizeof(PreparedTask) + probe + blocks;
}

double index_bytes(Index tasks, bool is_generated) {
  const double record = is_generated ? 0.0 : 2.0 * sizeof(Metadata); // once more while it travels
  return real(tasks) * (104.0 + record);
}

double working_bytes(const TaskShape& task, FeatureSet features) {
  // Features and design in double, each twice for a while; blocks of rows of everything else.
  const double columns = 2.0 * real(feature_count(features)) + 2.0 * real(task.columns + 2) + 16.0;
  return 8.0 * real(task.train_rows) * columns + 4e6;
}

} // namespace metasieve
