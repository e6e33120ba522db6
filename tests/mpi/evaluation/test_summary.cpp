#include "evaluation/findings.hpp"
#include "evaluation/statistics.hpp"
#include "support/evaluation_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

namespace metasieve {
namespace {

using test::row;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

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

  const auto summary = summarise(rows, {.pooled = true}, Seed{1});

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

  const auto summary = summarise(rows, {}, Seed{1});

  const SummaryRow& greedy = find(summary, "a", "greedy", "dp_gap");
  EXPECT_EQ(greedy.splits, 2);
  EXPECT_NEAR(greedy.mean, 0.2, 1e-12);
  EXPECT_NEAR(greedy.baseline_change, -0.3, 1e-12); // split 1 alone has both
  EXPECT_NEAR(greedy.baseline_relative, 0.1 / 0.4 - 1, 1e-12);
}

TEST(Summary, one_split_has_no_interval) {
  const std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.7, 0.2), row("a", 0, "greedy", 0.8, 0.1)};

  const auto summary = summarise(rows, {}, Seed{1});

  const SummaryRow& accuracy = find(summary, "a", "greedy", "accuracy");
  EXPECT_NEAR(accuracy.mean, 0.8, 1e-12);
  EXPECT_NEAR(accuracy.baseline_change, 0.1, 1e-12);
  EXPECT_TRUE(std::isnan(accuracy.low) && std::isnan(accuracy.baseline_change_high));
}

SourceDesigns splits_of_a_table(const std::string& source, double test_over_train) {
  SourceDesigns designs;
  designs.of[source].kind = SourceDesign::Kind::splits;
  designs.of[source].test_over_train = test_over_train;
  designs.of[source].rows = 1000;
  designs.of[source].group_names = {"a", "b"};
  designs.of[source].test_rows = {std::vector<Index>{100, 90}, std::vector<Index>{60, 50}};
  return designs;
}

TEST(Summary, of_splits_of_one_table_has_the_interval_of_nadeau_and_bengio) {
  std::vector<EvaluationRow> rows;
  const std::vector<double> own{0.70, 0.74, 0.72, 0.76}; // changes .01, .03, .02, .06: mean .03, s^2 = 14/3e4
  const std::vector<double> base{0.69, 0.71, 0.70, 0.70};
  for (std::size_t split = 0; split < own.size(); ++split) {
    rows.push_back(row("a", static_cast<std::int64_t>(split), "baseline", base[split], 0.1));
    rows.push_back(row("a", static_cast<std::int64_t>(split), "greedy", own[split], 0.1));
  }

  const auto summary = summarise(rows, splits_of_a_table("a", 3.0 / 7.0), Seed{1});

  const SummaryRow& accuracy = find(summary, "a", "greedy", "accuracy");
  const double error = std::sqrt(14.0 / 3.0e4) * std::sqrt(1.0 / 4 + 3.0 / 7);
  constexpr double t_3 =
      3.182446305284263; // 97.5 % quantile of Student's t with 3 degrees of freedom (tables)
  EXPECT_NEAR(accuracy.baseline_change, 0.03, 1e-12);
  EXPECT_NEAR(accuracy.baseline_change_low, 0.03 - t_3 * error, 1e-9);
  EXPECT_NEAR(accuracy.baseline_change_high, 0.03 + t_3 * error, 1e-9);
  EXPECT_GT(accuracy.baseline_p, 0.05);
  EXPECT_EQ(find(summary, "a", "greedy", "dp_gap").baseline_p, 1.0); // no difference at all
}

