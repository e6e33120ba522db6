#pragma once

#include "cli/ini.hpp"
#include "parallel/communicator.hpp"
#include "run/config.hpp"

#include <filesystem>
#include <optional>

namespace metasieve {

/// Defaults, then the INI file, then the overrides. Families that the mixture names and no [family.NAME]
/// section defines are read from families/NAME.ini beside the file, or from the shipped ones. Local: no other
/// rank takes part.
/// @throws ConfigError
[[nodiscard]] Config load_config(const std::optional<std::filesystem::path>& file,
                                 const IniEntries& overrides);

/// Collective: rank 0 loads, all ranks get the same. @throws AgreedError (exit code 2)
[[nodiscard]] Config load_config(const Communicator& comm, const std::optional<std::filesystem::path>& file,
                                 const IniEntries& overrides);

/// Collective: as load_config, with [sweep], and all families that any point may use.
[[nodiscard]] Config load_sweep(const Communicator& comm, const std::optional<std::filesystem::path>& file,
                                const IniEntries& overrides);

} // namespace metasieve
