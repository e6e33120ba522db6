#include "hdf5/collective_reader.hpp"

#include "hdf5/atomic_replace.hpp"
#include "hdf5/writer.hpp"
#include "parallel/collective.hpp"

namespace metasieve {
namespace {

/// Transfers that the system is told of in advance.
constexpr std::int64_t announced = 4;

/// A selection beyond the end would fail on this rank alone, inside a call in which the others wait for it.
void check_extent(const h5::DataSet& data_set, Range mine) {
  const h5::DataSpace space(H5Dget_space(data_set.get()), "H5Dget_space");
  const auto count = h5::check(H5Sget_simple_extent_npoints(space.get()), "H5Sget_simple_extent_npoints");
  if (mine.begin < 0 || mine.end < mine.begin || mine.end > count)
    throw h5::IoError("values " + std::to_string(mine.begin) + " to " + std::to_string(mine.end) +
                      " are beyond the " + std::to_string(count) + " there: was the file replaced?");
}

} // namespace

CollectiveFile::CollectiveFile(const Communicator& comm, const std::filesystem::path& path)
    : comm_(comm), path_(path) {
  h5::initialise();
  comm_.agree([&] { require_visible(path_); });
  step("", [&] {
    const h5::PropertyList access = h5::property_list(H5P_FILE_ACCESS);
    h5::check(H5Pset_fapl_mpio(access.get(), comm_.get(), MPI_INFO_NULL), "H5Pset_fapl_mpio");
    h5::check(H5Pset_all_coll_metadata_ops(access.get(), true), "H5Pset_all_coll_metadata_ops");
    file_ = {H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.get()), "H5Fopen"};
  });
  hints_ = PageHints(path_);
}

// Left open on an error: closing is collective, and other ranks may not know of it.
CollectiveFile::~CollectiveFile() { file_.release(); }

void CollectiveFile::step(const std::string& name, const std::function<void()>& work) const {
  agree_on_file(comm_, [&] {
    try {
      work();
    } catch (const h5::IoError& error) {
      throw DataError(path_.string() + ": " + (name.empty() ? "" : name + ": ") + error.what());
    }
  });
}

void CollectiveFile::read(const std::string& name, hid_t type, Range mine, const ValueSink& sink) {
  h5::DataSet data_set;
  step(name, [&] { data_set = {H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT), "H5Dopen"}; });
  step(name, [&] { check_extent(data_set, mine); });

  const auto value_bytes = static_cast<std::int64_t>(H5Tget_size(type));
  const std::int64_t block = transfer_bytes / value_bytes;
  const std::int64_t blocks = comm_.max((mine.size() + block - 1) / block);
  const auto range_of = [&](std::int64_t i) {
    return Range{std::min(mine.begin + i * block, mine.end),
                 std::min(mine.begin + (i + 1) * block, mine.end)};
  };
  const haddr_t place = H5Dget_offset(data_set.get());
  const auto announce = [&](std::int64_t i) {
    if (place != HADDR_UNDEF)
      hints_.needed(place + static_cast<std::uint64_t>(range_of(i).begin * value_bytes),
                    static_cast<std::uint64_t>(range_of(i).size() * value_bytes));
  };
  step(name, [&] {
    staged_.resize(std::max(staged_.size(), static_cast<std::size_t>(range_of(0).size() * value_bytes)));
  });
  for (std::int64_t i = 0; i < announced; ++i) announce(i);
  for (std::int64_t i = 0; i < blocks; ++i) {
    announce(i + announced);
    step(name, [&] { transfer(data_set.get(), type, range_of(i), staged_.data()); });
    step(name, [&] { sink(range_of(i), staged_.data()); });
  }
}

void CollectiveFile::transfer(hid_t data_set, hid_t type, Range values, std::byte* to) {
  const auto start = static_cast<hsize_t>(values.begin);
  const auto count = static_cast<hsize_t>(values.size());
  const h5::DataSpace in_file(H5Dget_space(data_set), "H5Dget_space");
  const h5::DataSpace in_memory(H5Screate_simple(1, &count, nullptr), "H5Screate_simple");
  if (count == 0)
    h5::check(H5Sselect_none(in_file.get()), "H5Sselect_none");
  else
    h5::check(H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr),
              "H5Sselect_hyperslab");
  const h5::PropertyList collective = h5::property_list(H5P_DATASET_XFER);
  h5::check(H5Pset_dxpl_mpio(collective.get(), H5FD_MPIO_COLLECTIVE), "H5Pset_dxpl_mpio");
  h5::check(H5Dread(data_set, type, in_memory.get(), in_file.get(), collective.get(), to), "H5Dread");
  H5D_mpio_actual_io_mode_t mode = H5D_MPIO_NO_COLLECTIVE;
  h5::check(H5Pget_mpio_actual_io_mode(collective.get(), &mode), "H5Pget_mpio_actual_io_mode");
  all_collective_ = all_collective_ && mode == H5D_MPIO_CONTIGUOUS_COLLECTIVE;
}

void CollectiveFile::close() {
  step("", [&] { file_.close(); });
}

void read_together(const Communicator& comm, const std::filesystem::path& path,
                   const std::function<void(CollectiveFile&)>& work) {
  CollectiveFile file(comm, path);
  try {
    work(file);
  } catch (const AgreedError&) {
    file.close(); // all ranks are here
    throw;
  }
  file.close();
}

} // namespace metasieve
