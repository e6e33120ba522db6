#include "evaluation/task_results.hpp"

#include "base/bytes.hpp"
#include "kernels/meta_features.hpp"
#include "methods/partial_dependence.hpp"
#include "parallel/for_each.hpp"
#include "training/flops.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>

namespace metasieve {
namespace {

std::vector<Phase> phases_of_task(const EvaluationPlan& plan) {
  std::vector<Phase> phases{Phase::make, Phase::features};
  for (const Method method : plan.config.evaluate.methods)
    if (std::find(phases.begin(), phases.end(), phase_of(method)) == phases.end())
      phases.push_back(phase_of(method));
  if (plan.frontier_steps > 0) phases.push_back(Phase::frontier);
  phases.push_back(Phase::response);
  return phases;
}

static_assert(std::is_trivially_copyable_v<MethodResult>);

std::string bytes_of(const std::vector<MethodResult>& results) {
  return {reinterpret_cast<const char*>(results.data()), results.size() * sizeof(MethodResult)};
}

std::vector<MethodResult> results_of(const std::string& bytes) {
  if (bytes.size() % sizeof(MethodResult) != 0) throw DataError("the last result of a method is cut short");
  std::vector<MethodResult> results(bytes.size() / sizeof(MethodResult));
  if (!results.empty()) std::memcpy(static_cast<void*>(results.data()), bytes.data(), bytes.size());
  return results;
}

/// The time of one thread: of all threads of a rank, at a time, it makes the wall time of the phase.
class ThreadClock {
public:
  explicit ThreadClock(PhaseClock& clock) : clock_(clock) {}
  void end(Phase phase) { clock_.add(phase, lap_.seconds() / thread_count()); }

private:
  PhaseClock& clock_;
  Lap lap_;
};

TaskResult evaluate_task(const std::function<Task()>& make, Index number, const EvaluationPlan& plan,
                         PhaseClock& clock) {
  ThreadClock timed(clock);
  Task task = make();
  timed.end(Phase::make);
  const PrepareOptions options = plan.config.prepare_options(Seed{task.metadata.seed});
  const PreparedTask prepared = kernels::prepare(std::move(task), options);
  timed.end(Phase::features);
  clock.count(Phase::features, preparation_flops(shape_of(prepared), options));
  TaskResult result{prepared.corruption, {}, {}, {}};
  result.methods = compare_methods(prepared, plan.config.evaluate.methods, plan.comparison,
                                   [&](Method method) { timed.end(phase_of(method)); });
  if (plan.frontier_steps > 0) {
    result.frontier = frontier(prepared, plan.config.evaluate.frontier, plan.frontier_comparison());
    timed.end(Phase::frontier);
  }
  if (number >= response_tasks) return result;
  for (const Policy& policy : plan.comparison.policies) {
    result.response.push_back(response_of(prepared, policy));
    clock.count(Phase::response, response_flops(shape_of(prepared), policy));
  }
  timed.end(Phase::response);
  return result;
}

/// Of the threads while there are tasks: what no phase of a task takes, and waiting for other ranks.
class IdleClock {
public:
  explicit IdleClock(PhaseClock& clock, const EvaluationPlan& plan)
      : clock_(clock), phases_(phases_of_task(plan)), busy_(busy()) {}
  ~IdleClock() { clock_.add(Phase::idle, std::max(lap_.seconds() - (busy() - busy_), 0.0)); }
  IdleClock(const IdleClock&) = delete;
  IdleClock& operator=(const IdleClock&) = delete;

private:
  [[nodiscard]] double busy() const {
    double sum = 0;
    for (const Phase phase : phases_) sum += clock_.seconds(phase);
    return sum;
  }

  PhaseClock& clock_;
  std::vector<Phase> phases_;
  double busy_;
  Lap lap_;
};

/// The tasks of a source that are done, and those that are not.
class SourceResults {
public:
  SourceResults(const Communicator& comm, Index tasks)
      : comm_(comm), of_task_(static_cast<std::size_t>(tasks)) {}

  [[nodiscard]] std::vector<Index> missing() const {
    std::vector<Index> out;
    for (std::size_t i = 0; i < of_task_.size(); ++i)
      if (!of_task_[i]) out.push_back(static_cast<Index>(i));
    return out;
  }

