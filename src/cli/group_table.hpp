#pragma once

#include "files/evaluation.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// The groups of a data set as a person reads them: test rows and rates of the fit on all rows and of the
/// policy's selection, a line a group, and the two groups between which the fit on all rows is most unequal.
/// "" for a source without groups, or with one.
[[nodiscard]] std::string group_table(const std::string& source, const std::vector<GroupSummaryRow>& summary);

} // namespace metasieve
