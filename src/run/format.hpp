#pragma once

#include <array>
#include <cstdio>
#include <string>

namespace metasieve {

/// As printf; what is beyond 511 characters is cut.
template <class... Values>
[[nodiscard]] std::string format(const char* pattern, Values... values) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

} // namespace metasieve
