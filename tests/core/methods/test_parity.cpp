#include "methods/parity.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"

namespace metasieve {
namespace {

using namespace test;

TEST(Parity, deviations_by_hand) {
  const Labels y{{1, 0, 1, 0, 1, 0}}, group{{1, 1, 1, 0, 0, 0}}, positive{{1, 0, 1, 1, 0, 1}};

  const Vector parity = GroupParity(y, group, Gap::dp).deviations(positive);
  const Vector odds = GroupParity(y, group, Gap::eo).deviations(positive);

  EXPECT_LT((parity - Vector{{2.0 / 3 - 4.0 / 6, 2.0 / 3 - 4.0 / 6}}).cwiseAbs().maxCoeff(), 1e-15);
  // In the order of first rows: (1, 1), (0, 1), (0, 0), (1, 0), each less the rate of its label, 2/3.
  EXPECT_LT((odds - Vector{{1.0 / 3, -2.0 / 3, 1.0 / 3, -2.0 / 3}}).cwiseAbs().maxCoeff(), 1e-15);
}

TEST(Parity, pullback_is_the_adjoint_of_the_deviations) {
  const Labels y = coin(200, 1), group = random_groups(200, 4, 2), positive = coin(200, 3);
  for (const Gap gap : {Gap::dp, Gap::eo, Gap::none}) {
    const GroupParity parity(y, group, gap);
    const Vector d = normals(parity.cells(), 4);
    EXPECT_NEAR(parity.pullback(d).dot(positive.cast<double>()), d.dot(parity.deviations(positive)), 1e-13);
  }
}

TEST(Parity, does_not_depend_on_the_numbers_of_groups_and_of_one_there_is_nothing_to_equalise) {
  const Labels y = coin(200, 1), group = random_groups(200, 5, 2), positive = coin(200, 3);
  for (const Gap gap : {Gap::dp, Gap::eo}) {
    const Vector deviations = GroupParity(y, group, gap).deviations(positive);
    for (const std::vector<Index>& numbers : other_numbers(5))
      EXPECT_EQ(GroupParity(y, renumbered(group, numbers), gap).deviations(positive), deviations);
    EXPECT_TRUE(GroupParity(y, Labels::Zero(200), gap).deviations(positive).isZero(0.0));
    EXPECT_TRUE(
        GroupParity(y, Labels::Zero(200), gap).pullback(Vector::Ones(gap == Gap::dp ? 1 : 2)).isZero(0.0));
  }
}

} // namespace
} // namespace metasieve
