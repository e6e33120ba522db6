#pragma once

#include "parallel/communicator.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace metasieve {

/// Makes the folders of `path` and shows that `part` can be created there, before all ranks try together.
/// @throws DataError "cannot write PATH: reason"
void prepare_place(const std::filesystem::path& path, const std::filesystem::path& part);

/// Has the file system set aside bytes [offset, offset + size) of `part`, where it can. @throws DataError if
/// there is no room.
void reserve_space(const std::filesystem::path& path, const std::filesystem::path& part, std::uint64_t offset,
                   std::uint64_t size);

/// Every rank's own look at a file that rank 0 has found or made: one that opens what is not there hangs the
/// others. Waits a few seconds, as network file systems may. @throws DataError
void require_visible(const std::filesystem::path& path);

/// Moves the finished `part` to `path`, safe on disk when it returns; what was at `path` goes to `previous`,
/// unless that is empty: at every moment one of the two is whole. @throws DataError
void atomic_replace(const std::filesystem::path& part, const std::filesystem::path& path,
                    const std::filesystem::path& previous = {});

/// Collective; rank 0's text is written to PATH.part, flushed to disk and renamed, so that `path` holds all
/// of it or what was there before. Missing folders are made. @throws CollectiveError (exit code 3) naming the
/// file if it cannot be written.
void write_text(const Communicator& comm, const std::filesystem::path& path, const std::string& text);

/// Called by one rank alone: as write_text, but the folder must be there and nothing is flushed to disk.
/// Several processes may do so at once: one of their texts is left.
void replace_text(const std::filesystem::path& path, const std::string& text);

/// All bytes of a file, read by one rank alone; nothing where there is none or it cannot be read.
[[nodiscard]] std::optional<std::string> text_if_any(const std::filesystem::path& path);

} // namespace metasieve
