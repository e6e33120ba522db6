#include "base/error.hpp"
#include "cli/command_table.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"
#include "config/settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <sstream>

namespace metasieve {
namespace {

/// `text` with its lines joined, as it was before they were broken.
std::string joined_lines(const std::string& text) {
  std::string out;
  std::istringstream words(text);
  for (std::string word; words >> word;) out += word + " ";
  return out;
}

TEST(Help, lists_every_key_with_its_default) {
  const std::string text = joined_lines(help_text({"keys"}));
  for (const ConfigKey& key : config_keys()) {
    const std::string name = key.name.substr(key.name.find('.') + 1);
    EXPECT_NE(
        text.find(joined_lines(name + " " + key.help + "; " + key.domain + " (" + key.get(Config()) + ")")),
        std::string::npos)
        << key.name;
  }
}

TEST(Help, of_a_section_lists_it_alone) {
  const std::string text = help_text({"keys", "inner"});

  EXPECT_NE(text.find("step_size"), std::string::npos);
  EXPECT_EQ(text.find("learning_rate"), std::string::npos);
  EXPECT_THROW(static_cast<void>(help_text({"keys", "iner"})), ConfigError);
}

TEST(Help, of_a_command_names_options_first_keys_and_examples) {
  for (const CommandInfo& info : commands()) {
    const std::string text = help_text({info.name});
    for (const OptionInfo& option : info.options)
      EXPECT_NE(text.find("  --" + option.name), std::string::npos) << info.name << option.name;
    for (const std::string& key : info.first_keys)
      EXPECT_NE(text.find("  " + key), std::string::npos) << info.name << ": " << key << " is no key of it";
    EXPECT_NE(text.find(info.examples.front()), std::string::npos);
    EXPECT_LE(info.first_keys.size(), 10U);
    for (const std::string& key : info.first_keys)
      EXPECT_TRUE(acts_on(key, info)) << info.name << ": " << key;
  }
}

TEST(CommandTable, examples_are_command_lines_that_the_parser_takes) {
  for (const CommandInfo& info : commands())
    for (const std::string& example : info.examples) {
      std::istringstream stream(example);
      const CommandLine line = parse_command_line(
          {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()});
      EXPECT_EQ(line.command, info.name);
      for (const auto& [key, value] : line.overrides) {
        Config config;
        EXPECT_NO_THROW(set_key(config, key, value)) << example;
      }
    }
}

TEST(CommandTable, a_key_acts_on_some_command) {
  for (const ConfigKey& key : config_keys())
    EXPECT_TRUE(std::ranges::any_of(commands(), [&](const CommandInfo& info) {
      return acts_on(key.name, info);
    })) << key.name;
}

TEST(CommandTable, key_takes_each_of_its_words) {
  int with_values = 0;
  for (const ConfigKey& key : config_keys()) {
    with_values += key.words.empty() ? 0 : 1;
    for (const std::string& value : key.words) {
      Config config;
      EXPECT_NO_THROW(key.set(config, value)) << key.name << " = " << value;
    }
  }
  EXPECT_GT(with_values, 10);
}

} // namespace
} // namespace metasieve
