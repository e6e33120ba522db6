#pragma once

#include "files/results.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace metasieve {

// What a command ends with on rank 0's standard output, for a person: key figures and what to do next.

/// "warning: TEXT", with colour on a terminal.
[[nodiscard]] std::string warning_line(const std::string& text);

/// "next: COMMAND"; `words` with quotes where a shell needs them.
[[nodiscard]] std::string next_line(const std::vector<std::string>& words);

/// Of tasks that a training left out or clipped, a line each; "" if there are none. `failed`: fits.
[[nodiscard]] std::string training_warnings(const Results& results, std::int64_t failed);

/// The first and the last validation beside the fit on all rows, a line each; "" without validation.
[[nodiscard]] std::string validation_table(const std::vector<ValidationRow>& validation, std::int64_t tasks);

} // namespace metasieve
