#pragma once

#include "base/linalg.hpp"

#include <functional>
#include <span>
#include <vector>

namespace metasieve {

/// Cuts items 0..costs.size()-1 into `parts` consecutive ranges (some may be empty) such that the largest sum
/// of costs of a range is as small as consecutive ranges allow. Consecutive, so that files are written in one
/// piece a rank and every batch (see batch_of_step) falls evenly on the ranks. costs >= 0.
[[nodiscard]] std::vector<Range> balanced_shards(std::span<const double> costs, int parts);

/// Puts `items` into the order in which threads should take them: the longest first, so that none begins a
/// long one when the others are about to end (Graham 1969). Equal ones by number. Needs no further memory.
void sort_by_descending_cost(std::vector<Index>& items, const std::function<double(Index)>& cost);

/// `items` in that order.
[[nodiscard]] std::vector<Index> by_descending_cost(std::vector<Index> items,
                                                    const std::function<double(Index)>& cost);

} // namespace metasieve
