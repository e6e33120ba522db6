#pragma once

#include "base/random.hpp"
#include "base/split.hpp"
#include "inner/design.hpp"

#include <span>
#include <vector>

namespace metasieve {

inline constexpr Index neighbour_count = 15; ///< nearest rows that are asked, the row itself not counted

struct NeighbourOptions {
  Index exact_rows = 10000;    ///< up to this many rows, every row is a reference row
  Index reference_rows = 4000; ///< beyond, this many are drawn once for the task
  Seed seed{};
  TaskId id{};
};

/// The reference rows of a task, ascending: all, or a sample through Draw::knn_reference.
[[nodiscard]] std::vector<Index> neighbour_references(Index rows, const NeighbourOptions& options);

/// Share of the 15 rows nearest to `row` among `references` with the row's own label, in [0, 1]. Squared
/// distance sum_j (x_aj - x_bj)^2 / sd_j^2 over the columns of x, without the group; the row itself is
/// excluded; ties go to the lower index; fewer neighbours if there are fewer rows, and 0 if there are none.
[[nodiscard]] double agreement_of_row(const Split& train, const Standardizer& standardizer, Index row,
                                      std::span<const Index> references);

/// agreement_of_row of each row of train, [n]. Takes O(n references d).
[[nodiscard]] Vector neighbour_agreement(const Split& train, const Standardizer& standardizer,
                                         std::span<const Index> references);

} // namespace metasieve
