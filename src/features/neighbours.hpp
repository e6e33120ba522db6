#pragma once

#include "base/random.hpp"
#include "base/split.hpp"
#include "features/neighbour_filter.hpp"

namespace metasieve {

inline constexpr Index neighbour_count = NeighbourFilter::nearest;

struct NeighbourOptions {
  Index exact_rows = 10000;    ///< up to this many rows, every row is a reference row
  Index reference_rows = 4000; ///< beyond, this many are drawn once for the task
  Seed seed{};
  TaskId id{};
};

/// The reference rows of a task, ascending: all, or a sample through Draw::knn_reference.
[[nodiscard]] std::vector<Index> neighbour_references(Index rows, const NeighbourOptions& options);

/// Share of the 15 nearest reference rows with the row's own label, [n] in [0, 1]. Squared distance
/// sum_j (x_aj - x_bj)^2 / sd_j^2 over the columns of x, without the group, in double precision; the row
/// itself is excluded; ties go to the lower index; fewer neighbours if there are fewer rows, and 0 if there
/// are none.
[[nodiscard]] Vector neighbour_agreement(const Split& train, const Standardizer& standardizer,
                                         const NeighbourOptions& options);

/// The same with these reference rows, ascending.
[[nodiscard]] Vector agreement_among(const Split& train, const Standardizer& standardizer,
                                     const std::vector<Index>& references);

} // namespace metasieve
