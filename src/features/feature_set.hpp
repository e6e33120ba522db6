#pragma once

#include "base/linalg.hpp"

#include <array>
#include <string_view>

namespace metasieve {

enum class FeatureSet { seed10, full16 };

[[nodiscard]] constexpr Index feature_count(FeatureSet set) { return set == FeatureSet::seed10 ? 10 : 16; }
[[nodiscard]] constexpr std::string_view to_string(FeatureSet set) {
  return set == FeatureSet::seed10 ? "seed10" : "full16";
}

/// Of column `feature` of every set that has so many.
[[nodiscard]] constexpr std::string_view feature_name(Index feature) {
  constexpr std::array<std::string_view, 16> names{
      "loss",       "confidence",      "entropy",   "group",     "group_loss", "group_confidence",
      "prediction", "label",           "margin",    "loss_rank", "knn",        "oof_margin",
      "rff_margin", "log_cell_weight", "cell_loss", "cell_share"};
  return names[static_cast<std::size_t>(feature)];
}

} // namespace metasieve
