#pragma once

#include "tasks/family.hpp"
#include "tasks/task.hpp"

namespace metasieve {

/// Bits depend on (family, seed, id) only: any rank and thread makes the same task.
/// @throws ConfigError if `family` is out of its domain.
[[nodiscard]] Task generate_task(const Family& family, Seed seed, TaskId id);

} // namespace metasieve
