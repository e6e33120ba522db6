#include "cli/help.hpp"

#include "base/error.hpp"
#include "cli/command_table.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace metasieve {
namespace {

constexpr std::size_t line_width = 100;

/// "  NAME      text", the text wrapped, and on a line of its own below a name that is too long.
std::string entry(const std::string& name, const std::string& text, std::size_t column) {
  const std::string margin(column, ' ');
  std::string out = "  " + name,
              line = out.size() + 2 > column ? margin : out + std::string(column - out.size(), ' ');
  if (line == margin)
    out += "\n";
  else
    out.clear();
  std::istringstream words(text);
  bool is_first = true;
  for (std::string word; words >> word; is_first = false) {
    if (!is_first && line.size() + 1 + word.size() > line_width) {
      out += line + "\n";
      line = margin;
      is_first = true;
    }
    line += (is_first ? "" : " ") + word;
  }
  return out + line + "\n";
}

std::string entries(const std::vector<Explained>& all, std::size_t column) {
  std::string text;
  for (const Explained& each : all) text += entry(each.name, each.meaning, column);
  return text;
}

std::string key_line(const ConfigKey& key, const std::string& name) {
  return entry(name, key.help + "; " + key.domain + " (" + key.get(Config()) + ")", 31);
}

std::string keys_text(const std::vector<ConfigKey>& keys, const std::string& section) {
  std::string text, current;
  for (const ConfigKey& key : keys) {
    const std::string of = key.name.substr(0, key.name.find('.'));
    if (!section.empty() && of != section) continue;
    if (of != current) text += (text.empty() ? "[" : "\n[") + (current = of) + "]\n";
    text += key_line(key, key.name.substr(of.size() + 1));
  }
  return text;
}

std::string family_text() {
  std::string text = "[family.NAME]   a family of tasks for suite.mixture; each knob lo:hi or one value\n ";
  for (const std::string& knob : family_keys()) text += " " + knob;
  return text + "\n";
}

std::string all_keys_text(const std::string& section) {
  const std::vector<ConfigKey> keys = keys_of(find_command("sweep")); // the one with most
  std::string text = keys_text(keys, section);
  if (section.empty() || section == "family") text += (text.empty() ? "" : "\n") + family_text();
  if (text.empty())
    throw ConfigError("help keys " + section + ": there is no such section; metasieve help keys lists all");
  return "configuration keys: in an INI file, or as --section.key value; meaning, domain (default)\n\n" +
         text;
}

std::string general_help() {
  std::string text =
      "metasieve: meta-learns which training samples to trust, on many noisy, unfair tasks in parallel.\n\n"
      "usage: [mpirun -n RANKS] metasieve COMMAND [options]\n\n"
      "commands:\n";
  for (const CommandInfo& info : commands()) text += entry(info.name, info.brief, 12);
  text += "\nto begin with, from the folder of the sources:\n";
  for (const Explained& first : first_commands())
    text += std::string("  ") + first.name + "\n      " + first.meaning + "\n";
  text +=
      "\nResults go where --output says, and nowhere else: a folder of train, sweep and scaling, a file of\n"
      "the others. How far a run is, for programs, is in progress.json there (FILE.progress.json).\n"
      "--dry-run checks everything and says what a run will take, --resume goes on after a stop.\n\n"
      "more, as metasieve help TOPIC:\n" +
      entries(help_topics(), 21) + "  and metasieve --version says what it was built with\n";
  text += "\nenvironment:\n" + entries(environment_variables(), 21);
  text += "\nexit codes, and what to do:\n" + entries(exit_codes(), 13);
  return text + "\nsee also: README.md; man metasieve; mpirun(1)\n";
}

std::string command_help(const CommandInfo& info) {
  std::string text =
      "usage: metasieve " + std::string(info.name) + " " + info.usage + "\n\n" + info.about + "\n";
  if (info.leaves != nullptr) text += "\nleaves: " + std::string(info.leaves) + "\n";
  if (!info.options.empty()) text += "\noptions:\n";
  for (const OptionInfo& option : info.options)
    text += entry("--" + std::string(option.name) +
                      (option.value == nullptr ? "" : " " + std::string(option.value)),
                  option.help + std::string(option.is_required ? " (required)" : ""), 18);
  const std::vector<ConfigKey> keys = keys_of(info);
  if (!info.first_keys.empty())
    text += "\nkeys to begin with (default), as --section.key value or in --config:\n";
  for (const char* name : info.first_keys)
    for (const ConfigKey& key : keys)
      if (key.name == name) text += key_line(key, key.name);
  text += "\nexamples:\n";
  for (const char* example : info.examples) text += "  metasieve " + std::string(example) + "\n";
  if (info.takes_keys)
    text += "\nall keys: meaning, domain (default)\n\n" + keys_text(keys, "") + "\n" + family_text();
  return text + "\nsee also: metasieve help, which says what each exit code means, and what to do then\n";
}

} // namespace

std::string help_text(const std::vector<std::string>& words) {
  if (words.empty()) return general_help();
  const std::string& topic = words.front();
  if (topic == "keys") return all_keys_text(words.size() > 1 ? words[1] : "");
  if (topic == "--man") return man_page();
  if (topic == "--bash-completion") return bash_completion();
  if (topic == "progress")
    return "progress.json, in a folder that --output names, or FILE.progress.json beside a file: one JSON "
           "object,\n"
           "replaced as a whole at most once a second by rank 0\n\n" +
           entries(status_fields(), 33);
  return command_help(find_command(topic));
}

std::optional<std::string> text_without_mpi(std::span<char* const> arguments) {
  if (arguments.size() != 2 || std::string_view(arguments[0]) != "help") return std::nullopt;
  const std::string topic = arguments[1];
  if (topic == "--man" || topic == "--bash-completion") return help_text({topic});
  return std::nullopt;
}

} // namespace metasieve
