#pragma once

#include "base/random.hpp"
#include "tasks/task.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace metasieve::test {

/// Rows of K groups, the first the largest. The further ones have fewer positives, more of their positives
/// are hidden in y (up to 70 %), and a feature tells of them; 5 % of all labels are flipped.
inline Split grouped_split(Index rows, Index groups, std::uint64_t salt) {
  const Stream uniform(Seed{salt}, Draw::groups, TaskId{0}), normal(Seed{salt}, Draw::covariates, TaskId{0});
  Split split{MatrixF(rows, 4), Labels(rows), Labels(rows), Labels(rows), groups};
  for (Index i = 0; i < rows; ++i) {
    const double u = uniform.uniform(3 * i), size = static_cast<double>(groups);
    const double z = std::floor(size * u * (0.5 + 0.5 * u)), disadvantage = z / std::max(1.0, size - 1.0);
    for (Index j = 0; j < 4; ++j) split.x(i, j) = static_cast<float>(normal.normal(5 * i + j));
    const double score =
        split.x(i, 0) + 0.5 * split.x(i, 1) - 0.5 * disadvantage + 0.7 * normal.normal(5 * i + 4);
    split.x(i, 2) -= static_cast<float>(2.0 * disadvantage);
    const bool clean = score > -0.5, hidden = uniform.uniform(3 * i + 1) < 0.7 * disadvantage,
               flipped = uniform.uniform(3 * i + 2) < 0.05;
    split.group(i) = static_cast<std::uint8_t>(z);
    split.y_clean(i) = clean ? 1 : 0;
    split.y(i) = (clean && !hidden) != flipped ? 1 : 0;
  }
  return split;
}

/// Noisy training rows and clean test rows.
inline Task grouped_task(Index rows, Index groups, std::uint64_t salt = 1) {
  Task task{TaskId{salt}, grouped_split(rows, groups, salt), grouped_split(rows, groups, salt + 1000), {}};
  task.test.y = task.test.y_clean;
  return task;
}

} // namespace metasieve::test
