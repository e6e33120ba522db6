#pragma once

#include "io/results_file.hpp"

#include <string>

namespace metasieve {

/// "loss 0.4321  accuracy loss 0.3210  gap 0.1111  gradient 0.222"
[[nodiscard]] std::string state_text(const HistoryRow& row);

/// "validation at 50: accuracy 0.8000 (+1.20 points), DP gap 0.0800 (-52 %), ..., loss 0.4321"
[[nodiscard]] std::string validation_text(const ValidationRow& row);

} // namespace metasieve