TEST(Summary, of_a_test_part_covers_its_rows_where_there_is_one_split) {
  constexpr Index m = 400;
  SourceDesigns designs;
  SourceDesign& design = designs.of["a"];
  design.kind = SourceDesign::Kind::test_part;
  design.rows = 1000;
  const Labels y = Labels::NullaryExpr(m, [](Index i) { return static_cast<std::uint8_t>(i % 2); });
  const Labels group = Labels::NullaryExpr(m, [](Index i) { return static_cast<std::uint8_t>(i / 2 % 2); });
  const auto right_but = [&](Index each) -> Matrix { // wrong for one row of `each`
    return Matrix::NullaryExpr(
        m, 1, [&](Index i, Index) { return (i / 4 % each == 0) != (i % 2 == 1) ? 1.0 : 0.0; });
  };
  design.resampled["baseline"] = resampled_metrics(y, group, 2, right_but(4), Seed{1});
  design.resampled["greedy"] = resampled_metrics(y, group, 2, right_but(5), Seed{1});
  const std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.75, 0), row("a", 0, "greedy", 0.80, 0)};

  const auto summary = summarise(rows, designs, Seed{1});

  const SummaryRow& accuracy = find(summary, "a", "greedy", "accuracy");
  const double error = std::sqrt(0.8 * 0.2 / m);
  EXPECT_NEAR(accuracy.low, 0.8 - 1.96 * error, 0.25 * error);
  EXPECT_NEAR(accuracy.high, 0.8 + 1.96 * error, 0.25 * error);
  // Both are wrong on every twentieth block of four rows: the change is of the others, on the same resamples.
  const double discordant = 0.25 + 0.2 - 2.0 / 20, of_change = std::sqrt((discordant - 0.05 * 0.05) / m);
  EXPECT_NEAR(accuracy.baseline_change_low, 0.05 - 1.96 * of_change, 0.25 * of_change);
  EXPECT_NEAR(accuracy.baseline_change_high, 0.05 + 1.96 * of_change, 0.25 * of_change);
  EXPECT_TRUE(std::isnan(find(summary, "a", "greedy", "auc").low));
}

GroupRow group_row(std::int64_t split, const std::string& method, std::int64_t group, double true_positive) {
  return {"a", split, -1, method, group, 10 + 2 * split, 4 + split, {0.5, 0.5, true_positive, 0.25}};
}

const GroupSummaryRow& find(const std::vector<GroupSummaryRow>& summary, const std::string& method,
                            std::int64_t group, const std::string& metric) {
  for (const GroupSummaryRow& row : summary)
    if (row.method == method && row.group == group && row.metric == metric) return row;
  throw std::runtime_error("no such row");
}

TEST(GroupSummary, of_splits_by_hand) {
  const std::vector<double> base{0.30, 0.50, 0.40, nan}, own{0.40, 0.50, 0.60, 0.70};
  std::vector<GroupRow> rows;
  for (std::int64_t split = 0; split < 4; ++split) {
    const auto at = static_cast<std::size_t>(split);
    rows.push_back(group_row(split, "baseline", 0, 0.9)); // another group
    rows.push_back(group_row(split, "baseline", 1, base[at]));
    rows.push_back(group_row(split, "greedy", 0, 0.9));
    rows.push_back(group_row(split, "greedy", 1, own[at]));
  }

  const std::vector<GroupSummaryRow> summary =
      summarise_groups(rows, splits_of_a_table("a", 3.0 / 7.0), Seed{1});

  EXPECT_EQ(summary.size(), 2U * 2 * 4);
  const GroupSummaryRow& rate = find(summary, "greedy", 1, "true_positive_rate");
  constexpr double t_2 = 4.302652729911275, t_3 = 3.182446305284263;       // 97.5 % quantiles (tables)
  const double error = std::sqrt(0.05 / 3) * std::sqrt(1.0 / 4 + 3.0 / 7); // s^2 of .4, .5, .6, .7
  const double of_change = std::sqrt(0.01) * std::sqrt(1.0 / 3 + 3.0 / 7); // of .1, 0, .2: split 3 has none
  EXPECT_EQ(rate.name, "b");
  EXPECT_NEAR(rate.mean, 0.55, 1e-12);
  EXPECT_NEAR(rate.low, 0.55 - t_3 * error, 1e-9);
  EXPECT_NEAR(rate.high, 0.55 + t_3 * error, 1e-9);
  EXPECT_EQ(rate.splits, 4);
  EXPECT_NEAR(rate.baseline_change, 0.1, 1e-12);
  EXPECT_NEAR(rate.baseline_change_low, 0.1 - t_2 * of_change, 1e-9);
  EXPECT_NEAR(rate.baseline_change_high, 0.1 + t_2 * of_change, 1e-9);
  EXPECT_EQ(find(summary, "baseline", 1, "true_positive_rate").splits, 3);
  // 10, 12, 14, 16 test rows, of which 4, 5, 6, 7 have label 1.
  EXPECT_NEAR(rate.rows, 5.5, 1e-12);
  EXPECT_NEAR(find(summary, "greedy", 1, "false_positive_rate").rows, 7.5, 1e-12);
  EXPECT_NEAR(find(summary, "greedy", 1, "accuracy").rows, 13, 1e-12);
}

