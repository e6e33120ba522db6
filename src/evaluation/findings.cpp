#include "evaluation/findings.hpp"

#include "base/text.hpp"
#include "methods/methods.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

namespace metasieve {
namespace {

constexpr std::size_t longest_list = 120;      // characters: a finding has 255
constexpr double near_floor = 1.5;             // times the floor: a gap is hardly more than chance
constexpr double largest_balanced_cost = 0.02; // largest loss of balanced accuracy
constexpr double largest_cost = 0.01, least_reduction = 0.25; // limits of what counts as help
constexpr Index least_rows = 200;                             // of a table that can be judged
constexpr double least_hidden = 0.1;                          // share of positives that is worth a word
constexpr double level = 0.05;                                // of all claims on a source together

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

/// The changes that hold by Holm's correction (1979): of all compared methods, the accuracy and, where there
/// are groups, both gaps, at most 5 % of sources without any effect show one.
std::set<const SummaryRow*> beyond_chance(const Methods& methods, bool has_groups) {
  std::vector<const SummaryRow*> tests;
  for (const char* metric :
       has_groups ? std::vector{"eo_gap", "dp_gap", "accuracy"} : std::vector{"accuracy"})
    for (const auto& [method, metrics] : candidates(methods, metric)) tests.push_back(metrics.at(metric));
  std::ranges::sort(tests, {}, &SummaryRow::baseline_p);
  std::set<const SummaryRow*> hold;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    if (!(tests[i]->baseline_p <= level / static_cast<double>(tests.size() - i))) break;
    hold.insert(tests[i]);
  }
  return hold;
}

void describe(Finding& finding, const Methods::value_type& best, double SummaryRow::*change) {
  const SummaryRow& metric = *best.second.at(finding.metric);
  finding.method = best.first;
  finding.change = metric.*change;
  finding.low = metric.baseline_change_low, finding.high = metric.baseline_change_high;
  finding.cost = -best.second.at("accuracy")->baseline_change;
  finding.balanced_cost = -best.second.at("balanced_accuracy")->baseline_change;
}

/// Which selection lowers the gap most at little cost; if none does, which lowers it at the least cost.
void add_fairness(std::vector<Finding>& out, const std::string& source, const Methods& methods,
                  const std::set<const SummaryRow*>& hold, const char* gap, const char* floor) {
  const auto baseline = std::ranges::find(methods, "baseline", &Methods::value_type::first);
  if (baseline == methods.end() || !std::isfinite(baseline->second.at(gap)->low)) return; // no verdict
  Finding finding{.source = source, .kind = "fairness", .metric = gap};
  finding.level = baseline->second.at(gap)->mean;
  finding.floor = baseline->second.at(floor)->mean;
  const auto cost = [](const auto& c) { return -c.second.at("accuracy")->baseline_change; };
  const auto change = [&](const auto& c) { return c.second.at(gap)->baseline_relative; };
  Methods helpful = candidates(methods, gap);
  std::erase_if(helpful, [&](const auto& c) {
    return !hold.contains(c.second.at(gap)) || !(change(c) <= -least_reduction);
  });
  if (finding.level <= near_floor * finding.floor) helpful.clear(); // there is nothing to lower
  Methods cheap = helpful;
  std::erase_if(cheap, [&](const auto& c) { return !(cost(c) <= largest_cost); });
  if (!cheap.empty())
    describe(finding, *std::ranges::min_element(cheap, {}, change), &SummaryRow::baseline_relative);
  else if (!helpful.empty())
    describe(finding, *std::ranges::min_element(helpful, {}, cost), &SummaryRow::baseline_relative);
  out.push_back(std::move(finding));
}

/// Which selection raises the accuracy most.
void add_accuracy(std::vector<Finding>& out, const std::string& source, const Methods& methods,
                  const std::set<const SummaryRow*>& hold) {
  const auto change = [](const auto& c) { return c.second.at("accuracy")->baseline_change; };
  Methods raise = candidates(methods, "accuracy");
  std::erase_if(raise,
                [&](const auto& c) { return !hold.contains(c.second.at("accuracy")) || change(c) <= 0; });
  Finding finding{.source = source, .kind = "accuracy", .metric = "accuracy"};
  if (!raise.empty()) {
    describe(finding, *std::ranges::max_element(raise, {}, change), &SummaryRow::baseline_change);
    const SummaryRow& best =
        *std::ranges::find(raise, finding.method, &Methods::value_type::first)->second.at("accuracy");
    finding.level = best.mean - finding.change;
  }
  out.push_back(std::move(finding));
}

std::string fairness_text(const Finding& f) {
  const char* const name = f.metric == "eo_gap" ? "the EO" : "the DP";
  const std::string chance =
      format(" (gap of all rows %.3f; a fair model would show %.3f by chance)", f.level, f.floor);
  if (f.level <= near_floor * f.floor)
    return format("no selection of rows helps here: %s gap is near what a fair model shows by chance", name) +
           chance;
  if (f.method.empty())
    return format("no selection of rows helps here: none lowers %s gap by a quarter beyond chance", name) +
           chance;
  if (f.cost <= largest_cost)
    return format("at a cost of at most 1 point, %s gap is lowered most by %s, %+.0f %% at %+.1f points "
                  "(balanced accuracy %+.1f)",
                  name, f.method.c_str(), 100.0 * f.change, -100.0 * f.cost, -100.0 * f.balanced_cost) +
           chance;
  return format(
             "%s gap is lowered by a quarter only at a cost of more than 1 point; at the least cost by %s, "
             "%+.0f %% for %.2f points",
             name, f.method.c_str(), 100.0 * f.change, 100.0 * f.cost) +
         chance;
}

/// The groups that are too small to judge, each by the rate of its smaller label.
void add_small_groups(std::vector<Finding>& out, const std::string& source, const SourceDesign& design) {
  const auto& [zeros, ones] = design.test_rows;
  for (std::size_t z = 0; z < zeros.size(); ++z) {
    const Index rows = std::min(zeros[z], ones[z]);
    if (rows >= least_cell_rows) continue;
    out.push_back({.source = source,
                   .kind = "small",
                   .metric = ones[z] <= zeros[z] ? "true_positive_rate" : "false_positive_rate",
                   .group = design.groups > 1 ? design.group_names.at(z) : "",
                   .level = static_cast<double>(rows),
                   .floor = static_cast<double>(least_cell_rows)});
  }
}

bool has_small_groups(const SourceDesign& design) {
  return std::ranges::any_of(design.test_rows, [](const std::vector<Index>& cells) {
    return std::ranges::any_of(cells, [](Index rows) { return rows < least_cell_rows; });
  });
}

/// Says what about a table makes its figures uncertain.
void add_design(std::vector<Finding>& out, const std::string& source, const SourceDesign& design) {
  if (design.kind == SourceDesign::Kind::tasks) return;
  if (design.rows < least_rows)
    out.push_back({.source = source,
                   .kind = "small",
                   .level = static_cast<double>(design.rows),
                   .floor = static_cast<double>(least_rows)});
  else
    add_small_groups(out, source, design);
  for (const Index z : design.untrained)
    out.push_back({.source = source,
                   .kind = "small",
                   .group = design.group_names.at(static_cast<std::size_t>(z)),
                   .level = 0,
                   .floor = 1});
  if (design.kind == SourceDesign::Kind::test_part) out.push_back({.source = source, .kind = "test_part"});
}

/// Mean share of hidden positives over the splits of the source, for each group that is named in one; splits
/// that name another group count as none.
void add_hidden(std::vector<Finding>& out, const std::string& source,
                const std::vector<HiddenPositivesRow>& hidden) {
  struct Sum {
    double share = 0, evidence = 0;
  };
  std::map<std::string, Sum> groups;
  double splits = 0;
  for (const HiddenPositivesRow& row : hidden) {
    if (row.source != source) continue;
    Sum& sum = groups[row.name];
    sum.share += row.share, sum.evidence += row.evidence;
    ++splits;
  }
  for (const auto& [group, sum] : groups) {
    std::string text = hidden_positives_text(group, sum.share / splits, sum.evidence / splits);
    if (!text.empty())
      out.push_back({.source = source,
                     .kind = "hidden",
                     .text = std::move(text),
                     .group = group,
                     .level = sum.share / splits});
  }
}

std::string small_text(const Finding& f) {
  const std::string of_group = f.group.empty() ? "" : "group '" + f.group + "' has ";
  if (f.metric.empty() && f.group.empty())
    return format("WARNING: %.0f rows are too few to judge a selection (fewer than %.0f)", f.level, f.floor);
  if (f.metric.empty()) return "WARNING: " + of_group + "no training row: no model has learnt from it";
  return "WARNING: " + of_group +
         format("%.0f test row%s of label %d a split: too few to judge %s rates (fewer than %.0f)", f.level,
                f.level == 1 ? "" : "s", f.metric == "true_positive_rate" ? 1 : 0,
                f.group.empty() ? "the" : "its", f.floor);
}

/// Words of a finding, from its other fields.
std::string text_of(const Finding& f) {
  if (f.kind == "constant")
    return "WARNING: a model that gives one class to over 98 % of the test rows is of no use, however fair "
           "it looks; "
           "models: " +
           f.method;
  if (f.kind == "undefined")
    return "a gap is undefined (an empty group or cell of the test rows) in so many repeats, which are left "
           "out: " +
           f.method;
  if (f.kind == "failed") return "the fit failed; models: " + f.method;
  if (f.kind == "small") return small_text(f);
  if (f.kind == "test_part")
    return "the data set has a test part of its own: intervals cover the chance of its test rows only";
  if (f.metric.empty())
    return "one repeat only: whether a selection helps cannot be distinguished from chance";
  if (f.kind == "fairness") return fairness_text(f);
  if (f.method.empty()) return "no selection of rows raises it here beyond chance";
  return format("raised most by %s, %+.2f points [%+.2f, %+.2f]", f.method.c_str(), 100.0 * f.change,
                100.0 * f.low, 100.0 * f.high);
}

} // namespace

