#include "io/open_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, const std::string& problem) {
  throw DataError(path.string() + ": " + problem);
}

void check_regular(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    const fs::path part = path.string() + ".part";
    if (fs::exists(part, error))
      refuse(path, "no such file, but " + part.filename().string() +
                       " is there: the run that writes it has not finished, or was stopped");
    refuse(path, "no such file");
  }
  if (fs::is_directory(status)) refuse(path, "is a folder; must be an HDF5 file");
  // Opening a pipe would wait for ever.
  if (!fs::is_regular_file(status)) refuse(path, "is no regular file; must be an HDF5 file");
  if (::access(path.c_str(), R_OK) != 0)
    refuse(path, cannot_be_read + std::generic_category().message(errno));
  if (fs::file_size(path, error) == 0) refuse(path, "is empty (0 bytes); must be an HDF5 file");
}

} // namespace

h5::File open_file(const fs::path& path) {
  check_regular(path);
  h5::initialise();
  const htri_t is_hdf5 = H5Fis_hdf5(path.c_str());
  if (is_hdf5 < 0) H5Eclear2(H5E_DEFAULT);
  if (is_hdf5 <= 0) refuse(path, "is no HDF5 file; must be one that metasieve or its importers wrote");
  const h5::PropertyList access = h5::property_list(H5P_FILE_ACCESS);
  // Locks are refused by some cluster file systems, and a finished file is never written to.
  h5::check(H5Pset_file_locking(access.get(), false, true), "H5Pset_file_locking");
  try {
    return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), "H5Fopen"};
  } catch (const h5::IoError& error) {
    refuse(path, std::string("truncated or damaged; copy or make it again (") + error.what() + ")");
  }
}

} // namespace metasieve
