#include "cli/options.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/command_table.hpp"

#include <boost/program_options.hpp>

#include <algorithm>

namespace metasieve {
namespace {

namespace po = boost::program_options;

std::string see_help(const std::string& command) {
  return "; see metasieve " + (command.empty() ? "" : command + " ") + "--help";
}

/// @throws ConfigError that names the commands on which a key acts, if there are such but not `info`.
void require_effect(const std::string& key, const CommandInfo& info) {
  if (!info.takes_keys() || acts_on(key, info)) return;
  std::vector<std::string> others;
  for (const CommandInfo& other : commands())
    if (acts_on(key, other)) others.push_back(other.name);
  if (!others.empty())
    throw ConfigError("--" + key + " has no effect on " + info.name + ": it acts on " + joined(others, ", ") +
                      see_help(info.name));
}

[[noreturn]] void unknown_option(const std::string& name, const CommandInfo& info) {
  std::vector<std::string> known;
  for (const OptionInfo& option : info.options) known.push_back(option.name);
  for (const ConfigKey& key : keys_of(info)) known.push_back(key.name);
  const std::string right = info.takes_keys()
                                ? "did you mean --" + nearest_name(name, known) + "?"
                                : info.name + " takes one " + info.operand_word() + " and " +
                                      (known.empty() ? "no option" : "no option but --" + known.front());
  throw ConfigError("unknown option --" + name + ": " + right + see_help(info.name));
}

bool has_open_name(const std::string& key) { return key.starts_with("family.") || key.starts_with("sweep."); }

po::options_description known_options(const CommandInfo& info) {
  po::options_description known;
  const auto takes_one = [&](const std::string& name) {
    known.add_options()(name.c_str(), po::value<std::string>(), "");
  };
  for (const OptionInfo& option : info.options)
    if (option.value.empty())
      known.add_options()(option.name.c_str(), "");
    else if (option.takes_several())
      known.add_options()(option.name.c_str(), po::value<std::vector<std::string>>()->multitoken(), "");
    else
      takes_one(option.name);
  if (!info.takes_keys()) return known;
  for (const ConfigKey& key : config_keys()) takes_one(key.name); // also of other commands, to say so
  for (const auto& [old, current] : renamed_keys()) takes_one(old);
  return known;
}

/// `arguments` in which values of --family.NAME.knob VALUE and --sweep.KEY VALUES are joined to them: Boost
/// knows only what belongs to an option that is in its list.
std::vector<std::string> with_joined_values(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  for (const std::string& word : arguments) {
    const bool open = !out.empty() && out.back().starts_with("--") && has_open_name(out.back().substr(2)) &&
                      out.back().find('=') == std::string::npos;
    if (open && !word.starts_with("--"))
      out.back() += "=" + word;
    else
      out.push_back(word);
  }
  return out;
}

po::parsed_options parse(const std::vector<std::string>& arguments, const CommandInfo& info) {
  namespace style = po::command_line_style;
  const int form = style::allow_long | style::long_allow_next | style::long_allow_adjacent;
  const po::options_description known = known_options(info);
  try {
    return po::command_line_parser(with_joined_values(arguments))
        .options(known)
        .style(form)
        .allow_unregistered()
        .run();
  } catch (const po::invalid_command_line_syntax& error) {
    const bool superfluous = error.kind() == po::invalid_syntax::extra_parameter;
    throw ConfigError(error.get_option_name() + (superfluous ? " takes no value" : " needs a value") +
                      see_help(info.name));
  } catch (const po::error& error) {
    throw ConfigError(error.what() + see_help(info.name));
  }
}

/// The values that follow an option. Boost takes the next word whatever it is, another option too.
const std::vector<std::string>& values_of(const po::option& option, const CommandInfo& info) {
  const std::string name = "--" + option.string_key;
  const bool is_key = option.string_key.find('.') != std::string::npos; // whose value may be empty
  if (option.value.empty() || (option.value.front().empty() && !is_key))
    throw ConfigError(name + " needs a value" + see_help(info.name));
  const bool joined = option.original_tokens.front().find('=') != std::string::npos;
  if (!joined && option.value.front().starts_with("--"))
    throw ConfigError(name + " needs a value, but " + option.value.front() + " follows" +
                      see_help(info.name));
  return option.value;
}

void take_key(CommandLine& line, const po::option& option, const CommandInfo& info) {
  const std::string& name = option.string_key;
  if (!info.takes_keys() || (option.unregistered && !has_open_name(name))) unknown_option(name, info);
  require_effect(current_name(name), info);
  for (const auto& [key, value] : line.overrides)
    if (key == name) throw ConfigError("--" + name + " is given twice: keep one");
  line.overrides.emplace_back(name, values_of(option, info).front());
}

void take_option(CommandLine& line, const po::option& option, const CommandInfo& info) {
  const auto known = std::ranges::find(info.options, option.string_key, &OptionInfo::name);
  if (known == info.options.end()) unknown_option(option.string_key, info);
  const bool is_repeated = line.has(known->name);
  auto& values = line.options[known->name];
  if (known->value.empty()) return;
  if (is_repeated && !known->takes_several())
    throw ConfigError("--" + known->name + " is given twice: keep one");
  for (const std::string& value : values_of(option, info)) values.emplace_back(value);
}

/// Help and version win over all else, wherever they stand: who asks for help may not know what is right.
bool asks_for_help(CommandLine& line, const std::vector<std::string>& arguments) {
  const auto has = [&](const char* word) { return std::ranges::count(arguments, word) > 0; };
  const bool as_command = !arguments.empty() && arguments.front() == "help";
  line.help = as_command || has("--help") || has("-h");
  line.version = has("--version");
  if (!line.help) return line.version;
  if (as_command && arguments.size() > 1 && arguments[1] != "--help" && arguments[1] != "-h") {
    line.topic.assign(arguments.begin() + 1, arguments.end());
    return true;
  }
  if (as_command) return true;
  const auto is_command = [](const std::string& word) {
    return std::ranges::find(commands(), word, &CommandInfo::name) != commands().end();
  };
  const auto first =
      arguments.front().starts_with("-") ? std::ranges::find_if(arguments, is_command) : arguments.begin();
  if (first != arguments.end()) line.topic = {*first};
  return true;
}

void require_complete(const CommandLine& line, const CommandInfo& info) {
  if (info.takes_keys() && !line.files.empty())
    throw ConfigError("unexpected argument '" + line.files.front().string() + "'" +
                      "; usage: " + info.usage());
  if (!info.takes_keys() && (line.files.size() != 1 || line.files.front().empty()))
    throw ConfigError(info.name + " needs exactly one " + info.operand_word() + "; usage: " + info.usage());
  for (const OptionInfo& option : info.options)
    if (option.is_required && !line.has(option.name))
      throw ConfigError(info.name + " needs --" + option.name + "; usage: " + info.usage());
  if (info.name == "evaluate" && line.has("suite") == line.has("dataset"))
    throw ConfigError("evaluate needs either --suite or --dataset" +
                      std::string(line.has("suite") ? ", not both" : "") + "; usage: " + info.usage());
  if (line.has("patience")) {
    const std::string seconds = line.value("patience")->string();
    if (const auto number = parse_number<int>(seconds).value_or(0); number < 1 || number > 86400)
      throw ConfigError("--patience " + seconds + ": must be seconds, from 1 to 86400");
  }
  if (info.name != "sweep") return;
  if (line.has("list") + line.has("status") + line.has("collect") + line.has("point") > 1)
    throw ConfigError("sweep takes at most one of --list, --point, --collect and --status");
  if (line.has("point") && parse_number<Index>(line.value("point")->string()).value_or(-1) < 0)
    throw ConfigError("--point " + line.value("point")->string() + ": must be a number of --list, from 0 on");
}

} // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  if (asks_for_help(line, arguments)) return line;
  if (arguments.empty()) throw ConfigError("a command is needed" + see_help(""));
  if (arguments.front().starts_with("-"))
    throw ConfigError("the first word must be a command, not " + arguments.front() + see_help(""));
  line.command = arguments.front();
  const CommandInfo& info = find_command(line.command);
  for (const po::option& option : parse({arguments.begin() + 1, arguments.end()}, info).options)
    if (option.position_key >= 0)
      line.files.emplace_back(option.value.front());
    else if (option.string_key.find('.') != std::string::npos)
      take_key(line, option, info);
    else
      take_option(line, option, info);
  require_complete(line, info);
  return line;
}

} // namespace metasieve