std::string hidden_positives_text(const std::string& group, double share, double evidence) {
  if (group.empty() || share < least_hidden) return "";
  return format(
      "labels seem to hide %.0f %% of the positives of group '%s' (log-likelihood %+.1f against none)",
      100.0 * share, group.c_str(), evidence);
}

std::vector<Finding> findings_of(const std::vector<EvaluationRow>& rows,
                                 const std::vector<SummaryRow>& summary, const SourceDesigns& designs,
                                 const std::vector<HiddenPositivesRow>& hidden) {
  static const SourceDesign independent;
  std::vector<Finding> findings;
  for (const auto& [source, methods] : by_source(summary)) {
    add_warnings(findings, source, rows);
    const auto found = designs.of.find(source);
    const SourceDesign& design = found != designs.of.end() ? found->second : independent;
    add_design(findings, source, design);
    add_hidden(findings, source, hidden);
    const bool selections = std::any_of(methods.begin(), methods.end(), [](const auto& method) {
      return selects_rows(parse_method(method.first));
    });
    const bool is_table = design.kind != SourceDesign::Kind::tasks, has_groups = design.groups > 1;
    if (!selections || (is_table && design.rows < least_rows)) continue;
    if (!std::isfinite(methods.front().second.at("accuracy")->low)) {
      findings.push_back({.source = source, .kind = has_groups ? "fairness" : "accuracy"});
      continue;
    }
    const std::set<const SummaryRow*> hold = beyond_chance(methods, has_groups);
    if (has_groups && !has_small_groups(design)) {
      add_fairness(findings, source, methods, hold, "eo_gap", "eo_floor");
      add_fairness(findings, source, methods, hold, "dp_gap", "dp_floor");
    }
    add_accuracy(findings, source, methods, hold);
  }
  for (Finding& finding : findings)
    if (finding.text.empty()) finding.text = text_of(finding);
  return findings;
}

} // namespace metasieve
