#pragma once

#include "io/scaling_file.hpp"

#include <string>

namespace metasieve {

/// A table for each kind, one line a point, and a sentence on what they show. Speed-up and efficiency are
/// against the point of fewest cores, as predicted work per second, and per core: in weak scaling each core
/// gets as many tasks, but not the same ones.
[[nodiscard]] std::string scaling_table(const Scaling& study);

} // namespace metasieve
