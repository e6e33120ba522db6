#include "tasks/groups.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace metasieve {
namespace {

double odds_ratio(double positive, double group1, double both) {
  return (positive - both) * (group1 - both) / (both * (1 - positive - group1 + both));
}

std::vector<GroupParameters> two_groups(double share, double odds, int disadvantaged) {
  return {{1 - share, 1.0, disadvantaged == 0},
          {share, disadvantaged == 1 ? odds : 1 / odds, disadvantaged == 1}};
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

TEST(JointTable, of_two_groups_has_its_margins_exactly_and_is_nearest_to_the_root) {
  for (const Index rows : {20, 101, 5000})
    for (const Index positives : {Index{1}, rows / 5, rows / 2, rows - 1})
      for (const Index group1 : {Index{1}, rows / 3, (9 * rows) / 10, rows - 1})
        for (const int disadvantaged : {0, 1}) {
          const double n = static_cast<double>(rows), group1_share = static_cast<double>(group1) / n;
          const std::vector<GroupRows> t =
              joint_table(rows, positives, two_groups(group1_share, 2.25, disadvantaged));
          const double share = joint_share(static_cast<double>(positives) / n, group1_share,
                                           disadvantaged == 1 ? 2.25 : 1 / 2.25);

          ASSERT_EQ(t.size(), 2U);
          EXPECT_EQ(t[0].positives + t[1].positives, positives);
          EXPECT_EQ(t[1].negatives + t[1].positives, group1);
          EXPECT_EQ(t[0].negatives + t[1].negatives + positives, rows);
          EXPECT_GE(std::min({t[0].negatives, t[1].negatives, t[0].positives, t[1].positives}), 0);
          EXPECT_LE(std::abs(static_cast<double>(t[1].positives) - share * n), 0.5 + 1e-9);
        }
}

TEST(JointTable, gives_the_disadvantaged_group_the_lower_odds) {
  using Table = std::vector<GroupRows>;
  EXPECT_EQ(joint_table(1000, 500, two_groups(0.5, 2.25, 1)), (Table{{200, 300}, {300, 200}}));
  EXPECT_EQ(joint_table(1000, 500, two_groups(0.5, 2.25, 0)), (Table{{300, 200}, {200, 300}}));
  EXPECT_EQ(joint_table(1000, 200, two_groups(0.3, 1.0, 1)), (Table{{560, 140}, {240, 60}}));
}

/// Families of up to as many groups as `minority` allows.
Family several(double groups, double minority = 0.98) {
  Family family{.name = "several",
                .samples = {100, 3000},
                .biased_fraction = 1,
                .group_odds = {1, 5},
                .disadvantaged = Disadvantaged::random};
  family.groups = {groups, groups};
  family.minority = {minority, minority};
  return family;
}

std::vector<GroupParameters> groups_of(const Family& family, Index id, Seed seed = Seed{1}) {
  return draw_groups(family, draw_parameters(family, seed, TaskId(id)), seed, TaskId(id));
}

double logit(double p) { return std::log(p / (1 - p)); }

/// Number of rows at which rounding to whole rows no longer matters.
constexpr Index many_rows = 100'000'000;

TEST(JointTable, of_more_groups_has_shares_and_odds_that_were_asked_for) {
  for (const double groups : {3.0, 6.0, 50.0})
    for (const Index positives : {many_rows / 20, many_rows / 2, many_rows / 10 * 9})
      for (Index id = 0; id < 20; ++id) {
        const std::vector<GroupParameters> asked = groups_of(several(groups), id);
        const std::vector<GroupRows> table = joint_table(many_rows, positives, asked);

        const auto rate = [&](std::size_t k) {
          return static_cast<double>(table[k].positives) /
                 static_cast<double>(table[k].positives + table[k].negatives);
        };
        ASSERT_EQ(table.size(), asked.size());
        Index rows = 0, sum = 0;
        for (std::size_t k = 0; k < table.size(); ++k) {
          const Index size = table[k].positives + table[k].negatives;
          rows += size;
          sum += table[k].positives;
          EXPECT_NEAR(static_cast<double>(size), asked[k].share * many_rows, 1.0);
          EXPECT_NEAR(logit(rate(0)) - logit(rate(k)), std::log(asked[k].odds), 1e-3) << k;
        }
        EXPECT_EQ(rows, many_rows);
        EXPECT_EQ(sum, positives);
      }
}

TEST(JointTable, of_few_rows_has_exact_margins_and_rounds_to_the_next_row) {
  for (const double groups : {3.0, 6.0, 20.0})
    for (const Index rows : {20, 37, 400})
      for (const Index positives : {Index{1}, rows / 3, rows - 1})
        for (Index id = 0; id < 20; ++id) {
          const std::vector<GroupParameters> asked = groups_of(several(groups, 0.7), id);
          const std::vector<GroupRows> table = joint_table(rows, positives, asked);

          Index sum = 0, sum_positives = 0;
          double asked_for_less = 0, given_more = 0;
          for (std::size_t k = 0; k < table.size(); ++k) {
            const Index size = table[k].positives + table[k].negatives;
            const double quota = asked[k].share * static_cast<double>(rows);
            EXPECT_GE(std::min(table[k].positives, table[k].negatives), 0);
            EXPECT_GE(size, 1);
            sum += size;
            sum_positives += table[k].positives;
            asked_for_less += quota < 1 ? 1 - quota : 0; // rows that others lose, for each has one at least
            given_more = std::max(given_more, static_cast<double>(size) - std::max(quota, 1.0));
          }
          EXPECT_EQ(sum, rows);
          EXPECT_EQ(sum_positives, positives);
          EXPECT_LE(given_more, 1.0);
          for (std::size_t k = 0; k < table.size() && asked_for_less == 0; ++k) {
            EXPECT_NEAR(static_cast<double>(table[k].positives + table[k].negatives),
                        asked[k].share * static_cast<double>(rows), 1.0);
          }
        }
}

TEST(JointTable, positives_of_more_groups_are_within_a_row_of_what_the_odds_expect) {
  const std::vector<GroupParameters> asked{
      {0.4, 1, false}, {0.3, 4, true}, {0.2, 0.5, false}, {0.1, 1e6, true}};
  const std::vector<GroupRows> table = joint_table(1000, 300, asked);

  // The base log-odds by Newton's method.
  double a = 0;
  const auto expected = [&](std::size_t k) {
    return 1000 * asked[k].share / (1 + asked[k].odds * std::exp(-a));
  };
  for (int step = 0; step < 50; ++step) {
    double value = -300, slope = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      value += expected(k);
      slope += expected(k) * (1 - expected(k) / (1000 * asked[k].share));
    }
    a -= value / slope;
  }
  for (std::size_t k = 0; k < 4; ++k)
    EXPECT_NEAR(static_cast<double>(table[k].positives), expected(k), 1.0) << k;
}

TEST(JointTable, of_one_group_is_that_group) {
  EXPECT_EQ(joint_table(100, 30, {{1, 1, true}}), (std::vector<GroupRows>{{70, 30}}));
}

TEST(AssignGroups, realises_the_table_at_random_rows) {
  Labels y = Labels::Zero(1000);
  y.tail(400).setOnes();
  const std::vector<GroupRows> table{{350, 300}, {250, 100}};

  const Labels group = assign_groups(y, table, Seed{1}, TaskId{2});
  const Labels other = assign_groups(y, table, Seed{1}, TaskId{3});

  EXPECT_EQ(group.head(600).cast<int>().sum(), 250);
  EXPECT_EQ(group.tail(400).cast<int>().sum(), 100);
  // Hypergeometric: 125 +- 6.1 and 50 +- 4.3 in either half.
  EXPECT_NEAR(group.head(300).cast<int>().sum(), 125, 25);
  EXPECT_NEAR(group.tail(200).cast<int>().sum(), 50, 17);
  EXPECT_FALSE(group == other);
}

TEST(AssignGroups, realises_a_table_of_many_groups_at_random_rows) {
  Labels y = Labels::Zero(1000);
  y.tail(400).setOnes();
  const std::vector<GroupRows> table{{150, 0}, {200, 100}, {0, 100}, {250, 200}};

  const Labels group = assign_groups(y, table, Seed{1}, TaskId{2});

  for (Index k = 0; k < 4; ++k) {
    const auto rows = [&](const auto& part) { return (part.template cast<Index>().array() == k).count(); };
    const GroupRows& asked = table[static_cast<std::size_t>(k)];
    EXPECT_EQ(rows(group.head(600)), asked.negatives);
    EXPECT_EQ(rows(group.tail(400)), asked.positives);
    EXPECT_NEAR(static_cast<double>(rows(group.head(300))), static_cast<double>(asked.negatives) / 2, 25);
  }
}

TEST(DrawGroups, two_are_those_of_the_parameters) {
  Family family = several(2, 0.3);

  for (Index id = 0; id < 50; ++id) {
    const TaskParameters drawn = draw_parameters(family, Seed{1}, TaskId(id));
    const std::vector<GroupParameters> groups = groups_of(family, id);

    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].odds, 1.0);
    EXPECT_EQ(groups[1].share, 0.3);
    EXPECT_EQ(groups[1].odds, drawn.disadvantaged == 1 ? drawn.group_odds : 1 / drawn.group_odds);
    EXPECT_EQ(groups[0].disadvantaged, drawn.disadvantaged == 0);
    EXPECT_EQ(groups[1].disadvantaged, drawn.disadvantaged == 1);
  }
}

