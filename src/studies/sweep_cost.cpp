#include "studies/sweep_cost.hpp"

#include "evaluation/plan.hpp"
#include "runtime/resumable_work.hpp"
#include "training/cost.hpp"

#include <algorithm>

namespace metasieve {
namespace {

/// Families alternate so evenly over the tasks that some thousand stand for millions.
constexpr Index most_shapes = 2000;

} // namespace

double PointCost::seconds(const Speed& speed) const {
  return 1e-9 * (speed.generation * generation + speed.preparation * preparation + speed.visit * visits +
                 speed.assessment * assessments + speed.contest * contest);
}

double SweepCosts::Tasks::mean(const std::function<double(const TaskShape&)>& value) const {
  double sum = 0;
  for (const TaskShape& shape : shapes) sum += value(shape);
  return sum / static_cast<double>(shapes.size());
}

SweepCosts::Tasks SweepCosts::tasks_of(const TaskSource& source) {
  Tasks tasks{source.task_count(), {}};
  for (Index i = 0; i < std::min(tasks.count, most_shapes); ++i) tasks.shapes.push_back(source.shape(i));
  return tasks;
}

SweepCosts::SweepCosts(const Communicator& comm, const Config& base, const SweepInputs& inputs) {
  if (inputs.suite) suite_ = tasks_of(TaskSource::suite(comm, *inputs.suite));
  EvaluateRequest request;
  request.config = base;
  request.datasets = inputs.datasets;
  for (const TaskSource& source : evaluation_sources(comm, request)) datasets_.push_back(tasks_of(source));
}

const SweepCosts::Tasks& SweepCosts::generated(const Config& config) {
  const std::string key = deciding_settings(config, [](const std::string& name) {
    return (name.starts_with("suite.") || name.starts_with("family.")) && changes_results(name);
  });
  const auto [found, is_new] = by_config_.try_emplace(key);
  if (is_new) found->second = tasks_of(TaskSource::generator(config));
  return found->second;
}

const SweepCosts::Tasks& SweepCosts::trained_on(const Config& point) {
  return suite_ ? *suite_ : generated(point);
}

PointCost SweepCosts::of(const Config& point) {
  PointCost cost;
  const auto add = [](double& to, const Tasks& tasks, double times, const auto& value) {
    to += times * tasks.mean(value);
  };
  const auto preparation = [&](const TaskShape& task) {
    return preparation_cost(task, point.policy.features);
  };
  const Tasks& tasks = trained_on(point);
  const Index training = training_tasks(point, tasks.count).size();
  const auto count = static_cast<double>(tasks.count), trained = static_cast<double>(training);
  if (!suite_) add(cost.generation, tasks, count, generation_cost);
  add(cost.preparation, tasks, count, preparation);
  add(cost.held_bytes, tasks, count, [&](const TaskShape& t) { return held_bytes(t, point); });
  const auto fetch = [&](const TaskShape& task) { return fetch_cost(task, point, !suite_); };
  add(cost.visits, tasks, trained * mean_visits(point, training),
      [&](const TaskShape& t) { return visit_cost(t, point) + fetch(t); });
  add(cost.assessments, tasks, (count - trained) * assessments_per_task(point),
      [&](const TaskShape& t) { return validation_cost(t, point) + fetch(t); });
  const auto add_evaluation = [&](const Tasks& measured) {
    const auto splits = static_cast<double>(measured.count);
    add(cost.preparation, measured, splits, preparation);
    add(cost.contest, measured, splits, [&](const TaskShape& t) { return contest_cost(t, point, 1, 0); });
  };
  for (const Tasks& splits : datasets_) add_evaluation(splits);
  if (!datasets_.empty() || point.sweep.evaluate_tasks == 0) return cost;
  const Tasks& held_out = generated(held_out_config(point));
  add(cost.generation, held_out, static_cast<double>(held_out.count), generation_cost);
  add_evaluation(held_out);
  return cost;
}

TaskShape SweepCosts::typical(const Config& point) {
  return median_shape(trained_on(point).shapes,
                      [&](const TaskShape& task) { return visit_cost(task, point); });
}

Config held_out_config(const Config& point) {
  Config config = point;
  config.suite.tasks = point.sweep.evaluate_tasks;
  config.suite.validation_tasks = 0;
  config.suite.seed = point.sweep.evaluate_seed;
  return config;
}

} // namespace metasieve
