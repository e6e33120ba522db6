#include "tasks/generate.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace metasieve {
namespace {

double odds_ratio(double positive, double group1, double both) {
  return (positive - both) * (group1 - both) / (both * (1 - positive - group1 + both));
}

TEST(JointShare, solves_the_odds_equation_inside_the_table) {
  for (const double positive : {0.01, 0.2, 0.5, 0.8, 0.99})
    for (const double group1 : {0.02, 0.1, 0.5, 0.9, 0.97})
      for (const double odds : {1e-3, 1 / 2.25, 0.999999, 1.0, 1.000001, 2.25, 50.0, 1e4}) {
        const double both = joint_share(positive, group1, odds);

        EXPECT_GT(both, std::max(0.0, positive + group1 - 1));
        EXPECT_LT(both, std::min(positive, group1));
        EXPECT_NEAR(odds_ratio(positive, group1, both) / odds, 1.0, 1e-7)
            << positive << ' ' << group1 << ' ' << odds;
      }
}

TEST(JointShare, is_sixty_forty_against_forty_sixty_at_balanced_margins) {
  EXPECT_NEAR(joint_share(0.5, 0.5, 2.25), 0.5 * 0.4, 1e-15);
  EXPECT_NEAR(joint_share(0.5, 0.5, 1 / 2.25), 0.5 * 0.6, 1e-15);
}

TEST(JointTable, has_its_margins_exactly_and_is_nearest_to_the_root) {
  for (const Index rows : {20, 101, 5000})
    for (const Index positives : {Index{1}, rows / 5, rows / 2, rows - 1})
      for (const Index group1 : {Index{1}, rows / 3, (9 * rows) / 10, rows - 1})
        for (const int disadvantaged : {0, 1}) {
          const JointTable t = joint_table(rows, positives, group1, 2.25, disadvantaged);
          const double n = static_cast<double>(rows);
          const double share =
              joint_share(static_cast<double>(positives) / n, static_cast<double>(group1) / n,
                          disadvantaged == 1 ? 2.25 : 1 / 2.25);

          EXPECT_EQ(t.y1z0 + t.y1z1, positives);
          EXPECT_EQ(t.y0z1 + t.y1z1, group1);
          EXPECT_EQ(t.y0z0 + t.y0z1 + t.y1z0 + t.y1z1, rows);
          EXPECT_GE(std::min({t.y0z0, t.y0z1, t.y1z0, t.y1z1}), 0);
          EXPECT_LE(std::abs(static_cast<double>(t.y1z1) - share * n), 0.5 + 1e-9);
        }
}

TEST(JointTable, gives_the_disadvantaged_group_the_lower_odds) {
  EXPECT_EQ(joint_table(1000, 500, 500, 2.25, 1), (JointTable{200, 300, 300, 200}));
  EXPECT_EQ(joint_table(1000, 500, 500, 2.25, 0), (JointTable{300, 200, 200, 300}));
  EXPECT_EQ(joint_table(1000, 200, 300, 1.0, 1), (JointTable{560, 240, 140, 60}));
}

TEST(AssignGroups, realises_the_table_at_random_rows) {
  Labels y = Labels::Zero(1000);
  y.tail(400).setOnes();
  const JointTable table{350, 250, 300, 100};

  const Labels group = assign_groups(y, table, Seed{1}, TaskId{2});
  const Labels other = assign_groups(y, table, Seed{1}, TaskId{3});

  EXPECT_EQ(group.head(600).cast<int>().sum(), 250);
  EXPECT_EQ(group.tail(400).cast<int>().sum(), 100);
  // Hypergeometric: 125 +- 6.1 and 50 +- 4.3 in either half.
  EXPECT_NEAR(group.head(300).cast<int>().sum(), 125, 25);
  EXPECT_NEAR(group.tail(200).cast<int>().sum(), 50, 17);
  EXPECT_FALSE(group == other);
}

TEST(ShiftGroups, moves_the_groups_apart_by_half_shift_root_d) {
  const Matrix x = Matrix::Zero(6, 16);
  Labels group(6);
  group << 0, 1, 1, 0, 1, 0;
  const Vector direction = shift_direction(16, Seed{1}, TaskId{2});

  const Matrix moved = shift_groups(x, group, 1.5, direction);

  EXPECT_NEAR(direction.norm(), 1.0, 1e-14);
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < 16; ++j)
      EXPECT_NEAR(moved(i, j), (group(i) == 1 ? 0.5 : -0.5) * 1.5 * 2.0 * direction(j), 1e-14);
}

TEST(ShiftDirection, is_uniform_on_the_sphere) {
  constexpr Index draws = 2000, d = 5;
  Vector mean = Vector::Zero(d);
  Eigen::MatrixXd square = Eigen::MatrixXd::Zero(d, d);

  for (Index id = 0; id < draws; ++id) {
    const Vector u = shift_direction(d, Seed{1}, TaskId(id));
    mean += u / draws;
    square += u * u.transpose() / draws;
  }

  // Var(u_j) = 1/d; Var(u_j^2) <= 2/d^2.
  EXPECT_LT(mean.cwiseAbs().maxCoeff(), 4 / std::sqrt(draws * d));
  EXPECT_LT((square - Eigen::MatrixXd::Identity(d, d) / d).cwiseAbs().maxCoeff(),
            4 * std::sqrt(2.0 / draws) / d);
}

} // namespace
} // namespace metasieve
