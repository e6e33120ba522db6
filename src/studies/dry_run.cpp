#include "studies/dry_run.hpp"

#include "base/text.hpp"
#include "evaluation/plan.hpp"
#include "files/policy.hpp"
#include "files/suite_writer.hpp"
#include "meta/batches.hpp"
#include "parallel/for_each.hpp"
#include "parallel/partition.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "training/calibration.hpp"
#include "training/cost.hpp"
#include "training/resume.hpp"
#include "training/task_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace metasieve {
namespace {

constexpr double megabyte = 1e6;
constexpr double program_bytes = 28 * megabyte; // of the program, MPI and HDF5 on a rank without tasks
constexpr double staging_bytes = 34 * megabyte; // of a collective write, at most

/// The tasks of a source, and which rank works on which.
struct Load {
  std::vector<TaskShape> tasks;
  TaskSchedule schedule;
};

using Cost = std::function<double(const TaskShape&)>;

Load load_of(const Communicator& comm, const TaskSource& source, Range ids, const Cost& dealt_by) {
  const std::vector<Range> shards = balanced_shards(source.costs(ids, dealt_by), comm.size());
  return {source.shapes(ids), {shards, shards}};
}

double sum(const std::vector<TaskShape>& tasks, const Cost& value) {
  double total = 0;
  for (const TaskShape& task : tasks) total += value(task);
  return total;
}

double rows(const TaskShape& task) { return static_cast<double>(task.train_rows + task.test_rows); }

/// Of the tasks that a rank holds or hands over to others, on the fullest rank.
double fullest(const Load& load, const Cost& bytes) {
  double most = 0;
  for (int rank = 0; rank < static_cast<int>(load.schedule.owned_by.size()); ++rank) {
    double held = 0;
    for (const Transfer& transfer : transfers_of(load.schedule, rank))
      held += bytes(load.tasks[static_cast<std::size_t>(transfer.task)]);
    most = std::max(most, held);
  }
  return most;
}

/// For a while, by the threads of a rank that has the largest task.
double working_bytes(const Load& load, const Policy& policy) {
  double most = 0;
  for (const TaskShape& task : load.tasks) most = std::max(most, working_bytes(task, policy));
  return most * thread_count();
}

/// What threads make anew of tasks at work, each for one task, on a rank that has the largest one: beyond
/// what it `holds` of that task.
double fetched_bytes(const Load& load, FeatureSet features, const Cost& holds) {
  double most = 0;
  for (const TaskShape& task : load.tasks)
    most = std::max(most, prepared_bytes(task, features) - holds(task));
  return most * thread_count();
}

/// What the machine is timed on; there may be no task.
TaskShape typical(const Load& load, const Cost& cost) {
  return load.tasks.empty() ? TaskShape{300, 100, 10} : median_shape(load.tasks, cost);
}

/// How many ranks would hold a load, where each node has room for its share of them.
std::string ranks_that_fit(const Communicator& comm, double shared_bytes, double own_bytes) {
  const int on_node = comm.ranks_on_node();
  const double room = available_bytes() / on_node - own_bytes; // of a rank, for its share
  if (room <= 0) return "run fewer ranks on each node, or set suite.hold = regenerate";
  const double ranks = 1.2 * shared_bytes / room; // shares are not equal
  return format(
      "it would take about %.0f ranks on %.0f such nodes, %d on each, or suite.hold = regenerate, or a "
      "smaller suite",
      std::ceil(ranks), std::ceil(ranks / on_node), on_node);
}

/// Seconds until all tasks, dealt in `shards`, went through a stage that ends when the last rank is done.
double stage_seconds(const Load& load, const std::vector<Range>& shards, const Cost& cost) {
  std::vector<double> costs;
  for (const TaskShape& task : load.tasks) costs.push_back(cost(task));
  return busiest_seconds(costs, shards, thread_count());
}

/// Of a stage on the tasks that a rank holds.
double stage_seconds(const Load& load, const Cost& cost) {
  return stage_seconds(load, load.schedule.owned_by, cost);
}

/// Of all meta-iterations. Each ends when the last rank is done, so batches that fall unevenly on the ranks
/// cost time; the mean over some of them tells how much.
double adaptation_seconds(const Load& load, const Config& config, const Cost& visit) {
  const Index steps = std::min<Index>(config.meta.iterations, 50);
  const auto tasks = static_cast<Index>(load.tasks.size());
  BatchSchedule batches(config.meta.seed, tasks, config.meta.batch);
  std::vector<double> costs;
  for (const TaskShape& task : load.tasks) costs.push_back(visit(task));
  double seconds = 0;
  for (Index t = 0; t < steps; ++t)
    seconds += busiest_seconds(batches.of_step(static_cast<std::uint64_t>(t), {0, tasks}), costs,
                               load.schedule.owned_by, thread_count());
  return seconds * static_cast<double>(config.meta.iterations) / static_cast<double>(steps);
}

double loading_seconds(const Load& load, const Config& config, bool generated, const Speed& speed) {
  const std::vector<Range>& shards = load.schedule.prepared_by;
  return (generated ? speed.generation * stage_seconds(load, shards, generation_cost) : 0.0) +
         speed.preparation * stage_seconds(load, shards, [&](const TaskShape& task) {
           return preparation_cost(task, config.policy.features);
         });
}

/// "12 s", "1.2 s"
std::string seconds_text(double seconds) { return format(seconds < 10 ? "%.1f s" : "%.0f s", seconds); }

/// Bytes in evaluation.h5 that each task and each source take.
struct EvaluationSizes {
  double of_task, of_source;
};

EvaluationSizes evaluation_sizes(const EvaluationPlan& plan) {
  constexpr double row = 322, summary = 17 * 240, pair = 11 * 200, detection = 9 * 192, response = 11 * 136;
  const auto policies = static_cast<double>(plan.comparison.policies.size());
  double rows = 0, asking = 0;
  const std::vector<Method>& methods = plan.config.evaluate.methods;
  for (const Method method : methods) {
    rows += asks_policy(method) ? policies : 1.0;
    asking += asks_policy(method) ? 1.0 : 0.0;
  }
  const auto count = static_cast<double>(methods.size());
  const FrontierSettings& frontier = plan.config.evaluate.frontier;
  const auto points = plan.frontier_steps > 0
                          ? static_cast<double>(3 * frontier.weights.size() + frontier.tolerances.size())
                          : 0.0;
  return {rows * row,
          (count + points) * summary + asking * (count - 1.0) * pair + 0.5 * count * detection +
              policies * static_cast<double>(feature_count(plan.config.policy.features)) * response};
}

std::string header(const Communicator& comm, Index tasks, double all_rows) {
  return format(
      "dry run: nothing is written\n  tasks            %ld with %.0f rows, on %d rank(s) x %d thread(s)\n",
      static_cast<long>(tasks), all_rows, comm.size(), thread_count());
}

/// Share of the iterations that a training has still to make.
double share_left(const Communicator& comm, const TrainRequest& request) {
  if (!request.resume) return 1.0;
  const FoundCheckpoint found = find_checkpoint(comm, request.output);
  if (!found.checkpoint) return 1.0;
  require_same_result(found, request);
  return 1.0 - static_cast<double>(found.checkpoint->policy.trained_iterations) /
                   static_cast<double>(request.config.meta.iterations);
}

/// What a training holds and writes.
struct TrainingLoad {
  Load train, held_out;
  double checkpoint_bytes, results_bytes;
  Needs needs;
};

TrainingLoad training_load(const Communicator& comm, const TrainRequest& request) {
  const Config& config = request.config;
  const TaskSource source = training_source(comm, request);
  const Range training = training_tasks(config, source.task_count());
  const auto load = [&](Range ids, Uses uses) {
    uses.generated = source.is_generator();
    std::vector<TaskShape> tasks = source.shapes(ids);
    TaskSchedule schedule = partition_tasks(task_costs(tasks, config, uses), config.meta, comm.size());
    return Load{std::move(tasks), std::move(schedule)};
  };
  const double assessments = assessments_per_task(config);
  const Load train = load(training, {mean_visits(config, training.size()), 0.0});
  const Load held_out = load({training.end, source.task_count()}, {0.0, assessments});

  const auto held = [&](const TaskShape& task) { return held_bytes(task, config); };
  const double p = static_cast<double>(parameter_count(config.policy));
  const auto iterations = static_cast<double>(config.meta.iterations);
  const double gradients = config.output.save_gradients ? 8.0 * p * iterations : 0.0;
  const double history = 66.0 * iterations + 96.0 * assessments;
  const double working =
      std::max(working_bytes(train, config.policy), working_bytes(held_out, config.policy));
  const double fetched = std::max(fetched_bytes(train, config.policy.features, held),
                                  fetched_bytes(held_out, config.policy.features, held));
  const double own =
      program_bytes + index_bytes(source.task_count(), source.is_generator()) + gradients + working + fetched;
  const double memory = own + fullest(train, held) + fullest(held_out, held);
  const double checkpoint = 24.0 * p + gradients + history + 1e4, results = gradients + history + 8e3;
  const double shared = sum(train.tasks, held) + sum(held_out.tasks, held);
  const double files = 3.0 * checkpoint + results + 8.0 * p; // the one being written too
  return {train, held_out, checkpoint, results, {memory, own, shared, files}};
}

/// Seconds of a training of which a share is `left`.
double expected_seconds(const Communicator& comm, const TrainRequest& request, const TrainingLoad& needed,
                        double left) {
  const Config& config = request.config;
  const Load &train = needed.train, &held_out = needed.held_out;
  const double assessments = assessments_per_task(config);
  const TaskShape shape = typical(train, [&](const TaskShape& task) { return visit_cost(task, config); });
  const Speed speed = calibrate(comm, shape, config, {.generation = !request.suite, .training = true});
  const bool generated = !request.suite;
  const double fetching =
      generated ? speed.generation : 1.0; // features, where not held, count as slow as that
  const auto visit = [&](const TaskShape& task) {
    return speed.visit * visit_cost(task, config) + fetching * fetch_cost(task, config, generated);
  };
  const double validation = assessments * stage_seconds(held_out, [&](const TaskShape& task) {
                              return speed.assessment * validation_cost(task, config) +
                                     fetching * fetch_cost(task, config, generated);
                            });
  return loading_seconds(train, config, generated, speed) +
         loading_seconds(held_out, config, generated, speed) +
         left * (adaptation_seconds(train, config, visit) + validation);
}

} // namespace

