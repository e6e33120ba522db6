#pragma once

#include "config/config.hpp"

#include <functional>
#include <string>
#include <vector>

namespace metasieve {

/// The first result that a key changes; later ones follow from it. A file is out of date if it was made with
/// other values of keys that affect it, or a result before it.
enum class Affects { tasks, policy, evaluation, nothing };

/// One `section.key`: what it means, what it may be, how it is read and written.
struct ConfigKey {
  std::string name; ///< section.key
  Affects affects = Affects::nothing;
  std::string help;               ///< one line
  std::string domain;             ///< "an integer from 1 to 1000000000", "implicit | unrolled | first-order"
  std::vector<std::string> words; ///< the values, or the items of a list, where they can be listed
  std::function<void(Config&, const std::string& value)> set; ///< @throws ConfigError naming key and domain
  std::function<std::string(const Config&)> get;
  bool is_shorthand = false; ///< another way to set some other key; not in the resolved text

  [[nodiscard]] std::string section() const { return name.substr(0, name.find('.')); }
  [[nodiscard]] bool is_of_sweep() const { return name.starts_with("sweep."); }
};

/// All keys, by section, in the order of the resolved text; last those of [sweep], which say how to sweep.
/// All others there are `sweep.section.key`, a swept key.
[[nodiscard]] const std::vector<ConfigKey>& config_keys();

/// The key with this name, or nullptr.
[[nodiscard]] const ConfigKey* find_key(const std::string& name);

/// Old and new names of the keys that have been renamed.
[[nodiscard]] const KeyValues& renamed_keys();

/// Today's name of a key that has been renamed; any other name as it is.
[[nodiscard]] std::string current_name(const std::string& name);

} // namespace metasieve
