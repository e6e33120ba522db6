#include "fairness/metrics.hpp"
#include "methods/threshold.hpp"
#include "support/grouped_rows.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace metasieve {
namespace {

using namespace test;

struct Rows {
  Vector score;
  Labels y, group;
  Index groups = 2;
};

Metrics metrics(const Rows& rows, const Vector& score) {
  return metrics_of(cells_of(predictions(score), rows.y, rows.group, rows.groups), false);
}

GroupThresholds choose(const Rows& rows, Gap gap, double tolerance) {
  return choose_thresholds(rows.score, rows.y, rows.group, rows.groups, gap, tolerance);
}

/// Scores on a grid of `step` (so there are ties), higher in group 0, and labels that follow them.
Rows rows_with_ties(Index count, std::uint64_t salt, double step, Index groups = 2) {
  Rows rows{normals(count, salt), coin(count, salt + 1), coin(count, salt + 2, 0.4), groups};
  if (groups > 2)
    for (Index i = 0; i < count; ++i) rows.group(i) = static_cast<std::uint8_t>(i % groups);
  rows.score -= 0.8 / static_cast<double>(groups - 1) * rows.group.cast<double>();
  const double noise = 0.4 * static_cast<double>(groups);
  rows.y = (rows.score.array() + noise * normals(count, salt + 3).array() > 0.2).cast<std::uint8_t>();
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

struct Best {
  double accuracy = -1, gap = 0;
};

/// Every combination of a score (or less than all) as thresholds: slow and obvious. Of highest accuracy, the
/// smallest gap.
Best best_of_all(const Rows& rows, Gap gap, double tolerance) {
  std::vector<double> cuts(rows.score.begin(), rows.score.end());
  cuts.push_back(rows.score.minCoeff() - 1);
  std::ranges::sort(cuts);
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  Best best;
  std::vector<std::size_t> at(static_cast<std::size_t>(rows.groups));
  GroupThresholds thresholds{std::vector<double>(at.size(), cuts[0])};
  for (std::size_t z = 0; z < at.size();) {
    const Metrics m = metrics(rows, apply(thresholds, rows.score, rows.group));
    const double g = gap_of(m, gap);
    if (g <= tolerance + 1e-12 &&
        (m.accuracy > best.accuracy || (m.accuracy == best.accuracy && g < best.gap)))
      best = {m.accuracy, g};
    for (z = 0; z < at.size(); ++z) { // the next combination
      at[z] = (at[z] + 1) % cuts.size();
      thresholds.threshold[z] = cuts[at[z]];
      if (at[z] != 0) break;
    }
  }
  return best;
}

void expect_best(const Rows& rows, Gap gap, double tolerance) {
  const GroupThresholds chosen = choose(rows, gap, tolerance);

  const Metrics m = metrics(rows, apply(chosen, rows.score, rows.group));
  const Best best = best_of_all(rows, gap, tolerance);
  EXPECT_NEAR(m.accuracy, best.accuracy, 1e-12) << tolerance;
  EXPECT_NEAR(gap_of(m, gap), best.gap, 1e-12) << tolerance;
  EXPECT_NEAR(chosen.accuracy, m.accuracy, 1e-12);
  EXPECT_NEAR(chosen.gap, gap_of(m, gap), 1e-12);
}

constexpr std::array every_gap{Gap::dp, Gap::eo, Gap::both, Gap::none};

TEST(Thresholds, agree_with_an_exhaustive_search) {
  for (const double step : {1e-6, 0.25})
    for (std::uint64_t salt = 10; salt < 50; salt += 10)
      for (const Gap gap : every_gap)
        for (const double tolerance : {0.0, 0.05, 0.2, 1.0})
          expect_best(rows_with_ties(40, salt, step), gap, tolerance);
}

TEST(Thresholds, of_more_groups_agree_with_an_exhaustive_search) {
  for (const double step : {1e-6, 0.5})
    for (std::uint64_t salt = 10; salt < 40; salt += 10)
      for (const Gap gap : every_gap)
        for (const double tolerance : {0.0, 0.25, 0.5}) {
          expect_best(rows_with_ties(20, salt, step, 3), gap, tolerance);
          expect_best(rows_with_ties(12, salt, step, 4), gap, tolerance);
        }
}

TEST(Thresholds, by_hand) {
  // Without a constraint both groups are separated: 0 does it in group 0, the middle of 1 and 2 in group 1.
  // Parity at tolerance 0 has to accept 1 of 2 in each, or all, or none: group 1 separated is 3 of 4 right.
  const Vector score = Vector{{1, 2, 1, 2}};
  const Labels y{{1, 1, 0, 1}}, group{{0, 0, 1, 1}};

  const GroupThresholds free = choose_thresholds(score, y, group, 2, Gap::dp, 1.0);
  const GroupThresholds fair = choose_thresholds(score, y, group, 2, Gap::dp, 0.0);

  EXPECT_EQ(free.threshold, (std::vector{0.0, 1.5}));
  EXPECT_EQ(free.accuracy, 1.0);
  EXPECT_EQ(free.gap, 0.5);
  EXPECT_EQ(fair.threshold, (std::vector{0.0, 0.0})); // 3 of 4 as well, and nearer to 0
  EXPECT_EQ(fair.accuracy, 0.75);
  EXPECT_EQ(fair.gap, 0.0);
}

TEST(Thresholds, of_three_groups_by_hand) {
  // Two rows each; separated, all of group 0 is accepted, half of group 1, none of group 2. Within 0.5, group
  // 0 or group 2 has one row wrong: the former costs 3 + 1.5 + 1.5 logits, the latter 0 + 1.5 + 1.5.
  const Vector score = Vector{{1, 2, 1, 2, 1, 2}};
  const Labels y{{1, 1, 0, 1, 0, 0}}, group{{0, 0, 1, 1, 2, 2}};
  const auto chosen = [&](double tolerance) {
    return choose_thresholds(score, y, group, 3, Gap::dp, tolerance);
  };

  EXPECT_EQ(chosen(1.0).threshold, (std::vector{0.0, 1.5, 3.0}));
  EXPECT_EQ(chosen(1.0).accuracy, 1.0);
  EXPECT_EQ(chosen(0.5).threshold, (std::vector{0.0, 1.5, 1.5}));
  EXPECT_EQ(chosen(0.5).accuracy, 5.0 / 6);
  EXPECT_EQ(chosen(0.5).gap, 0.5);
  EXPECT_EQ(chosen(0.0).threshold, (std::vector{1.5, 1.5, 1.5}));
  EXPECT_EQ(chosen(0.0).accuracy, 4.0 / 6);
}

TEST(Thresholds, do_not_depend_on_the_numbers_of_groups) {
  for (const Index groups : {2, 4})
    for (const Gap gap : {Gap::dp, Gap::eo})
      for (const double step : {1e-6, 0.1}) {
        const Rows rows = rows_with_ties(400, 7, step, groups);
        const GroupThresholds one = choose(rows, gap, 0.05);
        for (const std::vector<Index>& numbers : other_numbers(groups)) {
          Rows other = rows;
          other.group = renumbered(rows.group, numbers);

          const GroupThresholds two = choose(other, gap, 0.05);

          EXPECT_EQ(apply(one, rows.score, rows.group), apply(two, other.score, other.group));
          EXPECT_EQ(one.gap, two.gap);
        }
      }
}

TEST(Thresholds, one_group_is_cut_where_it_is_most_accurate) {
  const Vector score = Vector{{-1, 1, 2, 3}};
  const Labels y{{0, 0, 1, 1}}, group = Labels::Zero(4);

  for (const Gap gap : every_gap) {
    const GroupThresholds chosen = choose_thresholds(score, y, group, 1, gap, 0.0);
    EXPECT_EQ(chosen.threshold, (std::vector{1.5}));
    EXPECT_EQ(chosen.accuracy, 1.0);
    EXPECT_EQ(chosen.gap, 0.0);
  }
}

TEST(Thresholds, a_group_without_rows_gets_the_threshold_of_the_largest) {
  const Vector score = Vector{{-1, 1, 2, 3, 5}};
  const Labels y{{0, 0, 1, 1, 0}}, group{{3, 3, 3, 3, 1}};

  const GroupThresholds chosen = choose_thresholds(score, y, group, 5, Gap::dp, 1.0);

  EXPECT_EQ(chosen.threshold, (std::vector{1.5, 6.0, 1.5, 1.5, 1.5}));
}

TEST(Thresholds, of_many_groups_keep_the_tolerance) {
  for (const Index groups : {6, 64}) {
    const Split rows = grouped_split(6000, groups, 4);
    const Vector score = rows.x.col(0).cast<double>() + rows.x.col(2).cast<double>();
    const double positives = rows.y.cast<double>().mean(), constant = std::max(positives, 1.0 - positives);
    for (const Gap gap : every_gap) {
      const GroupThresholds chosen = choose_thresholds(score, rows.y, rows.group, groups, gap, 0.1);
      const Metrics m = evaluate_predictor(apply(chosen, score, rows.group), rows.y, rows.group, groups);

      EXPECT_LE(gap_of(m, gap), 0.1 + 1e-12);
      EXPECT_NEAR(chosen.accuracy, m.accuracy, 1e-12);
      EXPECT_GT(m.accuracy, constant + 0.02);
    }
  }
}

TEST(Thresholds, equal_scores_are_accepted_together) {
  const Vector score = Vector::Constant(6, 0.7);
  const Labels y{{1, 1, 0, 0, 0, 1}}, group{{0, 0, 0, 1, 1, 1}};

  const GroupThresholds chosen = choose_thresholds(score, y, group, 2, Gap::none, 1.0);

  EXPECT_NEAR(chosen.accuracy, 4.0 / 6, 1e-12);
  EXPECT_LT(chosen.threshold[0], 0.7);
  EXPECT_GE(chosen.threshold[1], 0.7);
}

TEST(Thresholds, neighbouring_numbers_are_told_apart) {
  const double low = 1.0, high = std::nextafter(low, 2.0);
  const Vector score = Vector{{low, high, low, high}};
  const Labels y{{0, 1, 0, 1}}, group{{0, 0, 1, 1}};

  const GroupThresholds chosen = choose_thresholds(score, y, group, 2, Gap::eo, 0.0);

  EXPECT_EQ(chosen.accuracy, 1.0);
  EXPECT_EQ(evaluate_predictor(apply(chosen, score, group), y, group).accuracy, 1.0);
}

TEST(Thresholds, a_negative_tolerance_gives_the_smallest_gap) {
  const Rows rows = rows_with_ties(60, 3, 1e-6);

  const GroupThresholds chosen = choose(rows, Gap::eo, -1.0);

  EXPECT_EQ(chosen.gap, 0.0);
  EXPECT_NEAR(chosen.accuracy, best_of_all(rows, Gap::eo, 0.0).accuracy, 1e-12);
}

TEST(Thresholds, an_empty_group_gets_the_threshold_of_the_other) {
  const Vector score = Vector{{-1, 1, 2, 3}};
  const Labels y{{0, 0, 1, 1}};

  for (const int z : {0, 1})
    for (const Gap gap : {Gap::dp, Gap::eo}) {
      const Labels group = Labels::Constant(4, static_cast<std::uint8_t>(z));
      const GroupThresholds chosen = choose_thresholds(score, y, group, 2, gap, 0.0);
      EXPECT_EQ(chosen.threshold, (std::vector{1.5, 1.5}));
      EXPECT_EQ(chosen.accuracy, 1.0);
      EXPECT_EQ(chosen.gap, 0.0);
    }
  EXPECT_EQ(choose_thresholds(Vector(0), Labels(0), Labels(0), 2, Gap::eo, 0.0).threshold,
            (std::vector{0.0, 0.0}));
}

TEST(Thresholds, an_empty_cell_is_no_constraint) {
  const Vector score = Vector{{-1, 1, 2, 3}};
  const Labels y{{0, 1, 1, 1}}, group{{0, 0, 1, 1}}; // no negative in group 1

  const GroupThresholds chosen = choose_thresholds(score, y, group, 2, Gap::eo, 0.0);

  EXPECT_EQ(chosen.accuracy, 1.0);
  EXPECT_EQ(chosen.gap, 0.0);
}

TEST(Thresholds, many_rows_are_thinned_without_losing_the_unadjusted_decision) {
  const Rows rows = rows_with_ties(20000, 5, 1e-9);
  const Metrics unadjusted = metrics(rows, rows.score);

  const GroupThresholds free = choose(rows, Gap::none, 1.0);
  const GroupThresholds as_fair = choose(rows, Gap::eo, unadjusted.eo_gap);
  const GroupThresholds fair = choose(rows, Gap::eo, 0.02);

  EXPECT_GE(free.accuracy, unadjusted.accuracy);
  EXPECT_GE(as_fair.accuracy, unadjusted.accuracy);
  EXPECT_LE(fair.gap, 0.02);
  EXPECT_GT(fair.accuracy, 0.6);
}

} // namespace
} // namespace metasieve