double training_seconds(const Communicator& comm, const TrainRequest& request) {
  return expected_seconds(comm, request, training_load(comm, request), 1.0);
}

Needs training_needs(const Communicator& comm, const TrainRequest& request) {
  return training_load(comm, request).needs;
}

std::string plan(const Communicator& comm, const GenerateRequest& request) {
  require_writable(comm, {request.output});
  const TaskSource source = TaskSource::generator(request.config);
  const Load load = load_of(comm, source, {0, source.task_count()}, generation_cost);
  const auto tasks = static_cast<double>(source.task_count());
  const double data = sum(load.tasks, data_bytes), file = data + 320.0 * tasks + 2e4;
  // A turn of tasks, and a copy of them on its way to the journal; shapes and costs of all.
  const double held = 2.0 * std::min<double>(fullest(load, data_bytes), suite_turn_bytes);
  const double memory =
      program_bytes + held + std::min(file, staging_bytes) + index_bytes(source.task_count(), true);
  require_room(comm, {memory, memory, 0, file}, request.output.parent_path(), "run fewer ranks on each node");
  const Speed speed = calibrate(comm, typical(load, generation_cost), request.config, {.generation = true});
  const double seconds = speed.generation * stage_seconds(load, generation_cost);
  const double minutes = request.config.output.checkpoint_minutes;
  const bool journal = (minutes > 0 && seconds > 60.0 * minutes) || // finished tasks wait in OUTPUT.partial
                       fullest(load, data_bytes) > double{suite_turn_bytes};
  require_room(comm, {0, 0, 0, journal ? 2.0 * file : file}, request.output.parent_path(), "");
  return header(comm, source.task_count(), sum(load.tasks, rows)) +
         format("  memory per rank  %.0f MB\n  file             %s, %.1f MB\n  time             about %s\n",
                memory / megabyte, request.output.c_str(), file / megabyte, seconds_text(seconds).c_str());
}

