#pragma once

#include <string>
#include <utility>
#include <vector>

namespace metasieve {

/// `section.key` -> value, in the order in which they were given.
using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// The keys of INI text that a user wrote: [section], key = value, # comments; keys before the first
/// [section] have no prefix. `name` is what errors call the text. @throws ConfigError naming file and line
/// for anything else, and for a key given twice
[[nodiscard]] KeyValues parse_ini(const std::string& text, const std::string& name);

/// The keys of INI text that a program wrote, as it is stored in files: without comments. Passes over lines
/// that are neither [section] nor key = value.
[[nodiscard]] KeyValues stored_ini(const std::string& text);

} // namespace metasieve
