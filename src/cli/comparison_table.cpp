#include "cli/comparison_table.hpp"

#include "base/text.hpp"
#include "runtime/terminal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>

namespace metasieve {
namespace {

/// The rows of a method (and peer, or setting), one a metric: in the tables they follow each other, accuracy
/// first.
template <class Row>
using Group = std::span<const Row>;

template <class Row>
std::vector<Group<Row>> groups_of(const std::vector<Row>& rows) {
  std::vector<Group<Row>> groups;
  const auto begins = [](const Row& row) { return row.metric == "accuracy"; };
  for (auto first = std::ranges::find_if(rows, begins); first != rows.end();) {
    const auto last = std::find_if(first + 1, rows.end(), begins);
    groups.emplace_back(first, last);
    first = last;
  }
  return groups;
}

template <class Row>
const Row& row_of(Group<Row> group, const std::string& metric) {
  return *std::ranges::find(group, metric, &Row::metric);
}

/// "-73 %", or a dash where it says nothing.
std::string percent(double relative) {
  return std::isfinite(relative) ? format("%+4.0f %%", 100.0 * relative) : std::string("     -");
}

/// The mean of a metric.
std::string mean(Group<SummaryRow> group, const std::string& metric) {
  const double value = row_of(group, metric).mean;
  return std::isfinite(value) ? format("%6.3f", value) : std::string("undef.");
}

/// "+1.23 [+0.45, +2.01]" in points.
std::string points(double change, double low, double high) {
  if (!std::isfinite(low)) return format("%+6.2f [one repeat only]", 100.0 * change);
  return format("%+6.2f [%+6.2f, %+6.2f]", 100.0 * change, 100.0 * low, 100.0 * high);
}

/// The change of the accuracy against the baseline, in points.
std::string gain(const SummaryRow& row) {
  return points(row.baseline_change, row.baseline_change_low, row.baseline_change_high);
}

constexpr const char* heading_line =
    "  method           accuracy points [95 % interval]   DP gap         EO gap         roh_dp  roh_eo  "
    "bal.acc posit.  worst gr  noise kept\n";

std::string method_line(Group<SummaryRow> group) {
  const SummaryRow& accuracy = group.front();
  const bool is_baseline = accuracy.method == "baseline";
  const auto with_change = [&](const char* metric) {
    const SummaryRow& row = row_of(group, metric);
    const bool mostly_defined = 2 * row.splits >= accuracy.splits; // else it says little of the repeats
    return "  " + mean(group, metric) + " " +
           (is_baseline ? std::string(6, ' ')
                        : percent(mostly_defined ? row.baseline_relative : std::nan("")));
  };
  std::string line = format("  %-16s %s %s", accuracy.method.c_str(), mean(group, "accuracy").c_str(),
                            is_baseline ? std::string(23, ' ').c_str() : gain(accuracy).c_str()) +
                     with_change("dp_gap") + with_change("eo_gap");
  for (const char* metric :
       {"roh_dp", "roh_eo", "balanced_accuracy", "positive_rate", "worst_group_accuracy"})
    line += "  " + mean(group, metric);
  return line + with_change("noise_rate_selected") + "\n";
}

/// "-0.020 [-0.050, +0.010], won  75 %" of a gap.
std::string gap_difference(const PairedRow& gap) {
  if (gap.splits == 0) return "undefined";
  if (!std::isfinite(gap.low)) return "defined on one repeat only";
  return format("%+.3f [%+.3f, %+.3f], won %3.0f %%", gap.difference, gap.low, gap.high, 100.0 * gap.won);
}

/// The selections of a policy against the methods that a user would choose otherwise.
std::string pair_lines(const std::string& source, const std::vector<PairedRow>& paired,
                       const std::string& gap) {
  constexpr std::array<std::string_view, 8> peers{"baseline",  "greedy",    "reweighing",   "roh",
                                                  "penalised", "threshold", "trained_hard", "trained_soft"};
  std::string text;
  for (const Group<PairedRow> group : groups_of(paired)) {
    const PairedRow &accuracy = group.front(), &other = row_of(group, gap);
    const bool shown = accuracy.source == source && accuracy.method.starts_with("meta_") &&
                       std::ranges::count(peers, accuracy.peer) > 0 &&
                       std::isfinite(accuracy.low); // one split: the lines above say it all
    if (!shown) continue;
    text += format("  %-9s - %-13s accuracy %s points, won %3.0f %%;  %s %s\n", accuracy.method.c_str(),
                   accuracy.peer.c_str(), points(accuracy.difference, accuracy.low, accuracy.high).c_str(),
                   100.0 * accuracy.won, gap.c_str(), gap_difference(other).c_str());
  }
  return text.empty()
             ? text
             : "  in pairs on the same splits [95 % interval], share of splits won (ties half):\n" + text;
}

/// The rows that the policy rejects as detectors of flipped labels, by kind of corruption.
std::string detection_lines(const std::string& source, const std::vector<DetectionRow>& detection) {
  std::map<std::string, std::map<std::pair<std::int64_t, std::int64_t>, const DetectionRow*>> kinds;
  for (const DetectionRow& row : detection)
    if (row.source == source && row.method == "meta_hard")
      kinds[row.corruption][{row.group, row.label}] = &row;
  std::string text;
  for (const auto& [kind, rows] : kinds) { // "all" among them, where there are several
    const DetectionRow& all = *rows.at({-1, -1});
    if (all.flipped == 0) continue;
    const auto pair = [&found = rows](std::int64_t group, std::int64_t label) {
      const DetectionRow& row = *found.at({group, label});
      return format("%.2f/%.2f", row.precision, row.recall);
    };
    const auto total = static_cast<double>(all.rows);
    text += format(
        "  %-16s %s  group 0 %s  group 1 %s  hidden positives %s  false positives %s  chance %.2f/%.2f\n",
        kind.c_str(), pair(-1, -1).c_str(), pair(0, -1).c_str(), pair(1, -1).c_str(), pair(-1, 0).c_str(),
        pair(-1, 1).c_str(), static_cast<double>(all.flipped) / total,
        static_cast<double>(all.rejected) / total);
  }
  return text.empty()
             ? text
             : "  rows that meta_hard rejects as a detector of flipped labels, precision/recall:\n" + text;
}

} // namespace

std::string comparison_table(const EvaluationTables& tables, const std::string& gap) {
  const std::vector<Group<SummaryRow>> methods = groups_of(tables.summary);
  std::string text;
  for (auto first = methods.begin(); first != methods.end();) {
    const SummaryRow& row = first->front();
    const auto last = std::find_if(first, methods.end(),
                                   [&](const auto& group) { return group.front().source != row.source; });
    std::int64_t policies = 1;
    std::string lines;
    for (; first != last; ++first) {
      policies = std::max(policies, first->front().policies);
      lines += method_line(*first);
    }
    text += (text.empty() ? "" : "\n") +
            format("%s (%lld repeat%s%s; changes against baseline, the fit on all rows)\n",
                   row.source.c_str(), static_cast<long long>(row.splits), row.splits == 1 ? "" : "s",
                   policies > 1 ? (", mean of " + std::to_string(policies) + " policies").c_str() : "") +
            heading_line + lines + pair_lines(row.source, tables.paired, gap) +
            detection_lines(row.source, tables.detection);
    for (const Finding& finding : tables.findings)
      if (finding.source == row.source) text += "  " + finding.kind + ": " + finding.text + "\n";
  }
  return text;
}

std::string frontier_table(const std::vector<SummaryRow>& frontier) {
  std::string text =
      "\nfrontier: weight of the gap in the adaptation and in penalised, tolerance of threshold\n";
  for (const Group<SummaryRow> group : groups_of(frontier)) {
    const SummaryRow& accuracy = group.front();
    text += format("  %-16s %-12s %7.3f  accuracy %s %s  DP gap %s  EO gap %s  bal.acc %s  posit. %s\n",
                   accuracy.source.c_str(), accuracy.method.c_str(), accuracy.setting,
                   mean(group, "accuracy").c_str(), gain(accuracy).c_str(), mean(group, "dp_gap").c_str(),
                   mean(group, "eo_gap").c_str(), mean(group, "balanced_accuracy").c_str(),
                   mean(group, "positive_rate").c_str());
  }
  return text;
}

std::string policy_against_baseline(const std::vector<SummaryRow>& summary) {
  const bool pooled = std::ranges::count(summary, "all", &SummaryRow::source) > 0;
  std::string text;
  for (const Group<SummaryRow> group : groups_of(summary)) {
    const SummaryRow& accuracy = group.front();
    if (accuracy.method != "meta_hard" || (pooled && accuracy.source != "all")) continue;
    const auto change = [&](const char* metric) {
      const double relative = row_of(group, metric).baseline_relative;
      return std::isfinite(relative) ? format("%+.0f %%", 100.0 * relative) : std::string("undefined");
    };
    text += heading("the policy on " + accuracy.source + ":") + " accuracy " +
            format("%+.2f points", 100.0 * accuracy.baseline_change);
    if (std::isfinite(accuracy.baseline_change_low))
      text += format(" [%+.2f, %+.2f]", 100.0 * accuracy.baseline_change_low,
                     100.0 * accuracy.baseline_change_high);
    text +=
        ", DP gap " + change("dp_gap") + ", EO gap " + change("eo_gap") + " against the fit on all rows\n";
  }
  return text;
}

} // namespace metasieve
