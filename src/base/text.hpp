#pragma once

#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace metasieve {

/// "a, b, c"
[[nodiscard]] inline std::string joined(const std::vector<std::string>& words,
                                        std::string_view separator = ", ") {
  std::string text;
  for (const std::string& word : words) {
    if (&word != words.data()) text += separator;
    text += word;
  }
  return text;
}

/// As printf; what is beyond 511 characters is cut.
template <class... Values>
[[nodiscard]] std::string format(const char* pattern, Values... values) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

/// "0.4 s", "35 s", "3 min 20 s", "2 h 05 min", "3 d 04 h"
[[nodiscard]] inline std::string duration_text(double seconds) {
  if (seconds < 9.95) return format("%.1f s", seconds);
  const auto whole = std::lround(seconds);
  if (whole < 60) return format("%ld s", whole);
  if (whole < 3600) return format("%ld min %02ld s", whole / 60, whole % 60);
  if (whole < 86400) return format("%ld h %02ld min", whole / 3600, whole % 3600 / 60);
  return format("%ld d %02ld h", whole / 86400, whole % 86400 / 3600);
}

} // namespace metasieve
