#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace metasieve {

/// Collective. Reads all of a file of ours and checks type, version, completeness, shapes, offsets, ranges
/// and checksums. @return a line that says so, and for a checkpoint from where a run would continue. @throws
/// CollectiveError (exit code 3) naming the first fault, and whether a run can continue without the file.
[[nodiscard]] std::string verify_file(const Communicator& comm, const std::filesystem::path& path);

/// Collective: what is in any of our files, see description_of; the same text on every rank.
/// @throws CollectiveError (exit code 3) if it is not one of ours, or damaged.
[[nodiscard]] std::string inspect_file(const Communicator& comm, const std::filesystem::path& path,
                                       bool as_json = false);

/// Serves check_in_child_process. For main, before anything else and before MPI starts: in a process that is
/// to check a file, reads all of it that the reader of its type would read, and says what is wrong on
/// standard output. In any other, lets check_in_child_process start such processes. The checks: the name of a
/// file type; "header" (any file of ours; gives the name of its type); "text" and "json" (gives its
/// description); "whole" (all of that, and the checksums; gives how many of these fit).
/// @return the exit code of a process that checks; nothing in any other
[[nodiscard]] std::optional<int> serve_file_check(int argc, char** argv);

} // namespace metasieve
