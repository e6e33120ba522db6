#include "base/error.hpp"
#include "fairness/metrics.hpp"
#include "features/cells.hpp"
#include "methods/roh.hpp"
#include "numerics/newton.hpp"
#include "support/grouped_rows.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"

namespace metasieve {
namespace {

using namespace test;

constexpr std::array every_fairness{RohFairness::none, RohFairness::dp, RohFairness::eqodds};

struct Rows {
  Matrix x; ///< [n, 4], intercept last
  Labels y, y_clean, group;
};

/// A linear rule with some overlap, and a tenth of the labels flipped.
Rows noisy_rows(Index size, double group_share = 0.6) {
  Rows rows{normals(size, 4, 1), Labels(size), Labels(size), coin(size, 2, group_share)};
  rows.x.col(3).setOnes();
  const Labels flips = coin(size, 3, 0.1);
  for (Index i = 0; i < size; ++i) {
    rows.y_clean(i) = static_cast<std::uint8_t>(2 * rows.x(i, 0) - rows.x(i, 1) + 0.5 * rows.x(i, 2) > 0);
    rows.y(i) = rows.y_clean(i) ^ flips(i);
  }
  return rows;
}

RohOptions quick(RohFairness fairness, double tau = 0.9) {
  RohOptions options;
  options.fairness = fairness;
  options.tau = tau;
  options.epochs = 60;
  options.warm_start = 20;
  options.learning_rate = 0.01;
  options.seed = Seed{7};
  return options;
}

RohFit fit(const Rows& rows, const RohOptions& options) {
  return fit_roh(rows.x, rows.y, rows.group, 2, options);
}

TEST(Roh, keeping_all_rows_without_fairness_is_plain_training) {
  const Rows rows = noisy_rows(730);
  RohOptions plain = quick(RohFairness::none, 1.0), chosen = plain;
  plain.warm_start = plain.epochs;
  chosen.warm_start = 0;

  EXPECT_EQ(fit(rows, chosen).beta, fit(rows, plain).beta);
  EXPECT_EQ(fit(rows, chosen).selected, Vector::Ones(730));
  EXPECT_TRUE(fit(rows, chosen).weights.isOnes(1e-12));
}

TEST(Roh, full_batches_reach_the_logistic_optimum) {
  const Rows rows = noisy_rows(300);
  RohOptions options = quick(RohFairness::none, 1.0);
  options.batch = 300;
  options.epochs = 3000;

  const Vector beta = fit(rows, options).beta;

  const LogisticFit newton =
      fit_logistic(rows.x, rows.y.cast<double>(), Vector::Ones(300), Vector::Zero(4), Vector::Zero(4));
  EXPECT_LT(relative_error(beta, newton.beta), 1e-4);
}

TEST(Roh, batches_take_from_each_cell_the_counts_asked_for) {
  const Rows rows = noisy_rows(800);
  const Labels cell = cell_of(rows.y, rows.group);

  for (const RohFairness fairness : {RohFairness::dp, RohFairness::eqodds}) {
    const RohFit out = fit(rows, quick(fairness));

    std::vector<Index> selected;
    std::array<double, 4> taken{};
    for (Index i = 0; i < 800; ++i) {
      if (out.selected(i) > 0) selected.push_back(i);
      taken[cell(i)] += out.weights(i);
    }
    const std::vector<RohPool> pools = batch_pools(selected, cell, out.lambda, 100, fairness);
    const auto batch = static_cast<double>(pools[0].count + pools[1].count + pools[2].count + pools[3].count);
    const double kept = out.selected.sum();
    for (std::size_t c = 0; c < 4; ++c)
      EXPECT_NEAR(taken[c] / kept, static_cast<double>(pools[c].count) / batch, 1e-12);
    EXPECT_NEAR(out.weights.sum(), kept, 1e-9);
  }
}

TEST(Roh, drops_flipped_labels) {
  const Rows rows = noisy_rows(1000);
  const Vector flipped = (rows.y.array() != rows.y_clean.array()).cast<double>();

  for (const RohFairness fairness : every_fairness) {
    const RohFit out = fit(rows, quick(fairness));

    EXPECT_LE(out.selected.sum(), 900.0);
    EXPECT_GT(out.selected.sum(), 700.0);
    EXPECT_LT(flipped.dot(out.selected) / out.selected.sum(), 0.25 * flipped.mean());
    EXPECT_EQ(out.status, FitStatus::step_limit);
  }
}

TEST(Roh, odd_tables_of_groups_and_labels_are_defined) {
  Rows one_group = noisy_rows(150), one_class = one_group, no_cell = one_group, one_row = noisy_rows(1);
  one_group.group.setOnes();
  one_class.y.setZero();
  no_cell.group = no_cell.group.cwiseMin(no_cell.y); // no negative of group 1
  Rows lone = one_class;                             // both, and a single row of the other cell
  lone.group.setZero();
  lone.y(3) = lone.group(3) = 1;

  for (const Rows& rows : {one_group, one_class, no_cell, one_row, lone})
    for (const RohFairness fairness : every_fairness)
      for (const double tau : {0.01, 0.5, 1.0}) {
        RohOptions options = quick(fairness, tau);
        options.alpha = 0.2;

        const RohFit out = fit(rows, options);

        EXPECT_TRUE(out.beta.allFinite() && out.weights.allFinite());
        EXPECT_GE(out.selected.sum(), 1.0);
        EXPECT_EQ(out.status, FitStatus::step_limit);
        for (const std::vector<double>& of_label : out.lambda)
          for (const double value : of_label) EXPECT_TRUE(value >= 0.0 && value <= 1.0);
      }
}

/// x with an intercept.
Matrix inputs(const Split& split) {
  Matrix x(split.rows(), split.columns() + 1);
  x << split.x.cast<double>(), Vector::Ones(split.rows());
  return x;
}

RohFit fit(const Split& train, const RohOptions& options) {
  return fit_roh(inputs(train), train.y, train.group, train.groups, options);
}

TEST(Roh, more_than_two_groups_come_closer_than_without_fairness) {
  for (const Index groups : {3, 5}) {
    const auto mean_gap = [&](RohFairness fairness, double Metrics::*gap) {
      double sum = 0;
      for (const std::uint64_t salt : {1, 2, 3}) {
        const Task task = grouped_task(3000, groups, salt);
        RohOptions options = quick(fairness);
        options.epochs = 120;
        options.alpha = 0.005;
        const Vector score = inputs(task.test) * fit(task.train, options).beta;
        sum += evaluate_predictor(score, task.test.y, task.test.group, groups).*gap / 3;
      }
      return sum;
    };

    EXPECT_LT(mean_gap(RohFairness::eqodds, &Metrics::eo_gap),
              0.7 * mean_gap(RohFairness::none, &Metrics::eo_gap));
    EXPECT_LT(mean_gap(RohFairness::dp, &Metrics::dp_gap),
              0.5 * mean_gap(RohFairness::none, &Metrics::dp_gap));
  }
}

TEST(Roh, the_numbers_of_more_than_two_groups_do_not_matter) {
  const Split train = grouped_split(600, 4, 3);
  Split other = train;
  other.group = renumbered(train.group, {2, 3, 1, 0});
  for (const RohFairness fairness : every_fairness) {
    const RohFit one = fit(train, quick(fairness)), two = fit(other, quick(fairness));

    EXPECT_EQ(one.beta, two.beta);
    EXPECT_EQ(one.weights, two.weights);
    EXPECT_EQ(one.lambda, two.lambda);
  }
}

TEST(Roh, one_group_is_trimmed_alone) {
  const Split train = grouped_split(300, 1, 2);
  const RohFit trimmed = fit(train, quick(RohFairness::none));
  for (const RohFairness fairness : every_fairness) {
    const RohFit out = fit(train, quick(fairness));

    EXPECT_EQ(out.beta, trimmed.beta);
    EXPECT_EQ(out.weights, trimmed.weights);
    EXPECT_EQ(out.selected.sum(), 270.0);
  }
}

TEST(Roh, empty_groups_and_cells_among_several_are_defined) {
  Split train = grouped_split(200, 3, 5);
  train.groups = 6; // three without rows
  train.y = (train.group.array() == 1).select(Labels::Zero(200), train.y);
  for (const RohFairness fairness : every_fairness)
    for (const double tau : {0.01, 0.9}) {
      RohOptions options = quick(fairness, tau);
      options.alpha = 0.2;

      const RohFit out = fit(train, options);

      EXPECT_TRUE(out.beta.allFinite() && out.weights.allFinite());
      EXPECT_GE(out.selected.sum(), 1.0);
    }
}

TEST(Roh, the_same_bits_for_the_same_seed_and_task) {
  const Rows rows = noisy_rows(400);
  const RohOptions options = quick(RohFairness::eqodds);
  RohOptions other_seed = options, other_task = options;
  other_seed.seed = Seed{8};
  other_task.task = TaskId{1};

  const RohFit first = fit(rows, options), second = fit(rows, options);

  EXPECT_EQ(first.beta, second.beta);
  EXPECT_EQ(first.weights, second.weights);
  EXPECT_NE(first.beta, fit(rows, other_seed).beta);
  EXPECT_NE(first.beta, fit(rows, other_task).beta);
}

TEST(Roh, a_path_that_leaves_the_numbers_is_reported) {
  const Rows rows = noisy_rows(200);
  RohOptions options = quick(RohFairness::dp);
  options.learning_rate = 1e308;

  EXPECT_EQ(fit(rows, options).status, FitStatus::diverged);
}

TEST(Roh, options_out_of_their_domain_are_refused) {
  const Rows rows = noisy_rows(20);
  const auto refused = [&](auto change) {
    RohOptions options;
    change(options);
    EXPECT_THROW(static_cast<void>(fit(rows, options)), ConfigError);
  };

  refused([](RohOptions& o) { o.tau = 0.0; });
  refused([](RohOptions& o) { o.tau = 1.01; });
  refused([](RohOptions& o) { o.tau = std::nan(""); });
  refused([](RohOptions& o) { o.alpha = -0.1; });
  refused([](RohOptions& o) { o.epochs = 0; });
  refused([](RohOptions& o) { o.warm_start = -1; });
  refused([](RohOptions& o) { o.batch = 0; });
  refused([](RohOptions& o) { o.learning_rate = 0.0; });
}

TEST(Roh, the_rate_makes_up_for_short_epochs) {
  EXPECT_EQ(scaled_to(2000, {}).learning_rate, 1e-3);
  EXPECT_EQ(scaled_to(50000, {}).learning_rate, 1e-3);
  EXPECT_DOUBLE_EQ(scaled_to(500, {}).learning_rate, 4e-3);
  EXPECT_DOUBLE_EQ(scaled_to(70, {}).learning_rate, 20e-3);
}

} // namespace
} // namespace metasieve
