#include "run/summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

namespace metasieve {
namespace {

using Cells = std::map<std::string, const SummaryRow*>; // by metric

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 256> line{};
  std::snprintf(line.data(), line.size(), pattern, values...);
  return line.data();
}

/// "-73 %", or a dash where it says nothing.
std::string percent(double relative) {
  return std::isfinite(relative) ? format("%+4.0f %%", 100.0 * relative) : std::string("     -");
}

std::string number(double value) {
  return std::isfinite(value) ? format("%6.3f", value) : std::string("undef.");
}

std::string method_line(const std::string& method, const Cells& cells) {
  const SummaryRow &accuracy = *cells.at("accuracy"), &dp = *cells.at("dp_gap"), &eo = *cells.at("eo_gap"),
                   &noise = *cells.at("noise_rate_selected");
  const bool reference = method == "baseline";
  const std::string gain =
      reference ? "                       "
                : format("%+6.2f [%+6.2f, %+6.2f]", 100.0 * accuracy.baseline_change,
                         100.0 * accuracy.baseline_change_low, 100.0 * accuracy.baseline_change_high);
  const auto change = [&](const SummaryRow& row) {
    return reference ? std::string("      ") : percent(row.baseline_relative);
  };
  return format("  %-16s %s %s  %s %s  %s %s  %s %s  %s  %s\n", method.c_str(), number(accuracy.mean).c_str(),
                gain.c_str(), number(dp.mean).c_str(), change(dp).c_str(), number(eo.mean).c_str(),
                change(eo).c_str(), number(noise.mean).c_str(), change(noise).c_str(),
                number(cells.at("balanced_accuracy")->mean).c_str(),
                number(cells.at("positive_rate")->mean).c_str());
}

/// What a reader must know before believing a block: one line for each thing found, with the methods and
/// counts.
std::string notes(const std::string& source, const std::vector<EvaluationRow>& rows) {
  struct Finding {
    const char* what;
    bool (*holds)(const EvaluationRow&);
  };
  constexpr std::array<Finding, 3> findings{{
      {"one class for over 98 % of the rows (such a model looks fair and is of no use)",
       [](const EvaluationRow& r) {
         return r.metrics.positive_rate < 0.02 || r.metrics.positive_rate > 0.98;
       }},
      {"a gap is undefined (an empty group or cell of the test rows) and left out",
       [](const EvaluationRow& r) {
         return r.failed == 0 && (std::isnan(r.metrics.eo_gap) || std::isnan(r.metrics.dp_gap));
       }},
      {"the fit failed", [](const EvaluationRow& r) { return r.failed != 0; }},
  }};
  std::string text;
  for (const Finding& finding : findings) {
    std::vector<std::pair<std::string, long>> counts; // by method, in the order of the rows
    for (const EvaluationRow& row : rows) {
      if ((row.source != source && source != "all") || !finding.holds(row)) continue;
      const auto known =
          std::find_if(counts.begin(), counts.end(), [&](const auto& c) { return c.first == row.method; });
      if (known == counts.end())
        counts.emplace_back(row.method, 1);
      else
        ++known->second;
    }
    std::string list;
    for (const auto& [method, count] : counts)
      list += (list.empty() ? "" : ", ") + method + " " + std::to_string(count);
    if (!list.empty()) text += "  note: " + std::string(finding.what) + ": splits of " + list + "\n";
  }
  return text;
}

} // namespace

std::string comparison_table(const std::vector<EvaluationRow>& rows, const std::vector<SummaryRow>& summary) {
  std::vector<std::pair<std::string, std::string>> order; // source, method
  std::map<std::pair<std::string, std::string>, Cells> cells;
  for (const SummaryRow& row : summary) {
    const std::pair key(row.source, row.method);
    if (!cells.contains(key)) order.push_back(key);
    cells[key][row.metric] = &row;
  }
  std::string text, source;
  for (const auto& key : order) {
    if (key.first != source) {
      if (!source.empty()) text += notes(source, rows) + "\n";
      source = key.first;
      text += format("%s (%ld tasks or splits; changes against baseline, the fit on all rows)\n",
                     source.c_str(), static_cast<long>(cells[key].at("accuracy")->splits));
      text +=
          "  method          accuracy points [95 % interval]    DP gap          EO gap       noise kept      "
          "bal.acc. positive\n";
    }
    text += method_line(key.second, cells[key]);
  }
  return text + notes(source, rows);
}

} // namespace metasieve
