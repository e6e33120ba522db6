#pragma once

#include "files/evaluation.hpp"

#include <vector>

namespace metasieve {

/// What a reader must know before believing the figures, for each source: constant predictors, undefined
/// rates, failed fits, and whether any selection of rows helps fairness or accuracy there, beyond its
/// sampling error.
[[nodiscard]] std::vector<Finding> findings_of(const std::vector<EvaluationRow>& rows,
                                               const std::vector<SummaryRow>& summary);

} // namespace metasieve
