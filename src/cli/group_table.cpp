#include "cli/group_table.hpp"

#include "base/text.hpp"
#include "evaluation/findings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace metasieve {
namespace {

constexpr std::size_t most_lines = 12, name_width = 32;

/// Rates of a method in a group, by name.
using RatesByName = std::map<std::string, const GroupSummaryRow*>;
/// Rates of a method, by the number of the group.
using Groups = std::map<std::int64_t, RatesByName>;

/// As many columns wide as it has characters, with blanks up to `width`.
std::string padded(const std::string& text, std::size_t width) {
  const auto characters = static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
  return text + std::string(width - std::min(width, characters), ' ');
}

std::string rate_text(double rate) { return std::isfinite(rate) ? format("%.3f", rate) : "undef."; }

/// "  African-American  950  0.651 -> 0.660  ..."; `selection` may lack the group.
std::string group_line(const RatesByName& baseline, const Groups& selection) {
  const GroupSummaryRow& accuracy = *baseline.at("accuracy");
  std::string line =
      "  " + padded(cut_text(accuracy.name, name_width), name_width) + format(" %6.0f", accuracy.rows);
  const auto other = selection.find(accuracy.group);
  for (const char* rate : {"accuracy", "true_positive_rate", "false_positive_rate"}) {
    std::string cell = rate_text(baseline.at(rate)->mean);
    if (other != selection.end()) cell += " -> " + rate_text(other->second.at(rate)->mean);
    line += "  " + padded(cell, 20);
  }
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

/// Names the two groups that make the EO gap of the mean rates: the larger difference of the true and of the
/// false positive rates. Undefined rates are left out, and counted.
std::string unequal_line(const Groups& groups) {
  const GroupSummaryRow *low = nullptr, *high = nullptr;
  long undefined = 0;
  for (const char* name : {"true_positive_rate", "false_positive_rate"}) {
    std::vector<const GroupSummaryRow*> rates;
    for (const auto& [group, of_group] : groups)
      if (std::isfinite(of_group.at(name)->mean)) rates.push_back(of_group.at(name));
    undefined += static_cast<long>(groups.size() - rates.size());
    if (rates.size() < 2) continue;
    const auto [least, most] = std::ranges::minmax_element(rates, {}, &GroupSummaryRow::mean);
    if (low == nullptr || (*most)->mean - (*least)->mean > high->mean - low->mean) low = *least, high = *most;
  }
  if (low == nullptr) return "";
  std::string text = format("  EO gap %.2f of baseline's mean rates: %s positive rate of ",
                            high->mean - low->mean, high->metric == "true_positive_rate" ? "true" : "false") +
                     high->name + format(" %.2f, of ", high->mean) + low->name + format(" %.2f", low->mean);
  const double rows = std::min(low->rows, high->rows);
  if (rows < static_cast<double>(least_cell_rows))
    text += format(" (%.0f rows a split: too few to judge)", rows);
  if (undefined > 0) text += format("; undefined rates: %ld", undefined);
  return text + "\n";
}

} // namespace

std::string group_table(const std::string& source, const std::vector<GroupSummaryRow>& summary) {
  std::map<std::string, Groups> methods;
  for (const GroupSummaryRow& row : summary)
    if (row.source == source) methods[row.method][row.group][row.metric] = &row;
  const Groups& baseline = methods["baseline"];
  if (baseline.size() < 2) return "";
  constexpr std::array<const char*, 4> ours{"meta_soft", "meta_hard", "trained_soft", "trained_hard"};
  const auto shown = std::ranges::find_if(ours, [&](const char* method) { return methods.contains(method); });
  const Groups selection = shown != ours.end() ? methods.at(*shown) : Groups();
  const std::string title = shown != ours.end() ? std::string("baseline -> ") + *shown : "baseline";
  std::string text = "  " + padded("group, " + title, name_width) +
                     "   rows  accuracy              true positive rate    false positive rate\n";
  std::size_t lines = 0;
  for (const auto& [group, rates] : baseline)
    if (lines++ < most_lines) text += group_line(rates, selection);
  if (lines > most_lines) text += format("  %zu more groups, see /group_summary\n", lines - most_lines);
  return text + unequal_line(baseline);
}

} // namespace metasieve
