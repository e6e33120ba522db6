#pragma once

#include "base/linalg.hpp"
#include "files/compression.hpp"
#include "hdf5/handles.hpp"
#include "hdf5/provenance.hpp"
#include "parallel/communicator.hpp"
#include "tasks/task.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace metasieve {

/// Arrays of different tasks seen as one long array: what a rank gives to or takes from one data set. T may
/// be const.
template <class T>
class SpanSequence {
public:
  void add(std::span<T> piece) {
    pieces_.push_back(piece);
    ends_.push_back(size() + std::ssize(piece));
  }
  [[nodiscard]] Index size() const noexcept { return ends_.empty() ? 0 : ends_.back(); }

  /// The piece, where there is one alone.
  [[nodiscard]] std::span<T> only() const { return pieces_.front(); }

  /// Copies values [range) to `to`.
  void copy_to(Range range, std::byte* to) const {
    visit(range, [&](std::span<T> values) {
      std::memcpy(to, values.data(), values.size_bytes());
      to += values.size_bytes();
    });
  }
  /// Fills values [range) from `from`.
  void copy_from(Range range, const std::byte* from) const {
    visit(range, [&](std::span<T> values) {
      std::memcpy(values.data(), from, values.size_bytes());
      from += values.size_bytes();
    });
  }

private:
  template <class Visitor>
  void visit(Range range, const Visitor& visitor) const {
    auto i =
        static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), range.begin) - ends_.begin());
    for (Index at = range.begin; at < range.end; ++i) {
      const Index begin = ends_[i] - std::ssize(pieces_[i]);
      const Index end = std::min(ends_[i], range.end);
      if (end > at)
        visitor(pieces_[i].subspan(static_cast<std::size_t>(at - begin), static_cast<std::size_t>(end - at)));
      at = end;
    }
  }

  std::vector<std::span<T>> pieces_;
  std::vector<Index> ends_; ///< one past the last value of each piece
};

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

/// Collective. Writes the tasks of all ranks as one suite file; `tasks` are this rank's, ids first_id.. in
/// order, and ranks hold consecutive ranges of ids (an empty one is legal, but not on all). Same bytes for
/// any number of ranks.
/// @throws AgreedError (exit code 3) naming the file if it cannot be written; nothing is left at `path` then,
/// or what was there before.
void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const Task> tasks, Compression compression = Compression::none);

/// This rank's next tasks, `places` counted from its first; they must stay until it is called again. Every
/// rank is asked equally often, one without further tasks for an empty range.
using TaskSupply = std::function<std::span<const Task>(Range places)>;

/// Bytes of tasks that a rank is asked for at once: at least one task.
inline constexpr Index suite_turn_bytes = Index{64} << 20;

/// Collective. The same in turns, so that a rank need not hold all of its tasks at once: `shapes` of all of
/// them, which `supply` then makes. With compression the file is first written as PATH.plain, then packed
/// (see suite_packing.hpp), which takes the room of both on disk.
void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const TaskShape> shapes, const TaskSupply& supply,
                 Index turn_bytes = suite_turn_bytes, Compression compression = Compression::none);

/// A suite file, opened and checked: type, version, completeness, shapes, offsets, metadata.
class SuiteReader {
public:
  /// Collective; `comm` must outlive the reader. @throws AgreedError (exit code 3): missing, not HDF5,
  /// another file type, a newer major version, incomplete, truncated, inconsistent offsets or shapes.
  SuiteReader(const Communicator& comm, const std::filesystem::path& path);
  ~SuiteReader();
  SuiteReader(SuiteReader&&) noexcept;
  SuiteReader& operator=(SuiteReader&&) noexcept;

  [[nodiscard]] Index task_count() const noexcept;
  /// One record a task, in id order, on every rank.
  [[nodiscard]] const std::vector<Metadata>& metadata() const noexcept;
  /// The resolved configuration that made the suite.
  [[nodiscard]] const std::string& config() const noexcept;

  /// Collective: each rank names the tasks [begin, end), counted from the first of the file, that it wants
  /// (an empty range is legal).
  /// @throws AgreedError (exit code 3) naming file, data set and task for NaN or infinite x, and for labels
  /// or groups other than 0 and 1. A part with one class or one group alone is legal: small tasks have them.
  [[nodiscard]] std::vector<Task> read(Range tasks) const;

  /// One task, counted as above, read by this rank alone; thread-safe. @throws DataError as `read` does
  [[nodiscard]] Task read_alone(Index task) const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace metasieve
