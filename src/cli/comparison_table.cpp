#include "cli/comparison_table.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace metasieve {
namespace {

using Cells = std::map<std::string, const SummaryRow*>; // by metric

/// "-73 %", or a dash where it says nothing.
std::string percent(double relative) {
  return std::isfinite(relative) ? format("%+4.0f %%", 100.0 * relative) : std::string("     -");
}

std::string number(double value) {
  return std::isfinite(value) ? format("%6.3f", value) : std::string("undef.");
}

/// "+1.23 [+0.45, +2.01]" in points.
std::string points(double change, double low, double high) {
  if (!std::isfinite(low)) return format("%+6.2f [one split only]", 100.0 * change);
  return format("%+6.2f [%+6.2f, %+6.2f]", 100.0 * change, 100.0 * low, 100.0 * high);
}

std::string method_line(const std::string& method, const Cells& cells) {
  const auto mean = [&](const char* metric) { return number(cells.at(metric)->mean); };
  const bool reference = method == "baseline";
  const auto with_change = [&](const char* metric) {
    const SummaryRow& row = *cells.at(metric);
    return mean(metric) + " " + (reference ? std::string("      ") : percent(row.baseline_relative));
  };
  const SummaryRow& accuracy = *cells.at("accuracy");
  const std::string gain = reference ? std::string(23, ' ')
                                     : points(accuracy.baseline_change, accuracy.baseline_change_low,
                                              accuracy.baseline_change_high);
  std::string line = format("  %-16s %s %s", method.c_str(), mean("accuracy").c_str(), gain.c_str());
  for (const char* metric : {"dp_gap", "eo_gap"}) line += "  " + with_change(metric);
  for (const char* metric :
       {"roh_dp", "roh_eo", "balanced_accuracy", "positive_rate", "worst_group_accuracy"})
    line += "  " + mean(metric);
  return line + "  " + with_change("noise_rate_selected") + "\n";
}

std::string policies_text(const std::map<std::string, Cells>& methods) {
  std::int64_t policies = 1;
  for (const auto& [method, cells] : methods) policies = std::max(policies, cells.at("accuracy")->policies);
  return policies > 1 ? format(", mean of %ld policies", static_cast<long>(policies)) : std::string();
}

/// The selections of a policy against the methods that a user would choose otherwise.
std::string pair_lines(const std::string& source, const std::vector<PairedRow>& paired,
                       const std::string& gap) {
  std::map<std::pair<std::string, std::string>, std::map<std::string, const PairedRow*>> pairs;
  std::vector<std::pair<std::string, std::string>> order;
  for (const PairedRow& row : paired) {
    constexpr std::array<std::string_view, 8> peers{"baseline",  "greedy",    "reweighing",   "roh",
                                                    "penalised", "threshold", "trained_hard", "trained_soft"};
    const bool shown =
        row.method.starts_with("meta_") && std::find(peers.begin(), peers.end(), row.peer) != peers.end();
    if (row.source != source || !shown) continue;
    const std::pair key(row.method, row.peer);
    if (!pairs.contains(key)) order.push_back(key);
    pairs[key][row.metric] = &row;
  }
  std::string text;
  for (const auto& key : order) {
    const PairedRow &accuracy = *pairs[key].at("accuracy"), &other = *pairs[key].at(gap);
    if (!std::isfinite(accuracy.low)) continue; // one split: the lines above say it all
    text +=
        format("  %-9s - %-13s accuracy %s points, won %3.0f %%;  %s %+.3f [%+.3f, %+.3f], won %3.0f %%\n",
               key.first.c_str(), key.second.c_str(),
               points(accuracy.difference, accuracy.low, accuracy.high).c_str(), 100.0 * accuracy.won,
               gap.c_str(), other.difference, other.low, other.high, 100.0 * other.won);
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

std::string finding_lines(const std::string& source, const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings)
    if (finding.source == source) text += "  " + finding.kind + ": " + finding.text + "\n";
  return text;
}

constexpr const char* heading =
    "  method           accuracy points [95 % interval]   DP gap         EO gap         roh_dp  roh_eo  "
    "bal.acc posit.  worst gr  noise kept\n";

} // namespace

std::string comparison_table(const EvaluationTables& tables, const std::string& gap) {
  std::vector<std::string> sources;
  std::map<std::string, std::vector<std::string>> order; // methods of a source
  std::map<std::string, std::map<std::string, Cells>> cells;
  for (const SummaryRow& row : tables.summary) {
    if (!cells.contains(row.source)) sources.push_back(row.source);
    if (!cells[row.source].contains(row.method)) order[row.source].push_back(row.method);
    cells[row.source][row.method][row.metric] = &row;
  }
  std::string text;
  for (const std::string& source : sources) {
    const std::string& first = order[source].front();
    text += (text.empty() ? "" : "\n") +
            format("%s (%ld tasks or splits%s; changes against baseline, the fit on all rows)\n",
                   source.c_str(), static_cast<long>(cells[source][first].at("accuracy")->splits),
                   policies_text(cells[source]).c_str()) +
            heading;
    for (const std::string& method : order[source]) text += method_line(method, cells[source][method]);
    text += pair_lines(source, tables.paired, gap) + detection_lines(source, tables.detection) +
            finding_lines(source, tables.findings);
  }
  return text;
}

std::string frontier_table(const std::vector<SummaryRow>& frontier) {
  std::map<std::pair<std::string, std::string>, std::map<double, Cells>> lines; // source, method
  for (const SummaryRow& row : frontier) lines[{row.source, row.method}][row.setting][row.metric] = &row;
  std::string text =
      "\nfrontier: weight of the gap in the adaptation and in penalised, tolerance of threshold\n";
  for (const auto& [key, settings] : lines)
    for (const auto& [setting, cells] : settings) {
      const SummaryRow& accuracy = *cells.at("accuracy");
      text +=
          format("  %-16s %-12s %7.3f  accuracy %s %s  DP gap %s  EO gap %s  bal.acc %s  posit. %s\n",
                 key.first.c_str(), key.second.c_str(), setting, number(accuracy.mean).c_str(),
                 points(accuracy.baseline_change, accuracy.baseline_change_low, accuracy.baseline_change_high)
                     .c_str(),
                 number(cells.at("dp_gap")->mean).c_str(), number(cells.at("eo_gap")->mean).c_str(),
                 number(cells.at("balanced_accuracy")->mean).c_str(),
                 number(cells.at("positive_rate")->mean).c_str());
    }
  return text;
}

} // namespace metasieve
