#include "support/numerics.hpp"
#include "tasks/resample.hpp"

#include <set>

namespace metasieve {
namespace {

using namespace test;

Split small_rows() {
  Split rows;
  rows.x = normals(200, 3, 1).cast<float>();
  rows.y = rows.y_clean = coin(200, 2, 0.3);
  rows.group = coin(200, 3);
  rows.x.col(0) = Eigen::VectorXf::LinSpaced(200, 0, 199); // a row's number
  return rows;
}

LabelCorruption flips(double rate) { return {LabelCorruption::Kind::flips, rate}; }

TEST(Resample, splits_all_rows_and_flips_training_labels_alone) {
  const Split rows = small_rows();

  const Task task = resample(rows, {"data", flips(0.1), Seed{1}, std::nullopt}, 3);

  std::set<float> seen;
  for (const Split* part : {&task.train, &task.test})
    for (Index i = 0; i < part->rows(); ++i) seen.insert(part->x(i, 0));
  EXPECT_EQ(seen.size(), 200U);
  EXPECT_EQ(task.test.rows(), 60);
  EXPECT_EQ((task.train.y.array() != task.train.y_clean.array()).count(), 14);
  EXPECT_EQ(task.test.y, task.test.y_clean);
  EXPECT_NEAR(task.test.y.cast<double>().mean(), rows.y.cast<double>().mean(), 0.5 / 60);
  EXPECT_EQ(task.metadata.family, "data");
}

TEST(Resample, keeps_the_number_of_groups_also_where_one_has_no_row) {
  Split rows = small_rows();
  rows.groups = 5;

  const Task task = resample(rows, {"data", flips(0.1), Seed{1}, std::nullopt}, 0);

  EXPECT_EQ(task.train.groups, 5);
  EXPECT_EQ(task.test.groups, 5);
  EXPECT_EQ(task.metadata.groups, 5);
}

TEST(Resample, repetitions_differ_and_a_given_split_is_kept) {
  const Split rows = small_rows();
  Labels split = Labels::Zero(200);
  split.tail(50).setOnes();
  const Resampling given{"data", flips(0.0), Seed{1}, split};

  EXPECT_NE(resample(rows, {"d", flips(0.1), Seed{1}, std::nullopt}, 0).train.x,
            resample(rows, {"d", flips(0.1), Seed{1}, std::nullopt}, 1).train.x);
  EXPECT_EQ(resample(rows, given, 0).test.x, rows.x.bottomRows(50));
  EXPECT_EQ(resample(rows, given, 0).train.y, rows.y.head(150));
}

} // namespace
} // namespace metasieve
