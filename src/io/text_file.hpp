#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace metasieve {

/// Collective; rank 0's text is written to PATH.part, flushed to disk and renamed, so that `path` holds all
/// of it or what was there before. Missing folders are made. @throws AgreedError (exit code 3) naming the
/// file if it cannot be written.
void write_text(const Communicator& comm, const std::filesystem::path& path, const std::string& text);

/// By one rank alone: as write_text, but the folder must be there and nothing is flushed to disk. Several
/// processes may do so at once: one of their texts is left.
void replace_text(const std::filesystem::path& path, const std::string& text);

/// By one rank alone. All bytes of a file; nothing where there is none or it cannot be read.
[[nodiscard]] std::optional<std::string> text_if_any(const std::filesystem::path& path);

} // namespace metasieve
