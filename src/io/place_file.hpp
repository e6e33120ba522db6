#pragma once

#include <filesystem>

namespace metasieve {

/// Makes the folders of `path` and shows that `part` can be created there, before all ranks try together.
/// @throws DataError "cannot write PATH: reason"
void prepare_place(const std::filesystem::path& path, const std::filesystem::path& part);

/// Moves the finished `part` to `path`, both safe on disk when it returns. @throws DataError
void put_in_place(const std::filesystem::path& part, const std::filesystem::path& path);

} // namespace metasieve
