#include "base/text.hpp"
#include "cli/options.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"
#include "support/errors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace metasieve {
namespace {

using test::config_error;

std::string key_error(const std::string& name, const std::string& value) {
  Config config;
  return config_error([&] { set_key(config, name, value); });
}

Config loaded(const KeyValues& overrides) { return load_config(std::nullopt, overrides); }

TEST(ConfigKeys, text_of_each_default_reads_back_to_the_same) {
  const Config defaults;
  for (const ConfigKey& key : config_keys()) {
    Config config;
    set_key(config, key.name, key.get(defaults));

    EXPECT_EQ(key.get(config), key.get(defaults)) << key.name;
    EXPECT_TRUE(config.explicit_keys.contains(key.name));
  }
}

TEST(ConfigKeys, each_says_what_it_means_and_may_be) {
  for (const ConfigKey& key : config_keys()) {
    EXPECT_FALSE(key.help.empty()) << key.name;
    EXPECT_FALSE(key.domain.empty()) << key.name;
    EXPECT_EQ(std::count(key.name.begin(), key.name.end(), '.'), 1) << key.name;
  }
}

TEST(ConfigKeys, refusal_names_key_value_and_domain) {
  for (const ConfigKey& key : config_keys()) {
    if (key.domain.starts_with("FILE") || key.domain.starts_with("KEY")) continue; // looked at later
    const std::string error = key_error(key.name, "#");

    EXPECT_TRUE(error.starts_with(key.name + " = #: ")) << error;
  }
  EXPECT_EQ(key_error("policy.keep", "1"), "policy.keep = 1: must be a number > 0 and < 1");
}

TEST(ConfigKeys, refused_value_leaves_the_configuration_as_it_was) {
  for (const ConfigKey& key : config_keys()) {
    if (key.domain.starts_with("FILE") || key.domain.starts_with("KEY")) continue; // looked at later
    Config config;
    EXPECT_THROW(set_key(config, key.name, "#"), ConfigError) << key.name;

    EXPECT_EQ(resolved_ini(config), resolved_ini(Config())) << key.name;
  }
}

TEST(ConfigKeys, unknown_key_names_the_nearest) {
  EXPECT_EQ(key_error("meta.batsh", "3"), "unknown key meta.batsh: did you mean meta.batch?");
  EXPECT_EQ(key_error("iterations", "3"), "unknown key iterations: did you mean meta.iterations?");
  EXPECT_EQ(key_error("family.a.minorty", "3"),
            "unknown key family.a.minorty: did you mean family.a.minority?");
}

TEST(ConfigKeys, one_of_older_programs_is_ignored) {
  Config config;
  set_key(config, "output.compress", "labels");
  EXPECT_TRUE(config.explicit_keys.empty());
  EXPECT_EQ(resolved_ini(config), resolved_ini(Config()));
}

TEST(ConfigKeys, old_name_sets_the_renamed_key) {
  Config config;
  set_key(config, "evaluate.rounds", "3");
  set_key(config, "sweep.evaluate.rounds_agreement", "0.1, 1");

  EXPECT_EQ(config.evaluate.selection.rounds, 3);
  EXPECT_TRUE(config.explicit_keys.contains("evaluate.refit_rounds"));
  EXPECT_EQ(config.sweep.swept, (KeyValues{{"evaluate.refit_below_correlation", "0.1, 1"}}));
  EXPECT_NE(resolved_ini(config).find("refit_rounds = 3\n"), std::string::npos);
}

TEST(ConfigKeys, setting_how_policies_are_adapted_asks_for_it_everywhere_unless_adapt_follows) {
  const auto adaptation = [](const KeyValues& given) {
    Config config;
    for (const auto& [key, value] : given) set_key(config, key, value);
    Config again; // from the text that files keep
    for (const auto& [key, value] : parse_ini(resolved_ini(config), "text")) set_key(again, key, value);
    EXPECT_EQ(again.evaluate.adaptation, config.evaluate.adaptation);
    return config.evaluate.adaptation;
  };
  EXPECT_EQ(adaptation({}), Adaptation::automatic);
  EXPECT_EQ(adaptation({{"evaluate.adapt_steps", "5"}}), Adaptation::always);
  EXPECT_EQ(adaptation({{"evaluate.rounds", "1"}}), Adaptation::always);
  EXPECT_EQ(adaptation({{"evaluate.adapt_fairness_weight", "0.2"}}), Adaptation::automatic);
  EXPECT_EQ(adaptation({{"evaluate.adapt_steps", "5"}, {"evaluate.adapt", "none"}}), Adaptation::none);
}

TEST(ConfigKeys, label_noise_is_a_shorthand_for_flips) {
  Config config;
  EXPECT_EQ(config.evaluate.corruptions, (std::vector{LabelCorruption{LabelCorruption::Kind::flips, 0.1}}));
  set_key(config, "evaluate.label_noise", "0.2");
  EXPECT_NE(resolved_ini(config).find("corruption = flips:0.2\n"), std::string::npos);
  EXPECT_EQ(resolved_ini(config).find("label_noise = 0.2"), std::string::npos);
  set_key(config, "evaluate.corruption", "hidden:0.3, groups");
  EXPECT_NE(resolved_ini(config).find("corruption = hidden:0.3,groups\n"), std::string::npos);
  set_key(config, "sweep.evaluate.label_noise", "0, 0.1");
  EXPECT_EQ(config.sweep.swept.front().first, "evaluate.label_noise");
}

TEST(ConfigKeys, corruptions_are_known_and_there_once) {
  for (const char* text : {"flips", "flips:0.1,flips:0.1", "hidden:2", "shuffled", "flips:0.1,,none", ""})
    EXPECT_TRUE(key_error("evaluate.corruption", text)
                    .starts_with(std::string("evaluate.corruption = ") + text +
                                 ": must be a comma-separated list of none, "))
        << text;
}

TEST(LoadConfig, two_names_of_a_corruption_must_agree_and_the_command_line_wins) {
  const std::string refused = config_error([] {
    static_cast<void>(loaded({{"evaluate.corruption", "hidden:0.3"}, {"evaluate.label_noise", "0.2"}}));
  });
  EXPECT_EQ(refused,
            "evaluate.label_noise is flips:0.2, and evaluate.corruption is hidden:0.3; give one of the two");
  const auto kind = [](const Config& config) { return to_string(config.evaluate.corruptions.front()); };
  EXPECT_EQ(kind(loaded({{"evaluate.corruption", "flips:0.2"}, {"evaluate.label_noise", "0.2"}})),
            "flips:0.2");
  const std::filesystem::path file = testing::TempDir() + "metasieve_label_noise.ini";
  std::ofstream(file) << "[evaluate]\nlabel_noise = 0.1\n";
  EXPECT_EQ(kind(load_config(file, {{"evaluate.corruption", "hidden:0.3"}}, FamilyUse::if_any)),
            "hidden:0.3");
}

TEST(ConfigKeys, methods_are_named_or_auto_or_all) {
  Config config;
  EXPECT_TRUE(config.evaluate.methods.empty());
  EXPECT_NE(resolved_ini(config).find("methods = auto\n"), std::string::npos);
  set_key(config, "evaluate.methods", "all");
  EXPECT_EQ(config.evaluate.methods.size(), method_names().size());
  set_key(config, "evaluate.methods", "roh");
  EXPECT_EQ(config.evaluate.methods, (std::vector{Method::baseline, Method::roh}));
  set_key(config, "evaluate.methods", "auto");
  EXPECT_TRUE(config.evaluate.methods.empty());
}

TEST(ConfigKeys, old_name_of_a_feature_set_is_taken_and_kept_in_files) {
  for (const auto& [name, old, set] :
       {std::tuple{"basic", "seed10", FeatureSet::basic}, std::tuple{"full", "full16", FeatureSet::full},
        std::tuple{"context", "context27", FeatureSet::context},
        std::tuple{"relative", "relative28", FeatureSet::relative},
        std::tuple{"fair", "fair56", FeatureSet::fair}})
    for (const char* given : {name, old}) {
      Config config;
      set_key(config, "policy.features", given);

      EXPECT_EQ(config.policy.features, set);
      EXPECT_NE(resolved_ini(config, Affects::policy).find(std::string("features = ") + old + "\n"),
                std::string::npos);
    }
}

TEST(ConfigKeys, say_what_they_affect) {
  EXPECT_EQ(affects_of("suite.seed"), Affects::tasks);
  EXPECT_EQ(affects_of("family.a.samples"), Affects::tasks);
  EXPECT_EQ(affects_of("suite.validation_tasks"), Affects::policy);
  EXPECT_EQ(affects_of("suite.hold_features"), Affects::nothing);
  EXPECT_EQ(affects_of("meta.batch"), Affects::policy);
  EXPECT_EQ(affects_of("evaluate.rounds"), Affects::evaluation); // an old name
  EXPECT_EQ(affects_of("output.of_another_version"), Affects::nothing);
  EXPECT_EQ(affects_of("another.section"), Affects::policy);
}

TEST(SweepKeys, text_of_a_sweep_reads_back_to_the_same) {
  Config config = loaded({{"suite.mixture", "a:1"},
                          {"family.a.samples", "60:100"},
                          {"sweep.policy.hidden", "8,4; 16"},
                          {"sweep.meta.clip", "log(1, 10)"},
                          {"sweep.samples", "3"},
                          {"sweep.together", "policy.hidden, meta.batch"},
                          {"sweep.meta.batch", "1, 2"}});
  config.families.push_back(config.families.front());
  config.families.back().name = "of_another_point";

  Config read;
  for (const auto& [key, value] : parse_ini(sweep_ini(config), "text")) set_key(read, key, value);

  EXPECT_EQ(sweep_ini(read), sweep_ini(config));
  EXPECT_EQ(read.sweep.swept, config.sweep.swept);
  EXPECT_EQ(read.families.size(), 2U);
  EXPECT_EQ(resolved_ini(config).find("sweep"), std::string::npos);
}

TEST(SweepKeys, unknown_ones_name_the_nearest) {
  EXPECT_EQ(key_error("sweep.meta.batsh", "3"),
            "unknown key sweep.meta.batsh: did you mean sweep.meta.batch?");
  EXPECT_EQ(key_error("sweep.sample", "3"), "unknown key sweep.sample: did you mean sweep.samples?");
  EXPECT_EQ(key_error("sweep.family.a.minorty", "3"),
            "unknown key family.a.minorty: did you mean family.a.minority?");
  EXPECT_EQ(key_error("sweep.sampling", "sobol"), "sweep.sampling = sobol: must be latin | random");
}

TEST(Resolved, reads_back_to_the_same_text) {
  const Config config = loaded({{"suite.mixture", "a:0.1,b-2:3"},
                                {"family.a.samples", "60:100"},
                                {"family.b-2.group_odds", "1.1:7"},
                                {"meta.learning_rate", "0.1"},
                                {"meta.clip", "1e-300"},
                                {"policy.hidden", "3, 5"},
                                {"suite.seed", "18446744073709551615"},
                                {"inner.method", "first-order"},
                                {"evaluate.methods", "oracle,meta_hard"}});
  const std::string text = resolved_ini(config);

  Config again;
  for (const auto& [key, value] : parse_ini(text, "text")) set_key(again, key, value);

  EXPECT_EQ(resolved_ini(again), text);
  EXPECT_EQ(again.suite.seed, config.suite.seed);
  EXPECT_EQ(again.meta.clip, 1e-300);
  EXPECT_EQ(again.families.size(), 2u);
}

TEST(Resolved, leaves_out_families_of_no_use) {
  Config config = loaded({});
  set_key(config, "family.spare.samples", "50");

  EXPECT_EQ(resolved_ini(config).find("spare"), std::string::npos);
}

TEST(MixtureText, takes_blanks_and_names_without_share) {
  Config config;
  config.suite.mixture = " a : 2, b";

  EXPECT_EQ(mixture_names(config.suite.mixture),
            (std::vector<std::pair<std::string, double>>{{"a", 2.0}, {"b", 1.0}}));
}

TEST(MixtureText, refuses_what_is_no_mixture) {
  for (const char* text :
       {"", ",", "a:", "a:0", "a:-1", "a:nan", "a:inf", "a:1,a:2", ":1", "a:1x", "a:1,,b:1"}) {
    Config config;
    config.suite.mixture = text;
    EXPECT_THROW(static_cast<void>(mixture_names(config.suite.mixture)), ConfigError) << text;
  }
}

TEST(MixtureText, shares_sum_to_one) {
  const Mixture parts = mixture(loaded({{"suite.mixture", "seed:3,biased:1"}}));

  ASSERT_EQ(parts.size(), 2u);
  EXPECT_DOUBLE_EQ(parts[0].share, 0.75);
  EXPECT_DOUBLE_EQ(parts[1].share, 0.25);
}

TEST(LoadConfig, families_are_needed_where_tasks_are_generated) {
  const KeyValues unknown{{"suite.mixture", "nowhere:1"}};

  EXPECT_THROW(static_cast<void>(loaded(unknown)), ConfigError);
  EXPECT_TRUE(load_config(std::nullopt, unknown, FamilyUse::if_any).families.empty());
  EXPECT_THROW(static_cast<void>(load_config(std::nullopt, {{"suite.mixture", "a:"}}, FamilyUse::if_any)),
               ConfigError);
}

TEST(LoadConfig, knob_on_the_command_line_changes_one_value_of_a_shipped_family) {
  const Config config = loaded({{"suite.mixture", "biased:1"}, {"family.biased.samples", "300"}});

  ASSERT_EQ(config.families.size(), 1u);
  EXPECT_EQ(knob_text(config.families[0], "samples"), "300");
  EXPECT_EQ(knob_text(config.families[0], "label_bias"), "0:0.5"); // as configs/families/biased.ini has it
}

TEST(Ini, names_file_and_line) {
  EXPECT_EQ(config_error([] { static_cast<void>(parse_ini("# c\n[a]\nx = 1\n nonsense # c\n", "f.ini")); }),
            "f.ini: line 4: \"nonsense\" must be [section], key = value, or # comment");
  EXPECT_EQ(config_error([] { static_cast<void>(parse_ini("[a]\nx = 1\nx = 2\n", "f.ini")); }),
            "f.ini: a.x is given twice: keep one");
}

TEST(Ini, keeps_order_and_drops_comments) {
  const KeyValues entries = parse_ini("top = 0\n[b]\nx = 1 # one\n[a]\ny=a b\nz =\n", "f.ini");

  EXPECT_EQ(entries, (KeyValues{{"top", "0"}, {"b.x", "1"}, {"a.y", "a b"}, {"a.z", ""}}));
}

TEST(Ini, stored_text_keeps_what_looks_like_a_comment) {
  EXPECT_EQ(stored_ini("[a]\nx = 1 # one\nnonsense\n\n[b.c]\ny =\n"),
            (KeyValues{{"a.x", "1 # one"}, {"b.c.y", ""}}));
}

TEST(CommandLineText, takes_both_forms) {
  const CommandLine line = parse_command_line(
      {"sweep", "--dataset", "a.h5", "b.h5", "--config=c.ini", "--dataset=c.h5", "--meta.batch", "-1",
       "--family.x.samples", "60", "--family.x.minority=0.3", "--output", "out", "--dry-run"});

  EXPECT_EQ(line.command, "sweep");
  EXPECT_EQ(line.values("dataset"), (std::vector<std::filesystem::path>{"a.h5", "b.h5", "c.h5"}));
  EXPECT_EQ(line.value("config"), "c.ini");
  EXPECT_EQ(line.value("output"), "out");
  EXPECT_TRUE(line.has("dry-run"));
  EXPECT_FALSE(line.has("resume"));
  EXPECT_EQ(line.overrides,
            (KeyValues{{"meta.batch", "-1"}, {"family.x.samples", "60"}, {"family.x.minority", "0.3"}}));
}

TEST(CommandLineText, help_wins_wherever_it_stands) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"train", "--help"},
                                                {"--help", "train"},
                                                {"help", "train"},
                                                {"train", "-h", "--bogus"},
                                                {"train", "--output", "--help"}}) {
    const CommandLine line = parse_command_line(words);
    EXPECT_TRUE(line.help);
    EXPECT_EQ(line.topic, std::vector<std::string>{"train"});
  }
}

} // namespace
} // namespace metasieve