TEST(DrawGroups, more_divide_the_minority_by_a_dirichlet_draw) {
  constexpr Index tasks = 2000;
  for (const double groups : {3.0, 6.0, 50.0}) {
    const double others = groups - 1, free = 0.98 - 0.02 * others;
    double sum = 0, squares = 0;
    for (Index id = 0; id < tasks; ++id) {
      const std::vector<GroupParameters> drawn = groups_of(several(groups), id);
      ASSERT_EQ(drawn.size(), static_cast<std::size_t>(groups));
      EXPECT_EQ(drawn[0].share, 1 - 0.98);
      double total = 0;
      for (std::size_t k = 1; k < drawn.size(); ++k) {
        EXPECT_GE(drawn[k].share, 0.02);
        total += drawn[k].share;
      }
      EXPECT_NEAR(total, 0.98, 1e-12);
      const double own = (drawn[1].share - 0.02) / std::max(free, 1e-9);
      sum += own;
      squares += (own - 1 / others) * (own - 1 / others);
    }
    if (free < 1e-9) continue; // as many groups as there may be: each has 0.02
    // Symmetric Dirichlet(2) of m parts: mean 1/m, variance (1/m)(1 - 1/m) / (2m + 1).
    const double variance = (1 - 1 / others) / others / (2 * others + 1);
    EXPECT_NEAR(sum / tasks, 1 / others, 4 * std::sqrt(variance / tasks)) << groups;
    EXPECT_NEAR(squares / tasks / variance, 1.0, 0.25)
        << groups; // with gamma(1) 1.67 or more, with gamma(3) at most 0.72
  }
}

