#include "io/packed_file.hpp"

#include "io/open_file.hpp"

namespace metasieve {
namespace {

/// Of unpacked chunks, for each data set: a few, since tasks do not end where chunks do.
constexpr std::size_t cache_bytes = std::size_t{4} << 20;
constexpr std::size_t cache_slots = 521; // of HDF5's own table; a prime

} // namespace

PackedFile::PackedFile(std::filesystem::path path) : path_(std::move(path)), file_(open_file(path_)) {}

const h5::DataSet& PackedFile::opened(const std::string& name) {
  const auto found = data_sets_.find(name);
  if (found != data_sets_.end()) return found->second;
  const h5::PropertyList access = h5::property_list(H5P_DATASET_ACCESS);
  h5::check(H5Pset_chunk_cache(access.get(), cache_slots, cache_bytes, 1.0), "H5Pset_chunk_cache");
  return data_sets_.emplace(name, h5::DataSet(H5Dopen2(file_.get(), name.c_str(), access.get()), "H5Dopen"))
      .first->second;
}

void PackedFile::read(const std::string& name, hid_t type, Range values, std::span<std::byte> to) {
  if (values.size() == 0) return;
  const std::lock_guard lock(mutex_);
  try {
    const auto start = static_cast<hsize_t>(values.begin), count = static_cast<hsize_t>(values.size());
    const h5::DataSet& data_set = opened(name);
    const h5::DataSpace in_file(H5Dget_space(data_set.get()), "H5Dget_space");
    const h5::DataSpace in_memory(H5Screate_simple(1, &count, nullptr), "H5Screate_simple");
    h5::check(H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr),
              "H5Sselect_hyperslab");
    h5::check(H5Dread(data_set.get(), type, in_memory.get(), in_file.get(), H5P_DEFAULT, to.data()),
              "H5Dread");
  } catch (const h5::IoError& error) {
    throw DataError(path_.string() + ": " + name + ": " + error.what());
  }
}

} // namespace metasieve
