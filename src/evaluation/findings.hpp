#pragma once

#include "evaluation/statistics.hpp"
#include "files/evaluation.hpp"

#include <vector>

namespace metasieve {

/// Test rows of a label in a group, without which their rates are not judged.
inline constexpr Index least_cell_rows = 10;

/// "labels seem to hide 31 % of the positives of group 'F' ..."; empty where the share is below a tenth: it
/// is up to 0.08 where nothing is known. group: its name; empty: there is no estimate.
[[nodiscard]] std::string hidden_positives_text(const std::string& group, double share, double evidence);

/// What a reader must know before believing the figures, for each source: constant predictors, undefined
/// rates, failed fits, tables and groups that are too small, hidden positives, and whether any selection of
/// rows helps fairness (where there are groups) or accuracy there. All claims on a source together are tested
/// at 5 % with Holm's correction.
[[nodiscard]] std::vector<Finding> findings_of(const std::vector<EvaluationRow>& rows,
                                               const std::vector<SummaryRow>& summary,
                                               const SourceDesigns& designs,
                                               const std::vector<HiddenPositivesRow>& hidden = {});

} // namespace metasieve
