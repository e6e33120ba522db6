#pragma once

#include "base/range.hpp"

#include <span>
#include <vector>

namespace metasieve {

/// Cuts items 0..costs.size()-1 into `parts` consecutive ranges (some may be empty) such that the largest sum
/// of costs of a range is as small as consecutive ranges allow. Consecutive, so that files are written in one
/// piece a rank and every batch (see batch_of_step) falls evenly on the ranks. costs > 0.
[[nodiscard]] std::vector<Range> balanced_shards(std::span<const double> costs, int parts);

} // namespace metasieve
