#pragma once

#include "config/keys.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// An option of a command.
struct OptionInfo {
  std::string name;  ///< without the dashes
  std::string value; ///< what it takes, as FILE, DIR or N; "FILE ...": one or several; "": nothing
  std::string help;
  bool is_required = false;

  [[nodiscard]] bool takes_several() const { return value.ends_with(" ..."); }
  /// "--name VALUE"
  [[nodiscard]] std::string text() const { return "--" + name + (value.empty() ? "" : " " + value); }
};

/// All that is known of a command: the parser, --help, the manual page and the completions are made of it.
struct CommandInfo {
  std::string name;
  std::string brief; ///< one line
  std::string about;
  std::string leaves; ///< which files; "": none
  std::vector<OptionInfo> options;
  std::vector<std::string>
      keys; ///< that act on it: names, or beginnings as "meta."; none: it takes one operand
  std::vector<std::string> first_keys; ///< the ones to begin with
  std::vector<std::string> examples;   ///< after "metasieve "
  std::string operand = "FILE";        ///< what it takes if no key acts on it: FILE or DIR

  [[nodiscard]] bool takes_keys() const { return !keys.empty(); }
  /// "file" or "folder"
  [[nodiscard]] std::string operand_word() const { return operand == "DIR" ? "folder" : "file"; }
  /// "metasieve NAME --option VALUE [--option VALUE]", all options
  [[nodiscard]] std::string usage() const;
};

[[nodiscard]] const std::vector<CommandInfo>& commands();

/// @throws ConfigError naming the commands there are
[[nodiscard]] const CommandInfo& find_command(const std::string& name);

/// Whether a key acts on a command, by its name; also for names that are open, as family.NAME.knob and
/// sweep.section.key.
[[nodiscard]] bool acts_on(const std::string& key, const CommandInfo& command);

/// The keys that act on a command.
[[nodiscard]] std::vector<ConfigKey> keys_of(const CommandInfo& command);

} // namespace metasieve
