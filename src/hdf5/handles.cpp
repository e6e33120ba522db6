#include "hdf5/handles.hpp"

#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace metasieve::h5 {
namespace {

/// Keeps the first entry that says something: the walk starts at the most specific one.
herr_t keep_first(unsigned, const H5E_error2_t* entry, void* text) {
  auto& kept = *static_cast<std::string*>(text);
  if (kept.empty() && entry->desc != nullptr) kept = entry->desc;
  return 0;
}

/// HDF5 hides the reason of the operating system among addresses and times: "... error message = 'No space
/// left on device', buf = 0x55...".
std::string reason_in(const std::string& description) {
  constexpr std::string_view mark = "error message = '";
  const auto begin = description.find(mark);
  if (begin == std::string::npos) return description;
  const auto end = description.find('\'', begin + mark.size());
  return description.substr(begin + mark.size(), end == std::string::npos ? end : end - begin - mark.size());
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

bool given_up = false;

} // namespace

void give_up_file() noexcept { given_up = true; }
bool gave_up_file() noexcept { return given_up; }

void initialise() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

void fail(const char* call) {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  H5Eclear2(H5E_DEFAULT);
  throw IoError(std::string(call) + " failed" + (text.empty() ? "" : ": " + one_line(reason_in(text))));
}

PropertyList property_list(hid_t list_class) { return {H5Pcreate(list_class), "H5Pcreate"}; }

DataType text_type(std::size_t size) {
  DataType type(H5Tcopy(H5T_C_S1), "H5Tcopy");
  check(H5Tset_size(type.get(), std::max<std::size_t>(size, 1)), "H5Tset_size");
  check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "H5Tset_strpad");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "H5Tset_cset");
  return type;
}

DataSpace rows_of(hid_t data_set, hsize_t first, hsize_t rows, hsize_t columns) {
  DataSpace space(H5Dget_space(data_set), "H5Dget_space");
  const std::array<hsize_t, 2> start{first, 0}, count{rows, columns};
  if (rows == 0)
    check(H5Sselect_none(space.get()), "H5Sselect_none");
  else
    check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
          "H5Sselect_hyperslab");
  return space;
}

DataSpace rows_in_memory(std::size_t rank, hsize_t rows, hsize_t columns) {
  const std::array<hsize_t, 2> extents{rows, columns};
  return {H5Screate_simple(static_cast<int>(rank), extents.data(), nullptr), "H5Screate_simple"};
}

std::string describe_type(hid_t type) {
  const std::string bits = std::to_string(8 * H5Tget_size(type));
  switch (H5Tget_class(type)) {
  case H5T_INTEGER: return (H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int") + bits;
  case H5T_FLOAT: return "float" + bits;
  case H5T_STRING: return "text";
  case H5T_COMPOUND: return "compound";
  case H5T_ENUM: return "enumeration (or bool)";
  case H5T_ARRAY: return "array";
  default: return "an unusual type";
  }
}

} // namespace metasieve::h5

namespace metasieve {

std::string hdf5_version() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release) + ", parallel";
}

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
