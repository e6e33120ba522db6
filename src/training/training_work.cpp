#include "training/training_work.hpp"

#include "parallel/for_each.hpp"
#include "training/cost.hpp"
#include "training/task_schedule.hpp"

#include <algorithm>
#include <numeric>

namespace metasieve {
namespace {

/// With more visits of tasks, iterations differ little, and each is taken for the mean of the first ones.
constexpr Index most_visits = 2'000'000, first_iterations = 100;

/// How often a thing that is done every so many iterations comes after `begun`, the last iteration apart.
Index times_between(Index every, Index begun, Index iterations) {
  return every > 0 ? (iterations - 1) / every - std::min(begun, iterations - 1) / every : 0;
}

} // namespace

TrainingWork::TrainingWork(const Config& config, const TaskSource& source, Index train, int ranks,
                           Index begun)
    : begun_(begun) {
  const int threads = thread_count();
  const Index iterations = config.meta.iterations, total = source.task_count();
  const double visits = mean_visits(config, train), assessments = assessments_per_task(config);
  const bool generated = source.is_generator();
  TaskCosts costs = task_costs(source.shapes({0, train}), config, {visits, 0.0, generated});
  const TaskCosts held_out = task_costs(source.shapes({train, total}), config, {0.0, assessments, generated});
  const TaskSchedule schedule = partition_tasks(costs, config.meta, ranks),
                     held_out_schedule = partition_tasks(held_out, config.meta, ranks);
  prepare_ = busiest_seconds(costs.preparation, schedule.prepared_by, threads) +
             busiest_seconds(held_out.preparation, held_out_schedule.prepared_by, threads);
  validation_ = busiest_seconds(held_out.assessments, held_out_schedule.owned_by, threads) / assessments;

  for (double& cost : costs.visits) cost /= visits;
  BatchSchedule batches(config.meta.seed, train, config.meta.batch);
  const Index left = iterations - begun;
  const bool each = left <= most_visits / batches.size();
  iterations_.clear();
  for (Index t = begun; t < begun + (each ? left : std::min(left, first_iterations)); ++t)
    iterations_.push_back(busiest_seconds(batches.of_step(static_cast<std::uint64_t>(t), {0, train}),
                                          costs.visits, schedule.owned_by, threads));
  const double sum = std::accumulate(iterations_.begin(), iterations_.end(), 0.0);
  iteration_total_ = sum * static_cast<double>(left) / static_cast<double>(iterations_.size());
  if (!each) iterations_ = {sum / static_cast<double>(iterations_.size())};

  validations_ = config.suite.validation_tasks == 0
                     ? 0
                     : times_between(config.meta.validate_every, begun, iterations) + (begun == 0 ? 3 : 2);
  writes_ = times_between(config.output.checkpoint_every, begun, iterations) + 2;
}

std::vector<double> TrainingWork::whole() const {
  return {iteration_total_, static_cast<double>(validations_) * validation_,
          static_cast<double>(writes_) * write(), prepare_};
}

double TrainingWork::iteration(Index t) const {
  const Index at = t - 1 - begun_;
  return at < std::ssize(iterations_) ? iterations_[static_cast<std::size_t>(at)] : iterations_.back();
}

} // namespace metasieve