  /// Collective: adds all ranks' results. `mine`: task and bytes_of its result, one after the other.
  void add(ByteWriter mine, std::int64_t count) {
    const std::int64_t all = comm_.sum(count);
    const std::string bytes = comm_.gather(mine.take());
    comm_.agree([&] {
      ByteReader reader(bytes);
      for (std::int64_t k = 0; k < all; ++k) {
        const auto task = reader.get<Index>();
        of_task_.at(static_cast<std::size_t>(task)) = task_result(reader.text());
      }
    });
  }

  /// None is missing.
  [[nodiscard]] std::vector<TaskResult> take() {
    std::vector<TaskResult> out;
    for (std::optional<TaskResult>& result : of_task_) out.push_back(std::move(result.value()));
    return out;
  }

private:
  const Communicator& comm_;
  std::vector<std::optional<TaskResult>> of_task_;
};

/// Collective: each rank reads its share of what earlier runs have finished.
void add_kept(const Communicator& comm, std::uint64_t number, Index tasks, ResumableWork& work,
              SourceResults& results) {
  std::vector<std::uint64_t> kept;
  for (Index i = 0; i < tasks; ++i)
    if (work.keeps(piece_id(number, i))) kept.push_back(piece_id(number, i));
  const auto all = std::ssize(kept);
  const Index begin = all * comm.rank() / comm.size(), end = all * (comm.rank() + 1) / comm.size();
  ByteWriter mine;
  std::int64_t count = 0;
  comm.agree([&] {
    const auto ids =
        std::span(kept).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    work.restore(ids, [&](std::uint64_t id, const std::string& bytes) {
      mine.put(static_cast<Index>(id - piece_id(number, 0))).put(bytes);
      ++count;
    });
  });
  results.add(std::move(mine), count);
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

/// Collective.
void add_missing(const Communicator& comm, const TaskSource& source, std::uint64_t number,
                 const EvaluationPlan& plan, ResumableWork& work, SourceResults& results, PhaseClock& clock) {
  const std::vector<Index> missing = results.missing();
  std::vector<double> costs;
  for (const Index id : missing) costs.push_back(plan.cost(source.shape(id), id));
  const Range part = my_range(comm, 0, costs);
  const std::vector<Index> ids(missing.begin() + part.begin, missing.begin() + part.end);
  // Splits are made one by one of rows that are at hand: else a rank would hold them all.
  const bool hold = plan.config.suite.hold == Hold::memory && source.has_families();
  std::vector<Task> tasks;
  if (hold) {
    const auto timed = clock.measure(Phase::make);
    tasks = load(comm, source, ids);
  }

  std::vector<TaskResult> done(ids.size());
  PendingPieces pieces;
  for (const Index id : ids) pieces.ids.push_back(piece_id(number, id));
  pieces.work = [&](std::size_t k) {
    const auto make = [&] { return hold ? std::move(tasks[k]) : source.make(ids[k]); };
    done[k] = evaluate_task(make, ids[k], plan, clock);
  };
  pieces.result = [&](std::size_t k) { return bytes_of(done[k]); };
  pieces.cost = [&](std::size_t k) {
    return 1e-9 * costs[static_cast<std::size_t>(part.begin) + k] / thread_count();
  };
  pieces.kind = number;
  {
    const IdleClock idle(clock, plan);
    work.run(pieces);
  }

  const auto timed = clock.measure(Phase::gather);
  ByteWriter mine;
  for (std::size_t k = 0; k < ids.size(); ++k) mine.put(ids[k]).put(bytes_of(done[k]));
  results.add(std::move(mine), std::ssize(ids));
}

} // namespace

std::uint64_t piece_id(std::uint64_t number, Index task) {
  return (number << 40U) + static_cast<std::uint64_t>(task);
}

std::string bytes_of(const TaskResult& result) {
  ByteWriter bytes;
  bytes.put(result.corruption).put(bytes_of(result.methods)).put(bytes_of(result.frontier));
  bytes.put(std::int64_t{std::ssize(result.response)});
  for (const Vector& response : result.response) bytes.put(response);
  return bytes.take();
}

TaskResult task_result(const std::string& bytes) {
  ByteReader reader(bytes);
  TaskResult result;
  result.corruption = reader.get<Corruption>();
  result.methods = results_of(reader.text());
  result.frontier = results_of(reader.text());
  const auto responses = reader.get<std::int64_t>();
  for (std::int64_t k = 0; k < responses; ++k) result.response.push_back(reader.array<Vector>());
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
  SourceResults results(comm, source.task_count());
  {
    const auto timed = clock.measure(Phase::read);
    add_kept(comm, number, source.task_count(), work, results);
  }
  add_missing(comm, source, number, plan, work, results, clock);
  return results.take();
}

} // namespace metasieve