/// Three groups, of which the last has one row of label 1; predictions follow from the number of a row.
struct TestPart {
  static constexpr Index rows = 1201, last = rows - 1;
  Labels y =
      Labels::NullaryExpr(rows, [](Index i) { return static_cast<std::uint8_t>(i == last || i % 5 < 2); });
  Labels group = Labels::NullaryExpr(rows, [this](Index i) {
    return static_cast<std::uint8_t>(i == last || (i % 7 > 4 && y(i) == 0) ? 2 : i % 2);
  });
  Matrix predicted = Matrix::NullaryExpr(rows, 1, [this](Index i, Index) {
    return static_cast<double>((i % 11 < 3) != (y(i) == 1 && i % 3 < 2));
  });
};

/// Every resample holds together: the gaps and the accuracy of its metrics are those of its groups.
TEST(GroupSummary, of_a_test_part_is_of_the_resamples_that_the_gaps_are_of) {
  const TestPart part;

  const Resampled resampled = resampled_metrics(part.y, part.group, 3, part.predicted, Seed{1});

  ASSERT_EQ(resampled.metrics.rows(), 1000);
  ASSERT_EQ(resampled.rates_of_group.cols(), 12);
  Vector rows = Vector::Zero(3);
  for (Index i = 0; i < part.y.size(); ++i) ++rows(part.group(i));
  const auto spread = [](const Eigen::Ref<const Eigen::RowVectorXd>& rates, Index which) {
    const std::array<double, 3> of{rates(which), rates(4 + which), rates(8 + which)};
    return *std::ranges::max_element(of) - *std::ranges::min_element(of);
  };
  for (Index b = 0; b < 1000; ++b) { // metrics: accuracy, dp_gap, eo_gap, ...; rates: see group_rates
    const Eigen::RowVectorXd metrics = resampled.metrics.row(b), rates = resampled.rates_of_group.row(b);
    EXPECT_NEAR(metrics(0), (rates(0) * rows(0) + rates(4) * rows(1) + rates(8) * rows(2)) / rows.sum(),
                1e-12);
    EXPECT_NEAR(metrics(1), spread(rates, 1), 1e-12);
    EXPECT_NEAR(metrics(2), std::max(spread(rates, 2), spread(rates, 3)), 1e-12);
  }
}

TEST(GroupSummary, of_a_test_part_covers_its_rows_and_has_no_interval_where_a_rate_is_undefined) {
  const TestPart part;
  SourceDesigns designs;
  SourceDesign& design = designs.of["a"];
  design.kind = SourceDesign::Kind::test_part;
  design.group_names = {"a", "b", "c"};
  Labels without = part.y; // group 2 has no row of label 1
  without(TestPart::last) = 0;
  design.resampled["baseline"] = resampled_metrics(without, part.group, 3, part.predicted, Seed{1});
  design.resampled["greedy"] = design.resampled["baseline"];
  const Cells cells = cells_of(part.predicted.cast<std::uint8_t>(), without, part.group, 3);
  std::vector<GroupRow> rows;
  for (const char* method : {"baseline", "greedy"})
    for (std::size_t z = 0; z < 3; ++z)
      rows.push_back({"a", 0, -1, method, static_cast<std::int64_t>(z),
                      static_cast<std::int64_t>(cells[0][z].rows + cells[1][z].rows),
                      static_cast<std::int64_t>(cells[1][z].rows), rates_of(cells[0][z], cells[1][z])});

  const std::vector<GroupSummaryRow> summary = summarise_groups(rows, designs, Seed{1});

  for (const std::int64_t z : {0, 1}) {
    const auto at = static_cast<std::size_t>(z);
    const GroupSummaryRow& rate = find(summary, "greedy", z, "true_positive_rate");
    const double p = cells[1][at].value(), error = std::sqrt(p * (1 - p) / cells[1][at].rows);
    EXPECT_NEAR(rate.mean, p, 1e-12);
    EXPECT_NEAR(rate.low, p - 1.96 * error, 0.4 * error);
    EXPECT_NEAR(rate.high, p + 1.96 * error, 0.4 * error);
    EXPECT_EQ(rate.rows, cells[1][at].rows);
    // The same predictions: on the same resamples no change at all.
    EXPECT_TRUE(rate.baseline_change_low == 0 && rate.baseline_change_high == 0);
  }
  const GroupSummaryRow& undefined = find(summary, "greedy", 2, "true_positive_rate");
  EXPECT_TRUE(std::isnan(undefined.mean) && std::isnan(undefined.low) && undefined.splits == 0);
  EXPECT_EQ(undefined.rows, 0);
  EXPECT_TRUE(std::isfinite(find(summary, "greedy", 2, "false_positive_rate").low));
}

