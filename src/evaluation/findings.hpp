#pragma once

#include "evaluation/statistics.hpp"
#include "files/evaluation.hpp"

#include <vector>

namespace metasieve {

/// Test rows of a label in a group, without which their rates are not judged.
inline constexpr Index least_cell_rows = 10;

/// What a reader must know before believing the figures, for each source: constant predictors, undefined
/// rates, failed fits, tables and groups that are too small, and whether any selection of rows helps fairness
/// (where there are groups) or accuracy there. All claims on a source together are tested at 5 % with Holm's
/// correction.
[[nodiscard]] std::vector<Finding> findings_of(const std::vector<EvaluationRow>& rows,
                                               const std::vector<SummaryRow>& summary,
                                               const SourceDesigns& designs);

} // namespace metasieve
