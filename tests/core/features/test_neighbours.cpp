#include "features/neighbours.hpp"

#include "support/random_tasks.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace metasieve {
namespace {

using test::random_task;

TEST(Neighbours, agreement_is_the_share_of_the_fifteen_nearest_in_the_standardised_rows) {
  const Split train = random_task(80, 4);
  const Standardizer s = fit_standardizer(train, true);
  const Matrix x = design_matrix(train, s).leftCols(4);
  Vector expected(80);
  for (Index i = 0; i < 80; ++i) {
    std::vector<Index> others = all_rows(80);
    std::erase(others, i);
    std::ranges::sort(others, {}, [&](Index k) { return (x.row(k) - x.row(i)).norm(); });
    double same = 0;
    for (std::size_t k = 0; k < 15; ++k) same += train.y(others[k]) == train.y(i);
    expected(i) = same / 15;
  }

  EXPECT_EQ(neighbour_agreement(train, s, all_rows(80)), expected);
}

TEST(Neighbours, fewer_rows_are_asked_where_there_are_no_more) {
  Split train = random_task(3, 2);
  train.y << 1, 1, 0;

  const Vector expected{{0.5, 0.5, 0.0}};
  EXPECT_EQ(neighbour_agreement(train, fit_standardizer(train, true), all_rows(3)), expected);
}

} // namespace
} // namespace metasieve
