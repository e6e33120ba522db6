#pragma once

#include <string>

namespace metasieve {

/// Name and version of the MPI library in use, on one line.
[[nodiscard]] std::string mpi_version();

} // namespace metasieve
