#include "evaluation/task_results.hpp"

#include "base/bytes.hpp"
#include "base/for_each.hpp"
#include "kernels/meta_features.hpp"
#include "methods/partial_dependence.hpp"
#include "training/step.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>

namespace metasieve {
namespace {

/// Source, kind of corruption and method, in the order in which they are reported.
using Key = std::tuple<std::string, std::string, Method>;

void add_rows(std::vector<DetectionRow>& out, const Key& key, const DetectionReport& report) {
  const auto add = [&](std::int64_t group, std::int64_t label, const Detection& d) {
    const auto& [source, corruption, method] = key;
    out.push_back({source, corruption, std::string(to_string(method)), group, label, d.rows, d.rejected,
                   d.flipped, d.caught, d.precision(), d.recall()});
  };
  add(-1, -1, report.all());
  const auto groups = report.cell[0].size();
  for (std::size_t z = 0; z < groups; ++z) add(static_cast<std::int64_t>(z), -1, report.of_group(z));
  add(-1, 0, report.hidden_positives());
  add(-1, 1, report.false_positives());
  for (const std::size_t y : {0U, 1U})
    for (std::size_t z = 0; z < groups; ++z)
      add(static_cast<std::int64_t>(z), static_cast<std::int64_t>(y), report.cell[y][z]);
}

/// `count` rows of 0..rows-1, evenly spread.
std::vector<Index> spread_rows(Index rows, Index count) {
  std::vector<Index> out;
  for (Index k = 0; k < std::min(rows, count); ++k) out.push_back(k * rows / std::min(rows, count));
  return out;
}

std::vector<Phase> phases_of_task(const EvaluationPlan& plan) {
  std::vector<Phase> phases{Phase::make, Phase::features};
  for (const Method method : plan.methods)
    if (std::find(phases.begin(), phases.end(), phase_of(method)) == phases.end())
      phases.push_back(phase_of(method));
  if (plan.frontier_steps > 0) phases.push_back(Phase::frontier);
  phases.push_back(Phase::response);
  return phases;
}

/// Id of the piece of work that is a task of the source `number` of the evaluation.
std::uint64_t piece_id(std::uint64_t number, Index task) {
  return (number << 40U) + static_cast<std::uint64_t>(task);
}

/// The results of the tasks of a source, of those that are done.
using KnownResults = std::vector<std::optional<TaskResult>>;

/// Collective: adds all ranks' results. `mine`: `count` times a task and bytes_of its result.
void add(const Communicator& comm, ByteWriter mine, std::int64_t count, KnownResults& results) {
  const std::int64_t all = comm.sum(count);
  const std::string bytes = comm.gather(mine.take());
  comm.run_collectively([&] {
    ByteReader reader(bytes);
    for (std::int64_t k = 0; k < all; ++k) {
      const auto task = reader.get<Index>();
      results.at(static_cast<std::size_t>(task)) = task_result(reader.text());
    }
  });
}

/// Collective: each rank reads its share of what earlier runs have finished.
void add_kept(const Communicator& comm, std::uint64_t number, ResumableWork& work, KnownResults& results) {
  std::vector<std::uint64_t> kept;
  for (Index i = 0; i < std::ssize(results); ++i)
    if (work.keeps(piece_id(number, i))) kept.push_back(piece_id(number, i));
  const auto all = std::ssize(kept);
  const Index begin = all * comm.rank() / comm.size(), end = all * (comm.rank() + 1) / comm.size();
  ByteWriter mine;
  std::int64_t count = 0;
  comm.run_collectively([&] {
    const auto ids =
        std::span(kept).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    work.restore(ids, [&](std::uint64_t id, const std::string& bytes) {
      mine.put(static_cast<Index>(id - piece_id(number, 0))).put(bytes);
      ++count;
    });
  });
  add(comm, std::move(mine), count, results);
}

/// Collective: the tasks of `ids` (ascending, others on each rank). A suite file is read by all ranks
/// together, one range of ids at a time, so each takes part as often as the one with the most ranges.
std::vector<Task> load(const Communicator& comm, const TaskSource& source, const std::vector<Index>& ids) {
  std::vector<Range> ranges;
  for (const Index id : ids) {
    if (ranges.empty() || ranges.back().end != id) ranges.push_back({id, id});
    ++ranges.back().end;
  }
  ranges.resize(static_cast<std::size_t>(comm.max(std::ssize(ranges))));
  std::vector<Task> tasks;
  for (const Range& range : ranges)
    for (Task& task : source.tasks(comm, range)) tasks.push_back(std::move(task));
  return tasks;
}

/// Collective: evaluates the tasks whose results are missing.
void add_missing(const Communicator& comm, const TaskSource& source, std::uint64_t number,
                 const EvaluationPlan& plan, ResumableWork& work, KnownResults& results, PhaseClock& clock) {
  std::vector<Index> missing;
  for (Index i = 0; i < std::ssize(results); ++i)
    if (!results[static_cast<std::size_t>(i)]) missing.push_back(i);
  std::vector<double> costs;
  for (const Index id : missing) costs.push_back(plan.cost(source.shape(id)));
  const Range part = my_range(comm, costs);
  const std::vector<Index> ids(missing.begin() + part.begin, missing.begin() + part.end);
  // Splits are made one by one of rows that are at hand: else a rank would hold them all.
  const bool hold = plan.config.suite.hold == Hold::memory && source.has_families();
  std::vector<Task> tasks;
  if (hold) {
    const auto timed = clock.measure(Phase::make);
    tasks = load(comm, source, ids);
  }

  const std::vector<Method> methods = plan.methods_on(source);
  std::vector<TaskResult> done(ids.size());
  PendingPieces pieces;
  for (const Index id : ids) pieces.ids.push_back(piece_id(number, id));
  pieces.work = [&](std::size_t k) {
    const auto make = [&] { return hold ? std::move(tasks[k]) : source.make(ids[k]); };
    done[k] = evaluate_task(make, ids[k], plan, methods, clock);
  };
  pieces.result = [&](std::size_t k) { return bytes_of(done[k]); };
  const auto busy = [&, phases = phases_of_task(plan)] {
    double sum = 0;
    for (const Phase phase : phases) sum += clock.seconds(phase);
    return sum;
  };
  const double busy_before = busy();
  Stopwatch running;
  work.run(pieces);
  // Without a task, or waiting for other ranks.
  clock.add(Phase::idle, std::max(running.seconds() - (busy() - busy_before), 0.0));

  const auto timed = clock.measure(Phase::gather);
  ByteWriter mine;
  for (std::size_t k = 0; k < ids.size(); ++k) mine.put(ids[k]).put(bytes_of(done[k]));
  add(comm, std::move(mine), std::ssize(ids), results);
}

} // namespace

namespace {

void put(ByteWriter& bytes, const Assessment& a) {
  bytes.put(a.metrics).put(a.noise_rate_all).put(a.noise_rate_selected).put(a.noise_reduction);
  bytes.put(a.minority_share).put(a.selected).put(a.failed);
  for (const auto& of_label : a.cells) bytes.put(of_label);
  for (const auto& of_label : a.detection.cell) bytes.put(of_label);
}

Assessment assessment_of(ByteReader& bytes) {
  Assessment a;
  a.metrics = bytes.get<Metrics>();
  for (double* const number :
       {&a.noise_rate_all, &a.noise_rate_selected, &a.noise_reduction, &a.minority_share, &a.selected})
    *number = bytes.get<double>();
  a.failed = bytes.get<bool>();
  for (auto& of_label : a.cells) of_label = bytes.values<Rate>();
  for (auto& of_label : a.detection.cell) of_label = bytes.values<Detection>();
  return a;
}

} // namespace

std::string bytes_of(const TaskResult& result) {
  ByteWriter bytes;
  bytes.put(result.corruption);
  for (const auto* const results : {&result.methods, &result.frontier}) {
    bytes.put(std::int64_t{std::ssize(*results)});
    for (const MethodResult& each : *results) {
      bytes.put(each.method).put(each.policy).put(each.setting);
      put(bytes, each.assessment);
      bytes.put(each.predicted);
    }
  }
  bytes.put(std::int64_t{std::ssize(result.response)});
  for (const Vector& response : result.response) bytes.put(response);
  bytes.put(result.hidden);
  return bytes.take();
}

TaskResult task_result(const std::string& bytes) {
  ByteReader reader(bytes);
  TaskResult result;
  result.corruption = reader.get<Corruption>();
  for (auto* const results : {&result.methods, &result.frontier})
    for (auto left = reader.get<std::int64_t>(); left > 0; --left)
      results->push_back({reader.get<Method>(),
                          reader.get<Index>(),
                          reader.get<double>(),
                          assessment_of(reader),
                          reader.array<Labels>(),
                          {}});
  for (auto left = reader.get<std::int64_t>(); left > 0; --left)
    result.response.push_back(reader.array<Vector>());
  result.hidden = reader.get<HiddenPositives>();
  return result;
}

TaskResult evaluate_task(const std::function<Task()>& make, Index number, const EvaluationPlan& plan,
                         const std::vector<Method>& methods, PhaseClock& clock) {
  Stopwatch lap;
  // The time of one thread: all threads of a rank together make the wall time of the phase.
  const auto end = [&](Phase phase) { clock.add(phase, lap.seconds() / thread_count()); };
  Task task = make();
  end(Phase::make);
  const PrepareOptions options = plan.config.prepare_options(Seed{task.metadata.seed});
  const PreparedTask prepared = kernels::prepare(std::move(task), options);
  end(Phase::features);
  TaskResult result{prepared.corruption, {}, {}, {}, {}};
  const Policy& first = plan.comparison.policies.front(); // all have the same features
  if (blends(prepared, first, plan.comparison.selection))
    result.hidden = hidden_positives(prepared, first.features);
  result.methods =
      compare_methods(prepared, methods, plan.comparison, [&](Method method) { end(phase_of(method)); });
  if (plan.frontier_steps > 0) {
    ComparisonOptions comparison = plan.comparison;
    comparison.selection.adapt.steps = plan.frontier_steps;
    result.frontier = frontier(prepared, plan.config.evaluate.frontier, comparison);
    end(Phase::frontier);
  }
  if (number >= response_tasks) return result;
  for (const Policy& policy : plan.comparison.policies) {
    result.response.push_back(response_of(prepared, policy));
    const Index rows = std::min(prepared.train.rows(), response_rows) * prepared.features.cols();
    clock.count(Phase::response, rows * response_points * forward_flops(policy));
  }
  end(Phase::response);
  return result;
}

std::vector<Phase> evaluation_phases(const EvaluationPlan& plan) {
  std::vector<Phase> phases = phases_of_task(plan);
  phases.insert(phases.begin(), Phase::read);
  phases.insert(phases.end(), {Phase::idle, Phase::gather, Phase::tables, Phase::write});
  return phases;
}

std::vector<TaskResult> task_results(const Communicator& comm, const TaskSource& source, std::uint64_t number,
                                     const EvaluationPlan& plan, ResumableWork& work, PhaseClock& clock) {
  KnownResults results(static_cast<std::size_t>(source.task_count()));
  {
    const auto timed = clock.measure(Phase::read);
    add_kept(comm, number, work, results);
  }
  add_missing(comm, source, number, plan, work, results, clock);
  std::vector<TaskResult> out;
  for (std::optional<TaskResult>& result : results) out.push_back(std::move(result.value()));
  return out;
}

std::vector<DetectionRow> detection_table(const std::vector<TaskResult>& results,
                                          const std::vector<std::string>& names) {
  std::map<Key, DetectionReport> reports;
  std::map<std::string, std::set<Corruption>> kinds;
  for (std::size_t task = 0; task < results.size(); ++task)
    for (const MethodResult& result : results[task].methods) {
      const DetectionReport& report = result.assessment.detection;
      const Corruption corruption = results[task].corruption;
      if (report.all().rejected == 0) continue; // a soft selection, or all rows
      kinds[names[task]].insert(corruption);
      for (const std::string& kind : {std::string("all"), std::string(to_string(corruption))}) {
        DetectionReport& sum = reports[{names[task], kind, result.method}];
        sum = sum + report;
      }
    }
  std::vector<DetectionRow> out;
  for (const auto& [key, report] : reports)
    if (std::get<1>(key) != "all" || kinds[std::get<0>(key)].size() > 1) add_rows(out, key, report);
  return out;
}

Vector response_of(const PreparedTask& task, const Policy& policy) {
  const Matrix features =
      task.features(spread_rows(task.features.rows(), response_rows), Eigen::all).cast<double>();
  const Matrix grid = quantile_grid(features, response_points);
  const PartialDependence response = partial_dependence(policy, features, grid, task.precision);
  Vector out(3 * grid.size());
  out << grid.reshaped<Eigen::RowMajor>(), response.score.reshaped<Eigen::RowMajor>(),
      response.keep.reshaped<Eigen::RowMajor>();
  return out;
}

std::vector<ResponseRow> response_table(const std::vector<TaskResult>& results, const std::string& name,
                                        FeatureSet features) {
  std::vector<ResponseRow> out;
  const std::span first =
      std::span(results).first(std::min(results.size(), static_cast<std::size_t>(response_tasks)));
  const std::size_t policies = first.empty() ? 0 : first.front().response.size();
  for (std::size_t p = 0; p < policies; ++p) {
    Vector mean = Vector::Zero(first.front().response[p].size());
    for (const TaskResult& result : first) mean += result.response[p];
    mean /= static_cast<double>(first.size());
    const Index part = mean.size() / 3;
    for (Index at = 0; at < part; ++at)
      out.push_back({name, static_cast<std::int64_t>(p),
                     std::string(feature_name(features, at / response_points)),
                     static_cast<double>(at % response_points) / static_cast<double>(response_points - 1),
                     mean(at), mean(at + part), mean(at + 2 * part)});
  }
  return out;
}

} // namespace metasieve
