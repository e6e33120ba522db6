#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>
#include <string>

namespace metasieve {

/// A readable summary of any of our files: type, version, origin, shapes, and the main figures inside. Lines
/// end in a line break. Collective; the same text on every rank.
/// @throws AgreedError (exit code 3) if it is not one of ours, or damaged.
[[nodiscard]] std::string inspect_file(const Communicator& comm, const std::filesystem::path& path);

/// The same as one JSON object, for programs: file, type, attributes, config (sections of keys, whose values
/// are text as in an INI file), data_sets (name, type, shape, and the fields of tables), and contents, which
/// depend on the type. Undefined numbers are null.
[[nodiscard]] std::string inspect_json(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
