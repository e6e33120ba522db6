#include "evaluation/findings.hpp"

#include "base/text.hpp"
#include "evaluation/statistics.hpp"
#include "methods/methods.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace metasieve {
namespace {

constexpr std::size_t longest_list = 120;      // characters: a finding has 255
constexpr double near_floor = 1.5;             // times the floor: a gap is hardly more than chance
constexpr double largest_balanced_cost = 0.02; // of balanced accuracy
constexpr double largest_cost = 0.01, least_reduction = 0.25; // of what counts as help

using Metrics = std::map<std::string, const SummaryRow*>;     // by name
using Methods = std::vector<std::pair<std::string, Metrics>>; // in the order of the summary
using Sources = std::vector<std::pair<std::string, Methods>>;

Sources by_source(const std::vector<SummaryRow>& summary) {
  Sources sources;
  for (const SummaryRow& row : summary) {
    if (sources.empty() || sources.back().first != row.source) sources.push_back({row.source, {}});
    Methods& methods = sources.back().second;
    if (methods.empty() || methods.back().first != row.method) methods.push_back({row.method, {}});
    methods.back().second[row.metric] = &row;
  }
  return sources;
}

/// How many splits of which methods something holds for: "greedy 3, roh 1"; empty if none.
std::string holders(const std::string& source, const std::vector<EvaluationRow>& rows,
                    bool (*holds)(const EvaluationRow&)) {
  std::vector<std::pair<std::string, long>> counts; // in the order of the rows
  for (const EvaluationRow& row : rows) {
    if ((row.source != source && source != "all") || !holds(row)) continue;
    const auto known =
        std::find_if(counts.begin(), counts.end(), [&](const auto& c) { return c.first == row.method; });
    if (known == counts.end())
      counts.emplace_back(row.method, 1);
    else
      ++known->second;
  }
  std::string list;
  for (const auto& [method, count] : counts) {
    const std::string next = method + " " + std::to_string(count);
    if (list.size() + next.size() > longest_list) return list + ", ...";
    list += (list.empty() ? "" : ", ") + next;
  }
  return list;
}

void add_warnings(std::vector<FindingRow>& out, const std::string& source,
                  const std::vector<EvaluationRow>& rows) {
  struct Warning {
    const char *kind, *text;
    bool (*holds)(const EvaluationRow&);
  };
  constexpr std::array<Warning, 3> warnings{{
      {"constant",
       "WARNING: a model that gives one class to over 98 % of the test rows looks fair and is of no use",
       [](const EvaluationRow& r) {
         return r.metrics.positive_rate < 0.02 || r.metrics.positive_rate > 0.98;
       }},
      {"undefined", "a gap is undefined (an empty group or cell of the test rows) and left out",
       [](const EvaluationRow& r) {
         return r.failed == 0 && (std::isnan(r.metrics.eo_gap) || std::isnan(r.metrics.dp_gap));
       }},
      {"failed", "the fit failed", [](const EvaluationRow& r) { return r.failed != 0; }},
  }};
  for (const Warning& warning : warnings) {
    const std::string list = holders(source, rows, warning.holds);
    if (!list.empty()) out.push_back({source, warning.kind, std::string(warning.text) + "; models: " + list});
  }
}

struct Candidate {
  std::string method;
  const SummaryRow *accuracy, *gap, *balanced;
};

/// A model that says (nearly) the same of all rows is no help, whatever its gap.
bool is_of_use(const Metrics& metrics) {
  const double positive = metrics.at("positive_rate")->mean;
  return positive > 0.02 && positive < 0.98 &&
         metrics.at("balanced_accuracy")->baseline_change > -largest_balanced_cost;
}

std::vector<Candidate> candidates(const Methods& methods, const char* gap) {
  std::vector<Candidate> out;
  for (const auto& [method, metrics] : methods)
    if (selects_rows(parse_method(method)) && std::isfinite(metrics.at(gap)->baseline_change_low) &&
        is_of_use(metrics))
      out.push_back({method, metrics.at("accuracy"), metrics.at(gap), metrics.at("balanced_accuracy")});
  return out;
}

std::string change_text(const Candidate& c) {
  return format("%s, %+.0f %% at %+.1f points (balanced accuracy %+.1f)", c.method.c_str(),
                100.0 * c.gap->baseline_relative, 100.0 * c.accuracy->baseline_change,
                100.0 * c.balanced->baseline_change);
}

/// Whether a selection lowers the gap at little cost, and by how much it can be lowered at all.
void add_fairness(std::vector<FindingRow>& out, const std::string& source, const Methods& methods,
                  const char* gap, const char* floor, const char* name) {
  std::vector<Candidate> cheap = candidates(methods, gap);
  std::erase_if(cheap, [](const Candidate& c) { return !(c.accuracy->baseline_change >= -largest_cost); });
  const auto best = std::min_element(cheap.begin(), cheap.end(), [](const Candidate& a, const Candidate& b) {
    return a.gap->baseline_relative < b.gap->baseline_relative;
  });
  const auto found =
      std::find_if(methods.begin(), methods.end(), [](const auto& m) { return m.first == "baseline"; });
  if (found == methods.end()) return;
  const Metrics& baseline = found->second;
  const std::string chance = format(" (gap of all rows %.3f; a fair model would show %.3f by chance)",
                                    baseline.at(gap)->mean, baseline.at(floor)->mean);
  const bool at_floor = baseline.at(gap)->mean <= near_floor * baseline.at(floor)->mean;
  const bool helps = best != cheap.end() && best->gap->baseline_change_high < 0 &&
                     best->gap->baseline_relative <= -least_reduction;
  std::string text;
  if (helps)
    text = format("at a cost of at most 1 point, %s gap is lowered most by ", name) + change_text(*best);
  else if (at_floor)
    text = format("no selection of rows helps here: %s gap is near what a fair model shows by chance", name);
  else
    text = format("no selection of rows helps here: at a cost of at most 1 point none lowers %s gap by a "
                  "quarter beyond chance",
                  name) +
           (best == cheap.end() ? std::string()
                                : "; the largest mean reduction is that of " + change_text(*best));
  out.push_back({source, "fairness", text + chance});
}

void add_accuracy(std::vector<FindingRow>& out, const std::string& source, const Methods& methods) {
  const std::vector<Candidate> all = candidates(methods, "accuracy");
  const auto best = std::max_element(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    return a.accuracy->baseline_change < b.accuracy->baseline_change;
  });
  if (best == all.end()) return;
  const SummaryRow& row = *best->accuracy;
  const std::string change =
      format("%s, %+.2f points [%+.2f, %+.2f]", best->method.c_str(), 100.0 * row.baseline_change,
             100.0 * row.baseline_change_low, 100.0 * row.baseline_change_high);
  out.push_back(
      {source, "accuracy",
       row.baseline_change_low > 0
           ? "raised most by " + change
           : "no selection of rows raises it here beyond chance; the highest mean is that of " + change});
}

} // namespace

std::vector<FindingRow> findings_of(const std::vector<EvaluationRow>& rows,
                                    const std::vector<SummaryRow>& summary) {
  std::vector<FindingRow> findings;
  for (const auto& [source, methods] : by_source(summary)) {
    add_warnings(findings, source, rows);
    const bool selections = std::any_of(methods.begin(), methods.end(), [](const auto& method) {
      return selects_rows(parse_method(method.first));
    });
    if (!selections) continue;
    if (methods.front().second.at("accuracy")->splits < 2) {
      findings.push_back(
          {source, "fairness", "one split only: whether a selection helps cannot be told from chance"});
      continue;
    }
    add_fairness(findings, source, methods, "eo_gap", "eo_floor", "the EO");
    add_fairness(findings, source, methods, "dp_gap", "dp_floor", "the DP");
    add_accuracy(findings, source, methods);
  }
  return findings;
}

} // namespace metasieve
