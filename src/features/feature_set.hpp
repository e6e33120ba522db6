#pragma once

#include "base/linalg.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace metasieve {

/// Sets of meta-features. `basic`: what the probe alone tells. `full`: these columns and six more, most of
/// them scaled within the task. `context`: evidence on a scale that tasks share too, and how each of the four
/// (label, group) cells fares, so that a policy can tell hidden labels from honest differences. These serve
/// two groups. `relative` serves any number of groups, whatever their numbers: `context` with the group's
/// share and positive rate in place of its number, and the other groups pooled. `fair` has these and what
/// four probes say that minimise errors and gaps themselves (features/fair_probes.hpp).
enum class FeatureSet { basic, full, context, relative, fair };

/// Names of a set: for people, and in files, which keep the first one. Configurations take both.
struct FeatureSetNames {
  FeatureSet set;
  std::string_view name, in_files;
};
inline constexpr std::array<FeatureSetNames, 5> feature_set_names{
    {{FeatureSet::basic, "basic", "seed10"},
     {FeatureSet::full, "full", "full16"},
     {FeatureSet::context, "context", "context27"},
     {FeatureSet::relative, "relative", "relative28"},
     {FeatureSet::fair, "fair", "fair56"}}};

inline constexpr std::array<FeatureSet, 5> feature_sets{
    FeatureSet::basic, FeatureSet::full, FeatureSet::context, FeatureSet::relative, FeatureSet::fair};

/// Whether `set` serves any number of groups, and not two alone.
[[nodiscard]] constexpr bool serves_any_groups(FeatureSet set) {
  return set == FeatureSet::relative || set == FeatureSet::fair;
}

[[nodiscard]] constexpr std::string_view to_string(FeatureSet set) {
  return feature_set_names[static_cast<std::size_t>(set)].name;
}

[[nodiscard]] constexpr std::string_view name_in_files(FeatureSet set) {
  return feature_set_names[static_cast<std::size_t>(set)].in_files;
}

/// The set with this name, of either kind; none if there is no such set.
[[nodiscard]] constexpr std::optional<FeatureSet> parse_feature_set(std::string_view name) {
  for (const FeatureSetNames& names : feature_set_names)
    if (name == names.name || name == names.in_files) return names.set;
  return std::nullopt;
}

[[nodiscard]] constexpr Index feature_count(FeatureSet set) {
  constexpr std::array<Index, 5> counts{10, 16, 27, 28, 56};
  return counts[static_cast<std::size_t>(set)];
}

/// The name of column `feature` of `set`.
[[nodiscard]] constexpr std::string_view feature_name(FeatureSet set, Index feature) {
  // The first ten are the basic set.
  constexpr std::array<std::string_view, 16> full{
      "loss",       "confidence",      "entropy",   "group",     "group_loss", "group_confidence",
      "prediction", "label",           "margin",    "loss_rank", "knn",        "oof_margin",
      "rff_margin", "log_cell_weight", "cell_loss", "cell_share"};
  // A cell's mean: of the row's own cell, then that of the other groups, of the other label, and of both.
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
  constexpr std::array<std::string_view, 2> relative{"log_group_share", "group_rate_difference"};
  constexpr std::array<std::string_view, 28> probes{
      "p01_common",       "p01_margin",       "p01_rank",         "cell_p01",          "cell_p01_group",
      "cell_p01_label",   "cell_p01_both",    "pboth_common",     "pboth_margin",      "pboth_rank",
      "cell_pboth",       "cell_pboth_group", "cell_pboth_label", "cell_pboth_both",   "pbothd_common",
      "pbothd_margin",    "pbothd_rank",      "cell_pbothd",      "cell_pbothd_group", "cell_pbothd_label",
      "cell_pbothd_both", "q1dp_common",      "q1dp_margin",      "q1dp_rank",         "cell_q1dp",
      "cell_q1dp_group",  "cell_q1dp_label",  "cell_q1dp_both"};
  const auto at = static_cast<std::size_t>(feature);
  constexpr std::size_t first_of_probes = relative.size() + context.size() - 1;
  if (set == FeatureSet::fair && at >= first_of_probes) return probes[at - first_of_probes];
  if (serves_any_groups(set)) // two columns in place of the first of context
    return at < relative.size() ? relative[at] : context[at - relative.size() + 1];
  return set == FeatureSet::context ? context[at] : full[at];
}

/// The column of `set` with this name; -1 if it has none.
[[nodiscard]] constexpr Index feature_column(FeatureSet set, std::string_view name) {
  for (Index feature = 0; feature < feature_count(set); ++feature)
    if (feature_name(set, feature) == name) return feature;
  return -1;
}

} // namespace metasieve
