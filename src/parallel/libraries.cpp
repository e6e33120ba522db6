#include "parallel/libraries.hpp"

#include <mpi.h>

#include <array>

namespace metasieve {

std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string full(text.data(), static_cast<std::size_t>(length));
  return full.substr(0, full.find_first_of(",\n"));
}

} // namespace metasieve
