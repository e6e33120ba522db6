#pragma once

#include "config/config.hpp"

#include <string>

namespace metasieve {

/// One `section.key = value`, in the order of the text. Keys before the first [section] have no prefix.
using IniEntries = KeyValues;

/// Parses INI text: [section], key = value, # comments. `name` is what errors call it.
/// @throws ConfigError naming file and line for anything else, and for a key given twice.
[[nodiscard]] IniEntries parse_ini(const std::string& text, const std::string& name);

} // namespace metasieve
