#pragma once

#include <chrono>

namespace metasieve {

[[nodiscard]] inline double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds since it was last asked, or made; some 25 ns each time.
class Stopwatch {
public:
  [[nodiscard]] double seconds() {
    const double before = last_;
    last_ = wall_seconds();
    return last_ - before;
  }

private:
  double last_ = wall_seconds();
};

} // namespace metasieve
