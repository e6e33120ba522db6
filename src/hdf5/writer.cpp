#include "hdf5/writer.hpp"

#include "base/version.hpp"
#include "hdf5/checksum.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/collective.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace metasieve {
namespace {

/// Access by all ranks together.
h5::PropertyList access_collectively(const Communicator& comm) {
  h5::PropertyList access = h5::property_list(H5P_FILE_ACCESS);
  h5::check(H5Pset_fapl_mpio(access.get(), comm.get(), MPI_INFO_NULL), "H5Pset_fapl_mpio");
  h5::check(H5Pset_all_coll_metadata_ops(access.get(), true), "H5Pset_all_coll_metadata_ops");
  // No collective writes of metadata: their scattered pieces make Open MPI 4.1 read, patch and write the gaps
  // between them too, with whatever was in memory where the file was still short.
  h5::check(H5Pset_coll_metadata_write(access.get(), false), "H5Pset_coll_metadata_write");
  return access;
}

/// Access by one rank, without MPI-IO.
h5::PropertyList access_alone() {
  h5::PropertyList access = h5::property_list(H5P_FILE_ACCESS);
  h5::check(H5Pset_fapl_sec2(access.get()), "H5Pset_fapl_sec2");
  // Locks are refused by some cluster file systems.
  h5::check(H5Pset_file_locking(access.get(), false, true), "H5Pset_file_locking");
  // No values kept back until a data set is closed, for closing would hide that the disk is full.
  h5::check(H5Pset_sieve_buf_size(access.get(), 0), "H5Pset_sieve_buf_size");
  return access;
}

h5::File create_file(const h5::PropertyList& access, const std::filesystem::path& path) {
  // This object format has checksums, and attributes above 64 kB.
  h5::check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V110), "H5Pset_libver_bounds");
  const h5::PropertyList creation = h5::property_list(H5P_FILE_CREATE);
  h5::check(H5Pset_obj_track_times(creation.get(), false), "H5Pset_obj_track_times");
  h5::check(H5Pset_attr_phase_change(creation.get(), 64, 32), "H5Pset_attr_phase_change");
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), "H5Fcreate"};
}

h5::DataSet create_data_set(hid_t file, const std::string& name, hid_t type, std::int64_t rows, Index columns,
                            const Meaning& meaning) {
  const h5::DataSpace space =
      h5::rows_in_memory(columns == 0 ? 1 : 2, static_cast<hsize_t>(rows), static_cast<hsize_t>(columns));
  const h5::PropertyList creation = h5::property_list(H5P_DATASET_CREATE);
  h5::check(H5Pset_obj_track_times(creation.get(), false), "H5Pset_obj_track_times");
  h5::check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), "H5Pset_fill_time");
  // As MPI-IO has it anyway: the same places in the file without it.
  h5::check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), "H5Pset_alloc_time");
  h5::DataSet data_set(
      H5Dcreate2(file, name.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
      "H5Dcreate");
  if (!meaning.description.empty()) h5::write_attribute(data_set.get(), "description", meaning.description);
  if (!meaning.units.empty()) h5::write_attribute(data_set.get(), "units", meaning.units);
  h5::write_attribute(data_set.get(), checksum_name,
                      std::uint64_t{0}); // of no rows; set once all are written
  return data_set;
}

} // namespace

FileWriter::FileWriter(const Communicator& comm, const std::filesystem::path& path, FileType type,
                       const Provenance& provenance)
    : comm_(comm), gathers_(provenance.io == FileIo::gather), writes_(!gathers_ || comm.is_root()),
      path_(path), part_(path.string() + ".part"), all_collective_(!gathers_) {
  on_root(comm_, [&] { prepare_place(path_, part_); });
  try {
    create(type, provenance);
  } catch (const CollectiveError&) {
    abandon(); // a rank whose H5Fcreate failed could not take part in closing
    throw;
  }
}

FileWriter::~FileWriter() { file_.release(); }

