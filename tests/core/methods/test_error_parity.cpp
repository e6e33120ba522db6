#include "methods/error_parity.hpp"
#include "methods/threshold.hpp"
#include "numerics/linear_program.hpp"
#include "support/grouped_rows.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"

#include <array>

namespace metasieve {
namespace {

using namespace test;

struct Rows {
  Vector score;
  Labels y, group;
  Index groups;
};

/// Scores on a grid, so there are ties; later groups have lower ones, and fewer positives.
Rows rows_of(Index count, Index groups, std::uint64_t salt) {
  Rows rows{normals(count, salt), Labels(count), random_groups(count, groups, salt + 1), groups};
  rows.score -= 0.8 / static_cast<double>(groups - 1) * rows.group.cast<double>();
  rows.y = (rows.score.array() + normals(count, salt + 2).array() > 0.2).cast<std::uint8_t>();
  rows.score = (rows.score.array() / 0.1).round() * 0.1;
  return rows;
}

/// P(yhat = 1) of each row.
Vector expected(const ErrorParity& choice, const Rows& rows) {
  return Vector::NullaryExpr(rows.score.size(), [&](Index i) {
    const RandomThreshold& own = choice.of_group[rows.group(i)];
    double accepted = 0.0;
    for (std::size_t k = 0; k < own.threshold.size(); ++k)
      if (rows.score(i) > own.threshold[k]) accepted += own.probability[k];
    return accepted;
  });
}

using Mask = Eigen::Array<bool, Eigen::Dynamic, 1>;

double mean_where(const Vector& values, const Mask& rows) {
  return rows.select(values.array(), 0.0).sum() / static_cast<double>(rows.count());
}

/// Largest less least of the groups' mean decision, over all rows (dp) or those of each label (eo).
double gap_of(const Vector& decisions, const Rows& rows, Gap gap) {
  const Mask all = Mask::Constant(rows.y.size(), gap == Gap::dp);
  double most = 0.0;
  for (std::uint8_t label = 0; label < 2; ++label) {
    double low = 1.0, high = 0.0;
    for (std::uint8_t z = 0; z < rows.groups; ++z) {
      const double rate = mean_where(decisions, rows.group.array() == z && (all || rows.y.array() == label));
      low = std::min(low, rate), high = std::max(high, rate);
    }
    most = std::max(most, high - low);
  }
  return most;
}

double accuracy_of(const Vector& decisions, const Rows& rows) {
  return (rows.y.array() == 1).select(decisions.array(), 1.0 - decisions.array()).mean();
}

ErrorParity choose(const Rows& rows, Gap gap, double tolerance) {
  return choose_error_parity(rows.score, rows.y, rows.group, rows.groups, gap, tolerance);
}

/// The authors' linear program, plainly: a probability of each cut of each group but the one that accepts
/// none.
double best_accuracy(const Rows& rows, Gap gap, double tolerance) {
  struct Cut {
    std::uint8_t group;
    std::array<double, 3> rate; // of label 0, of label 1, of all
    double correct;             // more than by accepting none
  };
  std::vector<Cut> cuts;
  for (std::uint8_t z = 0; z < rows.groups; ++z) {
    const Mask own = rows.group.array() == z;
    for (double score = -6.0; score < 6.0; score += 0.1) { // between the scores of the grid
      const Vector accepted = (own && rows.score.array() > score + 0.05).cast<double>();
      const double positives = accepted.dot(rows.y.cast<double>()), negatives = accepted.sum() - positives;
      cuts.push_back({z,
                      {mean_where(accepted, own && rows.y.array() == 0),
                       mean_where(accepted, own && rows.y.array() == 1), mean_where(accepted, own)},
                      positives - negatives});
    }
  }
  const std::vector<std::size_t> kinds =
      gap == Gap::dp ? std::vector<std::size_t>{2} : std::vector<std::size_t>{0, 1};
  const Index pairs = rows.groups * (rows.groups - 1), kinds_count = std::ssize(kinds);
  LinearProgram program{Matrix::Zero(rows.groups + kinds_count * pairs, std::ssize(cuts)),
                        Vector::Constant(rows.groups + kinds_count * pairs, tolerance),
                        Vector(std::ssize(cuts))};
  program.limit.head(rows.groups).setOnes();
  for (std::size_t c = 0; c < cuts.size(); ++c) {
    const auto column = static_cast<Index>(c);
    program.cost(column) = -cuts[c].correct;
    program.rows(cuts[c].group, column) = 1.0;
    Index row = rows.groups;
    for (const std::size_t kind : kinds)
      for (std::uint8_t a = 0; a < rows.groups; ++a)
        for (std::uint8_t b = 0; b < rows.groups; ++b)
          if (a != b)
            program.rows(row++, column) = cuts[c].rate[kind] * ((cuts[c].group == a) - (cuts[c].group == b));
  }
  const auto negatives = static_cast<double>((rows.y.array() == 0).count());
  return (negatives - program.cost.dot(minimise(program))) / static_cast<double>(rows.y.size());
}

TEST(ErrorParity, is_the_optimum_of_the_linear_program_and_within_the_tolerance) {
  for (const Index groups : {2, 3})
    for (const Gap gap : {Gap::eo, Gap::dp})
      for (const double tolerance : {0.0, 0.05, 0.2}) {
        const Rows rows = rows_of(120, groups, 10);

        const ErrorParity choice = choose(rows, gap, tolerance);

        const Vector decisions = expected(choice, rows);
        EXPECT_LE(gap_of(decisions, rows, gap), tolerance + 1e-9);
        EXPECT_NEAR(gap_of(decisions, rows, gap), choice.gap, 1e-9);
        EXPECT_NEAR(accuracy_of(decisions, rows), choice.accuracy, 1e-9);
        EXPECT_NEAR(choice.accuracy, best_accuracy(rows, gap, tolerance), 1e-7) << groups << " " << tolerance;
      }
}

TEST(ErrorParity, is_more_accurate_than_one_threshold_a_group) {
  for (const Index groups : {2, 3, 5, 20})
    for (const Gap gap : {Gap::eo, Gap::dp}) {
      const Rows rows = rows_of(2000, groups, 20);
      for (const double tolerance : {0.0, 0.03, 0.1, 1.0}) {
        const GroupThresholds fixed =
            choose_thresholds(rows.score, rows.y, rows.group, groups, gap, tolerance);
        const ErrorParity choice = choose(rows, gap, tolerance);
        EXPECT_GE(choice.accuracy, fixed.accuracy - 1e-9);
        EXPECT_LE(gap_of(expected(choice, rows), rows, gap), tolerance + 1e-9);
        if (gap == Gap::eo && tolerance == 0.03 && groups < 20) {
          EXPECT_GT(choice.accuracy, fixed.accuracy + 0.001);
        }
      }
    }
}

TEST(ErrorParity, drawn_decisions_have_the_rates_of_the_choice) {
  const Rows rows = rows_of(50'000, 3, 30);
  const ErrorParity choice = choose(rows, Gap::eo, 0.02);

  const Vector shifted = apply(choice, rows.score, rows.group, Stream(Seed{1}, Draw::decisions, TaskId{2}));

  const Vector decisions = (shifted.array() > 0.0).cast<double>();
  EXPECT_TRUE(shifted.allFinite());
  EXPECT_LT(gap_of(decisions, rows, Gap::eo), 0.05);
  EXPECT_NEAR(accuracy_of(decisions, rows), choice.accuracy, 0.01);
}

TEST(ErrorParity, one_group_has_its_most_accurate_threshold) {
  Rows rows = rows_of(500, 2, 40);
  rows.group.setZero();
  rows.groups = 1;
  const GroupThresholds fixed = choose_thresholds(rows.score, rows.y, rows.group, 1, Gap::eo, 0.0);
  for (const Gap gap : {Gap::eo, Gap::dp})
    EXPECT_NEAR(choose(rows, gap, 0.0).accuracy, fixed.accuracy, 1e-12);
}

TEST(ErrorParity, numbers_of_groups_change_no_decision) {
  const Stream stream(Seed{1}, Draw::decisions, TaskId{2});
  for (const Gap gap : {Gap::eo, Gap::dp}) {
    Rows rows = rows_of(500, 4, 50);
    const Vector before = apply(choose(rows, gap, 0.03), rows.score, rows.group, stream);
    for (const std::vector<Index>& numbers : other_numbers(4)) {
      Rows other = rows;
      other.group = renumbered(rows.group, numbers);
      EXPECT_EQ(apply(choose(other, gap, 0.03), other.score, other.group, stream), before);
    }
  }
}

TEST(ErrorParity, groups_of_one_label_are_held_to_the_rate_that_they_have) {
  for (std::uint8_t label = 0; label < 2; ++label) {
    Rows rows = rows_of(600, 3, 60);
    rows.y = (rows.group.array() == 2).select(Labels::Constant(600, label), rows.y);
    const ErrorParity choice = choose(rows, Gap::eo, 0.05);
    const Vector decisions = expected(choice, rows);
    double low = 1.0, high = 0.0;
    for (std::uint8_t z = 0; z < 3; ++z) {
      const double rate = mean_where(decisions, rows.group.array() == z && rows.y.array() == label);
      low = std::min(low, rate), high = std::max(high, rate);
    }
    EXPECT_LE(high - low, 0.05 + 1e-9);
    EXPECT_NEAR(accuracy_of(decisions, rows), choice.accuracy, 1e-9);
  }
}

TEST(ErrorParity, empty_groups_one_class_and_no_rows_are_legal) {
  const Stream stream(Seed{1}, Draw::decisions, TaskId{2});
  Rows rows = rows_of(60, 2, 70);
  rows.groups = 5;
  for (const Gap gap : {Gap::eo, Gap::dp}) {
    const ErrorParity choice = choose(rows, gap, 0.02);
    EXPECT_EQ(choice.of_group.size(), 5U);
    EXPECT_TRUE(apply(choice, rows.score, Labels::Constant(60, 4), stream).allFinite());
    Rows all = rows;
    all.y.setOnes();
    EXPECT_NEAR(choose(all, gap, 0.0).accuracy, 1.0, 1e-12);
    all.score.setZero();
    EXPECT_NEAR(choose(all, gap, 0.0).accuracy, 1.0, 1e-12);
    const ErrorParity none = choose_error_parity(Vector(0), Labels(0), Labels(0), 2, gap, 0.02);
    EXPECT_EQ(apply(none, Vector{{1, -1}}, Labels{{0, 1}}, stream), (Vector{{1, -1}}));
  }
}

} // namespace
} // namespace metasieve
