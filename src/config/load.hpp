#pragma once

#include "config/settings.hpp"
#include "parallel/communicator.hpp"

#include <filesystem>
#include <optional>

namespace metasieve {

/// The folder of the families that come with metasieve: share/metasieve/configs/families in a folder above
/// this program, as installed; the build folder has a link there. So an installation may be moved, as a
/// whole.
/// @return empty if there is none
[[nodiscard]] std::filesystem::path shipped_families();

/// Defaults, then the INI file, then the overrides. Families that the mixture names and no [family.NAME]
/// section defines are read from families/NAME.ini in the file's folder, or from the shipped ones; one that
/// is in neither is an error if families are needed. Not collective.
/// @throws ConfigError
[[nodiscard]] Config load_config(const std::optional<std::filesystem::path>& file, const KeyValues& overrides,
                                 FamilyUse use = FamilyUse::needed);

/// Collective: rank 0 loads, all ranks get the same. @throws CollectiveError (exit code 2)
[[nodiscard]] Config load_config(const Communicator& comm, const std::optional<std::filesystem::path>& file,
                                 const KeyValues& overrides, FamilyUse use);

/// Collective: as load_config, with [sweep], and all families that any point may use.
[[nodiscard]] Config load_sweep(const Communicator& comm, const std::optional<std::filesystem::path>& file,
                                const KeyValues& overrides);

} // namespace metasieve
