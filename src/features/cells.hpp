#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// The (y, z) cell of each row as K y + z, K = `groups`. [n].
[[nodiscard]] Labels cell_of(const Labels& y, const Labels& group, Index groups = 2);

/// The mean of `values` over the rows with the same key as the row, keys in 0..127. values [n], key [n] ->
/// [n].
[[nodiscard]] Vector mean_by_key(const Vector& values, const Labels& key);

/// The share of rows with the same key as the row, in (0, 1], keys in 0..127: a key without rows is never
/// asked for. [n] -> [n].
[[nodiscard]] Vector share_by_key(const Labels& key);

/// log P(y) P(z) / P(y, z): the weight that makes label and group independent (Kamiran and Calders 2012,
/// doi:10.1007/s10115-011-0463-8). [n].
[[nodiscard]] Vector log_cell_weight(const Labels& y, const Labels& group);

/// (v - mean) / sd with the population standard deviation; zeros where sd is below 1e-12 max(1, |mean|).
/// [n] -> [n].
[[nodiscard]] Vector z_scored(const Vector& values);

/// Place in ascending order, ties in order of index, divided by n - 1: in [0, 1]; 0 for a single value.
/// [n] -> [n].
[[nodiscard]] Vector rank_fraction(const Vector& values);

/// Means of `values` over (label, group) cells, as each row sees them: its own cell, the same label in the
/// other groups, the other label in its group, the other label in the other groups, which are pooled. Each is
/// drawn to the mean of all rows as if that were five more rows of the cell: so an empty cell is defined and
/// a small one is calm. values, y, group [n] -> [n, 4]; n >= 1. Bits do not depend on how groups are
/// numbered.
[[nodiscard]] Matrix cell_means(const Vector& values, const Labels& y, const Labels& group);

/// Place of each value among those of its own cell, ascending, in [0, 1]: rank_fraction cell by cell. values
/// [n], cell [n] -> [n].
[[nodiscard]] Vector rank_in_cell(const Vector& values, const Labels& cell);

/// Log odds ratio of the row's own label or not and its own group or not, one added to each count: positive
/// where the row's own combination is more frequent than independence has it. y, group [n] -> [n]; n >= 1.
[[nodiscard]] Vector signed_log_odds(const Labels& y, const Labels& group);

/// The positive rate of the row's own group less that of all other rows; 0 where there are no others. y,
/// group [n] -> [n]; n >= 1.
[[nodiscard]] Vector group_rate_difference(const Labels& y, const Labels& group);

} // namespace metasieve
