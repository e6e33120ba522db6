#include "training/cost.hpp"

#include "features/meta_features.hpp"
#include "methods/partial_dependence.hpp"
#include "parallel/communicator.hpp"

#include <algorithm>
#include <utility>

namespace metasieve {
namespace {

double real(Index count) { return static_cast<double>(count); }

/// Forward alone, and forward with pullback: nanoseconds per row and parameter.
constexpr double forward_cost = 0.02, forward_and_pullback_cost = 0.055;

/// Nanoseconds per byte of a task that is read from a file in the page cache, and checked.
constexpr double reading_cost = 0.6;

/// Nanoseconds per byte that travels between ranks, packed and unpacked: as on a network of 10 Gbit/s.
constexpr double moved_byte_cost = 1.0;

} // namespace

Range training_tasks(const Config& config, Index total) {
  const Index held_out = config.suite.validation_tasks;
  if (held_out >= total)
    throw AgreedError(ExitCode::usage, "suite.validation_tasks = " + std::to_string(held_out) +
                                           ": the suite has " + std::to_string(total) +
                                           " tasks, so nothing is left to train on; set it below that");
  return {0, total - held_out};
}

double assessments_per_task(const Config& config) {
  const Index iterations = config.meta.iterations, every = config.meta.validate_every;
  const Index between = every > 0 ? (iterations - 1) / every : 0;
  return static_cast<double>(between + 3); // the baseline, the start and the end too
}

double mean_visits(const Config& config, Index training_tasks) {
  const double tasks = real(training_tasks);
  const double batch = config.meta.batch > 0 ? std::min(real(config.meta.batch), tasks) : tasks;
  return real(config.meta.iterations) * batch / tasks;
}

double generation_cost(const TaskShape& task) {
  return real(task.train_rows + task.test_rows) * (100.0 + 37.0 * real(task.columns)) + 2e4;
}

double preparation_cost(const TaskShape& task, FeatureSet features) {
  const double n = real(task.train_rows), d = real(task.columns);
  const double probe = n * (155.0 + 10.0 * d) + 6e3;
  if (features == FeatureSet::basic) return probe;
  // Neighbours among all rows, or among 4,000 of a large task; folds and Fourier features by rows.
  const double reference_rows = n > 10000.0 ? 4000.0 : n;
  const double neighbours = n * reference_rows * (0.22 + 0.011 * d);
  return probe + neighbours + n * (2700.0 + 80.0 * d) + 2.35e6;
}

double visit_cost(const TaskShape& task, const Config& config) {
  const double n = real(task.train_rows), m = real(task.test_rows), d = real(task.columns);
  const double rows = config.meta.support > 0 ? std::min(real(config.meta.support), n) : n;
  const bool newton = config.inner.method == InnerMethod::implicit;
  const double fit = newton ? 60.0 + 5.0 * d : real(config.inner.unrolled.steps) * (3.0 + 0.3 * d);
  const double network = forward_and_pullback_cost * real(parameter_count(config.policy));
  return rows * (network + fit) + m * (8.0 + 1.2 * d) + (newton ? 4.5e4 : 1e4);
}

double assessment_cost(const TaskShape& task, const Config& config) {
  const double network = forward_cost * real(parameter_count(config.policy));
  return real(task.train_rows) * (250.0 + network + 4.5 * real(task.columns));
}

double response_cost(const TaskShape& task, const Config& config) {
  const double rows = real(std::min(task.train_rows, response_rows));
  const double network = forward_cost * real(parameter_count(config.policy));
  return rows * real(feature_count(config.policy.features) * response_points) * (45.0 + network);
}

double validation_cost(const TaskShape& task, const Config& config) {
  return 1.6 * assessment_cost(task, config); // the second fit has its scores at hand, and no sorting
}

namespace {

// Of one method on one task, beyond its final fit.
double roh_cost(const TaskShape& task) {
  return 400.0 * real(task.train_rows) * (45.0 + 1.9 * real(task.columns));
}
double penalised_cost(const TaskShape& task) {
  return real(task.train_rows) * (300.0 + 38.0 * real(task.columns));
}
double threshold_cost(const TaskShape& task) { return real(task.train_rows) * 150.0 + 6e5; }

/// The policy's own part of meta_*: adaptation and rounds.
double selection_cost(const TaskShape& task, const Config& config, Index steps) {
  Config whole = config;
  whole.meta.support = 0;
  const Index limit = config.evaluate.adapt.support;
  const Index half = limit > 0 ? std::min(limit, task.train_rows / 2) : task.train_rows / 2;
  const bool rounds = config.evaluate.rounds_agreement == 1.0; // else hardly ever
  return 2.0 * real(steps) * visit_cost({half, half, task.columns}, whole) +
         (rounds ? real(config.evaluate.rounds) : 0.0) * preparation_cost(task, config.policy.features);
}

double method_cost(Method method, const TaskShape& task, const Config& config) {
  const double fit = real(task.train_rows) * (60.0 + 4.5 * real(task.columns));
  switch (method) {
  case Method::roh: return roh_cost(task);
  case Method::penalised:
  case Method::oracle_penalised: return fit + penalised_cost(task);
  case Method::threshold: return fit + threshold_cost(task);
  case Method::untrained_hard:
  case Method::untrained_soft:
  case Method::trained_hard:
  case Method::trained_soft:
  case Method::meta_hard:
  case Method::meta_soft: return assessment_cost(task, config);
  default: return fit;
  }
}

} // namespace

double contest_cost(const TaskShape& task, const Config& config, Index policies, Index frontier_steps) {
  const EvaluateConfig& evaluate = config.evaluate;
  double total = 0;
  bool selects = false;
  for (const Method method : evaluate.methods) {
    total += method_cost(method, task, config) * (asks_policy(method) ? real(policies) : 1.0);
    selects = selects || method == Method::meta_hard || method == Method::meta_soft;
  }
  if (selects) total += real(policies) * selection_cost(task, config, evaluate.adapt.steps);
  if (frontier_steps == 0) return total;
  const double of_weight =
      real(policies) * (selection_cost(task, config, frontier_steps) + 2.0 * assessment_cost(task, config)) +
      method_cost(Method::penalised, task, config);
  return total + real(std::ssize(evaluate.frontier.weights)) * of_weight +
         real(std::ssize(evaluate.frontier.tolerances)) * method_cost(Method::threshold, task, config);
}

bool holds_features(const Config& config) {
  return config.suite.hold == Hold::memory || config.suite.hold_features;
}

namespace {

double making_cost(const TaskShape& task, bool generated) {
  return generated ? generation_cost(task) : reading_cost * data_bytes(task);
}

} // namespace

double fetch_cost(const TaskShape& task, const Config& config, bool generated) {
  if (config.suite.hold == Hold::memory) return 0.0;
  const double features = holds_features(config) ? 0.0 : preparation_cost(task, config.policy.features);
  return features + making_cost(task, generated);
}

double moving_cost(const TaskShape& task, const Config& config) {
  return holds_features(config) ? moved_byte_cost * held_bytes(task, config) + 2e4 : 0.0;
}

TaskCosts task_costs(std::span<const TaskShape> tasks, const Config& config, const Uses& uses) {
  TaskCosts costs;
  for (std::vector<double>* values : {&costs.preparation, &costs.visits, &costs.assessments, &costs.moving})
    values->reserve(tasks.size());
  for (const TaskShape& task : tasks) {
    const double fetch = fetch_cost(task, config, uses.generated);
    costs.preparation.push_back(
        making_cost(task, uses.generated) +
        (holds_features(config) ? preparation_cost(task, config.policy.features) : 0.0));
    costs.visits.push_back(uses.visits * (fetch + visit_cost(task, config)));
    costs.assessments.push_back(uses.assessments * (fetch + validation_cost(task, config)));
    costs.moving.push_back(moving_cost(task, config));
  }
  return costs;
}

TaskShape median_shape(std::vector<TaskShape> shapes, const std::function<double(const TaskShape&)>& cost) {
  const auto middle = shapes.begin() + std::ssize(shapes) / 2;
  std::nth_element(shapes.begin(), middle, shapes.end(),
                   [&](const TaskShape& a, const TaskShape& b) { return cost(a) < cost(b); });
  return *middle;
}

namespace {

/// Until a rank has done items that it takes `threads` at a time.
struct RankLoad {
  double sum = 0, longest = 0;
  void add(double cost) {
    sum += cost;
    longest = std::max(longest, cost);
  }
  [[nodiscard]] double until_done(int threads) const { return std::max(longest, sum / threads); }
};

} // namespace

double busiest_seconds(std::span<const double> costs, std::span<const Range> shards, int threads) {
  double busiest = 0;
  for (const Range& shard : shards) {
    RankLoad load;
    for (Index i = shard.begin; i < shard.end; ++i) load.add(costs[static_cast<std::size_t>(i)]);
    busiest = std::max(busiest, load.until_done(threads));
  }
  return 1e-9 * busiest;
}

double busiest_seconds(std::span<const Index> items, std::span<const double> costs,
                       std::span<const Range> shards, int threads) {
  double busiest = 0;
  auto item = items.begin();
  for (const Range& shard : shards) {
    RankLoad load;
    for (; item != items.end() && *item < shard.end; ++item) load.add(costs[static_cast<std::size_t>(*item)]);
    busiest = std::max(busiest, load.until_done(threads));
  }
  return 1e-9 * busiest;
}

double data_bytes(const TaskShape& task) {
  return real(task.train_rows + task.test_rows) * (4.0 * real(task.columns) + 3.0);
}

double prepared_bytes(const TaskShape& task, FeatureSet features) {
  return data_bytes(task) + 4.0 * real(task.train_rows) * real(feature_count(features));
}

double held_bytes(const TaskShape& task, const Config& config) {
  if (!holds_features(config)) return 0.0;
  const double probe = 24.0 * real(task.columns + 2), blocks = 10 * 16.0; // of memory, each with a head
  const double rows = config.suite.hold == Hold::regenerate ? data_bytes(task) : 0.0;
  return prepared_bytes(task, config.policy.features) - rows + sizeof(PreparedTask) + probe + blocks;
}

double index_bytes(Index tasks, bool generated) {
  const double record = generated ? 0.0 : 2.0 * sizeof(Metadata); // once more while it travels
  return real(tasks) * (104.0 + record);
}

double working_bytes(const TaskShape& task, const Policy& policy) {
  // Features and design in double, each twice for a while; blocks of rows of everything else.
  const double columns = 2.0 * real(feature_count(policy.features)) + 2.0 * real(task.columns + 2) + 16.0;
  return 8.0 * real(task.train_rows) * columns + 4e6;
}

} // namespace metasieve
