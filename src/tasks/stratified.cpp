#include "tasks/stratified.hpp"

#include <algorithm>
#include <array>

namespace metasieve {
namespace {

/// Test rows of each label: floors of the exact shares, and the row that is left to the larger remainder.
std::array<Index, 2> test_counts(const std::array<Index, 2>& sizes, Index test_rows) {
  const Index rows = sizes[0] + sizes[1];
  if (rows == 0) return {0, 0};
  std::array<Index, 2> counts{sizes[0] * test_rows / rows, sizes[1] * test_rows / rows};
  const bool first = sizes[0] * test_rows % rows >= sizes[1] * test_rows % rows;
  counts[first ? 0 : 1] += test_rows - counts[0] - counts[1];
  return counts;
}

} // namespace

Partition stratified_partition(const Labels& y, Index test_rows, Seed seed, TaskId id, std::uint64_t repeat) {
  std::array<std::vector<Index>, 2> rows;
  for (Index i = 0; i < y.size(); ++i) rows[y(i)].push_back(i);
  const std::array<Index, 2> sizes{static_cast<Index>(rows[0].size()), static_cast<Index>(rows[1].size())};
  const auto counts = test_counts(sizes, test_rows);

  std::vector<bool> in_test(static_cast<std::size_t>(y.size()));
  for (const std::size_t label : {0U, 1U}) {
    const Stream stream(seed, Draw::split, id, 2 * repeat + label);
    for (const Index i : sample_without_replacement(stream, sizes[label], counts[label]))
      in_test[static_cast<std::size_t>(rows[label][static_cast<std::size_t>(i)])] = true;
  }
  Partition partition;
  for (Index i = 0; i < y.size(); ++i)
    (in_test[static_cast<std::size_t>(i)] ? partition.test : partition.train).push_back(i);
  return partition;
}

} // namespace metasieve