std::string plan(const Communicator& comm, const TrainRequest& request) {
  require_writable(comm, request.output_files());
  const Config& config = request.config;
  const double left = share_left(comm, request);
  const TrainingLoad load = training_load(comm, request);
  const auto& [train, held_out, checkpoint, results, needs] = load;
  const Index tasks = std::ssize(train.tasks) + std::ssize(held_out.tasks);
  const double p = static_cast<double>(parameter_count(config.policy));
  const double memory = needs.rank_bytes;
  require_room(comm, needs, request.output, ranks_that_fit(comm, needs.shared_bytes, needs.own_bytes));
  const double seconds = expected_seconds(comm, request, load, left);
  return header(comm, tasks, sum(train.tasks, rows) + sum(held_out.tasks, rows)) +
         format(
             "  policy           %.0f parameters, %s, hidden layers %zu\n"
             "  memory per rank  %.0f MB\n"
             "  files            policy.h5 %.2f MB, checkpoint.h5 %.2f MB (twice), results.h5 %.2f MB in %s\n"
             "  time             about %s%s\n",
             p, std::string(to_string(config.policy.features)).c_str(), config.policy.hidden.size(),
             memory / megabyte, (8.0 * p + 5e3) / megabyte, checkpoint / megabyte, results / megabyte,
             request.output.c_str(), seconds_text(seconds).c_str(),
             left < 1.0 ? format(", for the %.0f %% of the iterations that are left", 100.0 * left).c_str()
                        : "");
}

