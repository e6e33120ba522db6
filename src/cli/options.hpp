#pragma once

#include "cli/ini.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// What the command line says, checked for form but not yet for meaning.
struct CommandLine {
  std::string command; ///< generate, train, ...; empty with --help or --version alone
  bool help = false, version = false, dry_run = false, frontier = false, resume = false;
  bool list = false, status = false, collect = false, retry = false; ///< of sweep
  std::optional<Index> point;                                        ///< of sweep
  std::optional<std::filesystem::path> config, output, suite;
  std::vector<std::filesystem::path> policies, datasets;
  std::vector<std::filesystem::path> files; ///< of inspect and verify
  IniEntries overrides;                     ///< --section.key value, --sweep.section.key values
};

/// @throws ConfigError naming the argument and what would be right.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

/// General help, or that of one command with its options and, where it takes them, all configuration keys.
[[nodiscard]] std::string help_text(const std::string& command);

} // namespace metasieve
