#include "features/cells.hpp"
#include "methods/roh.hpp"
#include "numerics/logistic.hpp"
#include "support/numerics.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace metasieve {
namespace {

using namespace test;

std::vector<Index> all_rows(Index size) {
  std::vector<Index> rows(static_cast<std::size_t>(size));
  std::iota(rows.begin(), rows.end(), Index{0});
  return rows;
}

/// Rows of each cell: (0,0), (0,1), ... (1,0), (1,1), ...
Labels cells(const std::vector<Index>& counts) {
  Labels cell(std::accumulate(counts.begin(), counts.end(), Index{0}));
  Index row = 0;
  for (std::size_t c = 0; c < counts.size(); ++c)
    for (Index k = 0; k < counts[c]; ++k) cell(row++) = static_cast<std::uint8_t>(c);
  return cell;
}

/// Two groups: the share of group 1 among the rows of each label.
RohLambda shares(double negatives, double positives) {
  return {std::vector{1.0 - negatives, negatives}, std::vector{1.0 - positives, positives}};
}

std::vector<Index> counts_of(const std::vector<RohPool>& pools) {
  std::vector<Index> counts;
  for (const RohPool& pool : pools) counts.push_back(pool.count);
  return counts;
}

TEST(RohLambda, starts_as_observed) {
  EXPECT_EQ(observed_lambda(cells({1, 3, 4, 1}), 2), shares(0.75, 0.2));
  EXPECT_EQ(observed_lambda(cells({0, 0, 4, 0}), 2), shares(0.5, 0.0));
}

// Four rows, one a cell, so a cell's mean is its row's loss.
TEST(RohLambda, equalised_odds_favours_the_cell_of_higher_loss) {
  const Labels cell = cells({1, 1, 1, 1});
  const auto moved = [&](const Vector& score) {
    return adjusted_lambda(shares(0.5, 0.5), score, cell, all_rows(4), RohFairness::eqodds, 0.1);
  };

  EXPECT_EQ(moved(Vector{{-1, -1, 2, -2}}), shares(0.5, 0.6)); // positives of group 1 are missed
  EXPECT_EQ(moved(Vector{{-1, -1, -2, 2}}), shares(0.5, 0.4)); // of group 0
  EXPECT_EQ(moved(Vector{{-1, 3, 1, 1}}), shares(0.6, 0.5));   // negatives of group 1 are accused
  EXPECT_EQ(moved(Vector{{3, -1, 1, 1.1}}), shares(0.4, 0.5)); // the larger gap moves
  EXPECT_EQ(moved(Vector{{-1, -1, 1, 1}}), shares(0.5, 0.5));  // no gap
}

TEST(RohLambda, parity_weights_down_the_negatives_of_the_group_that_is_refused) {
  const auto moved = [&](const Vector& score, const Labels& cell) {
    return adjusted_lambda(shares(0.5, 0.5), score, cell, all_rows(cell.size()), RohFairness::dp, 0.1);
  };

  EXPECT_EQ(moved(Vector{{-1, -3, 1, 1}}, cells({1, 1, 1, 1})), shares(0.4, 0.5));
  EXPECT_EQ(moved(Vector{{-3, -1, 1, 1}}, cells({1, 1, 1, 1})), shares(0.6, 0.5));
  EXPECT_EQ(moved(Vector{{-1, -1, 1, -1}}, cells({1, 1, 1, 1})), shares(0.5, 0.6));
  // All losses are equal, but they are divided by the group: half of group 1 is positive, all of group 0 but
  // one row.
  EXPECT_EQ(moved(Vector::Zero(8), cells({1, 1, 5, 1})), shares(0.4, 0.5));
}

TEST(RohLambda, only_the_rows_given_are_measured) {
  const Labels cell = cells({1, 1, 2, 1});
  const Vector score{{-1, -1, 1, -9, 1}};

  EXPECT_EQ(adjusted_lambda(shares(0.5, 0.5), score, cell, {0, 1, 2, 4}, RohFairness::eqodds, 0.1),
            shares(0.5, 0.5));
  EXPECT_EQ(adjusted_lambda(shares(0.5, 0.5), score, cell, all_rows(5), RohFairness::eqodds, 0.1),
            shares(0.5, 0.4));
}

TEST(RohLambda, stays_in_the_unit_interval) {
  const Labels cell = cells({5, 5, 5, 5});
  Vector missed_one = Vector::Ones(20),
         missed_zero = Vector::Ones(20); // the positives of group 1, of group 0
  missed_one.segment(15, 5).setConstant(-5);
  missed_zero.segment(10, 5).setConstant(-5);
  for (const RohFairness fairness : {RohFairness::dp, RohFairness::eqodds}) {
    RohLambda lambda = observed_lambda(cell, 2);
    const auto push = [&](const Vector& score) {
      for (int k = 0; k < 5; ++k) lambda = adjusted_lambda(lambda, score, cell, all_rows(20), fairness, 0.3);
      return lambda[1][1];
    };
    EXPECT_EQ(push(missed_one), 1.0);
    EXPECT_EQ(push(missed_zero), 0.0);
  }
}

TEST(RohLambda, does_not_move_without_fairness_or_against_an_empty_cell) {
  const Vector score = normals(10, 3);

  EXPECT_EQ(
      adjusted_lambda(shares(0.3, 0.6), score, cells({2, 3, 2, 3}), all_rows(10), RohFairness::none, 0.1),
      shares(0.3, 0.6));
  for (const RohFairness fairness : {RohFairness::dp, RohFairness::eqodds}) {
    EXPECT_EQ(adjusted_lambda(shares(0.3, 0.6), score, cells({5, 0, 5, 0}), all_rows(10), fairness, 0.1),
              shares(0.3, 0.6));
    EXPECT_EQ(adjusted_lambda(shares(0.3, 0.6), score, cells({5, 0, 0, 5}), all_rows(10), fairness, 0.1),
              shares(0.3, 0.6));
  }
}

const RohLambda three{std::vector{0.5, 0.25, 0.25}, std::vector{0.375, 0.5, 0.125}};

TEST(RohLambda, of_three_groups_starts_as_observed) {
  const RohLambda lambda = observed_lambda(cells({1, 4, 3, 0, 0, 0}), 3);

  EXPECT_EQ(lambda[0], (std::vector{0.125, 0.5, 0.375}));
  for (const double share : lambda[1]) EXPECT_NEAR(share, 1.0 / 3, 1e-15);
  EXPECT_EQ(observed_lambda(cells({2, 5}), 1), (RohLambda{std::vector{1.0}, std::vector{1.0}}));
}

// Six rows, one a cell: the group of highest loss takes from the one of lowest, and the third keeps its own.
TEST(RohLambda, of_three_groups_moves_between_the_extremes) {
  const auto moved = [&](const Vector& score) {
    return adjusted_lambda(three, score, cells({1, 1, 1, 1, 1, 1}), all_rows(6), RohFairness::eqodds, 0.125);
  };
  const auto with = [](std::size_t y, const std::vector<double>& shares) {
    RohLambda lambda = three;
    lambda[y] = shares;
    return lambda;
  };

  EXPECT_EQ(moved(Vector{{0, 0, 0, 2, -1, 0}}), with(1, {0.25, 0.625, 0.125}));
  EXPECT_EQ(moved(Vector{{0, 0, 0, -1, 2, 0}}), with(1, {0.5, 0.375, 0.125}));
  EXPECT_EQ(moved(Vector{{0, 0, 0, 0, -1, 2}}), with(1, {0.375, 0.625, 0}));
  EXPECT_EQ(moved(Vector{{2, 0, -1, 1, 0, 0}}), with(0, {0.625, 0.25, 0.125}));
  EXPECT_EQ(moved(Vector{{1, 0, -1, 3, 0, -3}}), with(1, {0.25, 0.5, 0.25})); // differ more than negatives
  EXPECT_EQ(moved(Vector{{0, 0, 0, 1, 1, 1}}), three);
}

TEST(RohLambda, of_three_groups_takes_no_more_than_there_is) {
  const Vector score{{0, 0, 0, -1, 0, 2}};
  const auto moved = [&](double alpha) {
    return adjusted_lambda(three, score, cells({1, 1, 1, 1, 1, 1}), all_rows(6), RohFairness::eqodds, alpha);
  };

  EXPECT_EQ(moved(0.5)[1], (std::vector{0.5, 0.5, 0.0})); // group 2 had an eighth
  EXPECT_EQ(moved(0.0625)[1], (std::vector{0.4375, 0.5, 0.0625}));
}

TEST(RohLambda, of_three_groups_parity_favours_the_group_that_is_refused) {
  const auto moved = [&](const Vector& score) {
    return adjusted_lambda(three, score, cells({1, 1, 1, 1, 1, 1}), all_rows(6), RohFairness::dp, 0.125);
  };

  EXPECT_EQ(moved(Vector{{0, 0, 0, 2, -2, 1}})[1], (std::vector{0.25, 0.625, 0.125})); // its positives more
  EXPECT_EQ(moved(Vector{{2, -2, 1, 0, 0, 0}})[0], (std::vector{0.625, 0.125, 0.25})); // its negatives less
}

TEST(RohLambda, cells_without_rows_take_no_part) {
  const Labels cell = cells({1, 1, 1, 1, 0, 1}); // no positive of group 1
  const auto moved = [&](const Vector& score) {
    return adjusted_lambda(three, score, cell, all_rows(5), RohFairness::eqodds, 0.125)[1];
  };

  EXPECT_EQ(moved(Vector{{0, 0, 0, 1, -1}}), (std::vector{0.25, 0.5, 0.25}));
  EXPECT_EQ(adjusted_lambda(three, Vector{{0, 0, 0, 9}}, cells({1, 1, 1, 1, 0, 0}), all_rows(4),
                            RohFairness::eqodds, 0.125),
            three);
}

TEST(RohLambda, shares_of_many_groups_stay_shares) {
  const Index rows = 300, groups = 5;
  const Labels y = coin(rows, 1), z = normals(rows, 2).unaryExpr([](double v) {
    return static_cast<std::uint8_t>(std::clamp(2.5 + v, 0.0, 4.0));
  });
  const Labels cell = y.binaryExpr(
      z, [](std::uint8_t label, std::uint8_t own) { return static_cast<std::uint8_t>(5 * label + own); });
  for (const RohFairness fairness : {RohFairness::dp, RohFairness::eqodds}) {
    RohLambda lambda = observed_lambda(cell, groups);
    for (std::uint64_t k = 0; k < 200; ++k)
      lambda = adjusted_lambda(lambda, normals(rows, k), cell, all_rows(rows), fairness, 0.1);
    for (const std::vector<double>& of_label : lambda) {
      EXPECT_NEAR(std::accumulate(of_label.begin(), of_label.end(), 0.0), 1.0, 1e-12);
      for (const double share : of_label) EXPECT_TRUE(share >= 0.0 && share <= 1.0) << share;
    }
    EXPECT_NE(lambda, observed_lambda(cell, groups));
  }
}

TEST(RohSelectRows, without_fairness_keeps_the_share_of_lowest_loss) {
  const Labels cell = cells({2, 1, 1, 1});
  const Vector loss{{3, 1, 2, 3, 0}};
  const RohLambda lambda = shares(0.0, 1.0);

  EXPECT_EQ(select_rows(loss, cell, lambda, 0.6, RohFairness::none), (std::vector<Index>{1, 2, 4}));
  EXPECT_EQ(select_rows(loss, cell, lambda, 0.8, RohFairness::none), (std::vector<Index>{0, 1, 2, 4})); // tie
  EXPECT_EQ(select_rows(loss, cell, lambda, 0.01, RohFairness::none), (std::vector<Index>{4}));
  EXPECT_EQ(select_rows(loss, cell, lambda, 1.0, RohFairness::none), all_rows(5));
  EXPECT_EQ(select_rows(Vector::Zero(10), cells({1, 2, 3, 4}), lambda, 0.7, RohFairness::none).size(), 7U);
}

/// The 2K knapsacks as they are filled row by row: a row of cell (y, z) weighs 2 - lambda(y,z) in its own,
/// 1 - lambda(y,z') in those of the other groups, 1 in those of the other label.
std::vector<Index> knapsack(const Vector& loss, const Labels& cell, const RohLambda& lambda,
                            double capacity) {
  std::vector<Index> order = all_rows(loss.size()), taken;
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return loss(a) < loss(b); });
  const std::size_t groups = lambda[0].size();
  std::vector<double> filled(2 * groups), wanted = lambda[0];
  wanted.insert(wanted.end(), lambda[1].begin(), lambda[1].end());
  for (const Index i : order) {
    if (static_cast<double>(taken.size()) >= capacity) break;
    if (*std::max_element(filled.begin(), filled.end()) >= capacity) break;
    taken.push_back(i);
    const std::size_t own = cell(i);
    for (std::size_t c = 0; c < filled.size(); ++c)
      filled[c] += c == own ? 2 - wanted[c] : c / groups == own / groups ? 1 - wanted[c] : 1;
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

TEST(RohSelectRows, equals_four_knapsacks_filled_row_by_row) {
  const Index rows = 400;
  const Vector loss = normals(rows, 5).array().square();
  const Labels cell = cell_of(coin(rows, 6, 0.4), coin(rows, 7, 0.7));
  const RohLambda observed = observed_lambda(cell, 2);

  // Shares that are exact in binary, so that both forms round alike.
  for (const RohLambda& lambda : {shares(0.75, 0.5), shares(0.0, 1.0), shares(0.625, 0.6875)})
    for (const double tau : {0.25, 0.5, 0.9})
      EXPECT_EQ(select_rows(loss, cell, lambda, tau, RohFairness::eqodds),
                knapsack(loss, cell, lambda, std::floor(tau * 400)));
  EXPECT_EQ(select_rows(loss, cell, shares(0.75, 0.5), 0.9, RohFairness::dp),
            select_rows(loss, cell, shares(0.75, 0.5), 0.9, RohFairness::eqodds));
  EXPECT_LE(select_rows(loss, cell, observed, 0.9, RohFairness::dp).size(), 360U);
}

TEST(RohSelectRows, of_three_groups_equals_six_knapsacks) {
  const Index rows = 400;
  const Vector loss = normals(rows, 5).array().square();
  const Labels one = coin(rows, 6, 0.5), two = coin(rows, 7, 0.4), y = coin(rows, 8, 0.4);
  const Labels cell = 3 * y + one + one.cwiseProduct(two);

  for (const RohLambda& lambda : {three, RohLambda{std::vector{0.0, 1.0, 0.0}, std::vector{0.25, 0.25, 0.5}}})
    for (const double tau : {0.25, 0.5, 0.9}) {
      const std::vector<Index> selected = select_rows(loss, cell, lambda, tau, RohFairness::eqodds);
      EXPECT_EQ(selected, knapsack(loss, cell, lambda, std::floor(tau * 400)));
      EXPECT_EQ(selected, select_rows(loss, cell, lambda, tau, RohFairness::dp));
    }
}

TEST(RohSelectRows, of_one_group_has_no_budget_but_its_rows) {
  const Vector loss = normals(400, 5).array().square();
  const Labels y = coin(400, 6, 0.4);
  const RohLambda all{std::vector{1.0}, std::vector{1.0}};

  EXPECT_EQ(select_rows(loss, y, all, 0.7, RohFairness::eqodds),
            select_rows(loss, y, all, 0.7, RohFairness::none));
}

TEST(RohSelectRows, losses_that_share_a_class_or_stand_apart_are_taken_in_their_order) {
  const Index rows = 3000;
  const Labels cell = cell_of(coin(rows, 6, 0.4), coin(rows, 7, 0.7));
  const Vector smooth = normals(rows, 8).array().square();
  Vector apart = smooth, endless = smooth;
  apart(17) = 1e300; // all others are equal beside it
  endless(17) = std::numeric_limits<double>::infinity();
  const Vector ties = (4.0 * smooth.array()).floor();

  for (const Vector& loss :
       {smooth, apart, endless, ties, Vector(Vector::Constant(rows, 0.7)), Vector(-smooth)})
    for (const double tau : {0.001, 0.3, 0.9, 1.0})
      for (const RohLambda& lambda : {shares(0.75, 0.5), shares(1.0, 1.0)})
        EXPECT_EQ(select_rows(loss, cell, lambda, tau, RohFairness::eqodds),
                  knapsack(loss, cell, lambda, std::floor(tau * 3000)))
            << loss(0) << ' ' << tau << ' ' << lambda[0][1];
}

TEST(RohSelectRows, a_cell_over_its_share_ends_the_selection) {
  // One label, half of its rows wanted from each group, group 0 has all the low losses: at capacity 10 the
  // budget of group 0 is spent when N - N/2 + N = 10.
  const Labels cell = cells({0, 0, 10, 10});
  const Vector loss = Vector::LinSpaced(20, 0, 1);

  EXPECT_EQ(select_rows(loss, cell, shares(0.5, 0.5), 0.5, RohFairness::eqodds).size(), 7U);
  EXPECT_EQ(select_rows(loss, cell, shares(0.5, 0.0), 0.5, RohFairness::eqodds).size(), 10U);
}

TEST(RohBatchPools, cells_get_the_counts_of_lambda) {
  const Labels cell = cells({200, 600, 150, 50});
  const std::vector<Index> rows = all_rows(1000);

  EXPECT_EQ(counts_of(batch_pools(rows, cell, shares(0.75, 0.25), 100, RohFairness::dp)),
            (std::vector<Index>{20, 60, 15, 5})); // as they are
  EXPECT_EQ(counts_of(batch_pools(rows, cell, shares(0.5, 1.0), 100, RohFairness::eqodds)),
            (std::vector<Index>{40, 40, 0, 20}));
  EXPECT_EQ(counts_of(batch_pools(rows, cell, shares(0.33, 0.125), 100, RohFairness::eqodds)),
            (std::vector<Index>{54, 26, 18, 2})); // 17.5 and 2.5 round to even
}

TEST(RohBatchPools, of_three_groups_get_the_counts_of_lambda) {
  const Labels cell = cells({200, 200, 200, 100, 100, 200});

  EXPECT_EQ(counts_of(batch_pools(all_rows(1000), cell, three, 100, RohFairness::dp)),
            (std::vector<Index>{30, 15, 15, 15, 20, 5}));
  EXPECT_EQ(counts_of(batch_pools(all_rows(1000), cell, three, 10, RohFairness::dp)),
            (std::vector<Index>{3, 2, 2, 2, 2, 0})); // 1.5, 1.5, 1.5, 2 and 0.5 rounded to even
}

TEST(RohBatchPools, hold_the_rows_of_their_cells_and_empty_ones_give_none) {
  const Labels cell = cells({2, 0, 1, 2});

  const std::vector<RohPool> pools = batch_pools({0, 1, 3, 4}, cell, shares(0.5, 0.5), 4, RohFairness::dp);

  EXPECT_EQ(pools[0].rows, (std::vector<Index>{0, 1}));
  EXPECT_EQ(pools[3].rows, (std::vector<Index>{3, 4}));
  EXPECT_EQ(counts_of(pools), (std::vector<Index>{1, 0, 0, 1}));
  EXPECT_EQ(batch_pools({0, 1, 3, 4}, cell, shares(0.5, 0.5), 4, RohFairness::none).size(), 1U);
}

} // namespace
} // namespace metasieve
