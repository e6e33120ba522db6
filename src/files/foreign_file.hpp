#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace metasieve {

/// What is read of a file by one rank alone, and travels to the others as bytes.
enum class Content {
  header,
  layout,
  checksums,
  suite,
  dataset,
  policy,
  checkpoint,
  results,
  evaluation,
  scores,
  scaling,
  sweep
};

// Each reads and checks the file, without MPI. @throws DataError
[[nodiscard]] std::string header_content(const std::filesystem::path& path);
/// Root attributes and the layout of every data set, as members of a JSON object.
[[nodiscard]] std::string layout_content(const std::filesystem::path& path);
/// "12 checksums fit", and how many data sets have none; one that does not fit is refused.
[[nodiscard]] std::string checksums_content(const std::filesystem::path& path);
[[nodiscard]] std::string
suite_content(const std::filesystem::path& path); ///< all but the values of the tasks
[[nodiscard]] std::string dataset_content(const std::filesystem::path& path);
[[nodiscard]] std::string policy_content(const std::filesystem::path& path);
[[nodiscard]] std::string checkpoint_content(const std::filesystem::path& path);
[[nodiscard]] std::string results_content(const std::filesystem::path& path);
[[nodiscard]] std::string evaluation_content(const std::filesystem::path& path);
[[nodiscard]] std::string scores_content(const std::filesystem::path& path);
[[nodiscard]] std::string scaling_content(const std::filesystem::path& path);
[[nodiscard]] std::string sweep_content(const std::filesystem::path& path);

/// Collective: rank 0 reads (read_apart), all ranks get the bytes. @throws AgreedError (exit code 3)
[[nodiscard]] std::string content_of(const Communicator& comm, Content content,
                                     const std::filesystem::path& path);

/// For main, before anything else and before MPI starts. In a process that read_apart has started: does its
/// work.
/// @return the exit code of such a process; nothing in any other. From then on this process uses read_apart.
[[nodiscard]] std::optional<int> serve_reader(int argc, char** argv);

/// The content of a file, read by a process of its own: HDF5 1.10 crashes, or never ends, on many damaged
/// files, and that must not happen to a rank. The new process is this program again, without MPI; a copy of
/// this one (fork) would be unsafe beside the memory that an MPI library has registered with the network.
/// Reads in this process if serve_reader was not called, or if no process can be started.
/// @throws DataError what the reader throws; or that the file is damaged, if it crashes or takes too long
[[nodiscard]] std::string read_apart(Content content, const std::filesystem::path& path);

} // namespace metasieve
