#include "run/dealing.hpp"

#include "meta/batch.hpp"
#include "run/cost.hpp"
#include "tasks/shard.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace metasieve {
namespace {

/// How many batches, and tasks in them, stand for all.
constexpr Index most_steps = 100, most_visits = 1000000;

using Batches = std::vector<std::vector<Index>>;

Batches first_batches(const Config& config, Index tasks, Index steps) {
  BatchSchedule schedule(config.meta.seed, tasks, config.meta.batch);
  Batches batches;
  for (Index step = 0; step < steps; ++step)
    batches.push_back(schedule.of_step(static_cast<std::uint64_t>(step), {0, tasks}));
  return batches;
}

double busiest(const Batches& batches, std::span<const double> visits, std::span<const Range> shards) {
  double sum = 0;
  for (const std::vector<Index>& batch : batches) sum += busiest_seconds(batch, visits, shards, 1);
  return sum;
}

/// Ranges of strata as ranges of their tasks; the k-th stratum begins at k * tasks / strata.
std::vector<Range> of_tasks(std::vector<Range> strata, Index count, Index tasks) {
  for (Range& range : strata) range = {range.begin * tasks / count, range.end * tasks / count};
  return strata;
}

std::vector<double> sums_of_strata(std::span<const double> costs, Index count) {
  const std::vector<Range> single = [&] {
    std::vector<Range> ranges;
    for (Index k = 0; k < count; ++k) ranges.push_back({k, k + 1});
    return of_tasks(std::move(ranges), count, std::ssize(costs));
  }();
  std::vector<double> sums;
  for (const Range& range : single)
    sums.push_back(std::accumulate(costs.begin() + range.begin, costs.begin() + range.end, 0.0));
  return sums;
}

/// Cuts that balance one of the phases or all together, anywhere and between strata.
std::vector<std::vector<Range>> candidates(std::span<const std::vector<double>> phases, Index strata,
                                           int ranks) {
  const std::vector<double>& first = phases.front();
  std::vector<std::vector<double>> costs(phases.begin(), phases.end());
  std::vector<double>& together = costs.emplace_back(first.size(), 0.0);
  for (const std::vector<double>& phase : phases)
    std::transform(phase.begin(), phase.end(), together.begin(), together.begin(), std::plus<>());
  std::vector<std::vector<Range>> found{shards_balanced_over(phases, ranks)};
  const auto tasks = std::ssize(first);
  for (const std::vector<double>& phase : costs) {
    found.push_back(balanced_shards(phase, ranks));
    found.push_back(of_tasks(balanced_shards(sums_of_strata(phase, strata), ranks), strata, tasks));
  }
  const std::vector<double> alike(static_cast<std::size_t>(strata), 1.0);
  found.push_back(of_tasks(balanced_shards(alike, ranks), strata, tasks));
  return found;
}

} // namespace

std::vector<Range> training_shards(std::span<const std::vector<double>> phases, const Config& config,
                                   int ranks) {
  const auto tasks = std::ssize(phases.front());
  const Index strata = config.meta.batch > 0 ? std::min(config.meta.batch, tasks) : tasks;
  if (ranks == 1 || strata == tasks) return shards_balanced_over(phases, ranks); // all are in each batch
  const Index steps =
      std::clamp<Index>(most_visits / strata, 1, std::min(most_steps, config.meta.iterations));
  const Batches batches = first_batches(config, tasks, steps);
  // Phase 1 is all visits of a task: of one step, this share.
  const double share = static_cast<double>(tasks) / static_cast<double>(strata * steps);
  const auto waited_for = [&](const std::vector<Range>& shards) {
    double sum = share * busiest(batches, phases[1], shards);
    for (std::size_t k = 0; k < phases.size(); ++k)
      if (k != 1) sum += busiest_seconds(phases[k], shards, 1);
    return sum;
  };
  std::vector<std::vector<Range>> found = candidates(phases, strata, ranks);
  std::vector<double> waits;
  for (const std::vector<Range>& shards : found) waits.push_back(waited_for(shards));
  return std::move(
      found[static_cast<std::size_t>(std::min_element(waits.begin(), waits.end()) - waits.begin())]);
}

double batch_imbalance(std::span<const double> visits, const Config& config, std::span<const Range> shards,
                       Index steps) {
  const Batches batches = first_batches(config, std::ssize(visits), steps);
  double all = 0;
  for (const std::vector<Index>& batch : batches)
    for (const Index task : batch) all += 1e-9 * visits[static_cast<std::size_t>(task)];
  return busiest(batches, visits, shards) * static_cast<double>(shards.size()) / all;
}

} // namespace metasieve
