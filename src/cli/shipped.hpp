#pragma once

#include <filesystem>

namespace metasieve {

/// The folder of the families that come with metasieve: share/metasieve/configs/families in a folder above
/// this program, as installed; the build folder has a link there. So an installation may be moved, as a
/// whole.
/// @return empty if there is none
[[nodiscard]] std::filesystem::path shipped_families();

} // namespace metasieve
