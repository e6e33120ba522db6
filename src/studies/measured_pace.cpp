#include "studies/measured_pace.hpp"

#include "base/for_each.hpp"
#include "training/cost.hpp"

#include <algorithm>
#include <array>
#include <mutex>

namespace metasieve {
namespace {

/// The tasks that are timed, by their place in the order of costs; the first one warms up caches and memory.
constexpr std::array timed_places{0.5, 0.5, 0.95, 0.2, 0.75, 0.35, 0.6, 0.05, 0.85};
constexpr double most_seconds = 2.0;    ///< a thread begins no further task after them
constexpr double least_seconds = 0.005; ///< a shorter stage is repeated until they have passed
constexpr Index most_rows = 20000;      ///< larger tasks are cut to so many rows

std::vector<Index> timed_tasks(const TaskSample& tasks, const std::vector<double>& costs) {
  std::vector<Index> order = all_rows(std::ssize(costs)), timed;
  const auto count = static_cast<double>(order.size());
  for (const double place : timed_places) {
    if (order.empty()) break;
    const auto at = order.begin() + static_cast<Index>(place * count);
    std::nth_element(order.begin(), at, order.end(), [&](Index a, Index b) {
      return costs[static_cast<std::size_t>(a)] < costs[static_cast<std::size_t>(b)];
    });
    timed.push_back(tasks.ids[static_cast<std::size_t>(*at)]);
  }
  return timed;
}

/// Cuts a large task: timing it whole would take too long.
void cut(Split& split) {
  if (split.rows() > most_rows) split = gather(split, all_rows(most_rows));
}

/// Seconds of one call, mean over as many as fill least_seconds.
double seconds_of(const std::function<void()>& work) {
  const double begin = wall_seconds();
  double calls = 0;
  do {
    work();
    ++calls;
  } while (wall_seconds() - begin < least_seconds);
  return (wall_seconds() - begin) / calls;
}

/// Seconds of one stage, measured and by its rough cost.
struct StageSeconds {
  double measured = 0, rough = 0;
};

/// All stages on `ids`, by one thread.
std::vector<StageSeconds> time_stages(const TaskSource& source, const std::vector<Index>& ids,
                                      const std::vector<TimedStage>& stages) {
  std::vector<StageSeconds> times;
  TimedTask timed;
  const double begin = wall_seconds();
  for (std::size_t k = 0; k < ids.size() && (k == 0 || wall_seconds() - begin < most_seconds); ++k) {
    if (k <= 1) times.assign(stages.size() + 1, {}); // the task that warmed up does not count
    const auto add = [&](StageSeconds& time, const std::function<void()>& work, const Cost& cost) {
      time.measured += seconds_of(work);
      const Task& task = timed.task;
      time.rough += 1e-9 * cost({task.train.rows(), task.test.rows(), task.train.columns()});
    };
    add(
        times[0], [&] { timed.task = source.make(ids[k]); },
        [&](const TaskShape& task) { return making_cost(task, source.is_generator()); });
    cut(timed.task.train);
    cut(timed.task.test);
    for (std::size_t stage = 0; stage < stages.size(); ++stage)
      add(
          times[stage + 1], [&] { stages[stage].work(timed); }, stages[stage].cost);
  }
  return times;
}

} // namespace

TaskSample::TaskSample(const TaskSource& source, Range range) {
  const Index all = range.size(), count = std::min(all, most);
  weight = count > 0 ? static_cast<double>(all) / static_cast<double>(count) : 1.0;
  for (Index k = 0; k < count; ++k) {
    ids.push_back(range.begin + (all == count ? k : k / run * all / (most / run) + k % run));
    shapes.push_back(source.shape(ids.back()));
  }
}

double TaskSample::sum(const Cost& value) const {
  double total = 0;
  for (const TaskShape& task : shapes) total += value(task);
  return weight * total;
}

std::vector<double> measured_pace(const Communicator& comm, const TaskSource& source, const TaskSample& tasks,
                                  const std::vector<double>& costs, const std::vector<TimedStage>& stages) {
  std::vector<StageSeconds> all(stages.size() + 1);
  std::mutex guard;
  const std::vector<Index> ids = timed_tasks(tasks, costs);
  comm.barrier();
  comm.run_collectively([&] {
    for_each_parallel({0, thread_count()}, [&](Index) {
      const std::vector<StageSeconds> mine = time_stages(source, ids, stages);
      const std::lock_guard lock(guard);
      for (std::size_t stage = 0; stage < mine.size(); ++stage) {
        all[stage].measured += mine[stage].measured;
        all[stage].rough += mine[stage].rough;
      }
    });
  });
  std::vector<double> pace;
  for (const StageSeconds& stage : all)
    pace.push_back(comm.max(stage.rough > 0 ? stage.measured / stage.rough : 1.0));
  return pace;
}

} // namespace metasieve
