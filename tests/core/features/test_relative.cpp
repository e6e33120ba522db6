// The feature set for any number of groups.

#include "features/cells.hpp"
#include "features/meta_features.hpp"
#include "features/raw_signals.hpp"
#include "support/errors.hpp"
#include "support/groups.hpp"
#include "support/random_tasks.hpp"
#include "tasks/task.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace metasieve {
namespace {

using namespace test;

FeatureOptions options(FeatureSet set = FeatureSet::relative) {
  return {.set = set, .ridge = 1e-3, .seed = Seed{3}, .id = TaskId{8}};
}

Index column(std::string_view name) { return feature_column(FeatureSet::relative, name); }

Matrix features_of(const Split& train, FeatureSet set = FeatureSet::relative) {
  return meta_features(train, fit_probe(train, true, 1e-3), options(set));
}

/// Ten rows of three groups. Counts of (y, z): group 0: 3 negative, 1 positive; group 1: 1 and 3; group 2: 2
/// negative.
struct SmallTable {
  Labels y{{0, 0, 0, 1, 0, 1, 1, 1, 0, 0}}, group{{0, 0, 0, 0, 1, 1, 1, 1, 2, 2}};
  Vector values{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}; // mean 5.5
};

TEST(Relative, cell_means_pool_the_other_groups_by_rows) {
  const SmallTable t;

  const Matrix seen = cell_means(t.values, t.y, t.group);

  const auto drawn = [](double sum, double rows) { return (sum + 5 * 5.5) / (rows + 5); };
  const Matrix expected{
      {drawn(1 + 2 + 3, 3), drawn(5 + 9 + 10, 3), drawn(4, 1), drawn(6 + 7 + 8, 3)},    // row 0: y 0, group 0
      {drawn(4, 1), drawn(6 + 7 + 8, 3), drawn(1 + 2 + 3, 3), drawn(5 + 9 + 10, 3)},    // row 3: y 1, group 0
      {drawn(5, 1), drawn(1 + 2 + 3 + 9 + 10, 5), drawn(6 + 7 + 8, 3), drawn(4, 1)},    // row 4: y 0, group 1
      {drawn(9 + 10, 2), drawn(1 + 2 + 3 + 5, 4), drawn(0, 0), drawn(4 + 6 + 7 + 8, 4)} // row 8: y 0, group 2
  };
  const std::vector<Index> rows{0, 3, 4, 8};
  EXPECT_LT((seen(rows, Eigen::all) - expected).cwiseAbs().maxCoeff(), 1e-14);
}

TEST(Relative, log_odds_are_of_own_label_and_own_group_against_the_rest) {
  const SmallTable t;

  const Vector odds = signed_log_odds(t.y, t.group);

  // (own, own), (other label, other groups); (own label, other groups), (other label, own group).
  EXPECT_NEAR(odds(0), std::log(4.0 * 4 / (4 * 2)), 1e-14);
  EXPECT_NEAR(odds(3), std::log(2.0 * 4 / (4 * 4)), 1e-14);
  EXPECT_NEAR(odds(4), std::log(2.0 * 2 / (6 * 4)), 1e-14);
  EXPECT_NEAR(odds(5), std::log(4.0 * 6 / (2 * 2)), 1e-14);
  EXPECT_NEAR(odds(8), std::log(3.0 * 5 / (5 * 1)), 1e-14);
}

TEST(Relative, rate_difference_is_of_the_own_group_against_all_other_rows) {
  const SmallTable t;

  const Vector difference = group_rate_difference(t.y, t.group);

  EXPECT_NEAR(difference(0), 1.0 / 4 - 3.0 / 6, 1e-15);
  EXPECT_NEAR(difference(5), 3.0 / 4 - 1.0 / 6, 1e-15);
  EXPECT_NEAR(difference(9), 0.0 - 4.0 / 8, 1e-15);
  EXPECT_EQ(group_rate_difference(t.y, Labels::Zero(10)), Vector::Zero(10));
}

TEST(Relative, columns_of_the_groups_by_hand) {
  const SmallTable t;
  const Split train{MatrixF::Zero(10, 1), t.y, t.group, t.y, 3};
  const RawSignals signals{Vector::Zero(10), Vector::Constant(10, 0.5), Vector::Zero(10), t.values, {}};

  const Matrix features = assemble_features(train, signals, FeatureSet::relative);

  const auto at = [&](Index row, std::string_view name) { return features(row, column(name)); };
  EXPECT_NEAR(at(0, "log_group_share"), std::log(0.4) + 1, 1e-14);
  EXPECT_NEAR(at(9, "log_group_share"), std::log(0.2) + 1, 1e-14);
  EXPECT_NEAR(at(5, "group_rate_difference"), 3.0 / 4 - 1.0 / 6, 1e-14);
  EXPECT_NEAR(at(5, "log_odds"), std::log(6.0), 1e-14);
  EXPECT_NEAR(at(0, "log_cell_weight"), std::log(0.6 * 0.4 / 0.3) / 0.3, 1e-12);
  EXPECT_NEAR(at(8, "cell_share"), (std::log(0.2) + 1.4) / 0.6, 1e-12);
  EXPECT_NEAR(at(4, "cell_rff_group"), (1 + 2 + 3 + 9 + 10 + 5 * 5.5) / 10, 1e-12);
  EXPECT_EQ(at(1, "rff_rank_in_cell"), 0.5); // rows 0, 1, 2
  EXPECT_EQ(at(4, "rff_rank_in_cell"), 0.0); // alone
}

TEST(Relative, of_two_groups_has_the_columns_of_context) {
  const Split train = random_task(300, 5);

  const Matrix features = features_of(train), context = features_of(train, FeatureSet::context);

  for (Index j = 0; j < context.cols(); ++j) {
    const std::string_view name = feature_name(FeatureSet::context, j);
    if (name == "group") continue;
    ASSERT_GE(column(name), 0) << name;
    EXPECT_LT((features.col(column(name)) - context.col(j)).cwiseAbs().maxCoeff(), 1e-12) << name;
  }
  EXPECT_LT(column("group"), 0);
  EXPECT_EQ(features.cols(), context.cols() + 1);
}

TEST(Relative, of_one_group_has_zeros_for_what_compares_groups) {
  const Split train = with_groups(random_task(120, 4), 1, 1);

  const Matrix features = features_of(train);

  EXPECT_TRUE(features.allFinite());
  for (const char* name : {"log_group_share", "group_rate_difference", "log_cell_weight", "log_odds"})
    EXPECT_EQ(features.col(column(name)), Vector::Zero(120)) << name;
  // As an empty cell: the mean of all rows.
  const double mean = features.col(column("rff_common")).mean();
  for (const char* name : {"cell_rff_group", "cell_rff_both"})
    EXPECT_LT((features.col(column(name)).array() - mean).abs().maxCoeff(), 1e-14) << name;
  EXPECT_GT((features.col(column("cell_rff")) - features.col(column("cell_rff_label"))).norm(), 0.1);
}

TEST(Relative, a_group_without_rows_changes_nothing) {
  for (const Index groups : {1, 2, 4}) {
    Split train = with_groups(random_task(200, 4), groups, 5);
    const Probe probe = fit_probe(train, true, 1e-3);
    const Matrix before = meta_features(train, probe, options());

    train.groups = groups + 2;
    train.group = train.group.array() + 1; // groups 0 and the last are empty
    const Probe wider = fit_probe(train, true, 1e-3);

    EXPECT_EQ(wider.standardizer.inputs(), probe.standardizer.inputs() + 2);
    EXPECT_LT((meta_features(train, wider, options()) - before).cwiseAbs().maxCoeff(), 1e-6) << groups;
  }
}

TEST(Relative, alone_serves_another_number_of_groups_than_two) {
  Task task;
  task.train = task.test = with_groups(random_task(60, 4), 3, 1);
  const auto prepared = [&](FeatureSet set) { return prepare(task, {set, true, 1e-3, Seed{1}}); };

  EXPECT_EQ(prepared(FeatureSet::relative).features.cols(), 28);
  for (const FeatureSet set : {FeatureSet::basic, FeatureSet::full, FeatureSet::context}) {
    const std::string said = config_error([&] { static_cast<void>(prepared(set)); });
    EXPECT_EQ(said, "policy.features = " + std::string(to_string(set)) +
                        ": serves two groups, and a task has 3; relative and fair serve any number");
  }
  task.train.groups = task.test.groups = 1;
  task.train.group.setZero();
  task.test.group.setZero();
  EXPECT_THROW(static_cast<void>(prepared(FeatureSet::context)), ConfigError);
}

} // namespace
} // namespace metasieve
