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

/// Rows of each cell: (0,0), (0,1), (1,0), (1,1).
Labels cells(std::array<Index, 4> counts) {
  Labels cell(counts[0] + counts[1] + counts[2] + counts[3]);
  Index row = 0;
  for (std::size_t c = 0; c < 4; ++c)
    for (Index k = 0; k < counts[c]; ++k) cell(row++) = static_cast<std::uint8_t>(c);
  return cell;
}

std::array<Index, 4> counts_of(const std::vector<RohPool>& pools) {
  return {pools[0].count, pools[1].count, pools[2].count, pools[3].count};
}

TEST(RohLambda, starts_as_observed) {
  const RohLambda lambda = observed_lambda(cells({1, 3, 4, 1}));

  EXPECT_EQ(lambda[0], 0.75);
  EXPECT_EQ(lambda[1], 0.2);
  EXPECT_EQ(observed_lambda(cells({0, 0, 4, 0})), (RohLambda{0.5, 0.0}));
}

// Four rows, one a cell, so a cell's mean is its row's loss.
TEST(RohLambda, equalised_odds_favours_the_cell_of_higher_loss) {
  const Labels cell = cells({1, 1, 1, 1});
  const auto moved = [&](const Vector& score) {
    return adjusted_lambda({0.5, 0.5}, score, cell, all_rows(4), RohFairness::eqodds, 0.1);
  };

  EXPECT_EQ(moved(Vector{{-1, -1, 2, -2}}), (RohLambda{0.5, 0.6})); // positives of group 1 are missed
  EXPECT_EQ(moved(Vector{{-1, -1, -2, 2}}), (RohLambda{0.5, 0.4})); // of group 0
  EXPECT_EQ(moved(Vector{{-1, 3, 1, 1}}), (RohLambda{0.6, 0.5}));   // negatives of group 1 are accused
  EXPECT_EQ(moved(Vector{{3, -1, 1, 1.1}}), (RohLambda{0.4, 0.5})); // the larger gap moves
  EXPECT_EQ(moved(Vector{{-1, -1, 1, 1}}), (RohLambda{0.5, 0.5}));  // no gap
}

TEST(RohLambda, parity_weights_down_the_negatives_of_the_group_that_is_refused) {
  const auto moved = [&](const Vector& score, const Labels& cell) {
    return adjusted_lambda({0.5, 0.5}, score, cell, all_rows(cell.size()), RohFairness::dp, 0.1);
  };

  EXPECT_EQ(moved(Vector{{-1, -3, 1, 1}}, cells({1, 1, 1, 1})), (RohLambda{0.4, 0.5}));
  EXPECT_EQ(moved(Vector{{-3, -1, 1, 1}}, cells({1, 1, 1, 1})), (RohLambda{0.6, 0.5}));
  EXPECT_EQ(moved(Vector{{-1, -1, 1, -1}}, cells({1, 1, 1, 1})), (RohLambda{0.5, 0.6}));
  // All losses are equal, but they are divided by the group: half of group 1 is positive, all of group 0 but
  // one row.
  EXPECT_EQ(moved(Vector::Zero(8), cells({1, 1, 5, 1})), (RohLambda{0.4, 0.5}));
}

TEST(RohLambda, only_the_rows_given_are_measured) {
  const Labels cell = cells({1, 1, 2, 1});
  const Vector score{{-1, -1, 1, -9, 1}};

  EXPECT_EQ(adjusted_lambda({0.5, 0.5}, score, cell, {0, 1, 2, 4}, RohFairness::eqodds, 0.1),
            (RohLambda{0.5, 0.5}));
  EXPECT_EQ(adjusted_lambda({0.5, 0.5}, score, cell, all_rows(5), RohFairness::eqodds, 0.1),
            (RohLambda{0.5, 0.4}));
}

TEST(RohLambda, stays_in_the_unit_interval) {
  const Labels cell = cells({5, 5, 5, 5});
  Vector missed_one = Vector::Ones(20),
         missed_zero = Vector::Ones(20); // the positives of group 1, of group 0
  missed_one.segment(15, 5).setConstant(-5);
  missed_zero.segment(10, 5).setConstant(-5);
  for (const RohFairness fairness : {RohFairness::dp, RohFairness::eqodds}) {
    RohLambda lambda = observed_lambda(cell);
    const auto push = [&](const Vector& score) {
      for (int k = 0; k < 5; ++k) lambda = adjusted_lambda(lambda, score, cell, all_rows(20), fairness, 0.3);
      return lambda[1];
    };
    EXPECT_EQ(push(missed_one), 1.0);
    EXPECT_EQ(push(missed_zero), 0.0);
  }
}

TEST(RohLambda, does_not_move_without_fairness_or_against_an_empty_cell) {
  const Vector score = normals(10, 3);

  EXPECT_EQ(adjusted_lambda({0.3, 0.6}, score, cells({2, 3, 2, 3}), all_rows(10), RohFairness::none, 0.1),
            (RohLambda{0.3, 0.6}));
  for (const RohFairness fairness : {RohFairness::dp, RohFairness::eqodds}) {
    EXPECT_EQ(adjusted_lambda({0.3, 0.6}, score, cells({5, 0, 5, 0}), all_rows(10), fairness, 0.1),
              (RohLambda{0.3, 0.6}));
    EXPECT_EQ(adjusted_lambda({0.3, 0.6}, score, cells({5, 0, 0, 5}), all_rows(10), fairness, 0.1),
              (RohLambda{0.3, 0.6}));
  }
}

