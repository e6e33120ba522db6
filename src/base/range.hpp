#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// Half-open [begin, end).
struct Range {
  Index begin = 0;
  Index end = 0;

  [[nodiscard]] Index size() const noexcept { return end - begin; }
  [[nodiscard]] bool contains(Index i) const noexcept { return begin <= i && i < end; }
  friend bool operator==(const Range&, const Range&) = default;
};

} // namespace metasieve
