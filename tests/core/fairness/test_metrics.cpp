#include "base/random.hpp"
#include "fairness/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

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

TEST(Metrics, a_task_of_one_group_has_gaps_of_zero) {
  const Vector score = Vector{{1, -1, 1}};
  const Labels y{{1, 0, 0}}, group = Labels::Zero(3);

  for (const Metrics& m :
       {evaluate_predictor(score, y, group, 1), evaluate_predictor(Vector{{1}}, Labels{{1}}, Labels{{0}}, 1)})
    for (const double gap : {m.dp_gap, m.eo_gap, m.eopp_gap, m.roh_dp, m.roh_eo, m.dp_floor, m.eo_floor})
      EXPECT_EQ(gap, 0.0);
  EXPECT_NEAR(evaluate_predictor(score, y, group, 1).accuracy, 2.0 / 3, 1e-15);
}

/// Hits and rows of each group.
std::vector<Rate> rates(const std::vector<double>& hits, const std::vector<double>& rows) {
  std::vector<Rate> out;
  for (std::size_t z = 0; z < rows.size(); ++z) out.push_back({hits[z], rows[z]});
  return out;
}

TEST(Metrics, of_three_groups_by_hand) {
  // False positive rates 1/4, 1/2, 0; true positive rates 1/2, 1, 1/4; positive rates 3/8, 3/4, 1/6.
  const Metrics m = metrics_of({rates({1, 1, 0}, {4, 2, 2}), rates({2, 2, 1}, {4, 2, 4})});

  EXPECT_NEAR(m.dp_gap, 3.0 / 4 - 1.0 / 6, 1e-15);
  EXPECT_NEAR(m.eopp_gap, 1.0 - 1.0 / 4, 1e-15);
  EXPECT_NEAR(m.eo_gap, 3.0 / 4, 1e-15);
  EXPECT_NEAR(m.roh_dp, 3.0 / 4 - 7.0 / 18, 1e-15); // of all rows, 7/18
  EXPECT_NEAR(m.roh_eo, 1.0 - 5.0 / 10, 1e-15);     // of the positives, 5/10; of the negatives, 2/8
  EXPECT_NEAR(m.accuracy, (5.0 + 3.0 + 3.0) / 18, 1e-15);
  EXPECT_NEAR(m.worst_group_accuracy, 3.0 / 6, 1e-15);
  EXPECT_NEAR(m.balanced_accuracy, 0.5 * (5.0 / 10 + 6.0 / 8), 1e-15);
}

/// Rows of `groups` groups, with rates that differ.
struct Rows {
  Vector score;
  Labels y, group;

  Rows(Index size, Index groups) : score(size), y(size), group(size) {
    const Stream stream(Seed{7}, Draw::covariates, TaskId{0});
    for (Index i = 0; i < size; ++i) {
      const Index z = stream.below(3 * i, groups);
      group(i) = static_cast<std::uint8_t>(z);
      y(i) = stream.uniform(3 * i + 1) < 0.3 ? 1 : 0;
      score(i) = stream.uniform(3 * i + 2) - 0.1 * static_cast<double>(z) + 0.2 * y(i) - 0.4;
    }
  }
};

// Share of rows predicted 1 among those of group z with label y (-1: both), counted row by row.
double counted(const Rows& rows, int z, int y) {
  double hits = 0, count = 0;
  for (Index i = 0; i < rows.y.size(); ++i) {
    if (rows.group(i) != z || (y >= 0 && rows.y(i) != y)) continue;
    hits += rows.score(i) > 0.0;
    ++count;
  }
  return hits / count;
}

TEST(Metrics, gaps_of_many_groups_are_the_largest_of_their_pairs) {
  const Rows rows(700, 5);
  const auto largest = [&](int y) {
    double gap = 0;
    for (int j = 0; j < 5; ++j)
      for (int k = 0; k < j; ++k) gap = std::max(gap, std::abs(counted(rows, j, y) - counted(rows, k, y)));
    return gap;
  };

  const Metrics m = evaluate_predictor(rows.score, rows.y, rows.group, 5);

  EXPECT_NEAR(m.dp_gap, largest(-1), 1e-15);
  EXPECT_NEAR(m.eopp_gap, largest(1), 1e-15);
  EXPECT_NEAR(m.eo_gap, std::max(largest(0), largest(1)), 1e-15);
}

TEST(Metrics, groups_without_rows_or_positives_are_left_out) {
  const Metrics all = metrics_of({rates({1, 1}, {4, 2}), rates({2, 2}, {4, 2})});
  const Metrics more = metrics_of({rates({1, 0, 1}, {4, 0, 2}), rates({2, 0, 2}, {4, 0, 2})});
  const Metrics no_positive = metrics_of({rates({1, 1, 0}, {4, 2, 2}), rates({2, 2, 0}, {4, 2, 0})});
  const Metrics one_with = metrics_of({rates({1, 1, 0}, {4, 2, 2}), rates({2, 0, 0}, {4, 0, 0})});

  for (const auto metric : {&Metrics::dp_gap, &Metrics::eo_gap, &Metrics::eopp_gap, &Metrics::roh_dp,
                            &Metrics::roh_eo, &Metrics::accuracy, &Metrics::dp_floor, &Metrics::eo_floor})
    EXPECT_EQ(more.*metric, all.*metric);
  EXPECT_EQ(no_positive.eopp_gap, all.eopp_gap);
  EXPECT_EQ(no_positive.dp_gap, 3.0 / 4);
  EXPECT_GT(no_positive.eo_floor, 0.0);
  EXPECT_TRUE(std::isnan(one_with.eopp_gap)); // nothing to compare the one with
  EXPECT_TRUE(std::isnan(one_with.eo_gap));
  EXPECT_TRUE(std::isnan(one_with.eo_floor));
  EXPECT_GT(one_with.dp_gap, 0.0);
}