TEST(GroupRates, are_counted_by_hand) {
  const GroupRates rates = rates_of({2, 8}, {3, 4}); // 2 of 8 negatives, 3 of 4 positives are predicted 1
  EXPECT_NEAR(rates.accuracy, 9.0 / 12, 1e-12);
  EXPECT_NEAR(rates.positive_rate, 5.0 / 12, 1e-12);
  EXPECT_NEAR(rates.true_positive_rate, 3.0 / 4, 1e-12);
  EXPECT_NEAR(rates.false_positive_rate, 2.0 / 8, 1e-12);
  EXPECT_TRUE(std::isnan(rates_of({2, 8}, {0, 0}).true_positive_rate));
}

TEST(Summary, nowhere_defined_is_nan_and_not_zero) {
  const std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.7, nan)};

  const SummaryRow gap = find(summarise(rows, {}, Seed{1}), "a", "baseline", "dp_gap");

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

  const SummaryRow accuracy = find(summarise(rows, {}, Seed{1}), "a", "baseline", "accuracy");

  EXPECT_NEAR(accuracy.mean, mean, 1e-12);
  EXPECT_NEAR(accuracy.low, mean - 1.96 * error, 0.25 * error);
  EXPECT_NEAR(accuracy.high, mean + 1.96 * error, 0.25 * error);
}

TEST(Summary, families_pool_and_data_sets_do_not) {
  const std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.6, 0.1), row("b", 1, "baseline", 0.8, 0.1)};

  EXPECT_NEAR(find(summarise(rows, {.pooled = true}, Seed{1}), "all", "baseline", "accuracy").mean, 0.7,
              1e-12);
  EXPECT_THROW(find(summarise(rows, {}, Seed{1}), "all", "baseline", "accuracy"), std::runtime_error);
}

TEST(Summary, policies_are_averaged_within_a_split_before_splits_are_resampled) {
  std::vector<EvaluationRow> rows;
  for (std::int64_t split = 0; split < 2; ++split) {
    rows.push_back(row("a", split, "baseline", 0.7, 0.2));
    for (std::int64_t policy = 0; policy < 2; ++policy) {
      rows.push_back(row("a", split, "meta_hard", 0.7 + 0.02 * static_cast<double>(policy), 0.1));
      rows.back().policy = policy;
    }
  }
  rows.back().metrics.dp_gap = nan; // split 1, policy 1: the other policy alone speaks for the split

  const auto summary = summarise(rows, {}, Seed{1});

  const SummaryRow& accuracy = find(summary, "a", "meta_hard", "accuracy");
  EXPECT_EQ(accuracy.splits, 2);
  EXPECT_EQ(accuracy.policies, 2);
  EXPECT_NEAR(accuracy.mean, 0.71, 1e-12);
  EXPECT_NEAR(accuracy.low, 0.71, 1e-12); // both splits have the same mean
  EXPECT_NEAR(accuracy.high, 0.71, 1e-12);
  EXPECT_NEAR(accuracy.policy_sd, 0.02 / std::sqrt(2.0), 1e-12);
  EXPECT_EQ(find(summary, "a", "meta_hard", "dp_gap").splits, 2);
  EXPECT_TRUE(std::isnan(find(summary, "a", "baseline", "accuracy").policy_sd));
}

