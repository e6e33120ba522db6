#include "run/sweep_cost.hpp"

#include "run/resumable_work.hpp"

#include <algorithm>

namespace metasieve {
namespace {

std::vector<TaskShape> shapes_of(const TaskSource& source) {
  std::vector<TaskShape> shapes;
  for (Index i = 0; i < source.task_count(); ++i) shapes.push_back(source.shape(i));
  return shapes;
}

} // namespace

double PointCost::seconds(const Speed& speed) const {
  return 1e-9 * (speed.generation * generation + speed.preparation * preparation + speed.visit * visits +
                 speed.assessment * assessments + speed.contest * contest);
}

SweepCosts::SweepCosts(const Communicator& comm, const Config& base, const SweepInputs& inputs) {
  if (inputs.suite) suite_ = shapes_of(TaskSource::suite(comm, *inputs.suite));
  EvaluateRequest request;
  request.config = base;
  request.datasets = inputs.datasets;
  for (const TaskSource& source : evaluation_sources(comm, request)) datasets_.push_back(shapes_of(source));
}

const std::vector<TaskShape>& SweepCosts::generated(const Config& tasks) {
  const std::string key = deciding_settings(
      tasks, [](const std::string& section) { return section == "suite" || section.starts_with("family."); });
  const auto [found, is_new] = by_tasks_.try_emplace(key);
  if (is_new) found->second = shapes_of(TaskSource::generator(tasks));
  return found->second;
}

const std::vector<TaskShape>& SweepCosts::trained_on(const Config& point) {
  return suite_ ? *suite_ : generated(point);
}

PointCost SweepCosts::of(const Config& point) {
  PointCost cost;
  const auto prepare = [&](const TaskShape& task) {
    cost.preparation += preparation_cost(task, point.policy.features);
  };
  const Shapes& tasks = trained_on(point);
  const Range training = training_tasks(point, std::ssize(tasks));
  const double visits = mean_visits(point, training.size());
  for (Index i = 0; i < std::ssize(tasks); ++i) {
    const TaskShape& task = tasks[static_cast<std::size_t>(i)];
    if (!suite_) cost.generation += generation_cost(task);
    prepare(task);
    cost.held_bytes += held_bytes(task, point.policy.features);
    if (training.contains(i))
      cost.visits += visits * visit_cost(task, point);
    else
      cost.assessments += assessments_per_task(point) * assessment_cost(task, point);
  }
  const auto contest = [&](const TaskShape& task) {
    prepare(task);
    cost.contest += contest_cost(task, point, 1, 0);
  };
  for (const Shapes& splits : datasets_) std::for_each(splits.begin(), splits.end(), contest);
  if (!datasets_.empty() || point.sweep.evaluate_tasks == 0) return cost;
  for (const TaskShape& task : generated(held_out_config(point))) {
    cost.generation += generation_cost(task);
    contest(task);
  }
  return cost;
}

TaskShape SweepCosts::typical(const Config& point) {
  Shapes shapes = trained_on(point);
  const auto middle = shapes.begin() + std::ssize(shapes) / 2;
  std::nth_element(shapes.begin(), middle, shapes.end(), [&](const TaskShape& a, const TaskShape& b) {
    return visit_cost(a, point) < visit_cost(b, point);
  });
  return *middle;
}

Config held_out_config(const Config& point) {
  Config config = point;
  config.suite.tasks = point.sweep.evaluate_tasks;
  config.suite.validation_tasks = 0;
  config.suite.seed = point.sweep.evaluate_seed;
  return config;
}

} // namespace metasieve
