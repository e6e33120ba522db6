#pragma once

#include "io/h5.hpp"

#include <filesystem>
#include <string>

namespace metasieve {

/// Begins the message about a file that this user may not read.
inline const std::string cannot_be_read = "cannot be read: ";

/// Opens an HDF5 file for reading by one rank alone. @throws DataError naming the file: missing, a folder,
/// not readable, empty, not HDF5, truncated or damaged.
[[nodiscard]] h5::File open_file(const std::filesystem::path& path);

} // namespace metasieve
