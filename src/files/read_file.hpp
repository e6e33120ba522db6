#pragma once

#include "files/file_layout.hpp"
#include "parallel/collective.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace metasieve {

/// First argument of a process that checks a file for another one: `metasieve --check-file CHECK PATH`.
inline constexpr const char* check_option = "--check-file";

/// Lets check_in_child_process start this program again: its main calls serve_file_check first of all.
void allow_child_processes() noexcept;

/// Has a file read by a process of its own: HDF5 1.10 crashes, or never ends, on many damaged files, and that
/// must not happen to a rank. The new process is this program again, without MPI; a copy of this one (fork)
/// would be unsafe beside the memory that an MPI library has registered with the network. `check`: see
/// serve_file_check.
/// @return what the check says of a sound file; nothing if no process can be started, and nothing was checked
/// @throws DataError what the check throws; or that the file is damaged, if it crashes or takes too long
std::optional<std::string> check_in_child_process(const std::filesystem::path& path, std::string_view check);

/// Collective: check_in_child_process on rank 0, after which every rank sees the file. @throws
/// CollectiveError
void check_together(const Communicator& comm, const std::filesystem::path& path, FileType type);

/// Reads all of a file of the layout's type by one rank. @throws DataError naming file and data set
template <class Content>
[[nodiscard]] Content read_file(const std::filesystem::path& path, const FileLayout<Content>& layout) {
  return layout.read(FileReader(path, layout.type()));
}

/// Collective: rank 0 has the file checked, then every rank reads it. @throws CollectiveError (exit code 3)
template <class Content>
[[nodiscard]] Content read_file(const Communicator& comm, const std::filesystem::path& path,
                                const FileLayout<Content>& layout) {
  check_together(comm, path, layout.type());
  std::optional<Content> content;
  run_collectively_on_file(comm, [&] { content = read_file(path, layout); });
  return std::move(*content);
}

/// Collective; rank 0's content is written, see write_file. @throws CollectiveError (exit code 3)
template <class Content>
void write_on_root(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                   const FileLayout<Content>& layout, const Content& content,
                   const std::filesystem::path& previous = {}) {
  write_file_on_root(
      comm, path, layout.type(), provenance, [&](FileWriter& file) { layout.write(file, content); },
      previous);
}

} // namespace metasieve