TEST(Metrics, do_not_depend_on_the_numbers_of_groups) {
  const Rows rows(300, 5);
  const std::vector<std::uint8_t> number{3, 0, 4, 2, 1};
  const Labels other = rows.group.unaryExpr([&](std::uint8_t z) { return number[z]; });

  const Metrics one = evaluate_predictor(rows.score, rows.y, rows.group, 5),
                two = evaluate_predictor(rows.score, rows.y, other, 5);

  for (const auto metric :
       {&Metrics::accuracy, &Metrics::dp_gap, &Metrics::eo_gap, &Metrics::eopp_gap, &Metrics::roh_dp,
        &Metrics::roh_eo, &Metrics::auc, &Metrics::balanced_accuracy, &Metrics::positive_rate,
        &Metrics::worst_group_accuracy, &Metrics::dp_floor, &Metrics::eo_floor})
    EXPECT_EQ(one.*metric, two.*metric);
}

double variance(double rate, double rows) { return rate * (1 - rate) / rows; }

TEST(Floors, of_two_groups_are_in_closed_form) {
  const Metrics m = metrics_of({rates({30, 10}, {100, 60}), rates({40, 20}, {80, 40})});

  const double negatives = variance(40.0 / 160, 100) + variance(40.0 / 160, 60);
  const double positives = variance(0.5, 80) + variance(0.5, 40);
  const double all = variance(100.0 / 280, 180) + variance(100.0 / 280, 100);
  EXPECT_DOUBLE_EQ(m.dp_floor, std::sqrt(2 / std::numbers::pi * all));
  EXPECT_DOUBLE_EQ(m.eo_floor, std::sqrt(2 / std::numbers::pi * (negatives + positives)));
}

// With a rate of 0 among the positives there is no gap by chance, but their third group makes the floor a
// simulated one; the negatives are of two groups.
TEST(Floors, simulated_for_two_groups_are_those_in_closed_form) {
  for (const double rows : {20.0, 100.0, 2000.0}) {
    const Metrics m = metrics_of({rates({6, 0.3 * rows, 0}, {20, rows, 0}), rates({0, 0, 0}, {50, 60, 70})});

    const double closed = std::sqrt(2 / std::numbers::pi * (variance(0.3, 20) + variance(0.3, rows)));
    EXPECT_NEAR(m.eo_floor, closed, 0.03 * closed) << rows;
  }
}

TEST(Floors, of_equal_groups_are_the_mean_range_of_normals) {
  // Mean range of 3, 5, 10 standard normals (Tippett 1925).
  for (const auto& [groups, range] : {std::pair{3, 1.69257}, std::pair{5, 2.32593}, std::pair{10, 3.07751}}) {
    const std::vector<double> hits(static_cast<std::size_t>(groups), 20), rows(hits.size(), 100);

    const double floor = metrics_of({rates(hits, rows), rates(hits, rows)}).dp_floor;

    const double expected = range * std::sqrt(variance(0.2, 200));
    EXPECT_NEAR(floor, expected, 0.03 * expected) << groups;
  }
}

// An independent route: hits drawn row by row, at the same rates in all groups.
TEST(Floors, of_more_groups_are_the_gaps_that_chance_makes) {
  for (const std::vector<double>& rows : {std::vector<double>{40, 90, 200}, {30, 50, 70, 90, 400}}) {
    constexpr int draws = 2000;
    const Stream stream(Seed{11}, Draw::covariates, TaskId{0}, rows.size());
    Index next = 0;
    const auto drawn = [&](double rate) {
      std::vector<double> hits;
      for (const double count : rows) {
        hits.push_back(0);
        for (double i = 0; i < count; ++i) hits.back() += stream.uniform(next++) < rate;
      }
      return rates(hits, rows);
    };
    double sum = 0, squares = 0, floors = 0;
    for (int d = 0; d < draws; ++d) {
      const Cells cells{drawn(0.25), drawn(0.6)};
      const double gap = metrics_of(cells, false).eo_gap;
      sum += gap, squares += gap * gap;
      if (d < 20) floors += metrics_of(cells).eo_floor / 20; // it hardly differs from draw to draw
    }

    const double mean = sum / draws, error = std::sqrt((squares / draws - mean * mean) / draws);
    EXPECT_NEAR(floors, mean, 3 * std::sqrt(2.0) * error); // the floor is a mean of 2000 draws too
    EXPECT_LT(error, 0.02 * mean);
  }
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