TEST(DrawGroups, odds_of_more_are_log_uniform_for_each_and_their_side_is_drawn) {
  constexpr Index tasks = 500;
  std::vector<double> size; // |log odds|, as a share of the largest
  double lower = 0, pairs = 0;
  for (Index id = 0; id < tasks; ++id) {
    const std::vector<GroupParameters> drawn = groups_of(several(6), id);
    for (std::size_t k = 1; k < 6; ++k) {
      size.push_back(std::abs(std::log(drawn[k].odds)) / std::log(5));
      lower += drawn[k].odds > 1;
    }
    pairs += (size.end()[-1] - 0.5) * (size.end()[-2] - 0.5);
  }
  const double count = static_cast<double>(size.size());

  EXPECT_LE(*std::max_element(size.begin(), size.end()), 1 + 1e-12);
  EXPECT_NEAR(std::accumulate(size.begin(), size.end(), 0.0) / count, 0.5, 4 / std::sqrt(12 * count));
  const auto small = std::count_if(size.begin(), size.end(), [](double s) { return s < 0.25; });
  EXPECT_NEAR(static_cast<double>(small) / count, 0.25, 4 * std::sqrt(0.1875 / count));
  EXPECT_NEAR(lower / count, 0.5, 4 * 0.5 / std::sqrt(count));
  EXPECT_LT(std::abs(pairs / tasks), 4 / (12 * std::sqrt(tasks))) << "groups of a task have the same odds";
}