TEST(Pairs, differences_and_shares_won_by_hand) {
  std::vector<EvaluationRow> rows;
  const std::vector<double> own{0.80, 0.70, 0.60, 0.75}, peer{0.70, 0.70, 0.65, 0.70},
      own_gap{0.1, 0.1, 0.1, nan}, peer_gap{0.2, 0.05, 0.1, 0.2};
  for (std::int64_t split = 0; split < 4; ++split) {
    const auto at = static_cast<std::size_t>(split);
    rows.push_back(row("a", split, "roh", peer[at], peer_gap[at]));
    rows.push_back(row("a", split, "meta_hard", own[at], own_gap[at]));
    rows.back().policy = 0;
  }

  const std::vector<PairedRow> pairs = compare_in_pairs(rows, {}, Seed{1});

  const auto of = [&](const std::string& metric) {
    for (const PairedRow& pair : pairs)
      if (pair.metric == metric) return pair;
    throw std::runtime_error("no such pair");
  };
  EXPECT_EQ(of("accuracy").method, "meta_hard");
  EXPECT_EQ(of("accuracy").peer, "roh");
  EXPECT_NEAR(of("accuracy").difference, (0.1 + 0 - 0.05 + 0.05) / 4, 1e-12);
  EXPECT_NEAR(of("accuracy").won, 2.5 / 4, 1e-12); // a tie counts half
  EXPECT_EQ(of("dp_gap").splits, 3);
  EXPECT_NEAR(of("dp_gap").difference, (-0.1 + 0.05 + 0) / 3, 1e-12);
  EXPECT_NEAR(of("dp_gap").won, 1.5 / 3, 1e-12);                               // lower is better
  for (const PairedRow& pair : pairs) EXPECT_NE(pair.metric, "positive_rate"); // neither better nor worse
}

TEST(Pairs, a_tie_of_several_policies_is_a_tie_whatever_the_rounding) {
  std::vector<EvaluationRow> rows;
  for (std::int64_t split = 0; split < 100; ++split) {
    const double accuracy = static_cast<double>(200 + split) / 300.0;
    rows.push_back(row("a", split, "roh", accuracy, 0.1));
    for (std::int64_t policy = 0; policy < 3; ++policy) {
      rows.push_back(row("a", split, "meta_hard", accuracy, 0.1));
      rows.back().policy = policy;
    }
  }

  for (const PairedRow& pair : compare_in_pairs(rows, {}, Seed{1})) {
    if (pair.metric != "accuracy" && pair.metric != "dp_gap") continue;
    EXPECT_EQ(pair.won, 0.5) << pair.metric;
  }
}

TEST(Frontier, each_setting_is_summed_up_against_the_same_baseline) {
  const std::vector<EvaluationRow> baseline{row("a", 0, "baseline", 0.7, 0.2),
                                            row("a", 1, "baseline", 0.8, 0.2)};
  std::vector<FrontierRow> points;
  for (const double setting : {0.1, 0.0})
    for (std::int64_t split = 0; split < 2; ++split)
      points.push_back({row("a", split, "penalised", 0.7 - setting, 0.2 - setting), setting});

  const std::vector<SummaryRow> frontier = summarise_frontier(points, baseline, {}, Seed{1});

  std::vector<double> settings, changes;
  for (const SummaryRow& point : frontier) {
    EXPECT_EQ(point.method, "penalised");
    if (point.metric != "accuracy") continue;
    settings.push_back(point.setting);
    changes.push_back(point.baseline_change);
  }
  EXPECT_EQ(settings, (std::vector<double>{0.0, 0.1}));
  EXPECT_NEAR(changes.at(0), -0.05, 1e-12);
  EXPECT_NEAR(changes.at(1), -0.15, 1e-12);
}

std::string findings_text(const std::vector<EvaluationRow>& rows) {
  std::string text;
  for (const Finding& finding : findings_of(rows, summarise(rows, {}, Seed{1}), {}))
    text += finding.kind + ": " + finding.text + "\n";
  return text;
}

TEST(Findings, warn_of_constant_predictors_and_undefined_gaps) {
  std::vector<EvaluationRow> rows{row("a", 0, "baseline", 0.7, 0.1), row("a", 0, "greedy", 0.7, nan)};
  rows[1].metrics.positive_rate = 0.0;

  const std::string text = findings_text(rows);

  EXPECT_NE(text.find("constant: WARNING: a model that gives one class to over 98 %"), std::string::npos);
  EXPECT_NE(text.find("models: greedy 1"), std::string::npos);
  EXPECT_NE(text.find("undefined: a gap"), std::string::npos);
  EXPECT_EQ(text.find("baseline 1"), std::string::npos);
}

