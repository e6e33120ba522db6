#pragma once

#include "base/ini.hpp"
#include "base/linalg.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// What the command line says, checked for form but not yet for meaning.
struct CommandLine {
  std::string command;            ///< generate, train, ...; empty with help or --version
  std::vector<std::string> topic; ///< of help: see help_text
  bool help = false, version = false, dry_run = false, frontier = false, resume = false;
  bool profile = false;
  bool json = false;                                                 ///< of inspect
  bool list = false, status = false, collect = false, retry = false; ///< of sweep
  std::optional<Index> point;                                        ///< of sweep
  std::optional<std::filesystem::path> config, output, suite;
  std::vector<std::filesystem::path> policies, datasets;
  std::vector<std::filesystem::path> files; ///< of inspect and verify
  KeyValues overrides;                      ///< --section.key value, --sweep.section.key values
};

/// @throws ConfigError naming the argument and what would be right.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

} // namespace metasieve
