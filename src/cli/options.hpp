#pragma once

#include "base/text.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// What the command line says, checked for form but not yet for meaning.
struct CommandLine {
  std::string command; ///< generate, train, ...; empty with help or --version
  bool help = false, version = false;
  std::vector<std::string> topic;                                    ///< topic of help: see help_text
  std::map<std::string, std::vector<std::filesystem::path>> options; ///< values by name; flags have none
  std::vector<std::filesystem::path> files; ///< file of inspect and verify, folder of doctor
  KeyValues overrides;                      ///< --section.key value, --sweep.section.key values

  [[nodiscard]] bool has(const std::string& option) const { return options.contains(option); }
  /// All values of an option; none if it is not given.
  [[nodiscard]] std::vector<std::filesystem::path> values(const std::string& option) const {
    return has(option) ? options.at(option) : std::vector<std::filesystem::path>();
  }
  /// The value of an option that takes one.
  [[nodiscard]] std::optional<std::filesystem::path> value(const std::string& option) const {
    return has(option) ? std::optional(options.at(option).front()) : std::nullopt;
  }
};

/// @throws ConfigError naming the argument and what would be right.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

} // namespace metasieve
