#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// The (y, z) cell of each row as 2y + z, in 0..3. [n].
[[nodiscard]] Labels cell_of(const Labels& y, const Labels& group);

/// The mean of `values` over the rows with the same key as the row, keys in 0..3. values [n], key [n] -> [n].
[[nodiscard]] Vector mean_by_key(const Vector& values, const Labels& key);

/// The share of rows with the same key as the row, in (0, 1], keys in 0..3: a key without rows is never asked
/// for. [n] -> [n].
[[nodiscard]] Vector share_by_key(const Labels& key);

/// log P(y) P(z) / P(y, z): the weight that makes label and group independent (Kamiran and Calders 2012,
/// doi:10.1007/s10115-011-0463-8). [n].
[[nodiscard]] Vector log_cell_weight(const Labels& y, const Labels& group);

} // namespace metasieve
