#pragma once

#include "base/range.hpp"

#include <span>
#include <vector>

namespace metasieve {

/// Cuts items 0..costs.size()-1 into `parts` consecutive ranges (some may be empty) such that the largest sum
/// of costs of a range is as small as consecutive ranges allow. Consecutive, so that files are written in one
/// piece a rank and every batch (see batch_of_step) falls evenly on the ranks. costs > 0.
[[nodiscard]] std::vector<Range> balanced_shards(std::span<const double> costs, int parts);

/// Nanoseconds of one core per value of x that the generator makes.
inline constexpr double generation_nanoseconds = 20.0;

/// Predicted nanoseconds of one core, of probe and features of a task and of `iterations` visits to
/// it. support = 0: all rows.
[[nodiscard]] double predicted_cost(Index train_rows, Index test_rows, Index columns, Index support,
                                    double iterations);

} // namespace metasieve
