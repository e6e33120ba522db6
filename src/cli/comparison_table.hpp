#pragma once

#include "files/evaluation.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// The comparison as a person reads it: per source one line per method, the groups of a data set, the pairs
/// with their peers in the metric `gap`, and the findings. No gaps where there is one group.
[[nodiscard]] std::string comparison_table(const EvaluationTables& tables, const std::string& gap);

/// The frontier as a person reads it.
[[nodiscard]] std::string frontier_table(const EvaluationTables& tables);

/// The policy's hard selection against the fit on all rows, a line a source; with several sources only the
/// line of all of them.
[[nodiscard]] std::string policy_against_baseline(const EvaluationTables& tables);

} // namespace metasieve
