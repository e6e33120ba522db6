#include "fairness/outer_loss.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace metasieve {
namespace {

using namespace test;

using Case = std::tuple<AccuracyLoss, Gap, Index>;
class OuterLoss : public ::testing::TestWithParam<Case> {};

TEST_P(OuterLoss, pullback_agrees_with_central_differences) {
  const auto [accuracy, gap, groups] = GetParam();
  const OuterOptions options{accuracy, gap, 0.7};
  const Vector score = normals(60, 1);
  const Labels y = coin(60, 2), group = random_groups(60, groups, 3);
  const auto value = [&](const Vector& f) { return outer_loss(f, y, group, options).loss; };

  const Vector d_score = pullback(outer_loss(score, y, group, options));

  EXPECT_LT(relative_error(d_score, central_difference(value, score)), 1e-6);
}

TEST_P(OuterLoss, bits_do_not_depend_on_how_groups_are_numbered) {
  const auto [accuracy, gap, groups] = GetParam();
  const OuterOptions options{accuracy, gap, 0.7};
  const Labels y = coin(157, 2), group = random_groups(157, groups, 3);
  const OuterTrace before = outer_loss(normals(157, 1), y, group, options);

  std::vector<Labels> others;
  others.push_back(12 * group.array()); // numbers without rows
  for (const std::vector<Index>& numbers : other_numbers(groups))
    others.push_back(renumbered(group, numbers));
  for (const Labels& other : others) {
    const OuterTrace after = outer_loss(normals(157, 1), y, other, options);

    EXPECT_EQ(after.fairness_loss, before.fairness_loss);
    EXPECT_EQ(after.d_score, before.d_score);
  }
}

INSTANTIATE_TEST_SUITE_P(all, OuterLoss,
                         ::testing::Combine(::testing::Values(AccuracyLoss::logistic, AccuracyLoss::zero_one,
                                                              AccuracyLoss::balanced),
                                            ::testing::Values(Gap::dp, Gap::eo, Gap::both, Gap::none),
                                            ::testing::Values<Index>(1, 2, 3, 5)));

/// Mean of sigmoid(4 f) over the rows of group k with label y (any label: 2).
double rate_of(const Vector& score, const Labels& labels, const Labels& group, int k, int y) {
  double sum = 0, rows = 0;
  for (Index i = 0; i < score.size(); ++i)
    if (group(i) == k && (y == 2 || labels(i) == y)) {
      sum += 1 / (1 + std::exp(-4 * score(i)));
      ++rows;
    }
  return sum / rows;
}

TEST(OuterLossValue, balanced_is_the_mean_of_the_means_over_each_label) {
  const Vector score = normals(60, 1);
  const Labels y = coin(60, 2, 0.2), group = coin(60, 3);
  const auto accuracy_loss = [&](AccuracyLoss kind, const Labels& labels) {
    return outer_loss(score, labels, group, {kind, Gap::none, 0.0}).accuracy_loss;
  };
  double negatives = 0, positives = 0, wrong_negatives = 0, wrong_positives = 0;
  for (Index i = 0; i < 60; ++i) {
    const double decision = 1 / (1 + std::exp(-4 * score(i)));
    if (y(i) == 1)
      ++positives, wrong_positives += 1 - decision;
    else
      ++negatives, wrong_negatives += decision;
  }

  EXPECT_NEAR(accuracy_loss(AccuracyLoss::balanced, y),
              (wrong_negatives / negatives + wrong_positives / positives) / 2, 1e-14);
  const Labels ones = Labels::Ones(60);
  EXPECT_EQ(accuracy_loss(AccuracyLoss::balanced, ones), accuracy_loss(AccuracyLoss::zero_one, ones));
}

TEST(OuterLossValue, of_two_groups_is_the_difference_of_their_rates) {
  const Vector score = normals(60, 1);
  const Labels y = coin(60, 2), group = coin(60, 3, 0.3);
  const auto gap = [&](int label) {
    const double difference = rate_of(score, y, group, 1, label) - rate_of(score, y, group, 0, label);
    return std::sqrt(difference * difference + 1e-4);
  };

  const auto found = [&](Gap kind) {
    return outer_loss(score, y, group, {AccuracyLoss::zero_one, kind, 1.0}).fairness_loss;
  };

  EXPECT_NEAR(found(Gap::dp), gap(2), 1e-14);
  EXPECT_NEAR(found(Gap::eo), (gap(0) + gap(1)) / 2, 1e-14);
  EXPECT_NEAR(found(Gap::both), (gap(2) + (gap(0) + gap(1)) / 2) / 2, 1e-14);
}

TEST(OuterLossValue, of_three_groups_is_the_root_mean_square_over_the_pairs) {
  // Group 3 has two rows alone, and is left out.
  Vector score = normals(92, 1);
  Labels y = coin(92, 2), group = random_groups(92, 3, 3);
  group.tail(2).setConstant(3);
  const double a = rate_of(score, y, group, 0, 2), b = rate_of(score, y, group, 1, 2),
               c = rate_of(score, y, group, 2, 2);

  const OuterTrace dp = outer_loss(score, y, group, {AccuracyLoss::zero_one, Gap::dp, 1.0});

  const double square = ((a - b) * (a - b) + (a - c) * (a - c) + (b - c) * (b - c)) / 3;
  EXPECT_NEAR(dp.fairness_loss, std::sqrt(square + 1e-4), 1e-14);
}

TEST(OuterLossValue, a_cell_with_fewer_than_three_rows_leaves_its_group_out_for_that_label_alone) {
  Vector score = normals(93, 1);
  Labels y = coin(93, 2), group = random_groups(93, 3, 3);
  group.tail(3).setConstant(3);
  y.tail(3) << 1, 1, 0;
  const auto gap = [&](int label) { // of groups 0, 1 and 2
    double square = 0;
    for (int k = 1; k < 3; ++k)
      for (int j = 0; j < k; ++j)
        square += std::pow(rate_of(score, y, group, k, label) - rate_of(score, y, group, j, label), 2) / 3;
    return std::sqrt(square + 1e-4);
  };
  const auto found = [&](Gap kind) {
    return outer_loss(score, y, group, {AccuracyLoss::zero_one, kind, 1.0}).fairness_loss;
  };

  EXPECT_NEAR(found(Gap::eo), (gap(0) + gap(1)) / 2, 1e-14);
  EXPECT_GT(std::abs(found(Gap::dp) - gap(2)), 1e-6); // where its three rows count
}

TEST(SmoothGap, bits_do_not_depend_on_the_order_of_equal_and_other_rates) {
  std::vector<double> rates{0.1, 0.7, 0.3, 0.1, 0.9, 1.0 / 3};
  const SmoothGap before = smooth_gap(rates);
  std::vector<Index> order = all_rows(6);
  while (std::ranges::next_permutation(order).found) {
    std::vector<double> moved;
    for (const Index k : order) moved.push_back(rates[static_cast<std::size_t>(k)]);
    const SmoothGap after = smooth_gap(moved);

    ASSERT_EQ(after.value, before.value);
    for (std::size_t k = 0; k < 6; ++k)
      ASSERT_EQ(after.d_rate[k], before.d_rate[static_cast<std::size_t>(order[k])]);
  }
}

TEST(SmoothGap, of_equal_rates_is_the_floor_with_no_slope) {
  const SmoothGap gap = smooth_gap(std::vector<double>(64, 0.3));

  EXPECT_EQ(gap.value, 1e-2);
  for (const double slope : gap.d_rate) EXPECT_EQ(slope, 0.0);
}

TEST(OuterLossValue, by_hand) {
  // Group 0: scores 1, -1, 1; group 1: scores -1, -1, 1. All labels 1.
  const Vector score = Vector{{1, -1, 1, -1, -1, 1}};
  Labels y(6), group(6);
  y << 1, 1, 1, 1, 1, 1;
  group << 0, 0, 0, 1, 1, 1;
  const double high = 1 / (1 + std::exp(-4.0)), low = 1 - high;

  const OuterTrace dp = outer_loss(score, y, group, {AccuracyLoss::zero_one, Gap::dp, 2.0});
  const OuterTrace log_loss = outer_loss(score, y, group, {AccuracyLoss::logistic, Gap::none, 2.0});

  EXPECT_NEAR(dp.accuracy_loss, (3 * low + 3 * high) / 6, 1e-12);
  const double difference = (2 * high + low) / 3 - (high + 2 * low) / 3;
  EXPECT_NEAR(dp.fairness_loss, std::sqrt(difference * difference + 1e-4), 1e-12);
  EXPECT_NEAR(dp.loss, dp.accuracy_loss + 2.0 * dp.fairness_loss, 1e-12);
  EXPECT_NEAR(log_loss.loss, (3 * std::log1p(std::exp(-1.0)) + 3 * std::log1p(std::exp(1.0))) / 6, 1e-12);
}

TEST(OuterLossValue, a_label_with_fewer_than_three_rows_of_a_group_is_skipped) {
  Vector score = normals(20, 1);
  Labels y = coin(20, 2), group = coin(20, 3);
  y.setOnes();
  y.head(2).setZero(); // two negatives at most in any group
  const OuterOptions eo{AccuracyLoss::zero_one, Gap::eo, 1.0};
  const Vector positives = score.tail(18);

  const OuterTrace both = outer_loss(score, y, group, eo);
  const OuterTrace only = outer_loss(positives, Labels(y.tail(18)), Labels(group.tail(18)), eo);

  EXPECT_NEAR(both.fairness_loss, only.fairness_loss, 1e-12);
  EXPECT_GT(both.fairness_loss, 0.0);
}

TEST(OuterLossValue, one_group_alone_has_no_gap_and_stays_finite) {
  const Vector score = normals(20, 1);
  const OuterTrace trace =
      outer_loss(score, coin(20, 2), Labels::Zero(20), {AccuracyLoss::zero_one, Gap::both, 1.0});

  EXPECT_EQ(trace.fairness_loss, 0.0);
  EXPECT_TRUE(trace.d_score.allFinite());
}

TEST(OuterLossValue, extreme_scores_stay_finite) {
  Vector score = 1e4 * normals(20, 1);
  const OuterTrace trace =
      outer_loss(score, coin(20, 2), coin(20, 3), {AccuracyLoss::logistic, Gap::both, 1.0});

  EXPECT_TRUE(std::isfinite(trace.loss));
  EXPECT_TRUE(trace.d_score.allFinite());
}

} // namespace
} // namespace metasieve
