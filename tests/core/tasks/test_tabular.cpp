#include "tasks/tabular.hpp"

#include "inner/design.hpp"
#include "numerics/newton.hpp"
#include "tasks/generate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace metasieve {
namespace {

/// Clean tables of one size without any difference of groups.
Family tables(double samples, double features, double factors = 5) {
  return {.name = "tables",
          .samples = {samples, samples},
          .features = {features, features},
          .label_noise = {0, 0},
          .positive = {0.3, 0.3},
          .separability = {2, 2},
          .biased_fraction = 0,
          .base = BaseProblem::tabular,
          .factors = {factors, factors},
          .interaction_fraction = 0};
}

Matrix normal_factors(Index rows, Index count, std::uint64_t id) {
  return Stream(Seed{11}, Draw::covariates, TaskId(id)).normals(rows, count);
}

Matrix columns_of(const Family& family, Index rows, std::uint64_t id) {
  const TaskParameters p = draw_parameters(family, Seed{3}, TaskId(id));
  return table_columns(normal_factors(rows, p.factors, id), p, Seed{3}, TaskId(id));
}

std::size_t distinct(const Vector& values) { return std::set<double>(values.begin(), values.end()).size(); }

/// Mean, variance and skewness.
std::array<double, 3> moments(const Vector& values) {
  const Eigen::ArrayXd centred = values.array() - values.mean();
  const double variance = centred.square().mean();
  return {values.mean(), variance, centred.cube().mean() / std::pow(variance, 1.5)};
}

double correlation(const Vector& a, const Vector& b) {
  const Eigen::ArrayXd x = a.array() - a.mean(), y = b.array() - b.mean();
  return (x * y).sum() / std::sqrt(x.square().sum() * y.square().sum());
}

/// Variables of each kind, as the values of x [n, d] tell them, and the columns of categories.
struct Kinds {
  Index binary = 0, ordinal = 0, categories = 0, category_columns = 0, zero_inflated = 0, log_normal = 0,
        gaussian = 0;
  [[nodiscard]] Index discrete() const { return binary + ordinal + category_columns; }
};

/// Levels of the category that begins at column j; 0 if none does.
Index category_at(const Matrix& x, Index j) {
  for (Index levels = 3; levels <= std::min<Index>(6, x.cols() - j); ++levels)
    if ((x.middleCols(j, levels).rowwise().sum().array() == 1.0).all()) return levels;
  return 0;
}

Kinds kinds_of(const Matrix& x) {
  Kinds kinds;
  for (Index j = 0; j < x.cols(); ++j) {
    const std::size_t values = distinct(x.col(j));
    const Index levels = values <= 2 ? category_at(x, j) : 0;
    if (levels > 0) {
      ++kinds.categories;
      kinds.category_columns += levels;
      j += levels - 1;
    } else if (values == 2) {
      ++kinds.binary;
    } else if (values <= 7) {
      ++kinds.ordinal;
    } else if (x.col(j).minCoeff() == 0.0) {
      ++kinds.zero_inflated;
    } else {
      ++(x.col(j).minCoeff() > 0.0 ? kinds.log_normal : kinds.gaussian);
    }
  }
  return kinds;
}

TEST(TableColumns, are_of_the_kinds_and_shares_that_the_family_asks_for) {
  const Family family = tables(4000, 60);
  Kinds all;

  for (std::uint64_t id = 0; id < 25; ++id) {
    const TaskParameters p = draw_parameters(family, Seed{3}, TaskId(id));
    const Kinds kinds = kinds_of(columns_of(family, 4000, id));

    EXPECT_EQ(kinds.discrete(), std::llround(60 * p.discrete)) << id;
    EXPECT_EQ(kinds.log_normal + kinds.zero_inflated,
              std::llround(p.skewed * static_cast<double>(60 - kinds.discrete())))
        << id;
    all.binary += kinds.binary;
    all.ordinal += kinds.ordinal;
    all.categories += kinds.categories;
    all.log_normal += kinds.log_normal;
    all.zero_inflated += kinds.zero_inflated;
  }

  // Up to a category for each task has no room and is ordinal.
  const double discrete = static_cast<double>(all.binary + all.ordinal + all.categories);
  const double skewed = static_cast<double>(all.log_normal + all.zero_inflated);
  EXPECT_GT(discrete, 200);
  EXPECT_GT(skewed, 200);
  const double error = 4 * std::sqrt(discrete * 2 / 9);
  EXPECT_NEAR(static_cast<double>(all.binary), discrete / 3, error);
  EXPECT_NEAR(static_cast<double>(all.ordinal), discrete / 3 + 12, error + 12);
  EXPECT_NEAR(static_cast<double>(all.categories), discrete / 3 - 12, error + 12);
  EXPECT_NEAR(static_cast<double>(all.log_normal), skewed / 2, 4 * std::sqrt(skewed / 4));
}

TEST(TableColumns, have_the_law_of_their_kind) {
  constexpr Index n = 20000;
  Family family = tables(1000, 40);
  const auto columns = [&](double discrete, double skewed) {
    family.discrete_fraction = {discrete, discrete};
    family.skewed_fraction = {skewed, skewed};
    return columns_of(family, n, 1);
  };
  const Matrix gaussian = columns(0, 0), skew = columns(0, 1), discrete = columns(1, 0);

  for (Index j = 0; j < 40; ++j) {
    const auto [mean, variance, skewness] = moments(gaussian.col(j));
    EXPECT_NEAR(mean, 0, 4.5 / std::sqrt(n)) << j;
    EXPECT_NEAR(variance, 1, 4.5 * std::sqrt(2.0 / n)) << j;
    EXPECT_NEAR(skewness, 0, 4.5 * std::sqrt(6.0 / n)) << j;
    EXPECT_EQ(distinct(gaussian.col(j)), n) << j;

    const auto zeros = static_cast<double>((skew.col(j).array() == 0).count()) / n;
    EXPECT_GT(moments(skew.col(j))[2], 0.7) << j;
    EXPECT_GE(skew.col(j).minCoeff(), 0) << j;
    if (zeros > 0) {
      EXPECT_GT(zeros, 0.48) << j; // of a normal variable cut off at 0 to 1.3
      EXPECT_LT(zeros, 0.92) << j;
    } else {
      EXPECT_TRUE(skew.col(j).array().log().matrix().isApprox( // exp(s v) with the variable v of above
          gaussian.col(j) * (skew.col(j).array().log() / gaussian.col(j).array())(0), 1e-9))
          << j;
    }

    EXPECT_LE(distinct(discrete.col(j)), 7U) << j;
    EXPECT_EQ(discrete.col(j).array().round().matrix(), discrete.col(j)) << j;
  }
}

TEST(TableColumns, share_their_factors) {
  Family family = tables(1000, 12, 1);
  family.discrete_fraction = family.skewed_fraction = {0, 0};
  const Matrix one = columns_of(family, 20000, 0);
  family.factors = {64, 64};
  const Matrix many = columns_of(family, 20000, 0);
  double weak = 0;

  for (Index i = 0; i < 12; ++i)
    for (Index j = 0; j < i; ++j) {
      const double same = std::abs(correlation(one.col(i), one.col(j)));
      EXPECT_GT(same, 0.27);
      EXPECT_LT(same, 0.93);
      weak += std::abs(correlation(many.col(i), many.col(j))) / 66;
    }

  EXPECT_LT(weak, 0.1);
}

/// [p] coefficients of a logistic regression of y on x and an intercept, the last.
Vector logistic_coefficients(const Matrix& x, const Labels& y) {
  Matrix design(x.rows(), x.cols() + 1);
  design << x, Vector::Ones(x.rows());
  return fit_logistic(design, to_vector(y), Vector::Ones(x.rows()), Vector::Zero(design.cols()),
                      Vector::Constant(design.cols(), 1e-9))
      .beta;
}

TEST(TableLabels, follow_a_logistic_model_of_the_asked_for_log_odds) {
  constexpr Index n = 40000;
  for (const double separability : {0.0, 1.0, 3.0})
    for (const double interaction : {0.0, 1.0})
      for (std::uint64_t id = 0; id < 3; ++id) {
        Family family = tables(1000, 10, 4);
        family.separability = {separability, separability};
        family.interaction_fraction = interaction;
        const TaskParameters p = draw_parameters(family, Seed{3}, TaskId(id));
        const Matrix factors = normal_factors(n, 4, id);
        Matrix x(n, 5);
        x << factors, factors.col(0).cwiseProduct(factors.col(1));

        const Labels y = table_labels(factors, n / 5, p, Seed{3}, TaskId(id));
        const Vector beta = logistic_coefficients(x, y);

        EXPECT_EQ(y.cast<Index>().sum(), n / 5);
        const double linear = separability * (interaction > 0 ? std::sqrt(0.5) : 1);
        EXPECT_NEAR(beta.head(4).norm(), linear, 0.1);
        EXPECT_NEAR(beta(4), interaction > 0 ? linear : 0, 0.1);
      }
}

TEST(TableLabels, of_one_factor_have_no_interaction) {
  Family family = tables(1000, 10, 1);
  const Matrix factors = normal_factors(1000, 1, 0);
  const auto labels = [&] {
    return table_labels(factors, 300, draw_parameters(family, Seed{3}, TaskId{0}), Seed{3}, TaskId{0});
  };

  const Labels without = labels();
  family.interaction_fraction = 1;

  EXPECT_TRUE(labels() == without);
}

/// Share of the pairs of a row with `label` and a row without in which the first has the greater score.
double area_under_curve(const Vector& score, const Labels& label) {
  double above = 0, pairs = 0;
  for (Index i = 0; i < score.size(); ++i)
    for (Index j = 0; j < score.size(); ++j)
      if (label(i) == 1 && label(j) == 0) {
        above += score(i) > score(j) ? 1 : 0;
        pairs += 1;
      }
  return above / pairs;
}

/// Mean area under the curve, over ten tasks, of a logistic fit to `get` of the training rows, in the test
/// part.
template <class Get>
double mean_area(const Family& family, Get&& get) {
  double sum = 0;
  for (std::uint64_t id = 0; id < 10; ++id) {
    const Task task = generate_task(family, Seed{3}, TaskId(id));
    const Standardizer standardizer = fit_standardizer(task.train, false);
    const Matrix x = design_matrix(task.train, standardizer);
    const Vector beta = fit_logistic(x, to_vector(get(task.train)), Vector::Ones(x.rows()),
                                     Vector::Zero(x.cols()), ridge_diagonal(x.cols(), 1e-2))
                            .beta;
    sum += area_under_curve(design_matrix(task.test, standardizer) * beta, get(task.test));
  }
  return sum / 10;
}

TEST(TabularTasks, never_change) {
  // Values of the program's own first output, so that seeds keep their tasks.
  Family family = tables(1000, 12);
  family.label_noise = {0.1, 0.1};
  family.biased_fraction = 1;
  family.feature_shift = {1, 1};
  family.discrete_fraction = {0.5, 0.5};
  family.skewed_fraction = {0.5, 0.5};
  family.interaction_fraction = 1;
  const Task task = generate_task(family, Seed{3}, TaskId{7});
  const Split &train = task.train, &test = task.test;
  std::vector<std::size_t> values;
  for (Index j = 0; j < 12; ++j) values.push_back(distinct(train.x.col(j).cast<double>()));

  const auto count = [](const Labels& labels) { return labels.cast<Index>().sum(); };
  EXPECT_EQ(values, (std::vector<std::size_t>{2, 2, 2, 2, 2, 7, 700, 700, 249, 700, 700, 700}));
  EXPECT_EQ(count(train.y_clean), 210);
  EXPECT_EQ(count(train.y), 250);
  EXPECT_EQ(count(train.group), 331);
  EXPECT_EQ(count(test.y), 90);
  EXPECT_EQ(count(test.group), 141);
  EXPECT_EQ((train.y.array() * train.group.array()).cast<Index>().sum(), 97);
  for (const auto& [j, value] :
       {std::pair{0, 0.8336158}, std::pair{5, 1.0085398}, std::pair{6, -0.5616001}, std::pair{7, 1.7971865},
        std::pair{8, -0.5130925}, std::pair{9, 1.3307868}, std::pair{11, -0.3624383}})
    EXPECT_NEAR(train.x(0, j), value, 1e-6) << j;
}

TEST(TabularTasks, are_as_hard_as_separability_and_interaction_say) {
  const auto area = [](double separability, double interaction) {
    Family family = tables(2000, 20);
    family.separability = {separability, separability};
    family.interaction_fraction = interaction;
    return mean_area(family, [](const Split& split) -> const Labels& { return split.y; });
  };

  const double none = area(0, 0), weak = area(1, 0), strong = area(4, 0);

  EXPECT_NEAR(none, 0.5, 0.03);
  EXPECT_GT(weak, 0.65);
  EXPECT_GT(strong, weak + 0.1);
  EXPECT_LT(area(4, 1), strong - 0.05);
}

TEST(TabularTasks, have_proxies_of_the_group_with_a_feature_shift) {
  for (const double groups : {2.0, 6.0}) {
    const auto area = [&](double shift) {
      Family family = tables(2000, 20);
      family.groups = {groups, groups};
      family.minority = {0.5, 0.5};
      family.feature_shift = {shift, shift};
      return mean_area(family,
                       [](const Split& split) { return Labels(split.group.cwiseMin(std::uint8_t{1})); });
    };

    const double none = area(0), some = area(0.7), much = area(1.5);

    EXPECT_NEAR(none, 0.5, 0.03) << groups;
    EXPECT_GT(some, none + 0.05) << groups;
    EXPECT_GT(much, some + 0.05) << groups;
  }
}

TEST(TabularTasks, with_rare_labels_have_exactly_as_many) {
  Family family = tables(300, 5);
  family.positive = {0.03, 0.03};

  for (std::uint64_t id = 0; id < 20; ++id) {
    const Task task = generate_task(family, Seed{3}, TaskId(id));

    EXPECT_EQ(task.train.y.cast<Index>().sum(), 6);
    EXPECT_EQ(task.test.y.cast<Index>().sum(), 3);
  }
}

TEST(TabularTasks, of_any_size_and_shift_are_finite) {
  for (const double groups : {1.0, 2.0, 10.0})
    for (const double features : {3.0, 40.0})
      for (const double factors : {1.0, 64.0})
        for (std::uint64_t id = 0; id < 10; ++id) {
          Family family = tables(20, features, factors);
          family.groups = {groups, groups};
          family.minority = {0.5, 0.5};
          family.positive = {0.01, 0.01};
          family.separability = {1000, 1000};
          family.feature_shift = {100, 100};
          family.discrete_fraction = family.skewed_fraction = {0, 1};
          family.adversarial_fraction = 0.5;
          family.label_noise = {0.2, 0.2};

          const Task task = generate_task(family, Seed{3}, TaskId(id));

          EXPECT_TRUE(task.train.x.allFinite() && task.test.x.allFinite());
          EXPECT_EQ(task.train.columns(), static_cast<Index>(features));
        }
}

} // namespace
} // namespace metasieve
