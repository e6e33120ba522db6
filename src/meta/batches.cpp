#include "meta/batches.hpp"

#include <algorithm>
#include <span>

namespace metasieve {

BatchSchedule::BatchSchedule(Seed seed, Index tasks, Index size)
    : seed_(seed), tasks_(tasks), strata_(size == 0 ? tasks : std::min(size, tasks)) {}

const std::vector<Index>& BatchSchedule::of_step(std::uint64_t step, Range mine) {
  batch_.clear();
  if (mine.size() <= 0) return batch_;
  // The strata that hold the first and the last task of `mine`: the k with begin_of(k) <= task < begin_of(k +
  // 1).
  const auto holder = [&](Index task) { return ((task + 1) * strata_ - 1) / tasks_; };
  const Range strata{holder(mine.begin), holder(mine.end - 1) + 1};
  if (strata.begin != first_ || strata.size() != std::ssize(orders_)) {
    first_ = strata.begin;
    orders_.assign(static_cast<std::size_t>(strata.size()), {});
  }
  for (Index k = strata.begin; k < strata.end; ++k)
    if (const Index task = taken(k, step); mine.contains(task)) batch_.push_back(task);
  return batch_;
}

Index BatchSchedule::taken(Index stratum, std::uint64_t step) {
  const Index begin = begin_of(stratum), length = begin_of(stratum + 1) - begin;
  if (length == 1) return begin;
  const auto tasks = static_cast<std::uint64_t>(length);
  const std::uint64_t round = step / tasks;
  Order& known = orders_[static_cast<std::size_t>(stratum - first_)];
  if (known.order.empty() || known.round != round) {
    const Stream stream(seed_, Draw::batch, TaskId{static_cast<std::uint64_t>(stratum)}, round);
    const std::span<const Index> order = sampler_.draw(stream, length, length);
    known.round = round;
    known.order.assign(order.begin(), order.end());
  }
  return begin + known.order[step % tasks];
}

std::vector<Index> batch_of_step(Seed seed, std::uint64_t step, Index tasks, Index size) {
  return BatchSchedule(seed, tasks, size).of_step(step, {0, tasks});
}

} // namespace metasieve