TEST(DrawGroups, label_bias_hits_the_groups_with_lower_odds_than_group_0) {
  Family family = several(4);
  bool none = false;
  for (Index id = 0; id < 200; ++id) {
    const std::vector<GroupParameters> drawn = groups_of(family, id);
    bool any = false;
    for (std::size_t k = 1; k < 4; ++k) {
      EXPECT_EQ(drawn[k].disadvantaged, drawn[k].odds > 1);
      any = any || drawn[k].disadvantaged;
    }
    EXPECT_EQ(drawn[0].disadvantaged, !any);
    none = none || !any;
  }
  EXPECT_TRUE(none) << "the case of no such group was not met";

  family.disadvantaged = Disadvantaged::minority;
  for (Index id = 0; id < 50; ++id)
    for (const GroupParameters& group : groups_of(family, id)) {
      EXPECT_GE(group.odds, 1.0);
      EXPECT_EQ(group.disadvantaged, group.odds > 1);
    }
}

TEST(DrawGroups, label_bias_of_an_unbiased_task_hits_the_groups_that_are_drawn) {
  Family family = several(4);
  family.biased_fraction = 0;
  Index hit = 0, zero = 0;
  for (Index id = 0; id < 200; ++id) {
    const std::vector<GroupParameters> drawn = groups_of(family, id);
    Index others = 0;
    for (const GroupParameters& group : drawn) EXPECT_EQ(group.odds, 1.0);
    for (std::size_t k = 1; k < 4; ++k) others += drawn[k].disadvantaged;
    EXPECT_EQ(drawn[0].disadvantaged, others == 0);
    hit += others;
    zero += others == 0;
  }
  EXPECT_NEAR(static_cast<double>(hit), 300, 4 * std::sqrt(150));
  EXPECT_NEAR(static_cast<double>(zero), 25, 4 * std::sqrt(200 * 0.125 * 0.875));

  family.disadvantaged = Disadvantaged::minority;
  const std::vector<GroupParameters> drawn = groups_of(family, 0);
  for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(drawn[k].disadvantaged, k > 0);
}

TEST(DrawGroups, indices_of_the_draws_never_change) {
  // Renumbering them would give old seeds another meaning.
  const Family family = several(3, 0.5);
  for (const Index id : {0, 1, 2, 3}) {
    const Stream stream(Seed{5}, Draw::group_count, TaskId(id));
    const std::vector<GroupParameters> drawn = groups_of(family, id, Seed{5});

    const auto gamma = [&](Index k) {
      return -std::log1p(-stream.uniform(4 * k)) - std::log1p(-stream.uniform(4 * k + 1));
    };
    for (const Index k : {1, 2}) {
      const GroupParameters& group = drawn[static_cast<std::size_t>(k)];
      EXPECT_NEAR(group.share, 0.02 + 0.46 * gamma(k) / (gamma(1) + gamma(2)), 1e-12);
      EXPECT_NEAR(std::abs(std::log(group.odds)), std::log(5) * stream.uniform(4 * k + 2), 1e-12);
      EXPECT_EQ(group.disadvantaged, stream.uniform(4 * k + 3) < 0.5);
    }
  }
}

