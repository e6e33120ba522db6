#pragma once

#include "base/random.hpp"
#include "base/split.hpp"

#include <cmath>
#include <vector>

namespace metasieve::test {

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

/// Each degenerate case, by name: `change` makes it from a random task of `rows` rows.
struct Degenerate {
  const char* name;
  Index rows;
  void (*change)(Split& train);
};

inline const std::vector<Degenerate> degenerate_tasks{
    Degenerate{"no_row", 0, [](Split&) {}},
    Degenerate{"one_row", 1, [](Split&) {}},
    Degenerate{"two_rows_of_two_classes", 2, [](Split& s) { s.y << 0, 1; }},
    Degenerate{"two_rows_of_one_class", 2, [](Split& s) { s.y.setZero(); }},
    Degenerate{"nineteen_rows", 19, [](Split&) {}},
    Degenerate{"one_class", 80, [](Split& s) { s.y.setOnes(); }},
    Degenerate{"one_positive", 80,
               [](Split& s) {
                 s.y.setZero();
                 s.y(7) = 1;
               }},
    Degenerate{"three_positives", 80,
               [](Split& s) {
                 s.y.setZero();
                 s.y.segment(7, 3).setOnes();
               }},
    Degenerate{"empty_group", 80, [](Split& s) { s.group.setOnes(); }},
    Degenerate{"empty_cell", 80, [](Split& s) { s.group = s.group.cwiseMin(s.y); }},
    Degenerate{"group_equals_label", 80, [](Split& s) { s.group = s.y; }},
    Degenerate{"constant_columns", 80, [](Split& s) { s.x.setConstant(0.1F); }},
    Degenerate{"one_constant_column", 80, [](Split& s) { s.x.col(1).setConstant(-7.0F); }},
    Degenerate{"equal_rows_but_one", 80,
               [](Split& s) {
                 s.x.setZero();
                 s.x(5, 2) = 1.0F;
               }},
    Degenerate{"huge_and_tiny_columns", 80,
               [](Split& s) {
                 s.x.col(0) *= 1e30F;
                 s.x.col(1) *= 1e-30F;
               }},
    Degenerate{"separable", 80, [](Split& s) {
                 for (Index i = 0; i < 80; ++i) s.y(i) = s.x(i, 0) > 0.0F ? 1 : 0;
               }}};

} // namespace metasieve::test
