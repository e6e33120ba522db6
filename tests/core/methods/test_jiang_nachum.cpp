#include "methods/assess.hpp"
#include "methods/jiang_nachum.hpp"
#include "support/grouped_rows.hpp"
#include "support/groups.hpp"
#include "support/peer_tasks.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

using namespace test;

// What the paper claims: the classifier of the weighted, biased labels is fair on the training rows.
TEST(JiangNachum, fit_of_the_weighted_rows_has_parity_on_the_training_labels) {
  for (const Index groups : {2, 3, 5}) {
    const PreparedTask task = with_probe(grouped_task(3000, groups));
    const Metrics plain = on_training_rows(task, Vector::Ones(3000));

    const Metrics parity = on_training_rows(task, jiang_nachum_weights(task, Gap::dp, 1e-3));
    const Metrics odds = on_training_rows(task, jiang_nachum_weights(task, Gap::eo, 1e-3));

    EXPECT_GT(plain.dp_gap, 0.5) << groups;
    EXPECT_LT(parity.dp_gap, 0.03) << groups;
    EXPECT_GT(plain.eo_gap, 0.6) << groups;
    EXPECT_LT(odds.eo_gap, 0.2) << groups;
  }
}

TEST(JiangNachum, positives_of_the_group_whose_labels_were_hidden_count_more) {
  const PreparedTask task = with_probe(grouped_task(3000, 2));

  const Vector w = jiang_nachum_weights(task, Gap::dp, 1e-3);

  for (Index i = 0; i < w.size(); ++i)
    EXPECT_EQ(w(i) > 1.0, (task.train.y(i) == 1) == (task.train.group(i) == 1));
}

TEST(JiangNachum, one_group_has_weights_of_one_and_numbers_of_groups_do_not_matter) {
  EXPECT_EQ(jiang_nachum_weights(with_probe(grouped_task(400, 1)), Gap::eo, 1e-3), Vector::Ones(400));
  const PreparedTask task = with_probe(grouped_task(400, 3));
  const Vector weights = jiang_nachum_weights(task, Gap::eo, 1e-3);
  for (const std::vector<Index>& numbers : other_numbers(3))
    EXPECT_EQ(jiang_nachum_weights(renumbered_task(400, 3, numbers), Gap::eo, 1e-3), weights);
}

TEST(JiangNachum, weights_of_degenerate_tasks_are_finite) {
  for (const PreparedTask& task : degenerate_tasks())
    for (const Gap gap : {Gap::dp, Gap::eo}) {
      const Vector weights = jiang_nachum_weights(task, gap, 1e-3);
      EXPECT_EQ(weights.size(), task.train.rows());
      EXPECT_TRUE(weights.allFinite());
      EXPECT_GE(weights.minCoeff(), 0.0);
    }
}

} // namespace
} // namespace metasieve
