#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>
#include <string>

namespace metasieve {

/// Collective; rank 0's text is written to PATH.part, flushed to disk and renamed, so that `path` holds all
/// of it or what was there before. Missing folders are made. @throws AgreedError (exit code 3) naming the
/// file if it cannot be written.
void write_text(const Communicator& comm, const std::filesystem::path& path, const std::string& text);

} // namespace metasieve