TEST(Findings, claim_something_of_few_sources_without_any_effect) {
  const Stream stream(Seed{7}, Draw::covariates, TaskId{0});
  Index at = 0, claimed = 0;
  constexpr Index sources = 400;
  for (Index source = 0; source < sources; ++source) {
    std::vector<EvaluationRow> rows;
    std::map<std::string, double> shared; // by the rows that the splits of a table have in common
    for (const char* method : {"greedy", "reweighing", "roh", "trained_hard", "trained_soft", "meta_hard"})
      shared[method] = std::sqrt(0.3) * stream.normal(at++);
    for (std::int64_t split = 0; split < 10; ++split) {
      rows.push_back(row("a", split, "baseline", 0.7, 0.3));
      for (const auto& [method, effect] : shared) {
        const double change = 0.01 * (effect + std::sqrt(0.7) * stream.normal(at++));
        rows.push_back(row("a", split, method, 0.7 + change, 0.3 + 10 * change));
      }
    }
    const SourceDesigns designs = splits_of_a_table("a", 3.0 / 7.0);
    for (const Finding& finding : findings_of(rows, summarise(rows, designs, Seed{1}), designs))
      if (!finding.method.empty()) {
        ++claimed;
        break;
      }
  }
  EXPECT_LE(claimed, sources / 20);
}

TEST(Findings, of_a_table_that_is_too_small_say_so_and_judge_nothing) {
  std::vector<EvaluationRow> rows;
  for (std::int64_t split = 0; split < 10; ++split) {
    rows.push_back(row("a", split, "baseline", 0.5, 0.3));
    rows.push_back(row("a", split, "greedy", 0.9, 0.1));
  }
  SourceDesigns designs = splits_of_a_table("a", 3.0 / 7.0);
  designs.of["a"].rows = 60;
  const auto kinds = [&] {
    std::string names;
    for (const Finding& finding : findings_of(rows, summarise(rows, designs, Seed{1}), designs))
      names += finding.kind + " ";
    return names;
  };

  EXPECT_EQ(kinds(), "small ");
  designs.of["a"].rows = 600;
  designs.of["a"].test_rows[1][0] = 4;
  EXPECT_EQ(kinds(), "small accuracy ");
}

/// The findings about a table of 1000 rows with three groups; cells: test rows [label][group].
TEST(Findings, hidden_positives_are_worth_a_word_from_a_tenth_on) {
  const std::vector<EvaluationRow> rows{row("data", 0, "baseline", 0.7, 0.1)};
  const auto found = [&](const std::vector<HiddenPositivesRow>& hidden) {
    std::vector<Finding> out;
    for (Finding& finding : findings_of(rows, summarise(rows, {}, Seed{1}), {}, hidden))
      if (finding.kind == "hidden") out.push_back(std::move(finding));
    return out;
  };

  EXPECT_TRUE(found({}).empty());
  EXPECT_TRUE(found({{"data", 0, 1, "F", 0.08, 0.2}, {"other", 0, 1, "F", 0.5, 20.0}}).empty());
  const std::vector<Finding> said =
      found({{"data", 0, 1, "F", 0.4, 8.0}, {"data", 1, 1, "F", 0.2, 4.0}, {"data", 2, 0, "M", 0.12, 1.0}});
  ASSERT_EQ(said.size(), 1U); // M is named in one split of three
  EXPECT_EQ(said[0].group, "F");
  EXPECT_NEAR(said[0].level, 0.2, 1e-12);
  EXPECT_EQ(said[0].text,
            "labels seem to hide 20 % of the positives of group 'F' (log-likelihood +4.0 against none)");
}

std::vector<Finding> findings_of_groups(const std::array<std::vector<Index>, 2>& cells,
                                        const std::vector<Index>& untrained = {}) {
  std::vector<EvaluationRow> rows;
  for (std::int64_t split = 0; split < 10; ++split) {
    rows.push_back(row("a", split, "baseline", 0.5, 0.3));
    rows.push_back(row("a", split, "greedy", 0.9, 0.1));
  }
  SourceDesigns designs = splits_of_a_table("a", 3.0 / 7.0);
  SourceDesign& design = designs.of["a"];
  design.groups = std::ssize(cells[0]);
  design.group_names = {"White", "Asian", "Black"};
  design.test_rows = cells;
  design.untrained = untrained;
  return findings_of(rows, summarise(rows, designs, Seed{1}), designs);
}

