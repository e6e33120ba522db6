#pragma once

#include "base/linalg.hpp"
#include "hdf5/attribute.hpp"
#include "hdf5/file_header.hpp"
#include "hdf5/handles.hpp"
#include "hdf5/raw_file.hpp"
#include "hdf5/records.hpp"
#include "parallel/communicator.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace metasieve {

/// Puts this rank's rows [range), of which `to` has room, into `to`.
using RowSource = std::function<void(Range rows, std::byte* to)>;

/// Bytes that a rank hands over in one collective transfer: few enough that what is copied, summed up and
/// handed over stays in the cache, and enough for full speed. (MPI counts are int: below 2 GiB.)
inline constexpr std::int64_t transfer_bytes = std::int64_t{4} << 20;

/// What a reader needs to know of a data set: attributes `description` and `units` (left out when empty).
struct Meaning {
  std::string description{};
  std::string units{};
};

/// The file of `write_file` while it is being filled. All members are collective and throw CollectiveError.
/// With FileIo::gather rank 0 alone calls HDF5, and the other ranks send it their rows.
class FileWriter {
public:
  FileWriter(const Communicator& comm, const std::filesystem::path& path, FileType type,
             const Provenance& provenance);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  [[nodiscard]] const Communicator& communicator() const noexcept { return comm_; }

  void group(const std::string& name);

  /// A root attribute; every rank gives the same value.
  template <class Value>
  void attribute(const std::string& name, const Value& value) {
    step_on_writers([&] { h5::write_attribute(file_.get(), name, value); });
  }

  /// A data set that is filled in turns.
  struct Table {
    h5::DataSet data_set; ///< none on a rank that does not write
    h5::DataType type;
    Index columns = 0;
    std::int64_t row_bytes = 0;
    std::int64_t place = 0; ///< of its first value in the file, in bytes
    Range mine;             ///< of this rank's rows in the file
    Index written = 0;      ///< of them
    std::uint64_t sum = 0;  ///< checksum of these
  };

  /// Begins a data set whose rows are those of all ranks in rank order: `rows` from this one, of `columns`
  /// values (0: one-dimensional). Every rank gives the same name, type, columns and meaning.
  [[nodiscard]] Table begin(const std::string& name, hid_t type, Index rows, Index columns,
                            const Meaning& meaning);
  /// Writes the next `rows` of this rank, which may be none; source counts them from 0.
  void append(Table& table, Index rows, const RowSource& source);
  /// Ends the data set, once all rows are there.
  void end(Table table);

  /// Writes a data set in one turn.
  void write(const std::string& name, hid_t type, Index rows, Index columns, const RowSource& source,
             const Meaning& meaning);

  /// [rows] of all ranks in rank order, or [rows / columns, columns].
  template <class T>
  void write(const std::string& name, std::span<const T> mine, const Meaning& meaning, Index columns = 0) {
    const Index width = std::max<Index>(columns, 1);
    const auto copy = [&](Range rows, std::byte* to) {
      const auto bytes = static_cast<std::size_t>(rows.size() * width) * sizeof(T);
      if (bytes > 0) std::memcpy(to, mine.data() + rows.begin * width, bytes);
    };
    write(name, h5::type_of<T>(), std::ssize(mine) / width, columns, copy, meaning);
  }

  /// [rows] of a vector, [rows, columns] of a row-major matrix.
  template <class Derived>
  void write(const std::string& name, const Eigen::PlainObjectBase<Derived>& mine, const Meaning& meaning) {
    write(name, std::span(mine.data(), static_cast<std::size_t>(mine.size())), meaning,
          Derived::IsVectorAtCompileTime ? 0 : mine.cols());
  }

  /// [rows] of texts, of a fixed length: each padded with zero bytes to the longest of all ranks.
  void write(const std::string& name, const std::vector<std::string>& mine, const Meaning& meaning);

  template <class Record>
  void write(const std::string& name, const h5::Records<Record>& records, std::span<const Record> mine,
             const Meaning& meaning) {
    const auto source = [&](Range rows, std::byte* to) {
      for (Index i = rows.begin; i < rows.end; ++i, to += records.size())
        records.store(mine[static_cast<std::size_t>(i)], to);
    };
    write(name, records.type().get(), std::ssize(mine), 0, source, meaning);
  }

  /// Whether every transfer of data so far was a collective one, by HDF5's own account.
  [[nodiscard]] bool all_collective() const noexcept { return all_collective_; }

  /// Sets `complete`, flushes, closes, and puts the file in its place; what was there goes to `previous`,
  /// unless that is empty.
  void finish(const std::filesystem::path& previous = {});
  /// Closes and removes the unfinished file, after an error that all ranks threw alike.
  void discard() noexcept;
  /// Removes the unfinished file without closing it, after an error that other ranks may not know of: closing
  /// is collective and would wait for them.
  void abandon() noexcept;

private:
  void create(FileType type, const Provenance& provenance);
  void step(const std::function<void()>& work) const;
  void step_on_writers(const std::function<void()>& work) const;
  void transfer(const Table& table, Range rows, const std::byte* data);
  void gather(const Table& table, Range rows);
  void reserve(const std::string& name, Table& table);
  void reserve_rest() const;

  const Communicator& comm_;
  bool gathers_, writes_; ///< FileIo::gather; whether this rank calls HDF5
  std::filesystem::path path_, part_;
  h5::File file_;
  std::optional<RawFile> raw_;    ///< of this file, for hints
  std::vector<std::byte> staged_; ///< what is handed over next; in gather then what comes from another rank
  std::uint64_t data_end_ = 0;    ///< of the values, in bytes from the start of the file
  bool all_collective_;
};

/// Collective. Writes a file of this type: PATH.part first, filled by `fill` (the same calls on all ranks),
/// then renamed, so that `path` holds a whole file or what was there before, which goes to `previous` if that
/// is not empty. Missing folders are made. Each data set has an attribute `checksum` (see checksum.hpp).
/// @throws CollectiveError (exit code 3) naming the file if it cannot be written.
void write_file(const Communicator& comm, const std::filesystem::path& path, FileType type,
                const Provenance& provenance, const std::function<void(FileWriter&)>& fill,
                const std::filesystem::path& previous = {});

/// Collective. Writes, as write_file does, a file whose contents are all rank 0's: `fill` runs on rank 0
/// alone.
/// @throws CollectiveError (exit code 3) naming the file if it cannot be written.
void write_file_on_root(const Communicator& comm, const std::filesystem::path& path, FileType type,
                        const Provenance& provenance, const std::function<void(FileWriter&)>& fill,
                        const std::filesystem::path& previous = {});

} // namespace metasieve
