#include "features/cells.hpp"

#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace metasieve {
namespace {

TEST(ZScored, has_mean_zero_and_population_deviation_one) {
  const Vector values{{1.0, 2.0, 4.0, 9.0}}; // mean 4, population variance 38/4

  const Vector scaled = z_scored(values);

  for (Index i = 0; i < 4; ++i) EXPECT_NEAR(scaled(i), (values(i) - 4.0) / std::sqrt(9.5), 1e-15);
}

TEST(ZScored, constant_values_become_zero_at_any_magnitude) {
  for (const double value : {0.0, 0.1, 1e-3, 12345.678, 1e12})
    EXPECT_EQ(z_scored(Vector::Constant(1001, value)), Vector(Vector::Zero(1001))) << value;
  EXPECT_EQ(z_scored(Vector{{0.5, 0.5 + 1e-13}}), Vector(Vector::Zero(2)));
}

TEST(ZScored, single_and_no_value) {
  EXPECT_EQ(z_scored(Vector::Constant(1, 3.0))(0), 0.0);
  EXPECT_EQ(z_scored(Vector(0)).size(), 0);
}

TEST(RankFraction, ties_keep_the_order_of_index) {
  const Vector rank = rank_fraction(Vector{{0.3, 0.1, 0.3, 0.2, 0.1}});

  EXPECT_EQ(rank, (Vector{{0.75, 0.0, 1.0, 0.5, 0.25}}));
}

TEST(RankFraction, is_the_place_in_a_stable_sort_of_any_finite_values) {
  const Stream stream(Seed{1}, Draw::covariates, TaskId{1});
  Vector values(2000);
  for (Index i = 0; i < 2000; ++i) {
    const double value = stream.normal(i) * std::pow(10.0, static_cast<double>(i % 7 * 50 - 150));
    values(i) = i % 5 == 0 ? 0.25 * static_cast<double>(stream.below(i, 9) - 4) : value;
  }
  values(3) = 0.0;
  values(4) = -0.0;
  values(9) = 0.0;
  values(10) = 1e308;
  values(11) = -5e-324;
  std::vector<Index> order(2000);
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, {}, [&](Index i) { return values(i); });

  const Vector rank = rank_fraction(values);

  for (std::size_t place = 0; place < order.size(); ++place)
    EXPECT_EQ(rank(order[place]), static_cast<double>(place) / 1999.0);
}

TEST(RankFraction, single_value_has_rank_zero) { EXPECT_EQ(rank_fraction(Vector::Constant(1, 3.0))(0), 0.0); }

TEST(Cells, means_shares_and_weights_of_a_small_table) {
  const Labels y{{1, 1, 1, 0, 0, 1, 0, 1}}, group{{0, 0, 0, 0, 1, 1, 1, 0}};
  const Vector values{{1, 2, 3, 4, 5, 6, 7, 10}};

  const Vector mean = mean_by_key(values, cell_of(y, group));
  const Vector share = share_by_key(cell_of(y, group));
  const Vector weight = log_cell_weight(y, group);

  EXPECT_EQ(mean, (Vector{{4, 4, 4, 4, 6, 6, 6, 4}}));
  EXPECT_EQ(share, (Vector{{0.5, 0.5, 0.5, 0.125, 0.25, 0.125, 0.25, 0.5}}));
  EXPECT_NEAR(weight(0), std::log(5.0 / 8 * 5 / 8 / 0.5), 1e-15);
  EXPECT_NEAR(weight(4), std::log(3.0 / 8 * 3 / 8 / 0.25), 1e-15);
}

} // namespace
} // namespace metasieve
