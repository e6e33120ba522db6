#pragma once

#include "base/linalg.hpp"
#include "files/suite_layout.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/communicator.hpp"
#include "tasks/task.hpp"

#include <filesystem>
#include <optional>
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
  /// @throws CollectiveError (exit code 3) naming file, data set and task for NaN or infinite x, and for
  /// labels or groups other than 0 and 1. A part with one class or one group alone is legal: small tasks have
  /// them.
  [[nodiscard]] std::vector<Task> read(Range tasks) const;

  /// One task, counted as above, read by this rank alone; thread-safe. @throws DataError as `read` does
  [[nodiscard]] Task read_alone(Index task) const;

private:
  [[nodiscard]] std::vector<Task> read_range(Range tasks) const;

  /// Where each task begins in the arrays of a part, in values; the end of the last one too. [tasks + 1]
  struct Offsets {
    std::vector<Index> features{0}, labels{0};
  };

  const Communicator* comm_;
  std::filesystem::path path_;
  SuiteHead head_;
  std::array<Offsets, suite_parts.size()> offsets_;
  std::optional<RawFile> file_;
};

} // namespace metasieve
