#pragma once

#include "tasks/task.hpp"

#include <string>

namespace metasieve {

/// A task as bytes, for a journal. Not a file format.
[[nodiscard]] std::string task_bytes(const Task& task);

/// Takes it back, bit for bit. @throws DataError if `bytes` end too early
[[nodiscard]] Task task_of_bytes(const std::string& bytes);

} // namespace metasieve
