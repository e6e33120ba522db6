#include "methods/reweight_meta.hpp"
#include "support/groups.hpp"
#include "support/peer_tasks.hpp"
#include "tasks/generate.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

using namespace test;

// What the paper claims: rows with wrong labels lose weight. Here the validation rows have wrong labels too.
TEST(ReweightMeta, rows_with_planted_flips_have_lower_weights) {
  Family family;
  family.samples = {3000, 3000};
  family.features = {8, 8};
  family.label_noise = {0.2, 0.2};
  family.minority = {0.3, 0.3};
  family.separability = {1.5, 1.5};
  for (const std::uint64_t id : {1, 2, 3}) {
    const PreparedTask task = with_probe(generate_task(family, Seed{4}, TaskId{id}));

    const Vector weights = reweight_meta_weights(task, {});

    const Vector flipped = (task.train.y.array() != task.train.y_clean.array()).cast<double>();
    const double of_flips = weights.dot(flipped) / flipped.sum();
    const Vector right = 1.0 - flipped.array();
    const double of_others = weights.dot(right) / right.sum();
    EXPECT_LT(of_flips, 0.6 * of_others) << id;
    EXPECT_NEAR(weights.mean(), 1.0, 1e-9);
    EXPECT_GE(weights.minCoeff(), 0.0);
  }
}

TEST(ReweightMeta, a_gap_in_the_loss_closes_that_of_the_fit) {
  const PreparedTask task = with_probe(grouped_task(3000, 3));
  AdaptOptions plain, fair;
  plain.outer.fairness_weight = 0.0;
  fair.outer.fairness_weight = 1.0;

  EXPECT_LT(on_training_rows(task, reweight_meta_weights(task, fair)).eo_gap,
            0.7 * on_training_rows(task, reweight_meta_weights(task, plain)).eo_gap);
}

TEST(ReweightMeta, numbers_of_groups_do_not_matter_and_seeds_do) {
  const PreparedTask task = with_probe(grouped_task(400, 4));
  const Vector weights = reweight_meta_weights(task, {});
  for (const std::vector<Index>& numbers : other_numbers(4))
    EXPECT_EQ(reweight_meta_weights(renumbered_task(400, 4, numbers), {}), weights);
  AdaptOptions seeded;
  seeded.seed = Seed{7};
  EXPECT_NE(reweight_meta_weights(task, seeded), weights);
}

TEST(ReweightMeta, weights_of_degenerate_tasks_are_finite) {
  for (const PreparedTask& task : degenerate_tasks()) {
    const Vector weights = reweight_meta_weights(task, {});
    EXPECT_TRUE(weights.allFinite());
    EXPECT_GE(weights.minCoeff(), 0.0);
    EXPECT_GT(weights.sum(), 0.0);
  }
}

} // namespace
} // namespace metasieve
