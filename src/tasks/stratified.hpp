#pragma once

#include "base/random.hpp"

#include <vector>

namespace metasieve {

/// Rows of a training and a test part, each in ascending order.
struct Partition {
  std::vector<Index> train, test;
};

/// Takes `test_rows` of the rows of y [n] for testing, each label in its share (largest remainder; a tie goes
/// to label 0), and within a label uniformly at random. 0 <= test_rows <= n. `repeat` numbers further
/// partitions of the same data.
[[nodiscard]] Partition stratified_partition(const Labels& y, Index test_rows, Seed seed, TaskId id,
                                             std::uint64_t repeat = 0);

} // namespace metasieve
