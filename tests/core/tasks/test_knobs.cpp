#include "support/errors.hpp"
#include "tasks/family.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace metasieve {
namespace {

using test::config_error;

/// `base` and what it has alone are left out of the other families' files.
constexpr std::size_t knobs_before_base = 13;

Family read_family(const std::string& name) {
  std::ifstream file(METASIEVE_SOURCE_DIR "/configs/families/" + name + ".ini");
  Family family;
  family.name = name;
  std::vector<std::string> keys;
  for (std::string line; std::getline(file, line);) {
    line = line.substr(0, line.find('#'));
    const auto equals = line.find('=');
    if (equals == std::string::npos) continue;
    keys.push_back(line.substr(0, line.find(' ')));
    set_knob(family, keys.back(), line.substr(equals + 1));
  }
  std::vector<std::string> expected = family_keys();
  if (family.base == BaseProblem::clusters) expected.resize(knobs_before_base);
  EXPECT_EQ(keys, expected) << name;
  return family;
}

TEST(FamilyFiles, hold_the_families_of_the_design) {
  const Family seed;
  Family seed_random = seed;
  seed_random.name = "seed_random";
  seed_random.disadvantaged = Disadvantaged::random;
  const Family biased{.name = "biased",
                      .samples = {200, 10000},
                      .label_noise = {0, 0.2},
                      .biased_fraction = 1,
                      .group_odds = {1, 2.25},
                      .disadvantaged = Disadvantaged::random,
                      .feature_shift = {0, 1.5},
                      .label_bias = {0, 0.5},
                      .adversarial_fraction = 0.3};
  const Family tabular{.name = "tabular",
                       .samples = {300, 10000},
                       .features = {5, 150},
                       .label_noise = {0, 0.2},
                       .positive = {0.03, 0.6},
                       .separability = {1, 4},
                       .biased_fraction = 1,
                       .group_odds = {1, 4},
                       .disadvantaged = Disadvantaged::random,
                       .feature_shift = {0, 1.5},
                       .label_bias = {0, 0.4},
                       .adversarial_fraction = 0.2,
                       .base = BaseProblem::tabular};

  EXPECT_EQ(read_family("tabular"), tabular);
  EXPECT_EQ(read_family("seed"), seed);
  EXPECT_EQ(read_family("seed_random"), seed_random);
  EXPECT_EQ(read_family("biased"), biased);
}

TEST(FamilyFiles, of_several_groups_are_those_of_two_with_more_groups) {
  for (const std::string name : {"seed_random", "biased", "honest", "tabular"}) {
    Family expected = read_family(name), several = read_family(name + "_groups");
    EXPECT_EQ(expected.groups, (Interval{2, 2}));
    EXPECT_NO_THROW(validate(several));
    expected.name += "_groups";
    expected.minority = {0.2, 0.9};
    expected.groups = {3, 6};

    EXPECT_EQ(several, expected);
  }
}

TEST(SetKnob, reads_ranges_numbers_and_words) {
  Family family;

  set_knob(family, "samples", "50:70");
  set_knob(family, "label_noise", " 0.1 : 0.25 ");
  set_knob(family, "separability", "1.5");
  set_knob(family, "biased_fraction", "0.25");
  set_knob(family, "disadvantaged", "random");
  set_knob(family, "groups", "2:6");
  set_knob(family, "base", " tabular ");
  set_knob(family, "factors", "3:12");

  EXPECT_EQ(family.samples, (Interval{50, 70}));
  EXPECT_EQ(family.label_noise, (Interval{0.1, 0.25}));
  EXPECT_EQ(family.separability, (Interval{1.5, 1.5}));
  EXPECT_EQ(family.biased_fraction, 0.25);
  EXPECT_EQ(family.disadvantaged, Disadvantaged::random);
  EXPECT_EQ(family.groups, (Interval{2, 6}));
  EXPECT_EQ(family.base, BaseProblem::tabular);
  EXPECT_EQ(family.factors, (Interval{3, 12}));
}

TEST(SetKnob, refuses_with_knob_value_and_what_is_expected) {
  Family family;
  family.name = "biased";
  const Family before = family;
  const auto error = [&](const char* knob, const char* value) {
    return config_error([&] { set_knob(family, knob, value); });
  };
  const std::string noise = ": must be lo:hi or one number, 0 <= lo <= hi <= 0.5";

  for (const char* value : {"0.2:1.5", "0.3:0.1", "-0.1:0.2", "nan", "inf", "0:nan", "a:b", "0.1:", ":0.1",
                            "", "1e999", "0.1:0.2:0.3", "0.1 0.2"})
    EXPECT_EQ(error("label_noise", value), "family.biased.label_noise = " + std::string(value) + noise);
  EXPECT_EQ(error("samples", "100.5"),
            "family.biased.samples = 100.5: must be lo:hi or one number, whole, 20 <= lo <= hi <= 100000000");
  for (const char* value : {"0", "1:65", "2.5", "6:2"})
    EXPECT_EQ(error("groups", value), "family.biased.groups = " + std::string(value) +
                                          ": must be lo:hi or one number, whole, 1 <= lo <= hi <= 64");
  EXPECT_EQ(error("positive", "0:1"),
            "family.biased.positive = 0:1: must be lo:hi or one number, 0 < lo <= hi < 1");
  EXPECT_EQ(error("biased_fraction", "0:1"),
            "family.biased.biased_fraction = 0:1: must be a number within 0..1");
  EXPECT_EQ(error("disadvantaged", "both"), "family.biased.disadvantaged = both: must be minority or random");
  for (const char* value : {"random", "", "0", "Tabular"})
    EXPECT_EQ(error("base", value),
              "family.biased.base = " + std::string(value) + ": must be clusters or tabular");
  for (const char* value : {"0", "2:65", "2.5"})
    EXPECT_EQ(error("factors", value), "family.biased.factors = " + std::string(value) +
                                           ": must be lo:hi or one number, whole, 1 <= lo <= hi <= 64");
  EXPECT_EQ(error("discrete_fraction", "0:1.5"),
            "family.biased.discrete_fraction = 0:1.5: must be lo:hi or one number, 0 <= lo <= hi <= 1");
  EXPECT_EQ(error("skewed_fraction", "0.6:0.5"),
            "family.biased.skewed_fraction = 0.6:0.5: must be lo:hi or one number, 0 <= lo <= hi <= 1");
  EXPECT_EQ(error("interaction_fraction", "0:1"),
            "family.biased.interaction_fraction = 0:1: must be a number within 0..1");
  EXPECT_EQ(error("noise", "0").substr(0, 58), "family.biased.noise: no such knob; there are samples, feat");
  EXPECT_EQ(family, before);
}

TEST(KnobText, round_trips_every_knob_bit_for_bit) {
  Family family{.name = "odd",
                .samples = {20, 100000000},
                .features = {3, 3},
                .label_noise = {1e-300, 1.0 / 3},
                .minority = {0.1 + 0.2, 0.7},
                .positive = {std::numeric_limits<double>::denorm_min(), 0.5},
                .separability = {2.0 / 3, 123.456789012345678},
                .biased_fraction = 0.1,
                .group_odds = {1, 1e6},
                .disadvantaged = Disadvantaged::random,
                .feature_shift = {0, 1.5},
                .label_bias = {0.25, 0.25},
                .adversarial_fraction = 1.0 / 7,
                .groups = {1, 64},
                .base = BaseProblem::tabular,
                .factors = {1, 64},
                .discrete_fraction = {0.1, 1.0 / 3},
                .skewed_fraction = {0, 2.0 / 3},
                .interaction_fraction = 1.0 / 9};
  Family copy;
  copy.name = "odd";

  for (const std::string& knob : family_keys()) set_knob(copy, knob, knob_text(family, knob));

  EXPECT_EQ(copy, family);
  EXPECT_EQ(knob_text(family, "samples"), "20:100000000");
  EXPECT_EQ(knob_text(family, "label_bias"), "0.25");
  EXPECT_EQ(knob_text(Family{}, "minority"), "0.1:0.9");
  EXPECT_EQ(knob_text(Family{}, "disadvantaged"), "minority");
  EXPECT_EQ(knob_text(Family{}, "base"), "clusters");
  EXPECT_EQ(knob_text(family, "base"), "tabular");
  EXPECT_THROW((void)knob_text(family, "noise"), ConfigError);
}

TEST(Validate, accepts_every_knob_at_its_bounds) {
  const Family widest{.name = std::string(31, 'a'),
                      .samples = {20, 1e8},
                      .features = {3, 10000},
                      .label_noise = {0, 0.5},
                      .minority = {1e-9, 1 - 1e-9},
                      .positive = {1e-9, 1 - 1e-9},
                      .separability = {0, 1000},
                      .biased_fraction = 1,
                      .group_odds = {1, 1e6},
                      .feature_shift = {0, 100},
                      .label_bias = {0, 1},
                      .adversarial_fraction = 1,
                      .groups = {1, 2},
                      .base = BaseProblem::tabular,
                      .factors = {1, 64},
                      .discrete_fraction = {0, 1},
                      .skewed_fraction = {0, 1},
                      .interaction_fraction = 1};

  EXPECT_EQ(config_error([&] { validate(widest); }), "no error");
  EXPECT_EQ(config_error([] { validate(Family{}); }), "no error");
}

/// A family with one knob out of its domain, and the knob's name.
struct Refused {
  const char* knob;
  Family family;
};

TEST(Validate, names_the_knob_that_is_out_of_its_domain) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Refused> refused{
      {"samples = 19:100", {.samples = {19, 100}}},
      {"samples = 20.5:100", {.samples = {20.5, 100}}},
      {"samples = 200:100", {.samples = {200, 100}}},
      {"features = 2:5", {.features = {2, 5}}},
      {"label_noise = 0:0.51", {.label_noise = {0, 0.51}}},
      {"label_noise = nan:0.1", {.label_noise = {nan, 0.1}}},
      {"minority = 0:0.5", {.minority = {0, 0.5}}},
      {"minority = 0.5:1", {.minority = {0.5, 1}}},
      {"positive = 0.5:1", {.positive = {0.5, 1}}},
      {"separability = -1:1", {.separability = {-1, 1}}},
      {"separability = 1:inf", {.separability = {1, std::numeric_limits<double>::infinity()}}},
      {"biased_fraction = 1.1", {.biased_fraction = 1.1}},
      {"group_odds = 0.9:2", {.group_odds = {0.9, 2}}},
      {"feature_shift = -0.1", {.feature_shift = {-0.1, -0.1}}},
      {"label_bias = 0:1.5", {.label_bias = {0, 1.5}}},
      {"adversarial_fraction = nan", {.adversarial_fraction = nan}},
      {"groups = 0:2", {.groups = {0, 2}}},
      {"groups = nan:2", {.groups = {nan, 2}}},
      {"factors = 0:2", {.factors = {0, 2}}},
      {"factors = 1:1.5", {.factors = {1, 1.5}}},
      {"discrete_fraction = -0.1:1", {.discrete_fraction = {-0.1, 1}}},
      {"skewed_fraction = 0:nan", {.skewed_fraction = {0, nan}}},
      {"interaction_fraction = 1.5", {.interaction_fraction = 1.5}},
  };

