#include "studies/dry_run.hpp"

#include "base/for_each.hpp"
#include "base/text.hpp"
#include "evaluation/task_results.hpp"
#include "files/policy.hpp"
#include "files/suite.hpp"
#include "kernels/meta_features.hpp"
#include "methods/partial_dependence.hpp"
#include "parallel/partition.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "studies/measured_pace.hpp"
#include "training/cost.hpp"
#include "training/resume.hpp"
#include "training/task_schedule.hpp"
#include "training/validation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace metasieve {
namespace {

constexpr double megabyte = 1e6;
constexpr double program_bytes = 28 * megabyte; // program, MPI and HDF5 on a rank without tasks
constexpr double staging_bytes = 34 * megabyte; // buffers of a collective write, at most

/// The tasks of a source, and which rank works on which.
struct Load {
  TaskSample tasks;
  std::vector<double> costs; ///< [tasks], rough, of the work on each
  TaskSchedule schedule;     ///< of `tasks`, by place
};

Load balanced_load(const Communicator& comm, const TaskSource& source, const Cost& cost) {
  TaskSample tasks(source, {0, source.task_count()});
  std::vector<double> costs;
  for (const TaskShape& task : tasks.shapes) costs.push_back(cost(task));
  const std::vector<Range> shards = balanced_shards(costs, comm.size());
  return {std::move(tasks), std::move(costs), {shards, shards}};
}

/// Expected seconds of a balanced load, at a measured pace.
double balanced_seconds(const Load& load, double pace) {
  return pace * load.tasks.weight * busiest_seconds(load.costs, load.schedule.owned_by, thread_count());
}

double rows(const TaskShape& task) { return static_cast<double>(task.train_rows + task.test_rows); }

/// Bytes of the tasks that a rank holds or hands over to others, on the fullest rank.
double fullest(const Load& load, const Cost& bytes) {
  double most = 0;
  for (int rank = 0; rank < static_cast<int>(load.schedule.owned_by.size()); ++rank) {
    double held = 0;
    for (const Transfer& transfer : transfers_of(load.schedule, rank))
      held += bytes(load.tasks.shapes[static_cast<std::size_t>(transfer.task)]);
    most = std::max(most, held);
  }
  return load.tasks.weight * most;
}

/// Bytes that the threads of a rank need while they work, each on the largest task, beyond what the rank
/// `holds` of it.
double working_bytes(const Load& load, FeatureSet features, const Cost& holds) {
  double most = 0;
  for (const TaskShape& task : load.tasks.shapes)
    most = std::max(most, working_bytes(task, features) + prepared_bytes(task, features) - holds(task));
  return most * thread_count();
}

/// How many ranks would hold a load, where each node has room for its share of them.
std::string ranks_that_fit(const Communicator& comm, double shared_bytes, double own_bytes) {
  const int on_node = comm.ranks_on_node();
  const double room = available_bytes() / on_node - own_bytes; // room of a rank for its share
  if (room <= 0)
    return "run fewer ranks on each node, or set suite.hold = regenerate, or make a smaller suite";
  const double ranks = 1.2 * shared_bytes / room; // shares are not equal
  return format(
      "it would take about %.0f ranks on %.0f such nodes, %d on each, or suite.hold = regenerate, or a "
      "smaller suite",
      std::ceil(ranks), std::ceil(ranks / on_node), on_node);
}

PreparedTask prepared(const Task& task, PrepareOptions options) {
  options.seed = Seed{task.metadata.seed};
  return kernels::prepare(task, options);
}

/// "12 s", "1.2 s"
std::string seconds_text(double seconds) { return format(seconds < 10 ? "%.1f s" : "%.0f s", seconds); }

/// Groups that the file of an evaluation tells apart in a source.
double groups_of(const TaskSource& source) {
  return source.table() != nullptr ? static_cast<double>(source.table()->groups) : 0.0;
}

/// Fits on all tasks of a source, without a frontier.
double fits_on(const EvaluationPlan& plan, const TaskSource& source) {
  const auto policies = static_cast<double>(plan.comparison.policies.size());
  double fits = 0;
  for (const Method method : plan.methods_on(source)) fits += asks_policy(method) ? policies : 1.0;
  return fits * static_cast<double>(source.task_count());
}

/// Bytes of what rank 0 holds for each group of a data set: the rates of each fit, and resamples of a test
/// part.
double group_bytes(const EvaluationPlan& plan, const TaskSource& source) {
  constexpr double row = sizeof(GroupRow), resampled = 8.0 * 1000 * static_cast<double>(group_rates.size());
  const auto methods = static_cast<double>(plan.methods_on(source).size());
  const bool has_test_part = source.own_split() != nullptr;
  return groups_of(source) * (row * fits_on(plan, source) + (has_test_part ? resampled * methods : 0.0));
}

/// Bytes in evaluation.h5 of a source.
double evaluation_bytes(const EvaluationPlan& plan, const TaskSource& source) {
  constexpr double row = 322, summary = 17 * 240, pair = 11 * 200, detection = 192, response = 11 * 136,
                   group = 168, group_summary = 4 * 288;
  const auto policies = static_cast<double>(plan.comparison.policies.size());
  const std::vector<Method> methods = plan.methods_on(source);
  const auto count = static_cast<double>(methods.size());
  const auto asking = static_cast<double>(std::ranges::count_if(methods, asks_policy));
  const double groups = groups_of(source), cells = groups > 0 ? 3.0 + 3.0 * groups : 9.0;
  const FrontierSettings& frontier = plan.config.evaluate.frontier;
  const auto points = plan.frontier_steps > 0
                          ? static_cast<double>(3 * frontier.weights.size() + frontier.tolerances.size())
                          : 0.0;
  return fits_on(plan, source) * (row + groups * group) + (count + points) * summary +
         count * groups * group_summary + asking * (count - 1.0) * pair + 0.5 * count * cells * detection +
         policies * static_cast<double>(feature_count(plan.config.policy.features)) * response;
}

/// "5000 rows", or "about 5000 rows" where each task of a sample stands for `weight`.
std::string rows_text(double rows, double weight) {
  return format(weight > 1 ? "about %.0f rows" : "%.0f rows", rows);
}

std::string header(const Communicator& comm, Index tasks, const std::string& rows) {
  return format("dry run: nothing is written\n  tasks            %ld with %s, on %d rank(s) x %d thread(s)\n",
                static_cast<long>(tasks), rows.c_str(), comm.size(), thread_count());
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
  TaskSource source;
  TrainingParts parts;
  Load train, held_out;
  double checkpoint_bytes, results_bytes;
  Needs needs;
};

TrainingLoad training_load(const Communicator& comm, const TrainRequest& request) {
  TaskSource source = training_source(comm, request);
  const Index count = source.task_count();
  TrainingParts parts = training_parts(request.config, count, source.is_generator());
  const TaskUse& use = parts.train.use;
  const auto held = [&](const TaskShape& task) { return held_bytes(task, use); };
  const auto load = [&](const TaskPart& part) {
    TaskSample tasks(source, part.ids);
    TaskCosts costs = task_costs(tasks.shapes, part.use);
    TaskSchedule schedule = partition_tasks(costs, part.meta, comm.size());
    return Load{std::move(tasks), std::move(costs.uses), std::move(schedule)};
  };
  Load train = load(parts.train), held_out = load(parts.held_out);

  const auto p = static_cast<double>(use.parameters);
  const auto iterations = static_cast<double>(request.config.meta.iterations);
  const double gradients = request.config.output.save_gradients ? 8.0 * p * iterations : 0.0;
  const double history = 66.0 * iterations + 96.0 * parts.held_out.use.assessments;
  const double own =
      program_bytes + index_bytes(count, source.is_generator()) + gradients +
      std::max(working_bytes(train, use.features(), held), working_bytes(held_out, use.features(), held));
  const double memory = own + fullest(train, held) + fullest(held_out, held);
  const double checkpoint = 24.0 * p + gradients + history + 1e4, results = gradients + history + 8e3;
  const double shared = train.tasks.sum(held) + held_out.tasks.sum(held);
  const double files = 3.0 * checkpoint + results + 8.0 * p; // the one being written too
  return {std::move(source),           parts, std::move(train), std::move(held_out), checkpoint, results,
          {memory, own, shared, files}};
}

/// Collective: seconds of a training of which a share is `left`.
double expected_seconds(const Communicator& comm, const TrainRequest& request, const TrainingLoad& load,
                        double left) {
  const TaskUse& use = load.parts.train.use;
  const Policy policy = initialise(request.config.policy, request.config.meta.seed);
  const MetaOptions meta = request.config.meta_options();
  kernels::PackedPolicy<> packed;
  packed.pack(policy);
  const std::vector<double> pace = measured_pace(
      comm, load.source, load.train.tasks, load.train.costs,
      {{[&](TimedTask& timed) { timed.prepared = prepared(timed.task, use.prepare); },
        [&](const TaskShape& task) { return preparation_cost(task, use.features()); }},
       {[&](TimedTask& timed) {
          static_cast<void>(timed.gradient(timed.prepared, packed, meta, timed.calls++));
        },
        [&](const TaskShape& task) { return gradient_cost(task, use); }},
       {[&](TimedTask& timed) {
          static_cast<void>(quality_of(timed.prepared, policy, request.config.inner.ridge, meta.outer));
        },
        [&](const TaskShape& task) { return assessment_cost(task, use.parameters); }}});
  const StagePace stages{pace[0], pace[1], pace[2], pace[3]};
  const auto seconds = [&](const Load& part, const TaskPart& how) {
    const ScheduleSeconds of =
        seconds_of(part.schedule, task_costs(part.tasks.shapes, how.use, stages), how.meta, thread_count());
    return part.tasks.weight * (of.preparation + left * of.uses);
  };
  return seconds(load.train, load.parts.train) + seconds(load.held_out, load.parts.held_out);
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
  const Load load = balanced_load(comm, source, generation_cost);
  const double data = load.tasks.sum(data_bytes);
  const double file = data + 320.0 * static_cast<double>(source.task_count()) + 2e4;
  // A turn of tasks, and a copy of them on its way to the journal; shapes and costs of all.
  const double held = 2.0 * std::min<double>(fullest(load, data_bytes), suite_turn_bytes);
  const double memory =
      program_bytes + held + std::min(file, staging_bytes) + index_bytes(source.task_count(), true);
  require_room(comm, {memory, memory, 0, file}, request.output.parent_path(),
               "run fewer ranks on each node, or make a smaller suite");
  const double seconds =
      balanced_seconds(load, measured_pace(comm, source, load.tasks, load.costs, {}).front());
  const double minutes = request.config.output.checkpoint_minutes;
  const bool journal = (minutes > 0 && seconds > 60.0 * minutes) || // finished tasks wait in OUTPUT.partial
                       fullest(load, data_bytes) > double{suite_turn_bytes};
  require_room(comm, {0, 0, 0, journal ? 2.0 * file : file}, request.output.parent_path(), "");
  return header(comm, source.task_count(), rows_text(load.tasks.sum(rows), load.tasks.weight)) +
         format("  memory per rank  %.0f MB\n  file             %s, %.1f MB\n  time             about %s\n",
                memory / megabyte, request.output.c_str(), file / megabyte, seconds_text(seconds).c_str());
}

std::string plan(const Communicator& comm, const TrainRequest& request) {
  require_writable(comm, request.output_files());
  const double left = share_left(comm, request);
  const TrainingLoad load = training_load(comm, request);
  const Needs& needs = load.needs;
  require_room(comm, needs, request.output, ranks_that_fit(comm, needs.shared_bytes, needs.own_bytes));
  const double seconds = expected_seconds(comm, request, load, left);
  const Policy& policy = request.config.policy;
  const auto p = static_cast<double>(parameter_count(policy));
  const TaskSample &train = load.train.tasks, &held_out = load.held_out.tasks;
  return header(comm, load.source.task_count(),
                rows_text(train.sum(rows) + held_out.sum(rows), std::max(train.weight, held_out.weight))) +
         format(
             "  policy           %.0f parameters, %s, hidden layers %zu\n"
             "  memory per rank  %.0f MB\n"
             "  files            policy.h5 %.2f MB, checkpoint.h5 %.2f MB (twice), results.h5 %.2f MB in %s\n"
             "  time             about %s%s\n",
             p, std::string(to_string(policy.features)).c_str(), policy.hidden.size(),
             needs.rank_bytes / megabyte, (8.0 * p + 5e3) / megabyte, load.checkpoint_bytes / megabyte,
             load.results_bytes / megabyte, request.output.c_str(), seconds_text(seconds).c_str(),
             left < 1.0 ? format(", for the %.0f %% of the iterations that are left", 100.0 * left).c_str()
                        : "");
}

std::string plan(const Communicator& comm, const EvaluateRequest& request) {
  require_distinct(comm, {request.output}, request.input_files());
  require_writable(comm, {request.output});
  const EvaluationPlan evaluation = evaluation_plan(request, read_policies(comm, request));
  const FeatureSet features = evaluation.config.policy.features;
  const auto cost = [&](const TaskShape& task) { return evaluation.cost(task); };
  std::string text = "dry run: nothing is written\n";
  double file_bytes = 3e4;
  for (const TaskSource& source : evaluation_sources(comm, request)) {
    require_groups(comm, source, features);
    const Load load = balanced_load(comm, source, cost);
    const bool hold = evaluation.config.suite.hold == Hold::memory;
    const auto held = [&](const TaskShape& task) { return hold ? data_bytes(task) : 0.0; };
    const double own = program_bytes + index_bytes(source.task_count(), !request.suite) +
                       working_bytes(load, features, held) + group_bytes(evaluation, source);
    const double memory = own + fullest(load, held), shared = load.tasks.sum(held);
    require_room(comm, {memory, own, shared, 0}, {}, ranks_that_fit(comm, shared, own));
    PhaseClock clock(evaluation_phases(evaluation));
    const std::vector<Method> methods = evaluation.methods_on(source);
    const auto evaluate = [&](TimedTask& timed) {
      static_cast<void>(
          evaluate_task([&] { return timed.task; }, response_tasks, evaluation, methods, clock));
    };
    const double seconds = balanced_seconds(
        load, measured_pace(comm, source, load.tasks, load.costs, {{evaluate, cost}}).back());
    text += format("  %-16s %ld repeat%s, %s; memory per rank %.0f MB; about %s\n", source.name(0).c_str(),
                   static_cast<long>(source.task_count()), source.task_count() == 1 ? "" : "s",
                   rows_text(load.tasks.sum(rows), load.tasks.weight).c_str(), memory / megabyte,
                   seconds_text(seconds).c_str());
    file_bytes += evaluation_bytes(evaluation, source);
  }
  require_room(comm, {0, 0, 0, file_bytes}, request.output.parent_path(), "");
  return text + format("  file             %s, %.1f MB\n", request.output.c_str(), file_bytes / megabyte);
}

} // namespace metasieve
