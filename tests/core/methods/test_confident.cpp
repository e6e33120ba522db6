#include "methods/confident.hpp"
#include "support/grouped_rows.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"
#include "support/peer_tasks.hpp"

namespace metasieve {
namespace {

using namespace test;

TEST(Confident, by_hand) {
  // Both thresholds are (.9 + .8 + .7 + .1) / 4: three rows of each label are confident of it, one of the
  // other.
  const Vector positive{{0.9, 0.8, 0.7, 0.1, 0.1, 0.2, 0.3, 0.9}};
  const Labels y{{1, 1, 1, 1, 0, 0, 0, 0}};

  const Vector weights = confident_weights(positive, y, Labels::Zero(8));

  const double kept = 4.0 / 3.0; // rows of the class / those that are labelled so
  EXPECT_LT((weights - Vector{{kept, kept, kept, 0, kept, kept, kept, 0}}).cwiseAbs().maxCoeff(), 1e-15);
}

/// Linear rule, with a share of the labels of each (label, group) cell turned over.
PreparedTask flipped_task(double of_zero, double of_one, Index groups) {
  const Index rows = 4000;
  Task task;
  task.id = TaskId{3};
  task.train = {normals(rows, 4, 1).cast<float>(), Labels(rows), random_groups(rows, groups, 2), Labels(rows),
                groups};
  const Stream flips(Seed{5}, Draw::flips, TaskId{3});
  for (Index i = 0; i < rows; ++i) {
    const bool clean = task.train.x(i, 0) + task.train.x(i, 1) > 0.0F;
    const bool flipped = flips.uniform(i) < (task.train.group(i) == 0 ? of_zero : of_one);
    task.train.y_clean(i) = clean ? 1 : 0;
    task.train.y(i) = clean != flipped ? 1 : 0;
  }
  task.test = task.train;
  return with_probe(std::move(task));
}

TEST(Confident, rejects_planted_flips) {
  const PreparedTask task = flipped_task(0.2, 0.2, 2);

  for (const Vector& weights : {confident_weights(task, 1e-3), confident_group_weights(task, 1e-3)}) {
    const Detection found = detect(weights, task.train).all();
    EXPECT_GT(found.precision(), 0.85); // the noise rate is .2
    EXPECT_GT(found.recall(), 0.8);
    EXPECT_NEAR(weights.sum(), 4000.0, 20.0);
  }
}

TEST(ConfidentGroup, keeps_the_rows_of_a_group_without_noise) {
  const PreparedTask task = flipped_task(0.0, 0.3, 2);

  const DetectionReport found = detect(confident_group_weights(task, 1e-3), task.train);

  EXPECT_LT(static_cast<double>(found.of_group(0).rejected),
            0.1 * static_cast<double>(found.of_group(0).rows));
  EXPECT_GT(found.of_group(1).precision(), 0.85);
  EXPECT_GT(found.of_group(1).recall(), 0.8);
}

// Noise that depends on the group: positives of later groups are hidden, and a model learns that.
TEST(ConfidentGroup, finds_more_flips_than_one_threshold_for_all_where_noise_differs) {
  for (const Index groups : {2, 5}) {
    const PreparedTask task = with_probe(grouped_task(3000, groups));
    const Detection all = detect(confident_weights(task, 1e-3), task.train).all();
    const Detection within = detect(confident_group_weights(task, 1e-3), task.train).all();
    EXPECT_GT(within.recall(), 1.5 * all.recall());
    EXPECT_GT(within.precision(), all.precision());
  }
}

TEST(ConfidentGroup, of_one_group_is_confident_and_numbers_do_not_matter) {
  const PreparedTask one = with_probe(grouped_task(400, 1)), task = with_probe(grouped_task(400, 3));
  EXPECT_EQ(confident_group_weights(one, 1e-3), confident_weights(one, 1e-3));
  for (const std::vector<Index>& numbers : other_numbers(3))
    EXPECT_EQ(confident_group_weights(renumbered_task(400, 3, numbers), 1e-3),
              confident_group_weights(task, 1e-3));
}

TEST(Confident, keeps_rows_of_each_label_of_degenerate_tasks) {
  for (const PreparedTask& task : degenerate_tasks())
    for (const Vector& weights : {confident_weights(task, 1e-3), confident_group_weights(task, 1e-3)}) {
      EXPECT_TRUE(weights.allFinite());
      for (std::uint8_t label = 0; label < 2; ++label) {
        const Vector own = (task.train.y.array() == label).cast<double>();
        EXPECT_EQ(weights.dot(own) > 0.0, own.sum() > 0.0);
      }
    }
}

} // namespace
} // namespace metasieve