  for (const Refused& each : refused) {
    const std::string message = config_error([&] { validate(each.family); });

    EXPECT_EQ(message.rfind("family.seed." + std::string(each.knob) + ": must be ", 0), 0U) << message;
  }
}

Family with_groups(Interval groups, Interval minority, Interval samples = {100, 1000}) {
  Family family{.name = "f", .samples = samples, .minority = minority};
  family.groups = groups;
  return family;
}

TEST(Validate, allows_as_many_groups_as_the_least_minority_has_room_for) {
  for (const Family& family :
       {with_groups({2, 6}, {0.1, 0.9}), with_groups({1, 4}, {0.06, 0.06}),
        with_groups({15, 15}, {0.28, 0.3}), with_groups({50, 50}, {0.98, 0.98}, {50, 60}),
        with_groups({1, 1}, {0.01, 0.99}), with_groups({2, 2}, {0.001, 0.001}, {20, 20})})
    EXPECT_EQ(config_error([&] { validate(family); }), "no error");
}

TEST(Validate, refuses_more_groups_than_there_are_rows_for) {
  const auto error = [](const Family& family) { return config_error([&] { validate(family); }); };

  EXPECT_EQ(
      error(with_groups({2, 7}, {0.1, 0.9})),
      "family.f.groups = 2:7: each group but 0 has 0.02 of the rows at least, so that minority = 0.1:0.9 "
      "allows at most 6; or minority must begin at 0.12");
  EXPECT_EQ(
      error(with_groups({3, 3}, {0.01, 0.9})),
      "family.f.groups = 3: each group but 0 has 0.02 of the rows at least, so that minority = 0.01:0.9 "
      "allows at most 2; or minority must begin at 0.04");
  EXPECT_EQ(error(with_groups({64, 64}, {0.98, 0.98})),
            "family.f.groups = 64: each group but 0 has 0.02 of the rows at least, so that minority = 0.98 "
            "allows at most 50");
  EXPECT_EQ(
      error(with_groups({2, 40}, {0.9, 0.9}, {30, 100})),
      "family.f.groups = 2:40: each group has a row at least, so that samples = 30:100 allows at most 30");
}

TEST(Validate, names_must_fit_the_record_and_the_mixture_syntax) {
  for (const std::string& name :
       {std::string(), std::string(32, 'a'), std::string("a:b"), std::string("a,b")}) {
    Family family;
    family.name = name;

    EXPECT_EQ(config_error([&] { validate(family); }),
              "family name \"" + name + "\": must be 1 to 31 letters, digits, _ or -");
  }
}

} // namespace
} // namespace metasieve
