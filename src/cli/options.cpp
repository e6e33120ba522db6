#include "cli/options.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/command_table.hpp"
#include "config/keys.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <set>

namespace metasieve {
namespace {

namespace po = boost::program_options;

bool may_be_several(const std::string& option) { return option == "policy" || option == "dataset"; }

po::options_description described() {
  po::options_description all;
  std::set<std::string> known;
  for (const CommandInfo& info : commands())
    for (const OptionInfo& option : info.options) {
      if (!known.insert(option.name).second) continue;
      if (option.value == nullptr)
        all.add_options()(option.name, "");
      else if (may_be_several(option.name))
        all.add_options()(option.name, po::value<std::vector<std::string>>()->multitoken(), "");
      else
        all.add_options()(option.name, po::value<std::string>(), "");
    }
  for (const ConfigKey& key : config_keys())
    all.add_options()(key.name.c_str(), po::value<std::string>(), "");
  for (const auto& [old, current] : renamed_keys())
    all.add_options()(old.c_str(), po::value<std::string>(), "");
  return all;
}

bool is_sweep(const CommandInfo& info) { return std::string_view(info.name) == "sweep"; }

std::string see_help(const std::string& command) {
  return "see metasieve " + (command.empty() ? "" : command + " ") + "--help";
}

[[noreturn]] void needs_value(const std::string& option, const std::string& command) {
  throw ConfigError("--" + option + " needs a value; " + see_help(command));
}

[[noreturn]] void unknown_option(const std::string& name, const CommandInfo& info) {
  std::vector<std::string> known;
  for (const OptionInfo& option : info.options) known.emplace_back(option.name);
  for (const ConfigKey& key : keys_of(info)) known.push_back(key.name);
  const std::string right =
      info.takes_keys ? ": did you mean --" + nearest_name(name, known) + "? "
                      : ": " + std::string(info.name) + " takes one file and " +
                            (known.empty() ? "no option; " : "no option but --" + known.front() + "; ");
  throw ConfigError("unknown option --" + name + right + see_help(info.name));
}

/// `arguments` in which values of unknown options, as --family.NAME.knob VALUE or --sweep.KEY VALUES, are
/// joined to them: Boost can only tell what belongs to an option that it knows.
std::vector<std::string> with_joined_families(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool named = arguments[i].starts_with("--family.") || arguments[i].starts_with("--sweep.");
    const bool open = named && arguments[i].find('=') == std::string::npos;
    if (open && i + 1 < arguments.size() && !arguments[i + 1].starts_with("--")) {
      out.push_back(arguments[i] + "=" + arguments[i + 1]);
      ++i;
    } else {
      out.push_back(arguments[i]);
    }
  }
  return out;
}

po::parsed_options parse(const std::vector<std::string>& arguments, const po::options_description& known,
                         const std::string& command) {
  namespace style = po::command_line_style;
  const int form = style::allow_long | style::long_allow_next | style::long_allow_adjacent;
  const po::positional_options_description none;
  try {
    return po::command_line_parser(arguments).options(known).style(form).allow_unregistered().run();
  } catch (const po::invalid_command_line_syntax& error) {
    const std::string name = error.get_option_name();
    if (error.kind() != po::invalid_syntax::extra_parameter)
      needs_value(name.substr(std::min(name.find_first_not_of('-'), name.size())), command);
    throw ConfigError(name + " takes no value; " + see_help(command));
  } catch (const po::error& error) {
    throw ConfigError(std::string(error.what()) + "; " + see_help(command));
  }
}

/// What `--option VALUE` or `--option=VALUE` says. Boost takes the next word whatever it is, another option
/// too.
const std::string& value_of(const po::option& option, const std::string& command, bool may_be_empty) {
  if (option.value.empty() || (option.value.front().empty() && !may_be_empty))
    needs_value(option.string_key, command);
  const bool joined = option.original_tokens.front().find('=') != std::string::npos;
  if (!joined && option.value.front().starts_with("--"))
    throw ConfigError("--" + option.string_key + " needs a value, but " + option.value.front() +
                      " follows; " + see_help(command));
  return option.value.front();
}

/// Takes the value of option `name` if it was given; an option must not be given twice.
void take(std::optional<std::filesystem::path>& target, const po::option& option,
          const std::string& command) {
  if (target) throw ConfigError("--" + option.string_key + " is given twice: keep one");
  target = value_of(option, command, false);
}

void take_key(CommandLine& line, const po::option& option, const CommandInfo& info) {
  const std::string& name = option.string_key;
  const bool known =
      !option.unregistered || name.starts_with("family.") || (is_sweep(info) && name.starts_with("sweep."));
  if (!info.takes_keys || !known) unknown_option(name, info);
  for (const auto& [key, value] : line.overrides)
    if (key == name) throw ConfigError("--" + name + " is given twice: keep one");
  line.overrides.emplace_back(name, value_of(option, info.name, true));
}

/// Help and version win over all else, wherever they stand: who asks for help may not know what is right.
bool asks_for_help(CommandLine& line, const std::vector<std::string>& arguments) {
  const auto has = [&](const char* word) {
    return std::find(arguments.begin(), arguments.end(), word) != arguments.end();
  };
  const bool as_command = !arguments.empty() && arguments.front() == "help";
  line.help = as_command || has("--help") || has("-h");
  line.version = has("--version");
  if (!line.help) return line.version;
  if (as_command && arguments.size() > 1 && arguments[1] != "--help" && arguments[1] != "-h") {
    line.topic.assign(arguments.begin() + 1, arguments.end());
    return true;
  }
  for (const std::string& word : arguments)
    for (const CommandInfo& info : commands())
      if (line.topic.empty() && word == info.name) line.topic = {word};
  return true;
}

void require_complete(const CommandLine& line, const CommandInfo& info) {
  for (const OptionInfo& option : info.options) {
    const std::string name = option.name;
    const bool given = !option.is_required ? true
                       : name == "policy"  ? !line.policies.empty()
                       : name == "dataset" ? !line.datasets.empty()
                                           : line.output.has_value();
    if (!given)
      throw ConfigError(line.command + " needs --" + name + "; usage: metasieve " + line.command + " " +
                        info.usage);
  }
  if (line.command == "score" && (line.policies.size() > 1 || line.datasets.size() > 1))
    throw ConfigError("score takes one --policy and one --dataset; usage: metasieve score " +
                      std::string(info.usage));
  if (line.command == "evaluate" && line.suite.has_value() == !line.datasets.empty())
    throw ConfigError("evaluate needs either --suite or --dataset" +
                      std::string(line.suite ? ", not both" : "") + "; usage: metasieve evaluate " +
                      info.usage);
}

/// What is to be done with a sweep: at most one of these.
void require_one_action(const CommandLine& line) {
  if (int{line.list} + int{line.status} + int{line.collect} + int{line.point.has_value()} > 1)
    throw ConfigError("sweep takes at most one of --list, --point, --collect and --status");
}

void take_point(CommandLine& line, const std::string& value) {
  line.point = parse_number<Index>(value);
  if (line.point.value_or(-1) < 0)
    throw ConfigError("--point " + value + ": must be a number of --list, from 0 on");
}

/// Words that belong to no option: one file for some commands, nothing for the others.
void require_files(const CommandLine& line, const CommandInfo& info) {
  const std::string usage = "; usage: metasieve " + line.command + " " + info.usage;
  if (info.takes_keys && !line.files.empty())
    throw ConfigError("unexpected argument '" + line.files.front().string() + "'" + usage);
  if (!info.takes_keys && (line.files.size() != 1 || line.files.front().empty()))
    throw ConfigError(line.command + " needs exactly one file" + usage);
}

} // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  if (asks_for_help(line, arguments)) return line;
  if (arguments.empty()) throw ConfigError("a command is needed; " + see_help(""));
  if (arguments.front().starts_with("-"))
    throw ConfigError("the first word must be a command, not " + arguments.front() + "; " + see_help(""));
  line.command = arguments.front();
  const CommandInfo& info = find_command(line.command);
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  const po::options_description known = described();
  for (const po::option& option : parse(with_joined_families(rest), known, line.command).options) {
    const std::string& name = option.string_key;
    const auto is = [&](const char* other) { return name == other; };
    if (option.position_key >= 0)
      line.files.emplace_back(option.value.front());
    else if (name.find('.') != std::string::npos)
      take_key(line, option, info);
    else if (std::none_of(info.options.begin(), info.options.end(),
                          [&](const OptionInfo& known_one) { return name == known_one.name; }))
      unknown_option(name, info);
    else if (is("json"))
      line.json = true;
    else if (is("dry-run"))
      line.dry_run = true;
    else if (is("resume"))
      line.resume = true;
    else if (is("profile"))
      line.profile = true;
    else if (is("frontier"))
      line.frontier = true;
    else if (is("list"))
      line.list = true;
    else if (is("status"))
      line.status = true;
    else if (is("collect"))
      line.collect = true;
    else if (is("retry"))
      line.retry = true;
    else if (is("point"))
      take_point(line, value_of(option, line.command, false));
    else if (is("config"))
      take(line.config, option, line.command);
    else if (is("output"))
      take(line.output, option, line.command);
    else if (is("suite"))
      take(line.suite, option, line.command);
    else {
      static_cast<void>(value_of(option, line.command, false));
      std::vector<std::filesystem::path>& files = is("policy") ? line.policies : line.datasets;
      files.insert(files.end(), option.value.begin(), option.value.end());
    }
  }
  require_files(line, info);
  require_complete(line, info);
  require_one_action(line);
  return line;
}

} // namespace metasieve
