#pragma once

#include "base/linalg.hpp"

#include <array>
#include <string_view>

namespace metasieve {

/// Sets of meta-features. `seed10`: what the probe alone knows. `full16`: these columns and six more, most of
/// them scaled within the task. `context27`: evidence on a scale that tasks share too, and how each of the
/// four (label, group) cells fares, so that a policy can tell hidden labels from honest differences.
enum class FeatureSet { seed10, full16, context27 };

inline constexpr std::array<FeatureSet, 3> feature_sets{FeatureSet::seed10, FeatureSet::full16,
                                                        FeatureSet::context27};

[[nodiscard]] constexpr Index feature_count(FeatureSet set) {
  constexpr std::array<Index, 3> counts{10, 16, 27};
  return counts[static_cast<std::size_t>(set)];
}

[[nodiscard]] constexpr std::string_view to_string(FeatureSet set) {
  constexpr std::array<std::string_view, 3> names{"seed10", "full16", "context27"};
  return names[static_cast<std::size_t>(set)];
}

/// The name of column `feature` of `set`.
[[nodiscard]] constexpr std::string_view feature_name(FeatureSet set, Index feature) {
  // seed10 is the start of it.
  constexpr std::array<std::string_view, 16> full{
      "loss",       "confidence",      "entropy",   "group",     "group_loss", "group_confidence",
      "prediction", "label",           "margin",    "loss_rank", "knn",        "oof_margin",
      "rff_margin", "log_cell_weight", "cell_loss", "cell_share"};
  // A cell's mean: of the row's own cell, then that of the other group, of the other label, and of both.
  constexpr std::array<std::string_view, 27> context{"group",
                                                     "prediction",
                                                     "label",
                                                     "loss_rank",
                                                     "log_cell_weight",
                                                     "cell_share",
                                                     "knn_common",
                                                     "rff_common",
                                                     "oof_common",
                                                     "knn",
                                                     "oof_margin",
                                                     "rff_margin",
                                                     "rff_rank_in_cell",
                                                     "oof_rank_in_cell",
                                                     "cell_knn",
                                                     "cell_knn_group",
                                                     "cell_knn_label",
                                                     "cell_knn_both",
                                                     "cell_rff",
                                                     "cell_rff_group",
                                                     "cell_rff_label",
                                                     "cell_rff_both",
                                                     "cell_decision",
                                                     "cell_decision_group",
                                                     "cell_decision_label",
                                                     "cell_decision_both",
                                                     "log_odds"};
  const auto at = static_cast<std::size_t>(feature);
  return set == FeatureSet::context27 ? context[at] : full[at];
}

/// The column of `set` with this name; -1 if it has none.
[[nodiscard]] constexpr Index feature_column(FeatureSet set, std::string_view name) {
  for (Index feature = 0; feature < feature_count(set); ++feature)
    if (feature_name(set, feature) == name) return feature;
  return -1;
}

} // namespace metasieve
