#include "evaluation/findings.hpp"

#include "base/text.hpp"
#include "methods/methods.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
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
    const auto known = std::ranges::find(counts, row.method, &std::pair<std::string, long>::first);
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

void add_warnings(std::vector<Finding>& out, const std::string& source,
                  const std::vector<EvaluationRow>& rows) {
  using Holds = bool (*)(const EvaluationRow&);
  constexpr std::array<std::pair<const char*, Holds>, 3> warnings{{
      {"constant",
       [](const EvaluationRow& r) {
         return r.metrics.positive_rate < 0.02 || r.metrics.positive_rate > 0.98;
       }},
      {"undefined",
       [](const EvaluationRow& r) {
         return r.failed == 0 && (std::isnan(r.metrics.eo_gap) || std::isnan(r.metrics.dp_gap));
       }},
      {"failed", [](const EvaluationRow& r) { return r.failed != 0; }},
  }};
  for (const auto& [kind, holds] : warnings)
    if (std::string list = holders(source, rows, holds); !list.empty())
      out.push_back({.source = source, .kind = kind, .method = std::move(list)});
}

/// The selections whose change of `metric` has an interval, and that are of use: a model that says (nearly)
/// the same of all rows is no help, whatever its gap.
Methods candidates(const Methods& methods, const char* metric) {
  Methods out;
  std::ranges::copy_if(methods, std::back_inserter(out), [&](const auto& candidate) {
    const auto& [method, metrics] = candidate;
    const double positive = metrics.at("positive_rate")->mean;
    return selects_rows(parse_method(method)) && std::isfinite(metrics.at(metric)->baseline_change_low) &&
           positive > 0.02 && positive < 0.98 &&
           metrics.at("balanced_accuracy")->baseline_change > -largest_balanced_cost;
  });
  return out;
}

void describe(Finding& finding, const Methods::value_type& best, double SummaryRow::*change) {
  const SummaryRow& metric = *best.second.at(finding.metric);
  finding.method = best.first;
  finding.change = metric.*change;
  finding.low = metric.baseline_change_low, finding.high = metric.baseline_change_high;
  finding.cost = -best.second.at("accuracy")->baseline_change;
  finding.balanced_cost = -best.second.at("balanced_accuracy")->baseline_change;
}

/// Which selection lowers the gap most at little cost, if any.
void add_fairness(std::vector<Finding>& out, const std::string& source, const Methods& methods,
                  const char* gap, const char* floor) {
  const auto baseline = std::ranges::find(methods, "baseline", &Methods::value_type::first);
  if (baseline == methods.end()) return;
  Finding finding{.source = source, .kind = "fairness", .metric = gap};
  finding.level = baseline->second.at(gap)->mean;
  finding.floor = baseline->second.at(floor)->mean;
  Methods cheap = candidates(methods, gap);
  std::erase_if(cheap,
                [](const auto& c) { return !(c.second.at("accuracy")->baseline_change >= -largest_cost); });
  const auto best =
      std::ranges::min_element(cheap, {}, [&](const auto& c) { return c.second.at(gap)->baseline_relative; });
  if (best != cheap.end()) describe(finding, *best, &SummaryRow::baseline_relative);
  out.push_back(std::move(finding));
}

/// Which selection raises the accuracy most.
void add_accuracy(std::vector<Finding>& out, const std::string& source, const Methods& methods) {
  const Methods all = candidates(methods, "accuracy");
  const auto best = std::ranges::max_element(
      all, {}, [](const auto& c) { return c.second.at("accuracy")->baseline_change; });
  if (best == all.end()) return;
  Finding finding{.source = source, .kind = "accuracy", .metric = "accuracy"};
  describe(finding, *best, &SummaryRow::baseline_change);
  finding.level = best->second.at("accuracy")->mean - finding.change;
  out.push_back(std::move(finding));
}

std::string fairness_text(const Finding& f) {
  if (f.metric.empty()) return "one repeat only: it does not show whether a selection helps more than chance";
  const char* const name = f.metric == "eo_gap" ? "the EO" : "the DP";
  const std::string best = format("%s, %+.0f %% at %+.1f points (balanced accuracy %+.1f)", f.method.c_str(),
                                  100.0 * f.change, -100.0 * f.cost, -100.0 * f.balanced_cost);
  const std::string chance =
      format(" (gap of all rows %.3f; a fair model would show %.3f by chance)", f.level, f.floor);
  if (f.high < 0 && f.change <= -least_reduction)
    return format("at a cost of at most 1 point, %s gap is lowered most by ", name) + best + chance;
  if (f.level <= near_floor * f.floor)
    return format("no selection of rows helps here: %s gap is near what a fair model shows by chance", name) +
           chance;
  return format("no selection of rows helps here: at a cost of at most 1 point none lowers %s gap by a "
                "quarter beyond chance",
                name) +
         (f.method.empty() ? "" : "; the largest mean reduction is that of " + best) + chance;
}

/// Words of a finding, from its other fields.
std::string text_of(const Finding& f) {
  if (f.kind == "constant")
    return "WARNING: a model that gives one class to over 98 % of the test rows looks fair and is of no use; "
           "models: " +
           f.method;
  if (f.kind == "undefined")
    return "a gap is undefined (an empty group or cell of the test rows) and left out; models: " + f.method;
  if (f.kind == "failed") return "the fit failed; models: " + f.method;
  if (f.kind == "fairness") return fairness_text(f);
  return (f.low > 0 ? "raised most by "
                    : "no selection of rows raises it here beyond chance; the highest mean is that of ") +
         format("%s, %+.2f points [%+.2f, %+.2f]", f.method.c_str(), 100.0 * f.change, 100.0 * f.low,
                100.0 * f.high);
}

} // namespace

std::vector<Finding> findings_of(const std::vector<EvaluationRow>& rows,
                                 const std::vector<SummaryRow>& summary) {
  std::vector<Finding> findings;
  for (const auto& [source, methods] : by_source(summary)) {
    add_warnings(findings, source, rows);
    const bool selections = std::any_of(methods.begin(), methods.end(), [](const auto& method) {
      return selects_rows(parse_method(method.first));
    });
    if (!selections) continue;
    if (methods.front().second.at("accuracy")->splits < 2) {
      findings.push_back({.source = source, .kind = "fairness"});
      continue;
    }
    add_fairness(findings, source, methods, "eo_gap", "eo_floor");
    add_fairness(findings, source, methods, "dp_gap", "dp_floor");
    add_accuracy(findings, source, methods);
  }
  for (Finding& finding : findings) finding.text = text_of(finding);
  return findings;
}

} // namespace metasieve
