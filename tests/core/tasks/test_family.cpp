#include "base/error.hpp"
#include "tasks/family.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace metasieve {
namespace {

constexpr Index tasks = 400;

std::vector<double> column(const Family& family, const std::function<double(const TaskParameters&)>& get,
                           Index count = tasks) {
  std::vector<double> values;
  for (Index id = 0; id < count; ++id) values.push_back(get(draw_parameters(family, Seed{1}, TaskId(id))));
  return values;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Uniform in lo..hi: inside, mean within four standard errors, and both ends reached to 3 % of the width.
void expect_uniform(const std::vector<double>& values, double low, double high, const std::string& name) {
  const double width = high - low, count = static_cast<double>(values.size());
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  EXPECT_GE(*least, low) << name;
  EXPECT_LE(*most, high) << name;
  EXPECT_LT(*least, low + 0.03 * width) << name;
  EXPECT_GT(*most, high - 0.03 * width) << name;
  EXPECT_NEAR(mean(values), (low + high) / 2, 4 * width / std::sqrt(12 * count)) << name;
}

TEST(DrawParameters, seed_suite_has_the_figures_of_the_design) {
  const Family seed;

  // 3434, 13 and 0.16 of a 100-task suite are within 1.1 standard errors of these means.
  expect_uniform(column(seed, [](const auto& p) { return p.train_rows; }), 70, 7000, "n_train");
  expect_uniform(column(seed, [](const auto& p) { return p.features; }), 5, 20, "features");
  expect_uniform(column(seed, [](const auto& p) { return p.label_noise; }), 0, 0.3, "label_noise");
  expect_uniform(column(seed, [](const auto& p) { return p.minority; }), 0.1, 0.9, "minority");
  expect_uniform(column(seed, [](const auto& p) { return p.positive; }), 0.2, 0.8, "positive");
  expect_uniform(column(seed, [](const auto& p) { return p.separability; }), 0.5, 2, "separability");
  EXPECT_NEAR(mean(column(seed, [](const auto& p) { return p.biased; })), 0.7, 4 * std::sqrt(0.21 / tasks));
  for (Index id = 0; id < tasks; ++id) {
    const TaskParameters p = draw_parameters(seed, Seed{1}, TaskId(id));
    EXPECT_EQ(p.group_odds, p.biased ? 2.25 : 1.0);
    EXPECT_EQ(p.disadvantaged, 1);
    EXPECT_EQ(p.feature_shift, 0.0);
    EXPECT_EQ(p.label_bias, 0.0);
    EXPECT_FALSE(p.adversarial);
  }
}

TEST(DrawParameters, biased_suite_draws_what_seed_holds_constant) {
  const Family biased{.name = "biased",
                      .biased_fraction = 1,
                      .group_odds = {1, 2.25},
                      .disadvantaged = Disadvantaged::random,
                      .feature_shift = {0, 1.5},
                      .label_bias = {0, 0.5},
                      .adversarial_fraction = 0.3};

  expect_uniform(column(biased, [](const auto& p) { return std::log(p.group_odds); }), 0, std::log(2.25),
                 "odds");
  expect_uniform(column(biased, [](const auto& p) { return p.feature_shift; }), 0, 1.5, "feature_shift");
  expect_uniform(column(biased, [](const auto& p) { return p.label_bias; }), 0, 0.5, "label_bias");
  EXPECT_NEAR(mean(column(biased, [](const auto& p) { return p.disadvantaged; })), 0.5,
              4 * 0.5 / std::sqrt(tasks));
  EXPECT_NEAR(mean(column(biased, [](const auto& p) { return p.adversarial; })), 0.3,
              4 * std::sqrt(0.21 / tasks));
}

TEST(DrawParameters, integers_are_uniform_and_reach_both_ends) {
  Family family;
  family.features = {3, 5};
  std::map<double, int> counts;

  for (const double d : column(
           family, [](const auto& p) { return p.features; }, 3000))
    ++counts[d];

  ASSERT_EQ(counts.size(), 3U);
  for (const auto& [features, count] : counts)
    EXPECT_NEAR(count, 1000, 4 * std::sqrt(3000.0 * 2 / 9)) << features;
}

TEST(DrawParameters, test_part_is_thirty_percent_rounded_up) {
  for (const auto& [samples, test_rows] :
       std::map<Index, Index>{{20, 6}, {21, 7}, {99, 30}, {100, 30}, {101, 31}}) {
    Family family;
    family.samples = {static_cast<double>(samples), static_cast<double>(samples)};

    const TaskParameters p = draw_parameters(family, Seed{1}, TaskId{0});

    EXPECT_EQ(p.samples, samples);
    EXPECT_EQ(p.test_rows, test_rows);
    EXPECT_EQ(p.train_rows, samples - test_rows);
  }
}

TEST(DrawParameters, knobs_are_independent_of_each_other) {
  const Family family{.name = "a", .feature_shift = {0, 1.5}, .label_bias = {0, 0.5}};
  const std::vector<std::function<double(const TaskParameters&)>> knobs{
      [](const auto& p) { return p.samples; },     [](const auto& p) { return p.features; },
      [](const auto& p) { return p.label_noise; }, [](const auto& p) { return p.minority; },
      [](const auto& p) { return p.positive; },    [](const auto& p) { return p.separability; },
      [](const auto& p) { return p.biased; },      [](const auto& p) { return p.feature_shift; },
      [](const auto& p) { return p.label_bias; }};

  for (std::size_t a = 0; a < knobs.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      const auto x = column(family, knobs[a]), y = column(family, knobs[b]);
      double xy = 0, xx = 0, yy = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        xy += (x[i] - mean(x)) * (y[i] - mean(y));
        xx += (x[i] - mean(x)) * (x[i] - mean(x));
        yy += (y[i] - mean(y)) * (y[i] - mean(y));
      }

      EXPECT_LT(std::abs(xy / std::sqrt(xx * yy)), 4 / std::sqrt(tasks)) << a << ' ' << b;
    }
}

TEST(DrawParameters, changing_one_knob_leaves_the_draws_of_the_others) {
  Family other;
  other.samples = {50, 60};
  other.disadvantaged = Disadvantaged::random;

  const TaskParameters p = draw_parameters(Family{}, Seed{1}, TaskId{3});
  const TaskParameters q = draw_parameters(other, Seed{1}, TaskId{3});

  EXPECT_EQ(p.features, q.features);
  EXPECT_EQ(p.label_noise, q.label_noise);
  EXPECT_EQ(p.separability, q.separability);
}

TEST(DrawParameters, indices_of_the_knobs_never_change) {
  // Renumbering the knobs would give old seeds another meaning.
  const Family family{.name = "a",
                      .biased_fraction = 1,
                      .group_odds = {1, 4},
                      .disadvantaged = Disadvantaged::random,
                      .feature_shift = {0, 1},
                      .label_bias = {0, 1},
                      .adversarial_fraction = 0.5,
                      .interaction_fraction = 0.5};
  for (const TaskId id : {TaskId{0}, TaskId{1}, TaskId{2}, TaskId{3}}) {
    const Stream stream(Seed{5}, Draw::parameters, id);

    const TaskParameters p = draw_parameters(family, Seed{5}, id);

    EXPECT_EQ(p.samples, 100 + stream.below(0, 9901));
    EXPECT_EQ(p.features, 5 + stream.below(1, 16));
    EXPECT_DOUBLE_EQ(p.label_noise, 0.3 * stream.uniform(2));
    EXPECT_DOUBLE_EQ(p.minority, stream.uniform(3, 0.1, 0.9));
    EXPECT_DOUBLE_EQ(p.positive, stream.uniform(4, 0.2, 0.8));
    EXPECT_DOUBLE_EQ(p.separability, stream.uniform(5, 0.5, 2.0));
    EXPECT_DOUBLE_EQ(p.group_odds, std::pow(4, stream.uniform(7)));
    EXPECT_EQ(p.disadvantaged, stream.uniform(8) < 0.5 ? 0 : 1);
    EXPECT_EQ(p.feature_shift, stream.uniform(9));
    EXPECT_EQ(p.label_bias, stream.uniform(10));
    EXPECT_EQ(p.adversarial, stream.uniform(11) < 0.5);
    EXPECT_EQ(p.factors, 2 + stream.below(12, 9));
    EXPECT_DOUBLE_EQ(p.discrete, stream.uniform(13, 0.2, 0.8));
    EXPECT_DOUBLE_EQ(p.skewed, 0.8 * stream.uniform(14));
    EXPECT_EQ(p.interaction, stream.uniform(15) < 0.5);
  }
}

TEST(DrawParameters, groups_are_uniform_and_drawn_apart_from_the_other_knobs) {
  Family family;
  const Family two = family;
  family.groups = {2, 6};
  std::map<double, int> counts;

  for (const double groups : column(
           family, [](const auto& p) { return p.groups; }, 3000))
    ++counts[groups];

  ASSERT_EQ(counts.size(), 5U);
  for (const auto& [groups, count] : counts) EXPECT_NEAR(count, 600, 4 * std::sqrt(3000.0 * 0.16)) << groups;
  for (Index id = 0; id < 50; ++id) {
    const TaskParameters p = draw_parameters(family, Seed{1}, TaskId(id)),
                         q = draw_parameters(two, Seed{1}, TaskId(id));
    EXPECT_EQ(p.groups, 2 + Stream(Seed{1}, Draw::group_count, TaskId(id)).below(0, 5));
    EXPECT_EQ(q.groups, 2);
    EXPECT_EQ(p.samples, q.samples);
    EXPECT_EQ(p.minority, q.minority);
    EXPECT_EQ(p.positive, q.positive);
    EXPECT_EQ(p.group_odds, q.group_odds);
  }
}

TEST(DrawParameters, one_group_has_no_minority_no_shift_and_no_bias) {
  Family family{.name = "a",
                .biased_fraction = 1,
                .group_odds = {2, 4},
                .feature_shift = {1, 2},
                .label_bias = {0.2, 0.5},
                .groups = {1, 1}};

  const TaskParameters p = draw_parameters(family, Seed{1}, TaskId{0});

  EXPECT_EQ(p.groups, 1);
  EXPECT_EQ(p.minority, 0.0);
  EXPECT_EQ(p.feature_shift, 0.0);
  EXPECT_EQ(p.label_bias, 0.0);
  EXPECT_EQ(p.group_odds, 1.0);
  EXPECT_FALSE(p.biased);
  family.groups = {2, 2};
  EXPECT_EQ(p.samples, draw_parameters(family, Seed{1}, TaskId{0}).samples);
}

TEST(DrawParameters, refuses_a_family_out_of_its_domain) {
  EXPECT_THROW((void)draw_parameters({.samples = {5, 10}}, Seed{1}, TaskId{0}), ConfigError);
}

Mixture mixture(const std::vector<double>& shares) {
  Mixture parts;
  for (const double share : shares) parts.push_back({{.name = "part" + std::to_string(parts.size())}, share});
  return parts;
}

TEST(FamilyOf, any_run_of_ids_holds_the_shares_to_within_a_few_tasks) {
  const Mixture parts = mixture({0.5, 0.2, 0.3});
  constexpr std::size_t ids = 4000;
  std::vector<std::vector<int>> before(ids + 1, std::vector<int>(parts.size()));
  for (std::size_t id = 0; id < ids; ++id) {
    before[id + 1] = before[id];
    const std::string& name = family_of(parts, TaskId(id)).name;
    ++before[id + 1][static_cast<std::size_t>(name.back() - '0')];
  }

  // Independent draws would be off by up to 60 in the longest of these runs.
  for (const std::size_t length : {10U, 40U, 100U, 240U, 1000U})
    for (std::size_t first = 0; first + length <= ids; ++first)
      for (std::size_t part = 0; part < parts.size(); ++part)
        ASSERT_NEAR(before[first + length][part] - before[first][part],
                    parts[part].share * static_cast<double>(length), 4.0)
            << "ids from " << first << ", length " << length;
}

TEST(FamilyOf, normalises_the_shares_and_skips_those_of_zero) {
  const Mixture ones = mixture({1, 1}), halves = mixture({0.5, 0.5}), gaps = mixture({0, 0.5, 0, 0.5, 0});

  for (std::uint64_t id = 0; id < 500; ++id) {
    EXPECT_EQ(family_of(ones, TaskId(id)).name, family_of(halves, TaskId(id)).name);
    EXPECT_EQ(family_of(gaps, TaskId(id)).name,
              family_of(ones, TaskId(id)).name == "part0" ? "part1" : "part3");
  }
}

TEST(FamilyOf, stays_spread_at_huge_ids) {
  const Mixture parts = mixture({0.5, 0.5});
  int first = 0;

  for (std::uint64_t id = 0; id < 100; ++id)
    first += family_of(parts, TaskId((1ULL << 62) + id)).name == "part0" ? 1 : 0;

  EXPECT_NEAR(first, 50, 4);
}

TEST(FamilyOf, refuses_a_mixture_that_chooses_nothing) {
  EXPECT_THROW((void)family_of({}, TaskId{0}), ConfigError);
  EXPECT_THROW((void)family_of(mixture({0, 0}), TaskId{0}), ConfigError);
  EXPECT_THROW((void)family_of(mixture({1, -0.5}), TaskId{0}), ConfigError);
  EXPECT_THROW((void)family_of(mixture({1, std::nan("")}), TaskId{0}), ConfigError);
}

} // namespace
} // namespace metasieve
