#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// Means of `values` over the four (label, group) cells, as each row sees them: its own cell, the same label
/// in the other group, the other label in its group, the other label in the other group. Each is drawn to the
/// mean of all rows as if that were five more rows of the cell: so an empty cell is defined and a small one
/// is calm. values [n], cell [n] = 2y + z -> [n, 4]; n >= 1.
[[nodiscard]] Matrix cell_means(const Vector& values, const Labels& cell);

/// Place of each value among those of its own cell, ascending, in [0, 1]: rank_fraction cell by cell. values
/// [n], cell [n] -> [n].
[[nodiscard]] Vector rank_in_cell(const Vector& values, const Labels& cell);

/// Log odds ratio of label and group, one added to each count, with the sign that makes it positive where the
/// row's own combination is more frequent than independence has it. cell [n] = 2y + z -> [n].
[[nodiscard]] Vector signed_log_odds(const Labels& cell);

} // namespace metasieve
