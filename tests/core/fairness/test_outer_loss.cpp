#include "fairness/outer_loss.hpp"
#include "support/numerics.hpp"

#include <cmath>

namespace metasieve {
namespace {

using namespace test;

using Case = std::tuple<AccuracyLoss, Gap>;
class OuterLoss : public ::testing::TestWithParam<Case> {};

TEST_P(OuterLoss, pullback_agrees_with_central_differences) {
  const auto [accuracy, gap] = GetParam();
  const OuterOptions options{accuracy, gap, 0.7};
  const Vector score = normals(60, 1);
  const Labels y = coin(60, 2), group = coin(60, 3, 0.3);
  const auto value = [&](const Vector& f) { return outer_loss(f, y, group, options).loss; };

  const Vector d_score = pullback(outer_loss(score, y, group, options));

  EXPECT_LT(relative_error(d_score, central_difference(value, score)), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(all, OuterLoss,
                         ::testing::Combine(::testing::Values(AccuracyLoss::logistic, AccuracyLoss::zero_one),
                                            ::testing::Values(Gap::dp, Gap::eo, Gap::both, Gap::none)));

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
