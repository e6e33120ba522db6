#include "base/random.hpp"
#include "fairness/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace metasieve {
namespace {

// Counted by hand. Rows (yhat, y, z):
//   z = 0: (1,1) (1,1) (0,1) (1,0) (0,0)      z = 1: (1,1) (0,1) (0,1) (0,0)
struct Fixture {
  Vector score = Vector{{0.9, 0.4, -0.1, 0.2, -0.8, 0.3, -0.2, -0.3, -0.9}};
  Labels y{{1, 1, 1, 0, 0, 1, 1, 1, 0}};
  Labels group{{0, 0, 0, 0, 0, 1, 1, 1, 1}};
};

TEST(Metrics, agree_with_counts_by_hand) {
  const Fixture f;

  const Metrics m = evaluate_predictor(f.score, f.y, f.group);

  EXPECT_NEAR(m.accuracy, 5.0 / 9, 1e-12);
  EXPECT_NEAR(m.dp_gap, 3.0 / 5 - 1.0 / 4, 1e-12);
  EXPECT_NEAR(m.eopp_gap, 2.0 / 3 - 1.0 / 3, 1e-12);
  EXPECT_NEAR(m.eo_gap, 1.0 / 2 - 0, 1e-12);
  EXPECT_NEAR(m.roh_dp, 4.0 / 9 - 1.0 / 4, 1e-12);
  EXPECT_NEAR(m.roh_eo, 1.0 / 3 - 0, 1e-12); // negatives: overall 1/3, group 1 none
  EXPECT_NEAR(m.balanced_accuracy, 0.5 * (3.0 / 6 + 2.0 / 3), 1e-12);
  EXPECT_NEAR(m.positive_rate, 4.0 / 9, 1e-12);
  EXPECT_NEAR(m.worst_group_accuracy, 2.0 / 4, 1e-12);
  // Pairs (positive, negative) in order: 0.9 > all 3; 0.4 > 3; -0.1 > 2; 0.3 > 3; -0.2 > 2; -0.3 > 2 of 3
  // each.
  EXPECT_NEAR(m.auc, 15.0 / 18, 1e-12);
}

// An independent route to the floors: draw predictions with equal rates in both groups and average the gaps.
TEST(Metrics, floors_are_the_gaps_that_chance_makes) {
  constexpr Index rows = 2000, draws = 2000;
  const Stream stream(Seed{5}, Draw::covariates, TaskId{0});
  Labels y(rows), group(rows);
  for (Index i = 0; i < rows; ++i) {
    y(i) = i % 3 == 0 ? 1 : 0;
    group(i) = i % 4 == 1 ? 1 : 0;
  }
  double dp = 0, eo = 0, dp_floor = 0, eo_floor = 0;
  for (Index d = 0; d < draws; ++d) {
    Vector score(rows);
    for (Index i = 0; i < rows; ++i) score(i) = stream.uniform(d * rows + i) < 0.4 ? 1.0 : -1.0;
    const Metrics m = evaluate_predictor(score, y, group);
    dp += m.dp_gap / draws, eo += m.eo_gap / draws;
    dp_floor += m.dp_floor / draws, eo_floor += m.eo_floor / draws;
  }

  // The mean of |N| over 2000 draws has a standard error of 0.75/sqrt(2000), 1.7 %.
  EXPECT_NEAR(dp_floor, dp, 0.05 * dp);
  EXPECT_NEAR(eo_floor, eo, 0.05 * eo);
}

TEST(Metrics, ties_count_half_in_the_area_under_the_curve) {
  const Vector score = Vector::Constant(4, 0.5);
  const Labels y{{1, 0, 1, 0}}, group{{0, 0, 1, 1}};

  EXPECT_EQ(evaluate_predictor(score, y, group).auc, 0.5);
}

TEST(Metrics, empty_cell_makes_its_gaps_undefined_and_no_other) {
  const Vector score = Vector{{1, -1, 1, -1}};
  const Labels y{{1, 0, 1, 1}}, group{{0, 0, 1, 1}}; // no negative in group 1

  const Metrics m = evaluate_predictor(score, y, group);

  EXPECT_TRUE(std::isnan(m.eo_gap));
  EXPECT_TRUE(std::isnan(m.roh_eo));
  EXPECT_TRUE(std::isnan(m.eo_floor));
  EXPECT_FALSE(std::isnan(m.dp_floor));
  EXPECT_NEAR(m.eopp_gap, 0.5, 1e-12);
  EXPECT_NEAR(m.dp_gap, 0.0, 1e-12);
}

TEST(Metrics, one_group_has_no_gap_but_an_accuracy) {
  const Vector score = Vector{{1, -1}};
  const Labels y{{1, 0}}, group{{1, 1}};

  const Metrics m = evaluate_predictor(score, y, group);

  EXPECT_TRUE(std::isnan(m.dp_gap));
  EXPECT_TRUE(std::isnan(m.eo_gap));
  EXPECT_TRUE(std::isnan(m.roh_dp));
  EXPECT_EQ(m.worst_group_accuracy, 1.0);
}

TEST(Metrics, one_class_has_no_ranking) {
  const Vector score = Vector{{1, -1}};
  const Labels y{{1, 1}}, group{{0, 1}};

  const Metrics m = evaluate_predictor(score, y, group);

  EXPECT_TRUE(std::isnan(m.auc));
  EXPECT_TRUE(std::isnan(m.balanced_accuracy));
}

} // namespace
} // namespace metasieve
