#pragma once

#include "base/linalg.hpp"

#include <string_view>

namespace metasieve {

enum class FeatureSet { seed10, full16 };

[[nodiscard]] constexpr Index feature_count(FeatureSet set) { return set == FeatureSet::seed10 ? 10 : 16; }
[[nodiscard]] constexpr std::string_view to_string(FeatureSet set) {
  return set == FeatureSet::seed10 ? "seed10" : "full16";
}

} // namespace metasieve
