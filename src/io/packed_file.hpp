#pragma once

#include "base/range.hpp"
#include "io/h5.hpp"

#include <filesystem>
#include <map>
#include <mutex>
#include <span>
#include <string>

namespace metasieve {

/// A file whose data sets are in chunks, read by this rank alone: a chunk that is damaged fails on the ranks
/// that unpack it, and the others of a collective reading would wait for them for ever. Thread-safe. Open
/// only what a FileReader has found sound. @throws DataError naming file and data set
class PackedFile {
public:
  explicit PackedFile(std::filesystem::path path);

  /// Values [values) of a one-dimensional data set of exactly the type `type`.
  void read(const std::string& name, hid_t type, Range values, std::span<std::byte> to);

private:
  [[nodiscard]] const h5::DataSet& opened(const std::string& name);

  std::mutex mutex_; // HDF5 is not thread-safe
  std::filesystem::path path_;
  h5::File file_;
  std::map<std::string, h5::DataSet> data_sets_;
};

} // namespace metasieve
