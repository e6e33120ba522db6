#include "training/task_schedule.hpp"

#include "meta/batches.hpp"
#include "parallel/partition.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace metasieve {
namespace {

/// How many batches, and tasks in them, stand for all.
constexpr Index most_steps = 100, most_gradients = 1000000;

using Shards = std::vector<Range>;

/// The first batches of a training, which stand for all of them.
struct FirstBatches {
  std::vector<std::vector<Index>>
      tasks;        ///< tasks of each batch, ascending; empty: all tasks are in every batch
  Index strata = 1; ///< tasks in a batch
  double share = 1; ///< share of a task's uses in one of these batches
};

FirstBatches first_batches(const MetaConfig& meta, Index tasks) {
  BatchSchedule schedule(meta.seed, tasks, meta.batch);
  FirstBatches batches{{}, std::max<Index>(schedule.size(), 1), 1.0}; // no tasks are legal
  if (schedule.size() == tasks) return batches;
  const Index steps =
      std::clamp<Index>(most_gradients / batches.strata, 1, std::min(most_steps, meta.iterations));
  for (Index step = 0; step < steps; ++step)
    batches.tasks.push_back(schedule.of_step(static_cast<std::uint64_t>(step), {0, tasks}));
  batches.share = static_cast<double>(tasks) / static_cast<double>(batches.strata * steps);
  return batches;
}

/// Seconds until the last rank has done those of `items` (ascending) that are in its shard.
double busiest(const std::vector<Index>& items, std::span<const double> costs, std::span<const Range> shards,
               int threads) {
  double most = 0;
  auto item = items.begin();
  for (const Range& shard : shards) {
    double sum = 0, longest = 0;
    for (; item != items.end() && *item < shard.end; ++item) {
      const double cost = costs[static_cast<std::size_t>(*item)];
      sum += cost;
      longest = std::max(longest, cost);
    }
    most = std::max({most, longest, sum / threads});
  }
  return 1e-9 * most;
}

int rank_of(Index task, const Shards& shards) {
  const auto holder = std::upper_bound(shards.begin(), shards.end(), task,
                                       [](Index i, const Range& shard) { return i < shard.end; });
  return static_cast<int>(holder - shards.begin());
}

/// Seconds of the rank that sends and receives most.
double moving_seconds(const TaskSchedule& schedule, std::span<const double> costs) {
  if (schedule.prepared_by == schedule.owned_by) return 0;
  std::vector<double> of_rank(schedule.owned_by.size(), 0.0);
  for (Index task = 0; task < std::ssize(costs); ++task) {
    const int from = rank_of(task, schedule.prepared_by), to = rank_of(task, schedule.owned_by);
    if (from == to) continue;
    for (const int rank : {from, to})
      of_rank[static_cast<std::size_t>(rank)] += costs[static_cast<std::size_t>(task)];
  }
  return 1e-9 * *std::max_element(of_rank.begin(), of_rank.end());
}

ScheduleSeconds seconds_in(const FirstBatches& batches, const TaskSchedule& schedule, const TaskCosts& costs,
                           int threads) {
  ScheduleSeconds seconds{busiest_seconds(costs.preparation, schedule.prepared_by, threads) +
                          moving_seconds(schedule, costs.moving)};
  if (batches.tasks.empty()) seconds.uses = busiest_seconds(costs.uses, schedule.owned_by, threads);
  for (const std::vector<Index>& batch : batches.tasks)
    seconds.uses += batches.share * busiest(batch, costs.uses, schedule.owned_by, threads);
  return seconds;
}

/// Shards that begin where strata do and balance `costs`; the k-th stratum begins at k * tasks / strata.
Shards shards_of_strata(std::span<const double> costs, Index strata, int ranks) {
  const Index tasks = std::ssize(costs);
  const auto begin_of = [&](Index stratum) { return stratum * tasks / strata; };
  std::vector<double> sums;
  for (Index k = 0; k < strata; ++k)
    sums.push_back(std::accumulate(costs.begin() + begin_of(k), costs.begin() + begin_of(k + 1), 0.0));
  Shards shards = balanced_shards(sums, ranks);
  for (Range& shard : shards) shard = {begin_of(shard.begin), begin_of(shard.end)};
  return shards;
}

/// Partitions that balance preparation, uses, or both together, anywhere and between strata.
std::vector<Shards> candidates(const TaskCosts& costs, Index strata, int ranks) {
  std::vector<double> together = costs.preparation;
  std::transform(together.begin(), together.end(), costs.uses.begin(), together.begin(), std::plus<>());
  const std::vector<double> equal(together.size(), 1.0);
  std::vector<Shards> found{shards_of_strata(equal, strata, ranks)};
  for (const std::vector<double>* phase : {&costs.uses, &std::as_const(together), &costs.preparation}) {
    found.push_back(balanced_shards(*phase, ranks));
    if (strata < std::ssize(together)) found.push_back(shards_of_strata(*phase, strata, ranks));
  }
  return found;
}

} // namespace

double busiest_seconds(std::span<const double> costs, std::span<const Range> shards, int threads) {
  std::vector<Index> all(costs.size());
  std::iota(all.begin(), all.end(), Index{0});
  return busiest(all, costs, shards, threads);
}

TaskSchedule partition_tasks(const TaskCosts& costs, const MetaConfig& meta, int ranks) {
  const FirstBatches batches = first_batches(meta, std::ssize(costs.uses));
  const Shards by_preparation = balanced_shards(costs.preparation, ranks);
  TaskSchedule best;
  double least = std::numeric_limits<double>::infinity();
  for (const Shards& owned_by : candidates(costs, batches.strata, ranks))
    for (const Shards& prepared_by : {owned_by, by_preparation}) {
      TaskSchedule schedule{prepared_by, owned_by};
      const double seconds = seconds_in(batches, schedule, costs, 1).all();
      if (seconds >= least) continue;
      least = seconds;
      best = std::move(schedule);
    }
  return best;
}

ScheduleSeconds seconds_of(const TaskSchedule& schedule, const TaskCosts& costs, const MetaConfig& meta,
                           int threads) {
  return seconds_in(first_batches(meta, std::ssize(costs.uses)), schedule, costs, threads);
}

std::vector<Transfer> transfers_of(const TaskSchedule& schedule, int rank) {
  const auto at = static_cast<std::size_t>(rank);
  const Range from = schedule.prepared_by[at], to = schedule.owned_by[at];
  std::vector<Transfer> transfers;
  for (Index i = std::min(from.begin, to.begin); i < std::max(from.end, to.end); ++i)
    if (from.contains(i) || to.contains(i))
      transfers.push_back({i, rank_of(i, schedule.prepared_by), rank_of(i, schedule.owned_by)});
  return transfers;
}

} // namespace metasieve
