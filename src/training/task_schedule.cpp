#include "training/task_schedule.hpp"

#include "meta/batches.hpp"
#include "parallel/partition.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace metasieve {
namespace {

/// How many batches, and tasks in them, stand for all.
constexpr Index most_steps = 100, most_gradients = 1000000;

using Batches = std::vector<std::vector<Index>>;
using Shards = std::vector<Range>;

Batches first_batches(const MetaConfig& meta, Index tasks, Index steps) {
  BatchSchedule schedule(meta.seed, tasks, meta.batch);
  Batches batches;
  for (Index step = 0; step < steps; ++step)
    batches.push_back(schedule.of_step(static_cast<std::uint64_t>(step), {0, tasks}));
  return batches;
}

double busiest(const Batches& batches, std::span<const double> costs, std::span<const Range> shards) {
  double sum = 0;
  for (const std::vector<Index>& batch : batches) sum += busiest_seconds(batch, costs, shards, 1);
  return sum;
}

/// Ranges of strata as ranges of their tasks; the k-th stratum begins at k * tasks / strata.
Shards of_tasks(Shards strata, Index count, Index tasks) {
  for (Range& range : strata) range = {range.begin * tasks / count, range.end * tasks / count};
  return strata;
}

std::vector<double> sums_of_strata(std::span<const double> costs, Index count) {
  const Shards single = [&] {
    Shards ranges;
    for (Index k = 0; k < count; ++k) ranges.push_back({k, k + 1});
    return of_tasks(std::move(ranges), count, std::ssize(costs));
  }();
  std::vector<double> sums;
  for (const Range& range : single)
    sums.push_back(std::accumulate(costs.begin() + range.begin, costs.begin() + range.end, 0.0));
  return sums;
}

/// Cuts that balance one of the phases or all together, anywhere and between strata.
std::vector<Shards> candidates(std::span<const std::vector<double>> phases, Index strata, int ranks) {
  const std::vector<double>& first = phases.front();
  std::vector<std::vector<double>> costs(phases.begin(), phases.end());
  std::vector<double>& together = costs.emplace_back(first.size(), 0.0);
  for (const std::vector<double>& phase : phases)
    std::transform(phase.begin(), phase.end(), together.begin(), together.begin(), std::plus<>());
  std::vector<Shards> found{shards_balanced_over(phases, ranks)};
  const auto tasks = std::ssize(first);
  for (const std::vector<double>& phase : costs) {
    found.push_back(balanced_shards(phase, ranks));
    found.push_back(of_tasks(balanced_shards(sums_of_strata(phase, strata), ranks), strata, tasks));
  }
  const std::vector<double> alike(static_cast<std::size_t>(strata), 1.0);
  found.push_back(of_tasks(balanced_shards(alike, ranks), strata, tasks));
  return found;
}

/// Partitions the tasks of one training; predicts for how many seconds the last rank is at work.
class Partitioner {
public:
  Partitioner(const TaskCosts& costs, const MetaConfig& meta, int ranks)
      : costs_(costs), ranks_(ranks),
        strata_(meta.batch > 0 ? std::min(meta.batch, costs.tasks()) : costs.tasks()) {
    const bool has_gradients =
        std::any_of(costs.visits.begin(), costs.visits.end(), [](double c) { return c > 0; });
    if (!has_gradients || strata_ == costs.tasks() || ranks == 1) return; // all are in each batch
    const Index steps = std::clamp<Index>(most_gradients / strata_, 1, std::min(most_steps, meta.iterations));
    batches_ = first_batches(meta, costs.tasks(), steps);
    // Costs are of all gradients of a task: of one step, this share.
    share_ = static_cast<double>(costs.tasks()) / static_cast<double>(strata_ * steps);
  }

  [[nodiscard]] TaskSchedule together() const {
    Shards shards = best_of({costs_.preparation, costs_.visits, costs_.assessments},
                            [&](const Shards& held) { return preparation(held) + uses(held); });
    return {shards, shards};
  }

  [[nodiscard]] TaskSchedule apart() const {
    return {balanced_shards(costs_.preparation, ranks_),
            best_of({costs_.visits, costs_.assessments}, [&](const Shards& held) { return uses(held); })};
  }

  [[nodiscard]] double seconds(const TaskSchedule& schedule) const {
    return preparation(schedule.prepared_by) + moving(schedule) + uses(schedule.owned_by);
  }

private:
  template <class Seconds>
  [[nodiscard]] Shards best_of(const std::vector<std::vector<double>>& phases, const Seconds& seconds) const {
    if (batches_.empty()) return shards_balanced_over(phases, ranks_);
    std::vector<Shards> found = candidates(phases, strata_, ranks_);
    std::vector<double> waits;
    for (const Shards& shards : found) waits.push_back(seconds(shards));
    const auto best = std::min_element(waits.begin(), waits.end()) - waits.begin();
    return std::move(found[static_cast<std::size_t>(best)]);
  }

  [[nodiscard]] double preparation(const Shards& prepared_by) const {
    return busiest_seconds(costs_.preparation, prepared_by, 1);
  }

  [[nodiscard]] double uses(const Shards& owned_by) const {
    const double gradients = batches_.empty() ? busiest_seconds(costs_.visits, owned_by, 1)
                                              : share_ * busiest(batches_, costs_.visits, owned_by);
    return gradients + busiest_seconds(costs_.assessments, owned_by, 1);
  }

  /// Of the rank that sends and receives most.
  [[nodiscard]] double moving(const TaskSchedule& schedule) const {
    double most = 0;
    for (int rank = 0; rank < ranks_; ++rank) {
      double sum = 0;
      for (const Transfer& transfer : transfers_of(schedule, rank))
        if (transfer.from != transfer.to) sum += costs_.moving[static_cast<std::size_t>(transfer.task)];
      most = std::max(most, sum);
    }
    return 1e-9 * most;
  }

  const TaskCosts& costs_;
  int ranks_;
  Index strata_;
  Batches batches_; ///< none where all tasks are in each
  double share_ = 1.0;
};

int rank_of(Index task, const Shards& shards) {
  const auto holder = std::upper_bound(shards.begin(), shards.end(), task,
                                       [](Index i, const Range& shard) { return i < shard.end; });
  return static_cast<int>(holder - shards.begin());
}

} // namespace

TaskSchedule partition_tasks(const TaskCosts& costs, const MetaConfig& meta, int ranks) {
  const Partitioner partitioner(costs, meta, ranks);
  TaskSchedule together = partitioner.together(), apart = partitioner.apart();
  return partitioner.seconds(apart) < partitioner.seconds(together) ? apart : together;
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

double batch_imbalance(std::span<const double> gradient_costs, const MetaConfig& meta,
                       std::span<const Range> shards, Index steps) {
  const Batches batches = first_batches(meta, std::ssize(gradient_costs), steps);
  double all = 0;
  for (const std::vector<Index>& batch : batches)
    for (const Index task : batch) all += 1e-9 * gradient_costs[static_cast<std::size_t>(task)];
  return busiest(batches, gradient_costs, shards) * static_cast<double>(shards.size()) / all;
}

} // namespace metasieve
