#pragma once

#include "base/random.hpp"
#include "tasks/corrupt_labels.hpp"
#include "tasks/task.hpp"

#include <optional>
#include <string>
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

/// How tasks are made from one real data set.
struct Resampling {
  std::string name;           ///< becomes metadata.family
  LabelCorruption corruption; ///< of the training labels
  Seed seed{};
  std::optional<Labels> split; ///< [n]: 0 train, 1 test, instead of random stratified 70/30 splits
};

/// Test rows of a random 70/30 split of `rows` rows.
[[nodiscard]] Index test_rows(Index rows);

/// Repetition `repeat` of splitting `rows` and corrupting training labels: a pure function of its arguments.
/// Clean labels are rows.y_clean; training labels are rows.y, corrupted; test labels are clean. Columns stay
/// as they are.
[[nodiscard]] Task resample(const Split& rows, const Resampling& options, std::uint64_t repeat);

} // namespace metasieve