TEST(DrawGroups, draws_of_a_group_do_not_depend_on_how_many_follow) {
  const std::vector<GroupParameters> four = groups_of(several(4), 3), six = groups_of(several(6), 3);

  for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(four[k].odds, six[k].odds);
}

TEST(ShiftGroups, moves_two_groups_apart_by_half_shift_root_d) {
  const Matrix x = Matrix::Zero(6, 16);
  Labels group(6);
  group << 0, 1, 1, 0, 1, 0;
  const Matrix shifts = group_shifts(2, 16, Seed{1}, TaskId{2});

  const Matrix moved = shift_groups(x, group, 1.5, shifts);

  const Eigen::RowVectorXd direction = shifts.row(1) - shifts.row(0);
  EXPECT_NEAR(direction.norm(), 1.0, 1e-14);
  EXPECT_NEAR((shifts.row(0) + shifts.row(1)).norm(), 0.0, 1e-14);
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < 16; ++j)
      EXPECT_NEAR(moved(i, j), (group(i) == 1 ? 0.5 : -0.5) * 1.5 * 2.0 * direction(j), 1e-14);
}

TEST(ShiftGroups, moves_each_row_by_the_shift_of_its_group) {
  const Matrix x = Stream(Seed{3}, Draw::covariates, TaskId{0}).normals(20, 4);
  Labels group(20);
  for (Index i = 0; i < 20; ++i) group(i) = static_cast<std::uint8_t>(i % 5);
  const Matrix shifts = group_shifts(5, 4, Seed{1}, TaskId{2});

  const Matrix moved = shift_groups(x, group, 0.7, shifts);

  for (Index i = 0; i < 20; ++i)
    EXPECT_LT((moved.row(i) - x.row(i) - 0.7 * shifts.row(i % 5)).norm(), 1e-14); // sqrt(4) / 2 = 1
}

/// Mean over tasks of the mean of the squared distance of pairs.
double mean_squared_distance(Index groups, Index columns, Index tasks) {
  double sum = 0;
  for (Index id = 0; id < tasks; ++id) {
    const Matrix shifts = group_shifts(groups, columns, Seed{1}, TaskId(id));
    double of_task = 0;
    for (Index j = 0; j < groups; ++j)
      for (Index k = 0; k < j; ++k) of_task += (shifts.row(j) - shifts.row(k)).squaredNorm();
    sum += of_task / (static_cast<double>(groups * (groups - 1)) / 2);
  }
  return sum / static_cast<double>(tasks);
}

TEST(GroupShifts, of_any_number_of_groups_are_as_far_apart_as_those_of_two) {
  constexpr Index tasks = 2000;
  EXPECT_NEAR(mean_squared_distance(2, 8, tasks), 1.0, 1e-12);
  // |u - v|^2 / 2 = 1 - u'v, and u'v has variance 1/d.
  for (const Index groups : {3, 6, 64})
    EXPECT_NEAR(mean_squared_distance(groups, 8, groups == 64 ? 100 : tasks), 1.0,
                4 / std::sqrt(8.0 * tasks));
}

TEST(GroupShifts, are_centred_and_one_group_does_not_move) {
  EXPECT_LT(group_shifts(6, 8, Seed{1}, TaskId{2}).colwise().sum().norm(), 1e-14);
  EXPECT_TRUE(group_shifts(1, 8, Seed{1}, TaskId{2}) == Matrix::Zero(1, 8));
}

TEST(GroupShifts, of_two_groups_are_uniform_on_the_sphere) {
  constexpr Index draws = 2000, d = 5;
  Vector mean = Vector::Zero(d);
  Eigen::MatrixXd square = Eigen::MatrixXd::Zero(d, d);

  for (Index id = 0; id < draws; ++id) {
    const Vector u = 2.0 * group_shifts(2, d, Seed{1}, TaskId(id)).row(1).transpose();
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