TEST(Findings, name_the_groups_and_labels_that_are_too_small) {
  const std::vector<Finding> found = findings_of_groups(
      {std::vector<Index>{80, 12, 7}, std::vector<Index>{60, 4, 9}}, std::vector<Index>{2});

  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].text, "WARNING: group 'Asian' has 4 test rows of label 1 a split: too few to judge its "
                           "rates (fewer than 10)");
  EXPECT_EQ(found[0].group, "Asian");
  EXPECT_EQ(found[0].metric, "true_positive_rate");
  EXPECT_TRUE(found[0].level == 4 && found[0].floor == 10);
  EXPECT_EQ(found[1].text, "WARNING: group 'Black' has 7 test rows of label 0 a split: too few to judge its "
                           "rates (fewer than 10)");
  EXPECT_EQ(found[1].metric, "false_positive_rate");
  EXPECT_EQ(found[2].text, "WARNING: group 'Black' has no training row: no model has learnt from it");
  EXPECT_EQ(found[3].kind, "accuracy"); // and nothing of fairness
}

TEST(Findings, judge_fairness_where_every_group_has_enough_rows) {
  const std::vector<Finding> found =
      findings_of_groups({std::vector<Index>{80, 12, 10}, std::vector<Index>{60, 10, 19}});

  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(found[0].kind == "fairness" && found[1].kind == "fairness" && found[2].kind == "accuracy");
}

TEST(Findings, of_one_group_judge_no_gap) {
  std::vector<EvaluationRow> rows;
  for (std::int64_t split = 0; split < 10; ++split) {
    const double jitter = 0.001 * static_cast<double>(split % 3);
    rows.push_back(row("a", split, "baseline", 0.5, 0));
    rows.push_back(row("a", split, "greedy", 0.9 + jitter, 0));
  }
  SourceDesigns designs = splits_of_a_table("a", 3.0 / 7.0);
  SourceDesign& design = designs.of["a"];
  design.groups = 1;
  design.group_names = {"all"};
  design.test_rows = {std::vector<Index>{80}, std::vector<Index>{1}};
  const auto found = [&](const std::vector<EvaluationRow>& of) {
    std::string text;
    for (const Finding& finding : findings_of(of, summarise(of, designs, Seed{1}), designs))
      text += finding.kind + ": " + finding.text + "\n";
    return text;
  };

  const std::string several = found(rows), one = found({rows[0], rows[1]});

  EXPECT_EQ(several.find("gap"), std::string::npos) << several;
  EXPECT_EQ(several.find("fairness"), std::string::npos) << several;
  EXPECT_NE(several.find("small: WARNING: 1 test row of label 1 a split: too few to judge the rates"),
            std::string::npos)
      << several;
  EXPECT_NE(several.find("accuracy: raised most by greedy"), std::string::npos) << several;
  EXPECT_NE(one.find("accuracy: one repeat only"), std::string::npos) << one;
  EXPECT_EQ(one.find("gap"), std::string::npos) << one;
}

/// In a suite of K = 1 too, whose design is known by its largest K alone.
TEST(Findings, of_tasks_with_one_group_judge_no_gap) {
  std::vector<EvaluationRow> rows;
  for (std::int64_t split = 0; split < 10; ++split) {
    rows.push_back(row("a", split, "baseline", 0.5, 0));
    rows.push_back(row("a", split, "greedy", 0.9, 0));
  }
  SourceDesigns designs;
  designs.of["a"].groups = 1;

  const std::vector<Finding> found = findings_of(rows, summarise(rows, designs, Seed{1}), designs);

  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].kind == "accuracy" && found[0].method == "greedy");
}

