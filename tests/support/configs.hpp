#pragma once

#include "config/settings.hpp"

#include <initializer_list>
#include <string>
#include <utility>

namespace metasieve::test {

/// A suite of small tasks, one of them for validation: `tasks` in all, each of 100 rows and 5 columns. Then
/// the `changes`, as pairs of key and value.
inline Config small_config(Index tasks,
                           std::initializer_list<std::pair<std::string, std::string>> changes = {}) {
  Config config;
  set_key(config, "suite.tasks", std::to_string(tasks));
  set_key(config, "suite.validation_tasks", "1");
  set_key(config, "suite.mixture", "small:1");
  set_key(config, "family.small.samples", "100");
  set_key(config, "family.small.features", "5");
  for (const auto& [key, value] : changes) set_key(config, key, value);
  return config;
}

} // namespace metasieve::test
