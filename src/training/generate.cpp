#include "training/generate.hpp"

#include "base/for_each.hpp"
#include "files/suite.hpp"
#include "runtime/energy.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/resumable_work.hpp"
#include "training/cost.hpp"
#include "training/task_source.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace metasieve {
namespace {

/// Cost of a task that is read from the journal, as a share of the cost of making it.
constexpr double cost_of_kept = 0.2;

std::vector<std::uint64_t> numbers(Range ids) {
  std::vector<std::uint64_t> out;
  for (Index i = ids.begin; i < ids.end; ++i) out.push_back(static_cast<std::uint64_t>(i));
  return out;
}

WorkSettings work_settings(const GenerateRequest& request, const TaskSource& source) {
  WorkSettings settings;
  settings.output = request.output;
  settings.key = "command = generate\n" + deciding_settings(resolved_ini(request.config, Affects::tasks));
  settings.resume = request.resume;
  settings.pieces = source.task_count();
  settings.checkpoint_minutes = request.config.output.checkpoint_minutes;
  settings.limits = request.config.run;
  return settings;
}

/// Makes this rank's tasks, some at a time; those that an earlier run has kept are read from the journal.
class TaskMaker {
public:
  TaskMaker(const Communicator& comm, const TaskSource& source, ResumableWork& work)
      : comm_(comm), source_(source), work_(work) {
    std::vector<double> costs = source.costs(generation_cost);
    for (std::size_t i = 0; i < costs.size(); ++i)
      if (work.keeps(i)) costs[i] *= cost_of_kept;
    ids_ = my_range(comm, costs);
  }

  [[nodiscard]] std::vector<TaskShape> shapes() const { return source_.shapes(ids_); }

  /// Collective: the tasks at `places` among this rank's, until the next call.
  std::span<const Task> make(Range places) {
    const double begin = wall_seconds();
    const Range ids{ids_.begin + places.begin, ids_.begin + places.end};
    tasks_.assign(static_cast<std::size_t>(ids.size()), {});
    const auto at = [&](std::uint64_t id) { return id - static_cast<std::uint64_t>(ids.begin); };
    std::vector<std::uint8_t> is_there(tasks_.size(), 0);
    comm_.run_collectively([&] {
      work_.restore(numbers(ids), [&](std::uint64_t id, const std::string& bytes) {
        tasks_[at(id)] = task_of_bytes(bytes);
        is_there[at(id)] = 1;
      });
    });
    PendingPieces pieces;
    for (const std::uint64_t id : numbers(ids))
      if (is_there[at(id)] == 0) pieces.ids.push_back(id);
    pieces.work = [&](std::size_t k) {
      Stopwatch lap;
      tasks_[at(pieces.ids[k])] = source_.make(static_cast<Index>(pieces.ids[k]));
      clock_.add(Phase::make, lap.seconds() / thread_count());
    };
    pieces.result = [&](std::size_t k) { return task_bytes(tasks_[at(pieces.ids[k])]); };
    Stopwatch running;
    work_.run(pieces);
    run_seconds_ += running.seconds();
    look_at_tasks();
    seconds_ += wall_seconds() - begin;
    return tasks_;
  }

  /// The phases make and idle: threads without a task, and waiting for other ranks meanwhile.
  [[nodiscard]] PhaseClock& clock() {
    clock_.add(Phase::idle, std::max(std::exchange(run_seconds_, 0.0) - clock_.seconds(Phase::make), 0.0));
    return clock_;
  }

  [[nodiscard]] double seconds() const noexcept { return seconds_; }
  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; } ///< rows of the tasks made so far
  /// Tasks made so far whose training labels are all of one class.
  [[nodiscard]] const std::vector<std::uint64_t>& one_class() const noexcept { return one_class_; }

private:
  void look_at_tasks() {
    for (const Task& task : tasks_) {
      rows_ += task.train.rows() + task.test.rows();
      if (task.train.y.minCoeff() == task.train.y.maxCoeff()) one_class_.push_back(task.metadata.task_id);
    }
  }

  const Communicator& comm_;
  const TaskSource& source_;
  ResumableWork& work_;
  Range ids_;
  std::vector<Task> tasks_;
  std::vector<std::uint64_t> one_class_;
  std::int64_t rows_ = 0;
  double seconds_ = 0, run_seconds_ = 0;
  PhaseClock clock_{{Phase::make, Phase::idle, Phase::write}};
};

/// Collective: all ranks' ids, by rank.
std::vector<std::uint64_t> gathered(const Communicator& comm, const std::vector<std::uint64_t>& mine) {
  const std::string bytes = comm.gather(
      std::string(reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(std::uint64_t)));
  std::vector<std::uint64_t> all(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(all.data(), bytes.data(), bytes.size());
  return all;
}

Generated generate(const Communicator& comm, const GenerateRequest& request, StatusFile& status) {
  const double begin = wall_seconds();
  EnergyMeter energy(comm);
  const TaskSource source = TaskSource::generator(request.config);
  ResumableWork work(comm, work_settings(request, source));
  TaskMaker maker(comm, source, work);
  Progress progress({!comm.is_root(), "task", source.task_count(), work.kept(), 0, &status});
  status.begin();
  work.report_to(progress);
  Stopwatch lap;
  write_suite(
      comm, request.output,
      {resolved_ini(request.config, Affects::policy), std::nullopt, request.config.output.io}, maker.shapes(),
      [&](Range places) { return maker.make(places); }, suite_turn_bytes);
  work.finish();
  const double write_seconds = lap.seconds() - maker.seconds();
  progress.clear_line();

  Generated generated;
  generated.tasks = source.task_count();
  generated.rows = comm.sum(maker.rows());
  generated.one_class = gathered(comm, maker.one_class());
  generated.peak_bytes = comm.max(peak_bytes());
  generated.make_seconds = maker.seconds();
  generated.write_seconds = wall_seconds() - begin - maker.seconds();
  generated.usage = {core_hours(comm.size(), thread_count(), comm.max(wall_seconds() - request.begin)),
                     energy.used(), work.kept() > 0};
  if (request.profile) {
    PhaseClock& clock = maker.clock();
    clock.add(Phase::write, write_seconds);
    generated.profile = clock.profile(comm, wall_seconds() - request.begin, thread_count());
  }
  return generated;
}

} // namespace

Generated generate(const Communicator& comm, const GenerateRequest& request) {
  require_writable(comm, {request.output});
  const OutputLock lock(comm, request.output);
  StatusFile status(comm, status_of_file(request.output), "generate");
  Generated generated;
  status.during([&] { generated = generate(comm, request, status); });
  return generated;
}

} // namespace metasieve