TEST(RohSelectRows, without_fairness_keeps_the_share_of_lowest_loss) {
  const Labels cell = cells({2, 1, 1, 1});
  const Vector loss{{3, 1, 2, 3, 0}};
  const RohLambda lambda{0.0, 1.0};

  EXPECT_EQ(select_rows(loss, cell, lambda, 0.6, RohFairness::none), (std::vector<Index>{1, 2, 4}));
  EXPECT_EQ(select_rows(loss, cell, lambda, 0.8, RohFairness::none), (std::vector<Index>{0, 1, 2, 4})); // tie
  EXPECT_EQ(select_rows(loss, cell, lambda, 0.01, RohFairness::none), (std::vector<Index>{4}));
  EXPECT_EQ(select_rows(loss, cell, lambda, 1.0, RohFairness::none), all_rows(5));
  EXPECT_EQ(select_rows(Vector::Zero(10), cells({1, 2, 3, 4}), lambda, 0.7, RohFairness::none).size(), 7U);
}

/// The four knapsacks as they are filled row by row: a row of cell (y, z) weighs 2 - lambda(y,z) in its own,
/// 1 - lambda(y,z') in that of the other group, 1 in those of the other label.
std::vector<Index> knapsack(const Vector& loss, const Labels& cell, const RohLambda& lambda,
                            double capacity) {
  std::vector<Index> order = all_rows(loss.size()), taken;
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return loss(a) < loss(b); });
  std::array<double, 4> filled{};
  const std::array<double, 4> wanted{1 - lambda[0], lambda[0], 1 - lambda[1], lambda[1]};
  for (const Index i : order) {
    if (static_cast<double>(taken.size()) >= capacity) break;
    if (*std::max_element(filled.begin(), filled.end()) >= capacity) break;
    taken.push_back(i);
    const std::size_t own = cell(i);
    for (std::size_t c = 0; c < 4; ++c)
      filled[c] += c == own ? 2 - wanted[c] : c / 2 == own / 2 ? 1 - wanted[c] : 1;
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

TEST(RohSelectRows, equals_four_knapsacks_filled_row_by_row) {
  const Index rows = 400;
  const Vector loss = normals(rows, 5).array().square();
  const Labels cell = cell_of(coin(rows, 6, 0.4), coin(rows, 7, 0.7));
  const RohLambda observed = observed_lambda(cell);

  // Shares that are exact in binary, so that both forms round alike.
  for (const RohLambda& lambda : {RohLambda{0.75, 0.5}, RohLambda{0.0, 1.0}, RohLambda{0.625, 0.6875}})
    for (const double tau : {0.25, 0.5, 0.9})
      EXPECT_EQ(select_rows(loss, cell, lambda, tau, RohFairness::eqodds),
                knapsack(loss, cell, lambda, std::floor(tau * 400)));
  EXPECT_EQ(select_rows(loss, cell, {0.75, 0.5}, 0.9, RohFairness::dp),
            select_rows(loss, cell, {0.75, 0.5}, 0.9, RohFairness::eqodds));
  EXPECT_LE(select_rows(loss, cell, observed, 0.9, RohFairness::dp).size(), 360U);
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
      for (const RohLambda& lambda : {RohLambda{0.75, 0.5}, RohLambda{1.0, 1.0}})
        EXPECT_EQ(select_rows(loss, cell, lambda, tau, RohFairness::eqodds),
                  knapsack(loss, cell, lambda, std::floor(tau * 3000)))
            << loss(0) << ' ' << tau << ' ' << lambda[0];
}

TEST(RohSelectRows, a_cell_over_its_share_ends_the_selection) {
  // One label, half of its rows wanted from each group, group 0 has all the low losses: at capacity 10 the
  // budget of group 0 is spent when N - N/2 + N = 10.
  const Labels cell = cells({0, 0, 10, 10});
  const Vector loss = Vector::LinSpaced(20, 0, 1);

  EXPECT_EQ(select_rows(loss, cell, {0.5, 0.5}, 0.5, RohFairness::eqodds).size(), 7U);
  EXPECT_EQ(select_rows(loss, cell, {0.5, 0.0}, 0.5, RohFairness::eqodds).size(), 10U);
}

TEST(RohBatchPools, cells_get_the_counts_of_lambda) {
  const Labels cell = cells({200, 600, 150, 50});
  const std::vector<Index> rows = all_rows(1000);

  EXPECT_EQ(counts_of(batch_pools(rows, cell, {0.75, 0.25}, 100, RohFairness::dp)),
            (std::array<Index, 4>{20, 60, 15, 5})); // as they are
  EXPECT_EQ(counts_of(batch_pools(rows, cell, {0.5, 1.0}, 100, RohFairness::eqodds)),
            (std::array<Index, 4>{40, 40, 0, 20}));
  EXPECT_EQ(counts_of(batch_pools(rows, cell, {0.33, 0.125}, 100, RohFairness::eqodds)),
            (std::array<Index, 4>{54, 26, 18, 2})); // 17.5 and 2.5 round to even
}

TEST(RohBatchPools, hold_the_rows_of_their_cells_and_empty_ones_give_none) {
  const Labels cell = cells({2, 0, 1, 2});

  const std::vector<RohPool> pools = batch_pools({0, 1, 3, 4}, cell, {0.5, 0.5}, 4, RohFairness::dp);

  EXPECT_EQ(pools[0].rows, (std::vector<Index>{0, 1}));
  EXPECT_EQ(pools[3].rows, (std::vector<Index>{3, 4}));
  EXPECT_EQ(counts_of(pools), (std::array<Index, 4>{1, 0, 0, 1}));
  EXPECT_EQ(batch_pools({0, 1, 3, 4}, cell, {0.5, 0.5}, 4, RohFairness::none).size(), 1U);
}

} // namespace
} // namespace metasieve
