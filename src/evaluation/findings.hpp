#pragma once

#include "evaluation/statistics.hpp"
#include "files/evaluation.hpp"

#include <vector>

namespace metasieve {

/// What a reader must know before believing the figures, for each source: constant predictors, undefined
/// rates, failed fits, tables that are too small, and whether any selection of rows helps fairness or
/// accuracy there. All claims on a source together are tested at 5 % with Holm's correction.
[[nodiscard]] std::vector<Finding> findings_of(const std::vector<EvaluationRow>& rows,
                                               const std::vector<SummaryRow>& summary,
                                               const SourceDesigns& designs);

} // namespace metasieve
