#include "parallel/partition.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace metasieve {
namespace {

/// [items + 1]: what items 0..i-1 cost together.
std::vector<double> running_sum(std::span<const double> costs) {
  std::vector<double> sums(costs.size() + 1, 0.0);
  std::inclusive_scan(costs.begin(), costs.end(), sums.begin() + 1);
  return sums;
}

/// Greedy filling: the fewest ranges of which none costs more than `capacity`; one item at least in each.
std::vector<Range> fill(const std::vector<double>& sums, double capacity) {
  std::vector<Range> ranges;
  for (auto begin = sums.begin(); begin + 1 < sums.end();) {
    const auto full = std::upper_bound(begin + 1, sums.end(), *begin + capacity) - 1;
    const auto end = std::max(begin + 1, full);
    ranges.push_back({begin - sums.begin(), end - sums.begin()});
    begin = end;
  }
  return ranges;
}

} // namespace

std::vector<Range> balanced_shards(std::span<const double> costs, int parts) {
  const std::vector<double> sums = running_sum(costs);
  // The bottleneck lies in (low, high]: filling up to the mean and one more item needs no more than `parts`.
  const double largest = costs.empty() ? 0.0 : *std::max_element(costs.begin(), costs.end());
  double low = std::max(largest, sums.back() / parts) * (1.0 - 1e-12);
  double high = (sums.back() / parts + largest) * (1.0 + 1e-12);
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = 0.5 * (low + high);
    (std::ssize(fill(sums, middle)) <= parts ? high : low) = middle;
  }
  std::vector<Range> ranges = fill(sums, high);
  const auto count = static_cast<Index>(costs.size());
  ranges.resize(static_cast<std::size_t>(parts), {count, count});
  return ranges;
}

void sort_by_descending_cost(std::vector<Index>& items, const std::function<double(Index)>& cost) {
  std::sort(items.begin(), items.end(), [&](Index a, Index b) {
    const double of_a = cost(a), of_b = cost(b);
    return of_a != of_b ? of_a > of_b : a < b;
  });
}

std::vector<Index> by_descending_cost(std::vector<Index> items, const std::function<double(Index)>& cost) {
  sort_by_descending_cost(items, cost);
  return items;
}

} // namespace metasieve
