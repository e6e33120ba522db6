#pragma once

#include "base/linalg.hpp"
#include "files/suite_layout.hpp"
#include "hdf5/file_header.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/communicator.hpp"
#include "tasks/task.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace metasieve {

/// A suite file, opened and checked: type, version, completeness, shapes, offsets, metadata.
class SuiteReader {
public:
  /// Collective; `comm` must outlive the reader. @throws CollectiveError (exit code 3): what FileReader and
  /// read_suite_head refuse
  SuiteReader(const Communicator& comm, const std::filesystem::path& path);

  [[nodiscard]] Index task_count() const noexcept { return std::ssize(head_.metadata); }
  /// One record a task, in id order, on every rank.
  [[nodiscard]] const std::vector<Metadata>& metadata() const noexcept { return head_.metadata; }
  /// The resolved configuration that made the suite.
  [[nodiscard]] const std::string& config() const noexcept { return head_.config; }

  /// Collective: each rank names the tasks [begin, end), counted from the first of the file, that it wants
  /// (an empty range is legal).
  /// @throws CollectiveError (exit code 3) naming file, data set and task for NaN or infinite x, for labels
  /// other than 0 and 1, and for groups that the task does not have. A part with one class or without rows of
  /// a group is legal: small tasks have them.
  [[nodiscard]] std::vector<Task> read(Range tasks) const;

  /// One task, counted as above, read by this rank alone; thread-safe. @throws DataError as `read` does
  [[nodiscard]] Task read_alone(Index task) const;

private:
  [[nodiscard]] std::vector<Task> read_range(Range tasks) const;

  const Communicator* comm_;
  std::filesystem::path path_;
  SuiteHead head_;
  std::optional<RawFile> file_;
};

/// This rank's next tasks, `places` counted from its first; they must stay until it is called again. Every
/// rank is asked equally often, one without further tasks for an empty range.
using TaskSupply = std::function<std::span<const Task>(Range places)>;

/// Bytes of tasks that a rank is asked for at once: at least one task.
inline constexpr Index suite_turn_bytes = Index{64} << 20;

/// Collective. Writes the tasks of all ranks as one suite file, in turns, so that a rank need not hold all of
/// its tasks at once: `shapes` of all of this rank's tasks, which `supply` then makes. Ranks hold consecutive
/// ranges of ids (an empty one is legal, but not on all). Same bytes for any number of ranks.
/// @throws CollectiveError (exit code 3) naming the file if it cannot be written; nothing is left at `path`
/// then, or what was there before.
void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const TaskShape> shapes, const TaskSupply& supply,
                 Index turn_bytes = suite_turn_bytes);

} // namespace metasieve
