#include "tasks/shard.hpp"

#include <algorithm>
#include <numeric>

namespace metasieve {
namespace {

/// Greedy filling: the fewest ranges of which none costs more than `capacity`.
std::vector<Range> fill(std::span<const double> costs, double capacity) {
  std::vector<Range> ranges;
  const auto count = static_cast<Index>(costs.size());
  for (Index begin = 0; begin < count;) {
    Index end = begin;
    for (double load = 0; end < count; ++end) {
      load += costs[static_cast<std::size_t>(end)];
      if (load > capacity && end > begin) break;
    }
    ranges.push_back({begin, end});
    begin = end;
  }
  return ranges;
}

} // namespace

std::vector<Range> balanced_shards(std::span<const double> costs, int parts) {
  const double total = std::accumulate(costs.begin(), costs.end(), 0.0);
  double low = 0.0, high = total; // the bottleneck lies in (low, high]
  for (const double cost : costs) low = std::max(low, cost);
  low = std::max(low, total / parts) * (1.0 - 1e-12);
  high *= 1.0 + 1e-12;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = 0.5 * (low + high);
    (static_cast<int>(fill(costs, middle).size()) <= parts ? high : low) = middle;
  }
  std::vector<Range> ranges = fill(costs, high);
  const auto count = static_cast<Index>(costs.size());
  ranges.resize(static_cast<std::size_t>(parts), {count, count});
  return ranges;
}

} // namespace metasieve
