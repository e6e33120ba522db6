#pragma once

#include "base/random.hpp"
#include "base/split.hpp"

#include <cmath>
#include <vector>

namespace metasieve::testing {

/// A task with a non-linear signal, unequal groups and 15 % label noise.
inline Split random_task(Index rows, Index columns, std::uint64_t seed = 1) {
  const Stream normal(Seed{seed}, Draw::covariates, TaskId{1}), uniform(Seed{seed}, Draw::flips, TaskId{1});
  Split split{MatrixF(rows, columns), Labels(rows), Labels(rows), Labels(rows)};
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j)
      split.x(i, j) = static_cast<float>(3.0 * static_cast<double>(j) +
                                         (1.0 + static_cast<double>(j)) * normal.normal(i * columns + j));
    split.group(i) = uniform.uniform(3 * i) < 0.3 ? 1 : 0;
    const double score = normal.normal(i * columns) + 0.5 * split.group(i) + 0.3 * uniform.uniform(3 * i + 2);
    split.y_clean(i) = score > 0.2 ? 1 : 0;
    split.y(i) = static_cast<std::uint8_t>(uniform.uniform(3 * i + 1) < 0.15 ? 1 - split.y_clean(i)
                                                                             : split.y_clean(i));
  }
  return split;
}

/// A task whose columns are small integers, as in survey data: most rows have several duplicates.
inline Split duplicated_task(Index rows, Index columns, Index levels) {
  const Stream value(Seed{5}, Draw::covariates, TaskId{2});
  Split split = random_task(rows, columns, 5);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j)
      split.x(i, j) = static_cast<float>(20 + value.below(i * columns + j, levels));
  return split;
}

inline bool same_bits(const Matrix& a, const Matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && (a.array() == b.array()).all();
}

} // namespace metasieve::testing
