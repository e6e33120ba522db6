#include "cli/options.hpp"

#include "base/error.hpp"
#include "run/config.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <array>

namespace metasieve {
namespace {

namespace po = boost::program_options;

struct CommandInfo {
  const char* name;
  const char* brief;
  const char* usage;
  const char* about;
  std::vector<std::string> options, required;
  bool takes_keys;
};

const std::vector<CommandInfo>& commands() {
  static const std::vector<CommandInfo> all{
      {"generate",
       "make a suite of tasks",
       "[--config F] --output suite.h5",
       "Makes a suite of tasks and writes it to a file. The same bytes for any number of ranks.",
       {"config", "output", "dry-run"},
       {"output"},
       true},
      {"train",
       "meta-train a policy on a suite",
       "[--config F] --output DIR [--suite suite.h5]",
       "Meta-trains a policy and leaves DIR/policy.h5, DIR/results.h5 and DIR/checkpoint.h5.\n"
       "Without --suite the tasks are generated in memory. The same policy for any number of ranks and "
       "threads.",
       {"config", "output", "suite", "dry-run"},
       {"output"},
       true},
      {"evaluate",
       "compare the policy with other ways to select training rows",
       "--policy P (--suite S | --dataset D ...) --output E.h5 [--config F]",
       "Compares the policy with other ways to select training rows, on a suite or on real data sets\n"
       "(files that analysis/import_dataset.py makes). Prints the comparison and writes one row per split "
       "and method.",
       {"config", "policy", "suite", "dataset", "output", "dry-run"},
       {"policy", "output"},
       true},
      {"inspect",
       "say what is in a file",
       "FILE",
       "Says what is in a suite, data set, policy, checkpoint, results or evaluation file.",
       {},
       {},
       false},
  };
  return all;
}

const CommandInfo& find_command(const std::string& name) {
  std::string names;
  for (const CommandInfo& info : commands()) {
    if (info.name == name) return info;
    names += (names.empty() ? "" : ", ") + std::string(info.name);
  }
  throw ConfigError("unknown command " + name + ": the commands are " + names);
}

po::options_description described() {
  po::options_description all;
  const auto text = [] { return po::value<std::string>(); };
  all.add_options()("help", "")("version", "")("dry-run", "")("config", text(), "")("output", text(), "")(
      "suite", text(), "")("policy", text(), "")("dataset",
                                                 po::value<std::vector<std::string>>()->multitoken(), "");
  for (const ConfigKey& key : config_keys()) all.add_options()(key.name.c_str(), text(), "");
  return all;
}

/// `arguments` in which values of unknown options, as --family.NAME.knob VALUE, are joined to them: Boost can
/// only tell what belongs to an option that it knows.
std::vector<std::string> with_joined_families(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool family = arguments[i].starts_with("--family.") && arguments[i].find('=') == std::string::npos;
    if (family && i + 1 < arguments.size()) {
      out.push_back(arguments[i] + "=" + arguments[i + 1]);
      ++i;
    } else {
      out.push_back(arguments[i]);
    }
  }
  return out;
}

po::parsed_options parse(const std::vector<std::string>& arguments, const po::options_description& known) {
  namespace style = po::command_line_style;
  const int form = style::allow_long | style::long_allow_next | style::long_allow_adjacent;
  const po::positional_options_description none;
  try {
    return po::command_line_parser(arguments).options(known).style(form).allow_unregistered().run();
  } catch (const po::error& error) {
    throw ConfigError(std::string(error.what()) + "; see metasieve --help");
  }
}

/// Takes the value of option `name` if it was given; an option must not be given twice.
void take(std::optional<std::filesystem::path>& target, const po::option& option) {
  if (target) throw ConfigError("--" + option.string_key + " is given twice");
  if (option.value.empty() || option.value.front().empty())
    throw ConfigError("--" + option.string_key + " needs a value");
  target = option.value.front();
}

void require_complete(const CommandLine& line, const CommandInfo& info) {
  for (const std::string& name : info.required) {
    const bool given = name == "policy" ? line.policy.has_value() : line.output.has_value();
    if (!given)
      throw ConfigError(line.command + " needs --" + name + "; usage: metasieve " + line.command + " " +
                        info.usage);
  }
  if (line.command == "evaluate" && line.suite.has_value() == !line.datasets.empty())
    throw ConfigError("evaluate needs either --suite or --dataset; usage: metasieve evaluate " +
                      std::string(info.usage));
  if (line.command == "inspect" ? line.files.size() != 1 : !line.files.empty())
    throw ConfigError(line.command == "inspect"
                          ? std::string("inspect needs exactly one file; usage: metasieve inspect FILE")
                          : "unexpected argument " + line.files.front().string() + "; usage: metasieve " +
                                line.command + " " + info.usage);
}

} // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  std::vector<std::string> rest = arguments;
  if (!rest.empty() && !rest.front().starts_with("-")) {
    line.command = rest.front();
    rest.erase(rest.begin());
  }
  const CommandInfo* info = line.command.empty() ? nullptr : &find_command(line.command);
  const po::options_description known = described();
  for (const po::option& option : parse(with_joined_families(rest), known).options) {
    const std::string& name = option.string_key;
    const auto is = [&](const char* other) { return name == other; };
    if (is("help"))
      line.help = true;
    else if (is("version"))
      line.version = true;
    else if (option.position_key >= 0)
      line.files.emplace_back(option.value.front());
    else if (info == nullptr)
      throw ConfigError("--" + name + " needs a command before it; see metasieve --help");
    else if (name.find('.') != std::string::npos) {
      if (!info->takes_keys) throw ConfigError("--" + name + ": " + line.command + " takes no configuration");
      if (option.value.empty()) throw ConfigError("--" + name + " needs a value");
      line.overrides.emplace_back(name, option.value.front());
    } else if (std::find(info->options.begin(), info->options.end(), name) == info->options.end())
      throw ConfigError("unknown option --" + name + "; usage: metasieve " + line.command + " " +
                        info->usage);
    else if (is("dry-run"))
      line.dry_run = true;
    else if (is("config"))
      take(line.config, option);
    else if (is("output"))
      take(line.output, option);
    else if (is("suite"))
      take(line.suite, option);
    else if (is("policy"))
      take(line.policy, option);
    else
      for (const std::string& file : option.value) line.datasets.emplace_back(file);
  }
  if (line.help || line.version) return line;
  if (info == nullptr) throw ConfigError("a command is needed; see metasieve --help");
  require_complete(line, *info);
  return line;
}