void FileWriter::create(FileType type, const Provenance& provenance) {
  h5::initialise();
  comm_.run_collectively([&] { require_visible(part_); });
  const std::string config = comm_.broadcast(provenance.config);
  const std::string created = comm_.broadcast(utc_now());
  step_on_writers([&] {
    const h5::PropertyList access = gathers_ ? access_alone() : access_collectively(comm_);
    file_ = create_file(access, part_);
  });
  step_on_writers([&] {
    const auto write = [&](const char* name, const auto& value) {
      h5::write_attribute(file_.get(), name, value);
    };
    const auto write_if_any = [&](const char* name, const std::string& text) {
      if (!text.empty()) write(name, text);
    };
    write("filetype", std::string(to_string(type)));
    write("version", std::vector{format_version.major, format_version.minor});
    write("created_by", "metasieve " + std::string(version()));
    write("git_commit", std::string(git_commit()));
    if (!is_reproducible(type)) write("created", created);
    write("config", config);
    if (provenance.job && !is_reproducible(type)) {
      write("ranks", provenance.job->ranks);
      write("threads", provenance.job->threads);
      write("nodes", provenance.job->nodes);
      write_if_any("hosts", provenance.job->hosts);
      write_if_any("processor", provenance.job->processor);
      write_if_any("flags", provenance.job->flags);
      write("seconds", provenance.job->seconds);
      write_if_any("slurm_job", provenance.job->slurm_job);
      write_if_any("compiler", provenance.job->compiler);
      write_if_any("mpi", provenance.job->mpi);
      write_if_any("hdf5", provenance.job->hdf5);
      if (!provenance.job->inputs.empty()) write("inputs", provenance.job->inputs);
      if (const std::optional<Usage>& usage = provenance.job->usage) {
        write("core_hours", usage->core_hours);
        if (!std::isnan(usage->energy.joules)) write("energy_joules", usage->energy.joules);
        write("energy_source", usage->energy.source);
        write("usage_of", std::string(usage->is_of_last_part ? "last part" : "whole run"));
      }
    }
    raw_.emplace(RawFile::open(part_));
  });
}

void FileWriter::step(const std::function<void()>& work) const {
  run_collectively_on_file(comm_, [&] {
    try {
      work();
    } catch (const h5::IoError& error) {
      throw DataError("cannot write " + path_.string() + ": " + error.what());
    }
  });
}

void FileWriter::step_on_writers(const std::function<void()>& work) const {
  step([&] {
    if (writes_) work();
  });
}

