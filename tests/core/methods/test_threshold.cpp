#include "fairness/metrics.hpp"
#include "methods/threshold.hpp"
#include "support/numerics.hpp"

#include <cmath>
#include <limits>
#include <vector>

namespace metasieve {
namespace {

using namespace test;

struct Rows {
  Vector score;
  Labels y, group;
};

/// Scores on a grid of `step` (so there are ties), higher in group 0, and labels that follow them.
Rows rows_with_ties(Index count, std::uint64_t salt, double step) {
  Rows rows{normals(count, salt), coin(count, salt + 1), coin(count, salt + 2, 0.4)};
  rows.score -= 0.8 * rows.group.cast<double>();
  rows.y = (rows.score.array() + 0.8 * normals(count, salt + 3).array() > 0.2).cast<std::uint8_t>();
  rows.score = (rows.score.array() / step).round() * step;
  return rows;
}

double gap_of(const Metrics& m, Gap kind) {
  switch (kind) {
  case Gap::dp: return m.dp_gap;
  case Gap::eo: return m.eo_gap;
  case Gap::both: return std::max(m.dp_gap, m.eo_gap);
  case Gap::none: break;
  }
  return 0.0;
}

/// Every pair of a score (or less than all) as thresholds: slow and obvious.
double best_accuracy(const Rows& rows, Gap gap, double tolerance) {
  std::vector<double> cuts(rows.score.begin(), rows.score.end());
  cuts.push_back(rows.score.minCoeff() - 1);
  double best = -1;
  for (const double a : cuts)
    for (const double b : cuts) {
      const Metrics m = evaluate_predictor(apply({{a, b}, 0, 0}, rows.score, rows.group), rows.y, rows.group);
      if (gap_of(m, gap) <= tolerance + 1e-12) best = std::max(best, m.accuracy);
    }
  return best;
}

TEST(Thresholds, agree_with_an_exhaustive_search) {
  for (const double step : {1e-6, 0.25})
    for (std::uint64_t salt = 10; salt < 50; salt += 10)
      for (const Gap gap : {Gap::dp, Gap::eo, Gap::both, Gap::none})
        for (const double tolerance : {0.0, 0.05, 0.2, 1.0}) {
          const Rows rows = rows_with_ties(40, salt, step);

          const GroupThresholds chosen = choose_thresholds(rows.score, rows.y, rows.group, gap, tolerance);

          const Vector shifted = apply(chosen, rows.score, rows.group);
          const Metrics m = evaluate_predictor(shifted, rows.y, rows.group);
          EXPECT_NEAR(m.accuracy, best_accuracy(rows, gap, tolerance), 1e-12) << salt << " " << tolerance;
          EXPECT_LE(gap_of(m, gap), tolerance + 1e-12);
          EXPECT_NEAR(chosen.accuracy, m.accuracy, 1e-12);
          EXPECT_NEAR(chosen.gap, gap_of(m, gap), 1e-12);
        }
}

TEST(Thresholds, by_hand) {
  // Without a constraint both groups are separated: 0 does it in group 0, the middle of 1 and 2 in group 1.
  // Parity at tolerance 0 has to accept 1 of 2 in each, or all, or none: group 1 separated is 3 of 4 right.
  const Vector score = Vector{{1, 2, 1, 2}};
  const Labels y{{1, 1, 0, 1}}, group{{0, 0, 1, 1}};

  const GroupThresholds free = choose_thresholds(score, y, group, Gap::dp, 1.0);
  const GroupThresholds fair = choose_thresholds(score, y, group, Gap::dp, 0.0);

  EXPECT_EQ(free.threshold, (std::array{0.0, 1.5}));
  EXPECT_EQ(free.accuracy, 1.0);
  EXPECT_EQ(free.gap, 0.5);
  EXPECT_EQ(fair.threshold, (std::array{0.0, 0.0})); // 3 of 4 as well, and nearer to 0
  EXPECT_EQ(fair.accuracy, 0.75);
  EXPECT_EQ(fair.gap, 0.0);
}

TEST(Thresholds, equal_scores_are_accepted_together) {
  const Vector score = Vector::Constant(6, 0.7);
  const Labels y{{1, 1, 0, 0, 0, 1}}, group{{0, 0, 0, 1, 1, 1}};

  const GroupThresholds chosen = choose_thresholds(score, y, group, Gap::none, 1.0);

  EXPECT_NEAR(chosen.accuracy, 4.0 / 6, 1e-12);
  EXPECT_LT(chosen.threshold[0], 0.7);
  EXPECT_GE(chosen.threshold[1], 0.7);
}

TEST(Thresholds, neighbouring_numbers_are_told_apart) {
  const double low = 1.0, high = std::nextafter(low, 2.0);
  const Vector score = Vector{{low, high, low, high}};
  const Labels y{{0, 1, 0, 1}}, group{{0, 0, 1, 1}};

  const GroupThresholds chosen = choose_thresholds(score, y, group, Gap::eo, 0.0);

  EXPECT_EQ(chosen.accuracy, 1.0);
  EXPECT_EQ(evaluate_predictor(apply(chosen, score, group), y, group).accuracy, 1.0);
}

TEST(Thresholds, a_negative_tolerance_gives_the_smallest_gap) {
  const Rows rows = rows_with_ties(60, 3, 1e-6);

  const GroupThresholds chosen = choose_thresholds(rows.score, rows.y, rows.group, Gap::eo, -1.0);

  EXPECT_EQ(chosen.gap, 0.0);
  EXPECT_NEAR(chosen.accuracy, best_accuracy(rows, Gap::eo, 0.0), 1e-12);
}

TEST(Thresholds, an_empty_group_gets_the_threshold_of_the_other) {
  const Vector score = Vector{{-1, 1, 2, 3}};
  const Labels y{{0, 0, 1, 1}};

  for (const int z : {0, 1})
    for (const Gap gap : {Gap::dp, Gap::eo}) {
      const Labels group = Labels::Constant(4, static_cast<std::uint8_t>(z));
      const GroupThresholds chosen = choose_thresholds(score, y, group, gap, 0.0);
      EXPECT_EQ(chosen.threshold, (std::array{1.5, 1.5}));
      EXPECT_EQ(chosen.accuracy, 1.0);
      EXPECT_EQ(chosen.gap, 0.0);
    }
  EXPECT_EQ(choose_thresholds(Vector(0), Labels(0), Labels(0), Gap::eo, 0.0).threshold,
            (std::array{0.0, 0.0}));
}

TEST(Thresholds, an_empty_cell_is_no_constraint) {
  const Vector score = Vector{{-1, 1, 2, 3}};
  const Labels y{{0, 1, 1, 1}}, group{{0, 0, 1, 1}}; // no negative in group 1

  const GroupThresholds chosen = choose_thresholds(score, y, group, Gap::eo, 0.0);

  EXPECT_EQ(chosen.accuracy, 1.0);
  EXPECT_EQ(chosen.gap, 0.0);
}

TEST(Thresholds, many_rows_are_thinned_without_losing_the_unadjusted_decision) {
  const Rows rows = rows_with_ties(20000, 5, 1e-9);
  const Metrics unadjusted = evaluate_predictor(rows.score, rows.y, rows.group);

  const GroupThresholds free = choose_thresholds(rows.score, rows.y, rows.group, Gap::none, 1.0);
  const GroupThresholds as_fair =
      choose_thresholds(rows.score, rows.y, rows.group, Gap::eo, unadjusted.eo_gap);
  const GroupThresholds fair = choose_thresholds(rows.score, rows.y, rows.group, Gap::eo, 0.02);

  EXPECT_GE(free.accuracy, unadjusted.accuracy);
  EXPECT_GE(as_fair.accuracy, unadjusted.accuracy);
  EXPECT_LE(fair.gap, 0.02);
  EXPECT_GT(fair.accuracy, 0.6);
}

} // namespace
} // namespace metasieve