std::string help_text(const std::string& command) {
  if (command.empty()) {
    std::string text =
        "metasieve: meta-learns which training samples to trust, on many noisy, unfair tasks in parallel.\n\n"
        "usage: [mpirun -n RANKS] metasieve COMMAND [options]\n\ncommands:\n";
    for (const CommandInfo& info : commands())
      text += "  " + std::string(info.name) + std::string(10 - std::string(info.name).size(), ' ') +
              info.brief + "\n";
    return text + "\nmetasieve COMMAND --help lists a command's options and configuration keys.\n"
                  "metasieve --version says what it was built with.\n\n"
                  "exit codes: 0 done; 2 usage or configuration; 3 bad data or I/O; 4 numerical failure;\n"
                  "            70 internal error; 75 stopped early with a good checkpoint\n";
  }
  const CommandInfo& info = find_command(command);
  std::string text = "usage: metasieve " + command + " " + info.usage + "\n\n" + info.about + "\n";
  if (!info.takes_keys) return text;
  text += "\n  --config F    INI file; any key below also as --section.key value, which wins over the file\n"
          "  --dry-run     check everything, print memory per rank, file sizes and expected time, and stop\n"
          "\nkeys (default):\n";
  const Config defaults;
  std::string section;
  for (const ConfigKey& key : config_keys()) {
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) != section) text += "  [" + (section = key.name.substr(0, dot)) + "]\n";
    const std::string name = key.name.substr(dot + 1);
    text += "    " + name + std::string(name.size() < 19 ? 19 - name.size() : 1, ' ') + key.help + "; " +
            key.domain + " (" + key.get(defaults) + ")\n";
  }
  text += "  [family.NAME]       a family of tasks for suite.mixture; each knob lo:hi or one value\n    ";
  for (const std::string& knob : family_keys()) text += knob + " ";
  return text + "\n";
}

} // namespace metasieve
