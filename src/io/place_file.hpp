#pragma once

#include <cstdint>
#include <filesystem>

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
void put_in_place(const std::filesystem::path& part, const std::filesystem::path& path,
                  const std::filesystem::path& previous = {});

} // namespace metasieve
