#pragma once

#include "config/config.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// One `section.key`: what it means, what it may be, how it is read and written.
struct ConfigKey {
  std::string name;   ///< section.key
  std::string help;   ///< one line
  std::string domain; ///< "integer >= 1", "implicit | unrolled | first-order"
  void (*set)(Config&, const ConfigKey&, const std::string& value);
  std::string (*get)(const Config&);
};

/// All keys, by section, in the order of the resolved text.
[[nodiscard]] const std::vector<ConfigKey>& config_keys();

/// The keys of [sweep] that say how to sweep; its other ones are `sweep.section.key`, a swept key.
[[nodiscard]] const std::vector<ConfigKey>& sweep_keys();

} // namespace metasieve
