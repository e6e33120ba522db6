#pragma once

#include "config/keys.hpp"

#include <string>

namespace metasieve {

/// Sets `section.key` or `family.NAME.knob`; the value of `sweep.section.key` is not yet looked at. A renamed
/// key is accepted under its old name; then both are in explicit_keys. output.compress, a key of older
/// programs, is accepted and ignored. @throws ConfigError naming key, value and domain; for an unknown key,
/// the nearest known one
void set_key(Config& config, const std::string& name, const std::string& value);

/// What a key affects: `section.key`, `family.NAME.knob`, or a key of another version, which counts as its
/// section.
[[nodiscard]] Affects affects_of(const std::string& name);

/// The keys that affect `most` or a result before it, and the families of the mixture, as INI text that
/// set_key reads back to the same bits. Up to Affects::policy: for files whose bytes must not depend on the
/// other keys. [sweep] is left out.
[[nodiscard]] std::string resolved_ini(const Config& config, Affects most = Affects::nothing);

/// The whole configuration with all families and [sweep]: a sweep that can be run again.
[[nodiscard]] std::string sweep_ini(const Config& config);

} // namespace metasieve
