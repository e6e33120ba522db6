#pragma once

#include "tasks/task.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
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

} // namespace metasieve
