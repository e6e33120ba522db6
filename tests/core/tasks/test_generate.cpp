#include "base/error.hpp"
#include "tasks/corruption.hpp"
#include "tasks/generate.hpp"
#include "tasks/groups.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

namespace metasieve {
namespace {

const Family small_biased{.name = "biased",
                          .samples = {200, 1500},
                          .label_noise = {0, 0.2},
                          .biased_fraction = 1,
                          .group_odds = {1, 2.25},
                          .disadvantaged = Disadvantaged::random,
                          .feature_shift = {0, 1.5},
                          .label_bias = {0, 0.5},
                          .adversarial_fraction = 0.3};
const Family small_seed{.name = "seed", .samples = {100, 1000}};
const Family small_tabular{.name = "tabular",
                           .samples = {300, 1500},
                           .features = {5, 40},
                           .label_noise = {0, 0.2},
                           .positive = {0.03, 0.6},
                           .separability = {1, 4},
                           .biased_fraction = 1,
                           .group_odds = {1, 4},
                           .disadvantaged = Disadvantaged::random,
                           .feature_shift = {0, 1.5},
                           .base = BaseProblem::tabular};

/// Of one fixed size and nothing but the base problem.
Family plain(double samples, double features) {
  return {.name = "plain",
          .samples = {samples, samples},
          .features = {features, features},
          .label_noise = {0, 0},
          .biased_fraction = 0};
}

Index ones(const Labels& labels) { return labels.cast<Index>().sum(); }
Index differences(const Labels& a, const Labels& b) { return (a.array() != b.array()).count(); }

double positive_rate(const Labels& y, const Labels& group, int z) {
  Index rows = 0, positives = 0;
  for (Index i = 0; i < y.size(); ++i)
    if (group(i) == z) {
      ++rows;
      positives += y(i);
    }
  return rows == 0 ? std::numeric_limits<double>::quiet_NaN()
                   : static_cast<double>(positives) / static_cast<double>(rows);
}

bool same_bits(const Split& a, const Split& b) {
  return a.x == b.x && a.y == b.y && a.group == b.group && a.y_clean == b.y_clean && a.groups == b.groups;
}

bool same_bits(const Task& a, const Task& b) {
  return a.id == b.id && same_bits(a.train, b.train) && same_bits(a.test, b.test) &&
         a.metadata.train_actual_noise_rate == b.metadata.train_actual_noise_rate &&
         a.metadata.separability == b.metadata.separability;
}

TEST(GenerateTask, margins_are_exact_to_a_row_and_the_test_part_is_clean) {
  for (const Family& family : {small_seed, small_biased, small_tabular})
    for (Index id = 0; id < 60; ++id) {
      const Task task = generate_task(family, Seed{3}, TaskId(id));
      const TaskParameters p = draw_parameters(family, Seed{3}, TaskId(id));
      const double n = static_cast<double>(p.samples), positives = p.positive * n;

      EXPECT_EQ(task.train.rows(), p.train_rows);
      EXPECT_EQ(task.test.rows(), p.test_rows);
      EXPECT_EQ(task.train.columns(), p.features);
      EXPECT_EQ(task.test.columns(), p.features);
      EXPECT_LE(std::abs(static_cast<double>(ones(task.train.y_clean) + ones(task.test.y_clean)) - positives),
                0.5);
      EXPECT_LE(
          std::abs(static_cast<double>(ones(task.train.group) + ones(task.test.group)) - p.minority * n),
          0.5);
      const double share =
          static_cast<double>(p.test_rows * (ones(task.train.y_clean) + ones(task.test.y_clean))) / n;
      EXPECT_LE(std::abs(static_cast<double>(ones(task.test.y_clean)) - share), 0.5) << "not stratified";
      EXPECT_TRUE(task.test.y == task.test.y_clean);
    }
}

TEST(GenerateTask, odds_ratio_of_the_full_task_is_the_one_drawn) {
  for (const Family& family : {small_seed, small_biased, small_tabular})
    for (Index id = 0; id < 60; ++id) {
      const Task task = generate_task(family, Seed{3}, TaskId(id));
      const TaskParameters p = draw_parameters(family, Seed{3}, TaskId(id));
      Labels y(p.samples), group(p.samples);
      y << task.train.y_clean, task.test.y_clean;
      group << task.train.group, task.test.group;
      const double n = static_cast<double>(p.samples);
      const double both = static_cast<double>((y.array() * group.array()).cast<Index>().sum());
      const double share = joint_share(static_cast<double>(ones(y)) / n, static_cast<double>(ones(group)) / n,
                                       p.disadvantaged == 1 ? p.group_odds : 1 / p.group_odds);

      EXPECT_LE(std::abs(both - share * n), 0.5 + 1e-9);
      if (p.group_odds > 1.3) {
        EXPECT_LT(positive_rate(y, group, p.disadvantaged), positive_rate(y, group, 1 - p.disadvantaged));
      }
    }
}

std::uint64_t hash_of_labels(const Family& family) {
  std::uint64_t hash = 0;
  for (Index id = 0; id < 20; ++id) {
    const Task task = generate_task(family, Seed{3}, TaskId(id));
    for (const Split* split : {&task.train, &task.test})
      for (const Labels* labels : {&split->y, &split->group, &split->y_clean})
        for (const std::uint8_t label : *labels) hash = 0x100000001b3ULL * (hash ^ label);
  }
  return hash;
}

TEST(GenerateTask, labels_and_groups_of_two_groups_never_change) {
  // Written by the program before it knew more groups, so that its suites are made again bit for bit. Labels
  // follow from integers; features, whose last bits depend on the compiler, are left out.
  Family seed_random = small_seed, biased = small_biased;
  seed_random.name = "seed_random";
  seed_random.disadvantaged = Disadvantaged::random;
  biased.adversarial_fraction = 0;
  const Family honest{.name = "honest",
                      .samples = {300, 1000},
                      .features = {4, 14},
                      .label_noise = {0, 0.2},
                      .positive = {0.15, 0.85},
                      .separability = {0.1, 0.8},
                      .biased_fraction = 1,
                      .group_odds = {1, 5},
                      .disadvantaged = Disadvantaged::random,
                      .feature_shift = {0, 1.5}};

  EXPECT_EQ(hash_of_labels(small_seed), 0x15896a90e01de09eU);
  EXPECT_EQ(hash_of_labels(seed_random), 0xa09b65551644bb68U);
  EXPECT_EQ(hash_of_labels(biased), 0xeb846f3f499ce617U);
  EXPECT_EQ(hash_of_labels(honest), 0x22951524d0015fdaU);
}

TEST(GenerateTask, two_groups_are_the_same_tasks_in_a_family_that_may_have_more) {
  Family several = small_biased;
  several.groups = {2, 6};
  bool met = false;

  for (Index id = 0; id < 20; ++id) {
    const Task task = generate_task(several, Seed{3}, TaskId(id));
    if (task.train.groups != 2) continue;
    met = true;
    EXPECT_TRUE(same_bits(task, generate_task(small_biased, Seed{3}, TaskId(id)))) << id;
  }

  EXPECT_TRUE(met);
}

/// A family with so many groups, and so many rows for them.
Family of_groups(double groups, Family family = small_biased) {
  family.groups = {groups, groups};
  family.minority = {std::max(0.1, 0.02 * groups - 0.02), 0.985};
  return family;
}

/// All rows of a task, training first.
struct AllRows {
  Labels y, group;
  explicit AllRows(const Task& task) : y(task.train.rows() + task.test.rows()), group(y.size()) {
    y << task.train.y_clean, task.test.y_clean;
    group << task.train.group, task.test.group;
  }
};

TEST(GenerateTask, groups_have_the_shares_and_positives_of_their_table) {
  for (const auto& [groups, base] : {std::pair{3.0, small_biased}, std::pair{6.0, small_biased},
                                     std::pair{50.0, small_biased}, std::pair{6.0, small_tabular}})
    for (Index id = 0; id < 20; ++id) {
      const Family family = of_groups(groups, base);
      const Task task = generate_task(family, Seed{3}, TaskId(id));
      const TaskParameters p = draw_parameters(family, Seed{3}, TaskId(id));
      const AllRows rows(task);
      const std::vector<GroupRows> table =
          joint_table(p.samples, ones(rows.y), draw_groups(family, p, Seed{3}, TaskId(id)));

      EXPECT_EQ(task.train.groups, static_cast<Index>(groups));
      EXPECT_EQ(task.test.groups, static_cast<Index>(groups));
      EXPECT_LE(std::abs(static_cast<double>(ones(rows.y)) - p.positive * static_cast<double>(p.samples)),
                0.5);
      EXPECT_LT(rows.group.maxCoeff(), groups);
      for (std::size_t k = 0; k < table.size(); ++k) {
        const auto in_group = rows.group.array() == static_cast<std::uint8_t>(k);
        EXPECT_EQ((in_group && rows.y.array() == 1).count(), table[k].positives);
        EXPECT_EQ((in_group && rows.y.array() == 0).count(), table[k].negatives);
        EXPECT_GE(static_cast<double>(in_group.count()),
                  std::max(1.0, std::floor(k == 0 ? 0 : 0.02 * static_cast<double>(p.samples))));
      }
    }
}

TEST(GenerateTask, label_bias_hides_positives_of_every_disadvantaged_group_and_of_no_other) {
  for (const double groups : {3.0, 6.0}) {
    Family biased = of_groups(groups), unbiased = biased;
    biased.label_bias = {0.5, 0.5};
    unbiased.label_bias = {0, 0};
    for (Index id = 0; id < 20; ++id) {
      const Task task = generate_task(biased, Seed{3}, TaskId(id)),
                 without = generate_task(unbiased, Seed{3}, TaskId(id));
      const std::vector<GroupParameters> asked =
          draw_groups(biased, draw_parameters(biased, Seed{3}, TaskId(id)), Seed{3}, TaskId(id));

      EXPECT_TRUE(same_bits(task.test, without.test));
      for (std::size_t k = 0; k < asked.size(); ++k) {
        const auto in_group = task.train.group.array() == static_cast<std::uint8_t>(k);
        const Index before = (in_group && without.train.y.array() == 1).count(),
                    hidden = (in_group && task.train.y.array() != without.train.y.array()).count();
        if (!asked[k].disadvantaged)
          EXPECT_EQ(hidden, 0);
        else
          EXPECT_NEAR(static_cast<double>(hidden), 0.5 * static_cast<double>(before),
                      5 * std::sqrt(0.25 * static_cast<double>(before)) + 1);
      }
    }
  }
}

TEST(GenerateTask, feature_shift_of_several_groups_is_what_tells_them_apart) {
  Family family = plain(10000, 10);
  family.groups = {3, 3};
  family.minority = {0.6, 0.6};
  const auto largest_distance = [&](double shift) {
    family.feature_shift = {shift, shift};
    const Task task = generate_task(family, Seed{3}, TaskId{1});
    const Matrix x = task.train.x.cast<double>();
    Matrix means = Matrix::Zero(3, 10);
    for (Index k = 0; k < 3; ++k) {
      const Vector in_group = (task.train.group.array() == static_cast<std::uint8_t>(k)).cast<double>();
      means.row(k) = in_group.transpose() * x / in_group.sum();
    }
    return std::max({(means.row(0) - means.row(1)).norm(), (means.row(0) - means.row(2)).norm(),
                     (means.row(1) - means.row(2)).norm()});
  };

  EXPECT_LT(largest_distance(0), 0.3);
  EXPECT_GT(largest_distance(1.5), 1.0); // a pair is 1.5 * sqrt(10) / 2 apart in the root mean square
}

TEST(GenerateTask, one_group_knows_no_minority_no_shift_and_no_hidden_label) {
  Family one = small_biased, other = small_biased;
  one.groups = other.groups = {1, 1};
  one.label_bias = {1, 1};
  one.feature_shift = {1.5, 1.5};
  other.label_bias = other.feature_shift = {0, 0};
  other.minority = {0.5, 0.5};
  other.biased_fraction = 0;

  for (Index id = 0; id < 10; ++id) {
    const Task task = generate_task(one, Seed{3}, TaskId(id));
    const Metadata& m = task.metadata;

    EXPECT_TRUE(same_bits(task, generate_task(other, Seed{3}, TaskId(id))));
    EXPECT_EQ(task.train.groups, 1);
    EXPECT_EQ(ones(task.train.group) + ones(task.test.group), 0);
    EXPECT_EQ(corruption_of(task), corruption_of(generate_task(other, Seed{3}, TaskId(id))));
    EXPECT_EQ(m.groups, 1);
    EXPECT_EQ(m.disadvantaged, 0);
    EXPECT_EQ(m.add_group_bias, 0);
    for (const double value : {m.group_imbalance, m.train_minority_rate, m.test_minority_rate, m.train_dp_gap,
                               m.test_dp_gap, m.feature_shift, m.label_bias})
      EXPECT_EQ(value, 0.0);
    EXPECT_EQ(m.train_pos_rate_z0, m.train_pos_rate);
    EXPECT_TRUE(std::isnan(m.train_pos_rate_z1));
  }
}

TEST(GenerateTask, flips_exactly_the_floor_when_labels_are_not_biased) {
  Index adversarial = 0;
  Family family = small_biased;
  family.label_bias = {0, 0};

  for (Index id = 0; id < 60; ++id) {
    const Task task = generate_task(family, Seed{3}, TaskId(id));
    const Index expected =
        static_cast<Index>(std::floor(task.metadata.noise_rate * static_cast<double>(task.train.rows())));

    EXPECT_EQ(differences(task.train.y, task.train.y_clean), expected);
    if (task.metadata.adversarial == 1) {
      EXPECT_TRUE(task.train.y == flip_labels(task.train.y_clean, lowest_loss_rows(task.train, expected)));
      ++adversarial;
    } else if (expected > 5) {
      EXPECT_FALSE(task.train.y == flip_labels(task.train.y_clean, lowest_loss_rows(task.train, expected)));
    }
  }

  EXPECT_NEAR(static_cast<double>(adversarial), 18, 4 * std::sqrt(60 * 0.21));
}

TEST(GenerateTask, label_bias_only_hides_positives_of_the_disadvantaged_group_in_training) {
  Family biased = small_biased, unbiased = small_biased;
  unbiased.label_bias = {0, 0};
  Index hidden = 0;

  for (Index id = 0; id < 40; ++id) {
    const Task task = generate_task(biased, Seed{3}, TaskId(id)),
               without = generate_task(unbiased, Seed{3}, TaskId(id));

    EXPECT_TRUE(same_bits(task.test, without.test));
    EXPECT_TRUE(task.train.y_clean == without.train.y_clean);
    for (Index i = 0; i < task.train.rows(); ++i) {
      if (task.train.y(i) == without.train.y(i)) continue;
      EXPECT_EQ(task.train.y(i), 0);
      EXPECT_EQ(task.train.group(i), task.metadata.disadvantaged);
      ++hidden;
    }
  }

  EXPECT_GT(hidden, 500);
}

TEST(GenerateTask, training_columns_are_standardised) {
  for (Index id = 0; id < 20; ++id) {
    const Task task = generate_task(small_biased, Seed{3}, TaskId(id));
    const Matrix x = task.train.x.cast<double>();

    const Vector mean = x.colwise().mean().transpose();
    const Vector square = x.array().square().colwise().mean().matrix().transpose();

    EXPECT_LT(mean.cwiseAbs().maxCoeff(), 1e-6);
    EXPECT_LT((square.array() - 1).abs().maxCoeff(), 1e-6);
    EXPECT_TRUE(task.test.x.allFinite());
    // The test part goes through the same map, so its moments are near, but not equal.
    EXPECT_GT(task.test.x.cast<double>().colwise().mean().cwiseAbs().maxCoeff(), 1e-6);
  }
}

TEST(GenerateTask, feature_shift_moves_the_group_means_as_specified) {
  Family family = plain(10000, 10);
  family.minority = {0.4, 0.4};
  for (const double shift : {0.0, 0.5, 1.5}) {
    family.feature_shift = {shift, shift};
    const Task task = generate_task(family, Seed{3}, TaskId{1});
    const Matrix x = task.train.x.cast<double>();
    const Vector z = task.train.group.cast<double>();
    const double g = z.mean();

    // A column of unit variance that was moved by m has variance 1 + g(1-g)m^2 before the last scaling.
    double squared_distance = 0;
    for (Index j = 0; j < 10; ++j) {
      const double gap =
          x.col(j).dot(z) / z.sum() - x.col(j).dot((1 - z.array()).matrix()) / (1 - z.array()).sum();
      squared_distance += gap * gap / (1 - g * (1 - g) * gap * gap);
    }

    // 10/4 shift^2; each mean gap has standard error 1/sqrt(7000 * 0.24) = 0.024.
    const double expected = 2.5 * shift * shift;
    EXPECT_NEAR(squared_distance, expected, 4 * 2 * std::sqrt(expected) * 0.03 + 0.02) << shift;
  }
}

TEST(GenerateTask, groups_say_nothing_of_the_features_given_the_label_without_shift) {
  Family family = plain(10000, 10);
  family.biased_fraction = 1;
  const Task task = generate_task(family, Seed{3}, TaskId{4});
  const Matrix x = task.train.x.cast<double>();

  for (const int label : {0, 1})
    for (Index j = 0; j < 10; ++j) {
      double sum[2] = {0, 0}, square = 0, count[2] = {0, 0};
      for (Index i = 0; i < x.rows(); ++i)
        if (task.train.y(i) == label) {
          sum[task.train.group(i)] += x(i, j);
          square += x(i, j) * x(i, j);
          count[task.train.group(i)] += 1;
        }
      const double error = std::sqrt(square / (count[0] + count[1]) * (1 / count[0] + 1 / count[1]));

      EXPECT_LT(std::abs(sum[0] / count[0] - sum[1] / count[1]), 4.5 * error) << label << ' ' << j;
    }
}

TEST(GenerateTask, bits_do_not_depend_on_order_or_thread) {
  constexpr Index count = 24;
  for (Family family : {small_biased, small_tabular}) {
    std::vector<Task> forward(count), backward(count);
    family.groups = {1, 6};

    std::thread first([&] {
      for (Index id = 0; id < count; ++id) forward[id] = generate_task(family, Seed{3}, TaskId(id));
    });
    std::thread second([&] {
      for (Index id = count; id-- > 0;) backward[id] = generate_task(family, Seed{3}, TaskId(id));
    });
    first.join();
    second.join();

    for (Index id = 0; id < count; ++id) EXPECT_TRUE(same_bits(forward[id], backward[id])) << id;
  }
}

TEST(GenerateTask, seeds_and_ids_differ) {
  const Family family = plain(100, 5);
  const Task task = generate_task(family, Seed{3}, TaskId{0});

  EXPECT_FALSE(same_bits(task.train, generate_task(family, Seed{4}, TaskId{0}).train));
  EXPECT_FALSE(same_bits(task.train, generate_task(family, Seed{3}, TaskId{1}).train));
}

TEST(GenerateTask, metadata_says_what_the_arrays_hold) {
  for (Index id = 0; id < 30; ++id) {
    const Task task = generate_task(small_biased, Seed{9}, TaskId(id));
    const TaskParameters p = draw_parameters(small_biased, Seed{9}, TaskId(id));
    const Metadata& m = task.metadata;
    const Split &train = task.train, &test = task.test;

    EXPECT_EQ(m.task_id, static_cast<std::uint64_t>(id));
    EXPECT_EQ(m.seed, 9U);
    EXPECT_EQ(m.n_samples, train.rows() + test.rows());
    EXPECT_EQ(m.n_train, train.rows());
    EXPECT_EQ(m.n_test, test.rows());
    EXPECT_EQ(m.n_features, train.columns());
    EXPECT_EQ(m.noise_rate, p.label_noise);
    EXPECT_EQ(m.group_imbalance, p.minority);
    EXPECT_EQ(m.class_imbalance, p.positive);
    EXPECT_EQ(m.separability, p.separability);
    EXPECT_EQ(m.add_group_bias, p.group_odds != 1 ? 1 : 0);
    EXPECT_EQ(m.family, "biased");
    EXPECT_EQ(m.disadvantaged, p.disadvantaged);
    EXPECT_EQ(m.feature_shift, p.feature_shift);
    EXPECT_EQ(m.label_bias, p.label_bias);
    EXPECT_EQ(m.adversarial, p.adversarial ? 1 : 0);
    EXPECT_DOUBLE_EQ(m.train_pos_rate, train.y.cast<double>().mean());
    EXPECT_DOUBLE_EQ(m.test_pos_rate, test.y.cast<double>().mean());
    EXPECT_DOUBLE_EQ(m.train_minority_rate, train.group.cast<double>().mean());
    EXPECT_DOUBLE_EQ(m.test_minority_rate, test.group.cast<double>().mean());
    EXPECT_DOUBLE_EQ(m.train_actual_noise_rate, static_cast<double>(differences(train.y, train.y_clean)) /
                                                    static_cast<double>(train.rows()));
    EXPECT_EQ(m.train_pos_rate_z0, positive_rate(train.y, train.group, 0));
    EXPECT_EQ(m.train_pos_rate_z1, positive_rate(train.y, train.group, 1));
    EXPECT_EQ(m.test_pos_rate_z0, positive_rate(test.y, test.group, 0));
    EXPECT_EQ(m.test_pos_rate_z1, positive_rate(test.y, test.group, 1));
    EXPECT_EQ(m.train_dp_gap, std::abs(m.train_pos_rate_z0 - m.train_pos_rate_z1));
    EXPECT_EQ(m.test_dp_gap, std::abs(m.test_pos_rate_z0 - m.test_pos_rate_z1));
  }
}

TEST(GenerateTask, metadata_of_several_groups_says_what_the_arrays_hold) {
  for (const double groups : {3.0, 6.0, 50.0})
    for (Index id = 0; id < 20; ++id) {
      const Family family = of_groups(groups);
      const Task task = generate_task(family, Seed{9}, TaskId(id));
      const Metadata& m = task.metadata;
      const std::vector<GroupParameters> asked =
          draw_groups(family, draw_parameters(family, Seed{9}, TaskId(id)), Seed{9}, TaskId(id));

      EXPECT_EQ(m.groups, static_cast<Index>(groups));
      EXPECT_EQ(m.add_group_bias, 1);
      ASSERT_TRUE(m.disadvantaged >= 0 && m.disadvantaged < m.groups);
      for (const GroupParameters& group : asked)
        EXPECT_LE(group.odds, asked[static_cast<std::size_t>(m.disadvantaged)].odds);
      EXPECT_TRUE(asked[static_cast<std::size_t>(m.disadvantaged)].disadvantaged);
      const auto check = [&](const Split& split, double minority, double z0, double z1, double gap) {
        const Labels others = split.group.cwiseMin(std::uint8_t{1});
        double low = 1, high = 0;
        for (int z = 0; z < static_cast<int>(groups); ++z) {
          const double rate = positive_rate(split.y, split.group, z);
          if (!std::isnan(rate)) low = std::min(low, rate), high = std::max(high, rate);
        }
        EXPECT_DOUBLE_EQ(minority, others.cast<double>().mean());
        EXPECT_EQ(z0, positive_rate(split.y, others, 0));
        EXPECT_EQ(z1, positive_rate(split.y, others, 1));
        EXPECT_DOUBLE_EQ(gap, high - low);
      };
      if ((task.train.group.array() == 0).any())
        check(task.train, m.train_minority_rate, m.train_pos_rate_z0, m.train_pos_rate_z1, m.train_dp_gap);
      if ((task.test.group.array() == 0).any())
        check(task.test, m.test_minority_rate, m.test_pos_rate_z0, m.test_pos_rate_z1, m.test_dp_gap);
    }
}

TEST(GenerateTask, tiny_and_lopsided_tasks_are_defined) {
  Family family = plain(20, 3);
  family.positive = {0.01, 0.01};
  family.minority = {0.99, 0.99};
  family.label_noise = {0.1, 0.1};
  family.adversarial_fraction = 0.5;
  bool empty_group = false;

  for (Index id = 0; id < 20; ++id) {
    const Task task = generate_task(family, Seed{3}, TaskId(id));

    EXPECT_TRUE(task.train.x.allFinite());
    EXPECT_EQ(ones(task.train.y_clean) + ones(task.test.y_clean), 1);
    EXPECT_EQ(ones(task.train.group) + ones(task.test.group), 19);
    if (ones(task.test.group) == task.test.rows()) {
      empty_group = true;
      EXPECT_TRUE(std::isnan(task.metadata.test_pos_rate_z0));
      EXPECT_TRUE(std::isnan(task.metadata.test_dp_gap));
    }
  }

  EXPECT_TRUE(empty_group);
}

TEST(GenerateTask, refuses_a_family_out_of_its_domain) {
  EXPECT_THROW((void)generate_task({.features = {2, 2}}, Seed{1}, TaskId{0}), ConfigError);
}

} // namespace
} // namespace metasieve
