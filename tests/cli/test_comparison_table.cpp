#include "cli/comparison_table.hpp"
#include "evaluation/statistics.hpp"

#include "support/evaluation_rows.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

using test::row;

TEST(ComparisonTable, has_every_method_its_pairs_and_findings) {
  std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.7, 0.1), row("a", 0, "meta_hard", 0.75, 0.05),
                                  row("a", 1, "baseline", 0.7, 0.1), row("a", 1, "meta_hard", 0.75, 0.05)};
  EvaluationTables tables;
  tables.summary = summarise(rows, {}, Seed{1});
  tables.paired = compare_in_pairs(rows, {}, Seed{1});
  tables.findings = {{"a", "constant", "a warning"}, {"b", "constant", "of another source"}};

  const std::string table = comparison_table(tables, "dp_gap");

  EXPECT_NE(table.find("  meta_hard         0.750  +5.00"), std::string::npos) << table;
  EXPECT_NE(table.find("meta_hard - baseline"), std::string::npos);
  EXPECT_NE(table.find("won 100 %"), std::string::npos);
  EXPECT_NE(table.find("constant: a warning"), std::string::npos);
  EXPECT_EQ(table.find("another source"), std::string::npos);
}

} // namespace
} // namespace metasieve