TEST(Findings, name_the_least_costly_help_where_all_costs_more_than_a_point) {
  std::vector<EvaluationRow> rows;
  for (std::int64_t split = 0; split < 10; ++split) {
    const double jitter = 0.001 * static_cast<double>(split % 3);
    const auto add = [&](const char* method, double accuracy, double gap) {
      rows.push_back(row("a", split, method, accuracy, 0.3));
      rows.back().metrics.eo_gap = gap + jitter;
    };
    add("baseline", 0.70, 0.30);
    add("greedy", 0.66, 0.01);
    add("meta_soft", 0.6895, 0.03);
    add("meta_hard", 0.70, 0.35); // more unfair
  }

  EXPECT_NE(findings_text(rows).find("a quarter only at a cost of more than 1 point; at the least cost by "
                                     "meta_soft, -90 % for 1.05 points"),
            std::string::npos)
      << findings_text(rows);
}

TEST(Findings, fit_into_their_field) {
  std::vector<EvaluationRow> rows;
  for (std::int64_t split = 0; split < 10; ++split)
    for (const char* method : {"baseline", "untrained_hard", "untrained_soft", "greedy_weighted"}) {
      rows.push_back(row("a", split, method, method[0] == 'b' ? 0.7 : 0.69, method[0] == 'b' ? 0.3 : 0.1));
      rows.back().metrics.eo_gap = rows.back().metrics.dp_gap;
      rows.push_back(rows.back());
      rows.back().split += 100;
      rows.back().failed = 1;
    }

  for (const Finding& finding : findings_of(rows, summarise(rows, {}, Seed{1}), {}))
    EXPECT_LT(finding.text.size(), 255U) << finding.text;
}

TEST(Findings, say_where_no_selection_helps_and_where_one_does) {
  std::vector<EvaluationRow> helped, not_helped;
  for (std::int64_t split = 0; split < 10; ++split) {
    const double jitter = 0.001 * static_cast<double>(split % 3);
    const auto add = [&](std::vector<EvaluationRow>& rows, const char* method, double accuracy, double gap) {
      rows.push_back(row("a", split, method, accuracy + jitter, gap + jitter));
      rows.back().metrics.eo_gap = gap + jitter;
    };
    for (auto* rows : {&helped, &not_helped}) {
      add(*rows, "baseline", 0.70, 0.30);
      add(*rows, "penalised", 0.70, 0.01);  // selects no rows
      add(*rows, "reweighing", 0.60, 0.02); // too dear
      add(*rows, "oracle", 0.75, 0.01);     // knows the clean labels
      add(*rows, "roh", 0.70, 0.0);         // says the same of all rows
      rows->back().metrics.positive_rate = 0.01;
      add(*rows, "trained_soft", 0.70, 0.0); // or nearly so
      rows->back().metrics.balanced_accuracy = -0.3;
    }
    add(helped, "greedy", 0.695, 0.10);
    add(not_helped, "greedy", 0.699, 0.28);
  }

  std::vector<EvaluationRow> at_floor = not_helped;
  for (EvaluationRow& row : at_floor) row.metrics.eo_floor = 0.25;

  EXPECT_NE(
      findings_text(at_floor).find("no selection of rows helps here: the EO gap is near what a fair model"),
      std::string::npos);
  const std::vector<Finding> found = findings_of(helped, summarise(helped, {}, Seed{1}), {});
  const auto eo =
      std::find_if(found.begin(), found.end(), [](const Finding& f) { return f.metric == "eo_gap"; });
  ASSERT_NE(eo, found.end());
  EXPECT_EQ(eo->method, "greedy");
  EXPECT_NEAR(eo->change, -0.2 / 0.3009, 1e-9);
  EXPECT_NEAR(eo->high, -0.2, 1e-9);
  EXPECT_NEAR(eo->cost, 0.005, 1e-9);
  EXPECT_NEAR(eo->level, 0.3009, 1e-9); // 0.30, and the mean of ten jitters
  EXPECT_NE(findings_text(helped).find("EO gap is lowered most by greedy, -66 % at -0.5 points"),
            std::string::npos)
      << findings_text(helped);
  EXPECT_NE(findings_text(not_helped)
                .find("a quarter only at a cost of more than 1 point; at the least cost by "
                      "reweighing"),
            std::string::npos)
      << findings_text(not_helped);
  EXPECT_NE(findings_text(not_helped).find("no selection of rows raises it"), std::string::npos);
}

} // namespace
} // namespace metasieve
