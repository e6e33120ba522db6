#include "run/summary.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace metasieve {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

EvaluationRow row(const std::string& source, std::int64_t split, const std::string& method, double accuracy,
                  double dp_gap) {
  EvaluationRow out{};
  out.source = source;
  out.split = split;
  out.method = method;
  out.metrics.accuracy = accuracy;
  out.metrics.dp_gap = dp_gap;
  out.metrics.positive_rate = 0.5;
  return out;
}

const SummaryRow& find(const std::vector<SummaryRow>& summary, const std::string& source,
                       const std::string& method, const std::string& metric) {
  for (const SummaryRow& row : summary)
    if (row.source == source && row.method == method && row.metric == metric) return row;
  throw std::runtime_error("no such row");
}

TEST(Summary, means_and_paired_changes_by_hand) {
  const std::vector<EvaluationRow> rows{
      row("a", 0, "baseline", 0.70, 0.20), row("a", 0, "greedy", 0.75, 0.10),
      row("a", 1, "baseline", 0.80, 0.40), row("a", 1, "greedy", 0.81, 0.05)};

  const auto summary = summarise(rows, Pooling::sources, Seed{1});

  const SummaryRow& accuracy = find(summary, "a", "greedy", "accuracy");
  EXPECT_NEAR(accuracy.mean, 0.78, 1e-12);
  EXPECT_NEAR(accuracy.baseline_change, 0.03, 1e-12);
  EXPECT_NEAR(find(summary, "a", "greedy", "dp_gap").baseline_relative, 0.075 / 0.30 - 1, 1e-12);
  EXPECT_EQ(accuracy.splits, 2);
  // Of two splits, resamples are the one, the other, or both: the interval spans them.
  EXPECT_NEAR(accuracy.low, 0.75, 1e-12);
  EXPECT_NEAR(accuracy.high, 0.81, 1e-12);
}

TEST(Summary, undefined_values_are_left_out_in_pairs) {
  const std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.7, nan), row("a", 0, "greedy", 0.7, 0.3),
                                        row("a", 1, "baseline", 0.7, 0.4), row("a", 1, "greedy", 0.7, 0.1),
                                        row("a", 2, "baseline", 0.7, 0.2), row("a", 2, "greedy", 0.7, nan)};

  const auto summary = summarise(rows, Pooling::none, Seed{1});

  const SummaryRow& greedy = find(summary, "a", "greedy", "dp_gap");
  EXPECT_EQ(greedy.splits, 2);
  EXPECT_NEAR(greedy.mean, 0.2, 1e-12);
  EXPECT_NEAR(greedy.baseline_change, -0.3, 1e-12); // split 1 alone has both
  EXPECT_NEAR(greedy.baseline_relative, 0.1 / 0.4 - 1, 1e-12);
}

TEST(Summary, nowhere_defined_is_nan_and_not_zero) {
  const std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.7, nan)};

  const SummaryRow gap = find(summarise(rows, Pooling::none, Seed{1}), "a", "baseline", "dp_gap");

  EXPECT_EQ(gap.splits, 0);
  EXPECT_TRUE(std::isnan(gap.mean) && std::isnan(gap.low) && std::isnan(gap.baseline_relative));
}

TEST(Summary, interval_of_many_splits_has_the_normal_width) {
  const Stream stream(Seed{3}, Draw::covariates, TaskId{0});
  std::vector<EvaluationRow> rows;
  double sum = 0, square = 0;
  constexpr Index splits = 400;
  for (Index i = 0; i < splits; ++i) {
    const double value = 0.8 + 0.05 * stream.normal(i);
    rows.push_back(row("a", i, "baseline", value, 0.1));
    sum += value;
    square += value * value;
  }
  const double mean = sum / splits, error = std::sqrt((square / splits - mean * mean) / splits);

  const SummaryRow accuracy = find(summarise(rows, Pooling::none, Seed{1}), "a", "baseline", "accuracy");

  EXPECT_NEAR(accuracy.mean, mean, 1e-12);
  EXPECT_NEAR(accuracy.low, mean - 1.96 * error, 0.25 * error);
  EXPECT_NEAR(accuracy.high, mean + 1.96 * error, 0.25 * error);
}

TEST(Summary, families_pool_and_data_sets_do_not) {
  const std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.6, 0.1), row("b", 1, "baseline", 0.8, 0.1)};

  EXPECT_NEAR(find(summarise(rows, Pooling::sources, Seed{1}), "all", "baseline", "accuracy").mean, 0.7,
              1e-12);
  EXPECT_THROW(find(summarise(rows, Pooling::none, Seed{1}), "all", "baseline", "accuracy"),
               std::runtime_error);
}

TEST(ComparisonTable, warns_of_constant_predictors_and_undefined_gaps) {
  std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.7, 0.1), row("a", 0, "greedy", 0.7, nan)};
  rows[1].metrics.positive_rate = 0.0;

  const std::string table = comparison_table(rows, summarise(rows, Pooling::none, Seed{1}));

  EXPECT_NE(table.find("one class for over 98 %"), std::string::npos);
  EXPECT_NE(table.find("greedy 1"), std::string::npos);
  EXPECT_NE(table.find("undefined"), std::string::npos);
  EXPECT_EQ(table.find("baseline 1"), std::string::npos);
}

} // namespace
} // namespace metasieve
