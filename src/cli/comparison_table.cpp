#include "cli/comparison_table.hpp"

#include "base/text.hpp"
#include "cli/group_table.hpp"
#include "methods/methods.hpp"
#include "runtime/terminal.hpp"

#include <algorithm>
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

std::string heading_line(bool has_groups) {
  return std::string("  method           accuracy points [95 % interval]") +
         (has_groups ? "   DP gap         EO gap         roh_dp  roh_eo" : "") + "  bal.acc posit." +
         (has_groups ? "  worst gr" : "") + "  noise kept\n";
}

std::string method_line(Group<SummaryRow> group, bool has_groups) {
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
                            is_baseline ? std::string(23, ' ').c_str() : gain(accuracy).c_str());
  std::vector<const char*> means{"balanced_accuracy", "positive_rate"};
  if (has_groups) {
    line += with_change("dp_gap") + with_change("eo_gap");
    means = {"roh_dp", "roh_eo", "balanced_accuracy", "positive_rate", "worst_group_accuracy"};
  }
  for (const char* metric : means) line += "  " + mean(group, metric);
  return line + with_change("noise_rate_selected") + "\n";
}

/// ";  eo_gap -0.020 [-0.050, +0.010], won  75 %"
std::string gap_difference(const PairedRow& gap) {
  const std::string name = ";  " + gap.metric + " ";
  if (gap.splits == 0) return name + "undefined";
  if (!std::isfinite(gap.low)) return name + "defined on one repeat only";
  return name +
         format("%+.3f [%+.3f, %+.3f], won %3.0f %%", gap.difference, gap.low, gap.high, 100.0 * gap.won);
}

/// The selections of a policy against the methods that a user would choose otherwise. `gap`: empty for none.
std::string pair_lines(const std::string& source, const std::vector<PairedRow>& paired,
                       const std::string& gap) {
  std::string text;
  for (const Group<PairedRow> group : groups_of(paired)) {
    const PairedRow& accuracy = group.front();
    const bool shown = accuracy.source == source && accuracy.method.starts_with("meta_") &&
                       is_peer(parse_method(accuracy.peer)) &&
                       std::isfinite(accuracy.low); // one split: the lines above say it all
    if (!shown) continue;
    text += format("  %-9s - %-13s accuracy %s points, won %3.0f %%", accuracy.method.c_str(),
                   accuracy.peer.c_str(), points(accuracy.difference, accuracy.low, accuracy.high).c_str(),
                   100.0 * accuracy.won) +
            (gap.empty() ? "" : gap_difference(row_of(group, gap))) + "\n";
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
    const bool two = rows.contains({1, -1}) && !rows.contains({2, -1}); // more groups do not fit
    text += format("  %-16s %s", kind.c_str(), pair(-1, -1).c_str()) +
            (two ? "  group 0 " + pair(0, -1) + "  group 1 " + pair(1, -1) : "") +
            format("  hidden positives %s  false positives %s  chance %.2f/%.2f\n", pair(-1, 0).c_str(),
                   pair(-1, 1).c_str(), static_cast<double>(all.flipped) / total,
                   static_cast<double>(all.rejected) / total);
  }
  return text.empty()
             ? text
             : "  rows that meta_hard rejects as a detector of flipped labels, precision/recall:\n" + text;
}

std::string finding_lines(const std::string& source, const std::vector<Finding>& findings) {
  constexpr long most_small = 3; // lines about small groups
  std::string text;
  long small = 0;
  for (const Finding& finding : findings) {
    if (finding.source != source) continue;
    small += finding.kind == "small";
    if (finding.kind != "small" || small <= most_small)
      text += "  " + finding.kind + ": " + finding.text + "\n";
  }
  if (small > most_small) text += format("  small: %ld more, see /findings\n", small - most_small);
  return text;
}

} // namespace

std::string comparison_table(const EvaluationTables& tables, const std::string& gap) {
  const std::vector<Group<SummaryRow>> methods = groups_of(tables.summary);
  std::string text;
  for (auto first = methods.begin(); first != methods.end();) {
    const SummaryRow& row = first->front();
    const auto last = std::find_if(first, methods.end(),
                                   [&](const auto& group) { return group.front().source != row.source; });
    const bool has_groups = !tables.one_group.contains(row.source);
    std::int64_t policies = 1;
    std::string lines;
    for (; first != last; ++first) {
      policies = std::max(policies, first->front().policies);
      lines += method_line(*first, has_groups);
    }
    text += (text.empty() ? "" : "\n") +
            format("%s (%lld repeat%s%s; changes against baseline, the fit on all rows)\n",
                   row.source.c_str(), static_cast<long long>(row.splits), row.splits == 1 ? "" : "s",
                   policies > 1 ? (", mean of " + std::to_string(policies) + " policies").c_str() : "") +
            heading_line(has_groups) + lines + group_table(row.source, tables.group_summary) +
            pair_lines(row.source, tables.paired, has_groups ? gap : "") +
            detection_lines(row.source, tables.detection) + finding_lines(row.source, tables.findings);
  }
  return text;
}

std::string frontier_table(const EvaluationTables& tables) {
  std::string text =
      "\nfrontier: weight of the gap in the adaptation and in penalised, tolerance of threshold\n";
  for (const Group<SummaryRow> group : groups_of(tables.frontier)) {
    const SummaryRow& accuracy = group.front();
    const bool has_groups = !tables.one_group.contains(accuracy.source);
    text += format("  %-16s %-12s %7.3f  accuracy %s %s", accuracy.source.c_str(), accuracy.method.c_str(),
                   accuracy.setting, mean(group, "accuracy").c_str(), gain(accuracy).c_str()) +
            (has_groups ? "  DP gap " + mean(group, "dp_gap") + "  EO gap " + mean(group, "eo_gap") : "") +
            "  bal.acc " + mean(group, "balanced_accuracy") + "  posit. " + mean(group, "positive_rate") +
            "\n";
  }
  return text;
}

std::string policy_against_baseline(const EvaluationTables& tables) {
  const std::vector<SummaryRow>& summary = tables.summary;
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
    if (!tables.one_group.contains(accuracy.source))
      text += ", DP gap " + change("dp_gap") + ", EO gap " + change("eo_gap");
    text += " against the fit on all rows\n";
  }
  return text;
}

} // namespace metasieve
