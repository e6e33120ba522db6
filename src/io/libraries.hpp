#pragma once

#include <string>

namespace metasieve {

/// Version of the HDF5 library in use.
[[nodiscard]] std::string hdf5_version();

} // namespace metasieve
