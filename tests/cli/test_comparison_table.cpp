#include "cli/comparison_table.hpp"
#include "cli/group_table.hpp"
#include "evaluation/statistics.hpp"

#include "support/evaluation_rows.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace metasieve {
namespace {

using test::row;

EvaluationTables tables_of(const std::vector<EvaluationRow>& rows) {
  EvaluationTables tables;
  tables.summary = summarise(rows, {}, Seed{1});
  tables.paired = compare_in_pairs(rows, {}, Seed{1});
  return tables;
}

TEST(ComparisonTable, has_every_method_its_pairs_and_findings) {
  EvaluationTables tables =
      tables_of({row("a", 0, "baseline", 0.7, 0.1), row("a", 0, "meta_hard", 0.75, 0.05),
                 row("a", 1, "baseline", 0.7, 0.1), row("a", 1, "meta_hard", 0.75, 0.05)});
  tables.findings = {{"a", "constant", "a warning"}, {"b", "constant", "of another source"}};

  const std::string table = comparison_table(tables, "dp_gap");

  EXPECT_NE(table.find("  meta_hard         0.750  +5.00"), std::string::npos) << table;
  EXPECT_NE(table.find("meta_hard - baseline"), std::string::npos);
  EXPECT_NE(table.find("won 100 %"), std::string::npos);
  EXPECT_NE(table.find("constant: a warning"), std::string::npos);
  EXPECT_EQ(table.find("another source"), std::string::npos);
  EXPECT_NE(table.find("EO gap"), std::string::npos);
}

TEST(ComparisonTable, has_no_gap_where_there_is_one_group) {
  EvaluationTables tables = tables_of({row("a", 0, "baseline", 0.7, 0), row("a", 0, "meta_hard", 0.75, 0),
                                       row("a", 1, "baseline", 0.7, 0), row("a", 1, "meta_hard", 0.75, 0)});
  tables.frontier = tables.summary;
  tables.detection = {{"a", "uniform", "meta_hard", -1, -1, 100, 30, 10, 8, 0.27, 0.8},
                      {"a", "uniform", "meta_hard", 0, -1, 100, 30, 10, 8, 0.27, 0.8},
                      {"a", "uniform", "meta_hard", -1, 0, 50, 20, 8, 7, 0.35, 0.9},
                      {"a", "uniform", "meta_hard", -1, 1, 50, 10, 2, 1, 0.1, 0.5}};
  tables.one_group = {"a"};

  const std::string text =
      comparison_table(tables, "eo_gap") + frontier_table(tables) + policy_against_baseline(tables);

  const std::size_t in_heading = text.find("gap in the adaptation"); // of the frontier: no other gap
  EXPECT_TRUE(text.find("gap ") == in_heading && text.rfind("gap ") == in_heading) << text;
  EXPECT_EQ(text.find("roh_"), std::string::npos) << text;
  EXPECT_EQ(text.find("group"), std::string::npos) << text;
  EXPECT_NE(text.find("  meta_hard         0.750  +5.00"), std::string::npos) << text;
  EXPECT_NE(text.find("hidden positives 0.35/0.90"), std::string::npos) << text;
}

TEST(ComparisonTable, shows_few_lines_of_many_small_groups) {
  EvaluationTables tables;
  tables.summary = summarise({row("a", 0, "baseline", 0.7, 0.1)}, {}, Seed{1});
  for (const char* text : {"first", "second", "third", "fourth", "fifth"})
    tables.findings.push_back({.source = "a", .kind = "small", .text = text});

  const std::string table = comparison_table(tables, "eo_gap");

  EXPECT_NE(table.find("small: third"), std::string::npos) << table;
  EXPECT_EQ(table.find("fourth"), std::string::npos) << table;
  EXPECT_NE(table.find("small: 2 more"), std::string::npos) << table;
}

/// Accuracy .5, and these rates, of 30 rows with label 1 and 40 with label 0.
void add_group(std::vector<GroupSummaryRow>& out, const std::string& method, std::int64_t group,
               const std::string& name, double true_positive, double false_positive, double positives = 30) {
  for (const GroupRate& each : group_rates) {
    GroupSummaryRow summary{};
    summary.source = "a";
    summary.method = method;
    summary.metric = each.name;
    summary.group = group;
    summary.name = name;
    summary.rows = (each.of_ones ? positives : 0) + (each.of_zeros ? 40 : 0);
    summary.mean = GroupRates{0.5, 0.5, true_positive, false_positive}.*each.rate;
    out.push_back(summary);
  }
}

TEST(GroupTable, has_a_line_a_group_and_the_pair_that_makes_the_gap) {
  std::vector<GroupSummaryRow> summary;
  for (const char* method : {"baseline", "meta_hard", "meta_soft"}) {
    const double less = method[0] == 'b' ? 0 : method[5] == 'h' ? 0.2 : 0.1;
    add_group(summary, method, 0, "White", 0.55 - less, 0.30);
    add_group(summary, method, 1, "größer", 0.714 - less, 0.45);
    add_group(summary, method, 2, "Asian", 0.40, 0.20);
  }

  const std::string table = group_table("a", summary);

  EXPECT_NE(table.find("group, baseline -> meta_soft"), std::string::npos) << table;
  EXPECT_NE(
      table.find("\n  größer                               70  0.500 -> 0.500        0.714 -> 0.614        "
                 "0.450 -> 0.450\n"),
      std::string::npos)
      << table;
  EXPECT_NE(table.find(
                "  EO gap 0.31 of baseline's mean rates: true positive rate of größer 0.71, of Asian 0.40\n"),
            std::string::npos)
      << table;
  EXPECT_EQ(std::ranges::count(table, '\n'), 5);
  EXPECT_EQ(group_table("b", summary), "");
}

TEST(GroupTable, says_of_a_gap_what_it_rests_on) {
  const double undefined = std::numeric_limits<double>::quiet_NaN();
  std::vector<GroupSummaryRow> few, none;
  add_group(few, "baseline", 0, "White", 0.5, 0.30);
  add_group(few, "baseline", 1, "Asian", 1.0, 0.30, 4);
  add_group(few, "baseline", 2, "Black", undefined, 0.35, 0);
  add_group(none, "baseline", 0, "White", undefined, undefined);
  add_group(none, "baseline", 1, "Asian", undefined, undefined);

  EXPECT_NE(
      group_table("a", few).find("true positive rate of Asian 1.00, of White 0.50 (4 rows a split: too few "
                                 "to judge); undefined rates: 1\n"),
      std::string::npos)
      << group_table("a", few);
  EXPECT_EQ(group_table("a", none).find("EO gap"), std::string::npos);
  EXPECT_NE(group_table("a", none).find("undef."), std::string::npos);
  none.resize(group_rates.size()); // one group
  EXPECT_EQ(group_table("a", none), "");
}

TEST(GroupTable, of_many_groups_shows_some) {
  std::vector<GroupSummaryRow> summary;
  for (std::int64_t group = 0; group < 64; ++group)
    add_group(summary, "baseline", group, "group " + std::to_string(group), 0.01 * static_cast<double>(group),
              0);

  const std::string table = group_table("a", summary);

  EXPECT_NE(table.find("group 11 "), std::string::npos) << table;
  EXPECT_NE(table.find("\n  52 more groups"), std::string::npos) << table;
  EXPECT_NE(table.find("of group 63 0.63, of group 0 0.00"), std::string::npos) << table;
}

} // namespace
} // namespace metasieve
