#pragma once

#include "io/contents.hpp"

#include <optional>

namespace metasieve {

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
