#include "kernels/outer_loss.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"

namespace metasieve {
namespace {

using namespace test;

using Options = std::tuple<AccuracyLoss, Gap>;

class FastOuterLossAs : public ::testing::TestWithParam<Options> {
protected:
  [[nodiscard]] static OuterOptions options() {
    const auto [accuracy, gap] = GetParam();
    return {accuracy, gap, 0.8};
  }

  [[nodiscard]] static Eigen::VectorXf padded(const Vector& score) {
    const Index m = score.size();
    Eigen::VectorXf rounded = Eigen::VectorXf::Constant(simd::padded(m, 16), 1e9F); // is never looked at
    rounded.head(m) = score.cast<float>();
    return rounded;
  }

  void expect_agreement(const Vector& score, const Labels& y, const Labels& group) {
    const Index m = score.size();
    const Eigen::VectorXf rounded = padded(score);
    const OuterTrace expected = outer_loss(rounded.head(m).cast<double>(), y, group, options());

    const kernels::OuterLoss::Value value = fast_(rounded.data(), y, group, options());

    EXPECT_NEAR(value.loss, expected.loss, 1e-5 * (1.0 + expected.loss));
    EXPECT_NEAR(value.accuracy_loss, expected.accuracy_loss, 1e-5 * (1.0 + expected.accuracy_loss));
    EXPECT_NEAR(value.fairness_loss, expected.fairness_loss, 1e-5);
    const Vector d_score = Eigen::Map<const Eigen::VectorXf>(fast_.d_score(), m).cast<double>();
    EXPECT_LT((d_score - pullback(expected)).norm(), 1e-4 * (expected.d_score.norm() + 1e-6));
  }

  kernels::OuterLoss fast_;
};

TEST_P(FastOuterLossAs, agrees_with_the_double_form) {
  for (const Index m : {1, 4, 15, 16, 17, 600, 1607})
    expect_agreement(2.0 * normals(m, 1), coin(m, 2, 0.4), coin(m, 3, 0.3));
}

TEST_P(FastOuterLossAs, agrees_for_any_number_of_groups) {
  for (const Index groups : {1, 3, 5, 64})
    for (const Index m : {1, 17, 90, 600, 1607})
      expect_agreement(2.0 * normals(m, 1), coin(m, 2, 0.4), random_groups(m, groups, 3));
}

TEST_P(FastOuterLossAs, does_not_mind_how_groups_are_numbered_nor_numbers_without_rows) {
  for (const Index groups : {2, 3, 5}) {
    const Index m = 603;
    const Eigen::VectorXf score = padded(2.0 * normals(m, 1));
    const Labels y = coin(m, 2, 0.4), group = random_groups(m, groups, 3);
    const auto loss = [&](const Labels& z) {
      const kernels::OuterLoss::Value value = fast_(score.data(), y, z, options());
      return std::pair(value.fairness_loss,
                       Eigen::VectorXf(Eigen::Map<const Eigen::VectorXf>(fast_.d_score(), m)));
    };
    const auto before = loss(group);

    for (const std::vector<Index>& numbers : other_numbers(groups))
      EXPECT_EQ(loss(renumbered(group, numbers)), before);
    EXPECT_EQ(loss(12 * group.array()), before);
  }
}

TEST_P(FastOuterLossAs, agrees_where_cells_are_too_small_or_empty) {
  const Vector score = normals(30, 1);
  Labels y = coin(30, 2, 0.4), group = Labels::Zero(30);
  expect_agreement(score, y, group);
  group.head(4).setOnes();
  y.head(4) << 0, 0, 0, 1; // two cells of group 1 with 3 rows and with 1
  expect_agreement(score, y, group);
  expect_agreement(score, Labels::Ones(30), coin(30, 3));
}

TEST_P(FastOuterLossAs, agrees_for_scores_that_saturate) {
  expect_agreement(200.0 * normals(70, 1), coin(70, 2), coin(70, 3));
}

INSTANTIATE_TEST_SUITE_P(all, FastOuterLossAs,
                         ::testing::Combine(::testing::Values(AccuracyLoss::logistic, AccuracyLoss::zero_one,
                                                              AccuracyLoss::balanced),
                                            ::testing::Values(Gap::dp, Gap::eo, Gap::both, Gap::none)));

} // namespace
} // namespace metasieve
