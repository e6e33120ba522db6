#pragma once

#include "config/config.hpp"
#include "config/keys.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// An option of a command, without the dashes.
struct OptionInfo {
  const char* name;
  const char* value; ///< what it takes, as FILE or DIR; nullptr: nothing
  const char* help;
  bool is_required = false;
};

/// All that is known of a command: the parser, --help, the manual page and the completions are made of it.
struct CommandInfo {
  const char* name;
  const char* brief; ///< one line
  const char* usage; ///< after "metasieve NAME "
  const char* about;
  const char* leaves; ///< which files; nullptr: none
  std::vector<OptionInfo> options;
  bool takes_keys; ///< else exactly one FILE
  std::vector<const char*> first_keys;
  std::vector<const char*> examples; ///< after "metasieve "
};

[[nodiscard]] const std::vector<CommandInfo>& commands();

/// @throws ConfigError naming the commands there are
[[nodiscard]] const CommandInfo& find_command(const std::string& name);

/// All keys that a command takes: config_keys(), and sweep_keys() if it is sweep.
[[nodiscard]] std::vector<ConfigKey> keys_of(const CommandInfo& command);

/// The values that a key may have, where they can be told one by one; else none.
[[nodiscard]] std::vector<std::string> values_of(const ConfigKey& key);

/// A name, and what it means.
struct Explained {
  const char* name;
  const char* meaning;
};
[[nodiscard]] const std::vector<Explained>& exit_codes();
[[nodiscard]] const std::vector<Explained>& environment_variables();
[[nodiscard]] const std::vector<Explained>& status_fields();  ///< of progress.json
[[nodiscard]] const std::vector<Explained>& first_commands(); ///< to copy, and what each does
[[nodiscard]] const std::vector<Explained>& help_topics();    ///< after "metasieve help "

} // namespace metasieve
