#pragma once

#include "parallel/communicator.hpp"
#include "tasks/task.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace metasieve {

/// Of one quantity over the tasks of a suite where it is defined.
struct TaskSpread {
  double least = std::numeric_limits<double>::infinity(), greatest = -least;
  double mean = std::numeric_limits<double>::quiet_NaN();
  int defined = 0;
};

template <class Member>
[[nodiscard]] TaskSpread task_spread(const std::vector<Metadata>& tasks, Member member) {
  TaskSpread spread;
  double total = 0;
  for (const Metadata& task : tasks) {
    const auto value = static_cast<double>(task.*member);
    if (std::isnan(value)) continue;
    spread.least = std::min(spread.least, value);
    spread.greatest = std::max(spread.greatest, value);
    total += value;
    ++spread.defined;
  }
  if (spread.defined > 0) spread.mean = total / spread.defined;
  return spread;
}

/// A readable summary of any of our files: type, version, origin, shapes, and the main figures inside. Lines
/// end in a line break. Collective; the same text on every rank.
/// @throws AgreedError (exit code 3) if it is not one of ours, or damaged.
[[nodiscard]] std::string inspect_file(const Communicator& comm, const std::filesystem::path& path);

/// The same as one JSON object, for programs: file, type, attributes, config (sections of keys, whose values
/// are text as in an INI file), data_sets (name, type, shape, and the fields of tables), and contents, which
/// depend on the type. Undefined numbers are null.
[[nodiscard]] std::string inspect_json(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