void FileWriter::group(const std::string& name) {
  step_on_writers([&] {
    const h5::PropertyList creation = h5::property_list(H5P_GROUP_CREATE);
    h5::check(H5Pset_obj_track_times(creation.get(), false), "H5Pset_obj_track_times");
    const h5::Group group(H5Gcreate2(file_.get(), name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                          "H5Gcreate");
  });
}

FileWriter::Table FileWriter::begin(const std::string& name, hid_t type, Index rows, Index columns,
                                    const Meaning& meaning) {
  const std::int64_t first = comm_.exclusive_sum(rows);
  const std::int64_t total = comm_.sum(rows);
  Table table;
  table.columns = columns;
  table.mine = {first, first + rows};
  step([&] {
    table.type = h5::DataType(H5Tcopy(type), "H5Tcopy");
    table.row_bytes = static_cast<std::int64_t>(H5Tget_size(type)) * std::max<Index>(columns, 1);
    if (writes_) table.data_set = create_data_set(file_.get(), name, type, total, columns, meaning);
  });
  if (!gathers_) reserve(name, table);
  return table;
}

void FileWriter::append(Table& table, Index rows, const RowSource& source) {
  // Every rank makes the same number of transfers, the last ones empty on ranks with less.
  const std::int64_t block = std::max<std::int64_t>(transfer_bytes / table.row_bytes, 1);
  const std::int64_t blocks = comm_.max((rows + block - 1) / block);
  const Index first = table.mine.begin + table.written;
  for (std::int64_t i = 0; i < blocks; ++i) {
    const Range turn{std::min(i * block, rows), std::min((i + 1) * block, rows)};
    const auto bytes = static_cast<std::size_t>(turn.size() * table.row_bytes);
    step([&] {
      // Rank 0 has room for the rows of any rank, before one sends them.
      const auto room =
          gathers_ && comm_.is_root() ? static_cast<std::size_t>(block * table.row_bytes) : bytes;
      if (staged_.size() < room) staged_.resize(room);
      source(turn, staged_.data());
      table.sum +=
          checksum(first + turn.begin, static_cast<std::size_t>(table.row_bytes), {staged_.data(), bytes});
    });
    const Range in_file{first + turn.begin, first + turn.end};
    if (gathers_)
      gather(table, in_file);
    else
      step([&] { transfer(table, in_file, staged_.data()); });
  }
  table.written += rows;
}

void FileWriter::end(Table table) {
  const std::uint64_t total_sum = comm_.wrapping_sum(table.sum);
  step([&] {
    if (table.written != table.mine.size())
      throw DataError("cannot write " + path_.string() + ": " + std::to_string(table.written) +
                      " rows came of " + std::to_string(table.mine.size()));
    if (writes_) h5::overwrite_attribute(table.data_set.get(), checksum_name, total_sum);
  });
}

void FileWriter::write(const std::string& name, hid_t type, Index rows, Index columns,
                       const RowSource& source, const Meaning& meaning) {
  Table table = begin(name, type, rows, columns, meaning);
  append(table, rows, source);
  end(std::move(table));
}

void FileWriter::write(const std::string& name, const std::vector<std::string>& mine,
                       const Meaning& meaning) {
  std::int64_t longest = 1;
  for (const std::string& text : mine) longest = std::max(longest, std::ssize(text));
  const auto size = static_cast<std::size_t>(comm_.max(longest));
  const auto source = [&](Range rows, std::byte* to) {
    std::memset(to, 0, static_cast<std::size_t>(rows.size()) * size);
    for (Index i = rows.begin; i < rows.end; ++i, to += size) {
      const std::string& text = mine[static_cast<std::size_t>(i)];
      std::memcpy(to, text.data(), text.size());
    }
  };
  // HDF5 writes no texts of variable length where several ranks share the file.
  write(name, h5::text_type(size).get(), std::ssize(mine), 0, source, meaning);
}

/// Has the file system set the space aside: OMPIO takes a write that a full disk cut short for a whole one.
void FileWriter::reserve(const std::string& name, Table& table) {
  const haddr_t offset = H5Dget_offset(table.data_set.get()); // undefined if it has no values
  const hsize_t size = H5Dget_storage_size(table.data_set.get());
  if (offset == HADDR_UNDEF || size == 0) return;
  table.place = static_cast<std::int64_t>(offset);
  try {
    on_root(comm_, [&] { reserve_space(path_, part_, offset, size); });
  } catch (const CollectiveError&) {
    // Gives the space back, or closing would extend the file to it.
    table.data_set = h5::DataSet();
    H5Ldelete(file_.get(), name.c_str(), H5P_DEFAULT);
    throw;
  }
  data_end_ = std::max<std::uint64_t>(data_end_, offset + size);
}

/// Rank 0 writes the staged rows of each rank, its own first. A rank sends in the step in which rank 0
/// receives, so that an error on either side leaves none waiting.
void FileWriter::gather(const Table& table, Range rows) {
  const std::array mine{static_cast<double>(rows.begin), static_cast<double>(rows.end)}; // exact below 2^53
  const std::vector<double> all = comm_.gather(mine);
  for (int rank = 0; rank < comm_.size(); ++rank) {
    const auto at = 2 * static_cast<std::size_t>(rank);
    const Range theirs{static_cast<Index>(all[at]), static_cast<Index>(all[at + 1])};
    if (theirs.size() == 0) continue;
    step([&] {
      if (!comm_.is_root() && comm_.rank() != rank) return;
      const std::span bytes(staged_.data(), static_cast<std::size_t>(theirs.size() * table.row_bytes));
      if (!comm_.is_root()) {
        Sends send(comm_);
        send.add(bytes, 0);
        return send.finish();
      }
      if (rank > 0) comm_.receive(bytes, rank);
      transfer(table, theirs, bytes.data());
    });
  }
}

void FileWriter::transfer(const Table& table, Range rows, const std::byte* data) {
  const hid_t data_set = table.data_set.get();
  const auto count = static_cast<hsize_t>(rows.size()), columns = static_cast<hsize_t>(table.columns);
  const h5::DataSpace in_file = h5::rows_of(data_set, static_cast<hsize_t>(rows.begin), count, columns);
  const h5::DataSpace in_memory = h5::rows_in_memory(columns == 0 ? 1 : 2, count, columns);
  const h5::PropertyList how = h5::property_list(H5P_DATASET_XFER);
  if (!gathers_) h5::check(H5Pset_dxpl_mpio(how.get(), H5FD_MPIO_COLLECTIVE), "H5Pset_dxpl_mpio");
  h5::check(H5Dwrite(data_set, table.type.get(), in_memory.get(), in_file.get(), how.get(), data),
            "H5Dwrite");
  if (gathers_) return;
  H5D_mpio_actual_io_mode_t mode = H5D_MPIO_NO_COLLECTIVE;
  h5::check(H5Pget_mpio_actual_io_mode(how.get(), &mode), "H5Pget_mpio_actual_io_mode");
  all_collective_ = all_collective_ && mode == H5D_MPIO_CONTIGUOUS_COLLECTIVE;
  raw_->write_back(table.place + rows.begin * table.row_bytes, rows.size() * table.row_bytes);
}

/// Collective: reserves room for what HDF5 has still to write: its own structures, between the values and
/// after them.
void FileWriter::reserve_rest() const {
  if (gathers_) return;                           // what is written alone and does not fit is an error
  constexpr std::uint64_t structures = 64 * 1024; // a few kB, and the configuration
  on_root(comm_, [&] { reserve_space(path_, part_, 0, data_end_ + structures); });
}

void FileWriter::finish(const std::filesystem::path& previous) {
  reserve_rest();
  step_on_writers([&] { h5::check(H5Fflush(file_.get(), H5F_SCOPE_GLOBAL), "H5Fflush"); });
  step_on_writers([&] { h5::write_attribute(file_.get(), "complete", std::int64_t{1}); });
  step_on_writers([&] { // writes that attribute, into space that is there; atomic_replace has it on disk
    try {
      file_.close();
    } catch (const h5::IoError&) {
      h5::give_up_file();
      throw;
    }
  });
  on_root(comm_, [&] { atomic_replace(part_, path_, previous); });
}

void FileWriter::discard() noexcept {
  // A close that fails leaves HDF5 with a dangling id (seen with 1.10.8), and on a full disk it would: it
  // writes what it has cached. Emptying the file first makes room.
  std::error_code ignored;
  if (comm_.is_root()) std::filesystem::resize_file(part_, 0, ignored);
  try {
    reserve_rest(); // closing writes too
    file_.close();
  } catch (const std::exception&) {
    h5::give_up_file();
  }
  abandon();
}

void FileWriter::abandon() noexcept {
  if (file_.release() >= 0) h5::give_up_file();
  std::error_code ignored;
  if (comm_.is_root()) std::filesystem::remove(part_, ignored);
}

void write_file(const Communicator& comm, const std::filesystem::path& path, FileType type,
                const Provenance& provenance, const std::function<void(FileWriter&)>& fill,
                const std::filesystem::path& previous) {
  FileWriter writer(comm, path, type, provenance);
  try {
    fill(writer);
    writer.finish(previous);
  } catch (const CollectiveError&) {
    writer.discard();
    throw;
  } catch (...) {
    writer.abandon();
    throw;
  }
}

void write_file_on_root(const Communicator& comm, const std::filesystem::path& path, FileType type,
                        const Provenance& provenance, const std::function<void(FileWriter&)>& fill,
                        const std::filesystem::path& previous) {
  on_root(comm, [&] { write_file(Communicator(MPI_COMM_SELF), path, type, provenance, fill, previous); });
}

} // namespace metasieve