std::string plan(const Communicator& comm, const EvaluateRequest& request) {
  require_distinct(comm, {request.output}, request.input_files());
  require_writable(comm, {request.output});
  const EvaluationPlan evaluation = evaluation_plan(comm, request);
  const Policy& policy = evaluation.config.policy;
  const auto total = [&](const TaskShape& task) { return evaluation.cost(task); };
  const EvaluationSizes sizes = evaluation_sizes(evaluation);
  std::string text = "dry run: nothing is written\n";
  double file_bytes = 3e4;
  for (const TaskSource& source : evaluation_sources(comm, request)) {
    const Load load = load_of(comm, source, {0, source.task_count()}, total);
    const bool hold = evaluation.config.suite.hold == Hold::memory;
    const auto held = [&](const TaskShape& task) { return hold ? data_bytes(task) : 0.0; };
    const double own = program_bytes + index_bytes(source.task_count(), !request.suite) +
                       working_bytes(load, policy) + fetched_bytes(load, policy.features, held);
    const double memory = own + fullest(load, held);
    const double shared = sum(load.tasks, held);
    require_room(comm, {memory, own, shared, 0}, {}, ranks_that_fit(comm, shared, own));
    const Speed speed = calibrate(comm, typical(load, total), evaluation.config, {.contest = true});
    const double seconds = stage_seconds(load, [&](const TaskShape& task) {
      return speed.preparation * preparation_cost(task, policy.features) +
             speed.contest * (evaluation.cost(task) - preparation_cost(task, policy.features));
    });
    text += format("  %-16s %ld tasks or splits, %.0f rows; memory per rank %.0f MB; about %s\n",
                   source.names({0, 1}).front().c_str(), static_cast<long>(source.task_count()),
                   sum(load.tasks, rows), memory / megabyte, seconds_text(seconds).c_str());
    file_bytes += sizes.of_task * static_cast<double>(source.task_count()) + sizes.of_source;
  }
  require_room(comm, {0, 0, 0, file_bytes}, request.output.parent_path(), "");
  return text + format("  file             %s, %.1f MB\n", request.output.c_str(), file_bytes / megabyte);
}

} // namespace metasieve
