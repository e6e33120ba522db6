#pragma once

#include "config/keys.hpp"

#include <string>

namespace metasieve {

/// Sets `section.key` or `family.NAME.knob`; the value of `sweep.section.key` is not yet looked at. A renamed
/// key is accepted under its old name; then both are in explicit_keys. output.compress, a
/// key of older programs, is accepted and ignored. @throws ConfigError naming key, value
/// and domain; for an unknown key, the nearest known one.
void set_key(Config& config, const std::string& name, const std::string& value);

/// What a key affects: `section.key`, `family.NAME.knob`, or a key of another version, which counts as its
/// section.
[[nodiscard]] Affects affects_of(const std::string& name);

/// The whole configuration but for [sweep], defaults included, as INI text that set_key reads back to the
/// same bits. Families that the mixture does not use are left out.
[[nodiscard]] std::string resolved_ini(const Config& config);

/// The whole configuration with all families and [sweep]: a sweep that can be run again.
[[nodiscard]] std::string sweep_ini(const Config& config);

/// The keys that affect tasks or the policy: for files whose bytes must not depend on the others. Reads back
/// with the defaults of these.
[[nodiscard]] std::string reproducible_ini(const Config& config);

} // namespace metasieve
