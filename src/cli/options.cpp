#include "cli/options.hpp"

#include "base/error.hpp"
#include "run/config.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace metasieve {
namespace {

namespace po = boost::program_options;

struct CommandInfo {
  const char* name;
  const char* brief;
  const char* usage;
  const char* about;
  std::vector<std::string> options, required;
  bool takes_keys; ///< else exactly one FILE
};

const std::vector<CommandInfo>& commands() {
  static const std::vector<CommandInfo> all{
      {"generate",
       "make a suite of tasks",
       "[--config F] --output suite.h5 [--resume]",
       "Makes a suite of tasks and writes it to a file. The same bytes for any number of ranks.",
       {"config", "output", "resume", "dry-run"},
       {"output"},
       true},
      {"train",
       "meta-train a policy on a suite",
       "[--config F] --output DIR [--suite suite.h5] [--resume]",
       "Meta-trains a policy and leaves DIR/policy.h5, DIR/results.h5 and DIR/checkpoint.h5.\n"
       "Without --suite the tasks are generated in memory. The same policy for any number of ranks and "
       "threads.",
       {"config", "output", "suite", "resume", "dry-run"},
       {"output"},
       true},
      {"evaluate",
       "compare the policy with other ways to select training rows",
       "--policy P ... (--suite S | --dataset D ...) --output E.h5 [--config F] [--frontier] [--resume]",
       "Compares the policy with other ways to select training rows, on a suite or on real data sets\n"
       "(files that analysis/import_dataset.py makes). Prints the comparison and writes one row per split "
       "and method.\nSeveral policies, as of several seeds, are averaged split by split. "
       "evaluate.adapt_steps "
       "adapts them to the\ndata by its noisy training rows alone; --frontier sweeps how much fairness that "
       "asks for\n(in 60 steps where adapt_steps is 0).",
       {"config", "policy", "suite", "dataset", "output", "frontier", "resume", "dry-run"},
       {"policy", "output"},
       true},
      {"score",
       "score the rows of a data set",
       "--policy P --dataset D --output scores.h5 [--config F]",
       "Scores the training rows of a data set (a file that analysis/import_dataset.py makes): how far the "
       "policy\ntrusts each, its soft keep weight, and whether it is kept, in scores.h5 and scores.csv, one "
       "row "
       "each, for any\ntrainer that takes sample weights. configs/policy.h5 is a policy to begin with.",
       {"config", "policy", "dataset", "output", "dry-run"},
       {"policy", "dataset", "output"},
       true},
      {"scaling",
       "measure how training scales",
       "[--config F] --output DIR [--suite suite.h5] [--collect]",
       "Trains on several numbers of ranks and threads and measures where the time goes: [scaling] says "
       "which. "
       "A job of R\nranks measures the points of at most R ranks, one after the other, and skips those in "
       "DIR/points: larger jobs\nwith the same --output add theirs. DIR/scaling.h5 has all; --collect only "
       "puts them together. Strong scaling\ntrains as the configuration says (on --suite, if given); weak "
       "scaling on scaling.weak_tasks tasks a core.",
       {"config", "output", "suite", "collect", "dry-run"},
       {"output"},
       true},
      {"sweep",
       "train and evaluate at many settings",
       "--config F --output DIR [--suite S | --dataset D ...] [--list | --point I | --collect | --status] "
       "[--retry]",
       "Trains and evaluates at each point of [sweep], in DIR/points/HASH: what is done is skipped, what was "
       "stopped or\nkilled goes on, and a point that fails does not end the others. Any key of the others "
       "may "
       "be swept:\n"
       "  [sweep]\n"
       "  policy.keep = 0.6, 0.7, 0.8            a list; lists are crossed\n"
       "  policy.hidden = 64,32; 128,64          divided at ; where the values have commas\n"
       "  together = meta.learning_rate, meta.batch     these lists are walked in step, not crossed\n"
       "  meta.clip = log(0.1, 10)               or uniform(LOW, HIGH): `samples` values are drawn, and "
       "crossed "
       "with the lists",
       {"config", "output", "suite", "dataset", "list", "point", "collect", "status", "retry", "resume",
        "dry-run"},
       {"output"},
       true},
      {"inspect",
       "say what is in a file",
       "FILE",
       "Says what is in a suite, data set, policy, checkpoint, results, evaluation, scores, scaling or sweep "
       "file.",
       {},
       {},
       false},
      {"verify",
       "check every value of a file",
       "FILE",
       "Reads all of a file and checks every value, shape, offset and checksum. Names the first fault, and "
       "says\n"
       "whether a run can go on; exit code 3 if there is one.",
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
  const auto texts = [] { return po::value<std::vector<std::string>>()->multitoken(); };
  for (const char* flag : {"dry-run", "resume", "frontier", "list", "status", "collect", "retry"})
    all.add_options()(flag, "");
  all.add_options()("point", text(), "")("config", text(), "")("output", text(), "")("suite", text(), "")(
      "policy", texts(), "")("dataset", texts(), "");
  for (const ConfigKey& key : config_keys()) all.add_options()(key.name.c_str(), text(), "");
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
  std::vector<std::string> known = info.options;
  if (info.takes_keys)
    for (const ConfigKey& key : config_keys()) known.push_back(key.name);
  if (is_sweep(info))
    for (const ConfigKey& key : sweep_keys()) known.push_back(key.name);
  const std::string right = known.empty() ? ": " + std::string(info.name) + " takes one file and no option; "
                                          : ": did you mean --" + nearest_name(name, known) + "? ";
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
  for (const std::string& word : arguments)
    for (const CommandInfo& info : commands())
      if (line.command.empty() && word == info.name) line.command = word;
  return true;
}

void require_complete(const CommandLine& line, const CommandInfo& info) {
  for (const std::string& name : info.required) {
    const bool given = name == "policy"    ? !line.policies.empty()
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
  Index point = -1;
  const char* const end = value.data() + value.size();
  const auto [last, error] = std::from_chars(value.data(), end, point);
  if (error != std::errc{} || last != end || point < 0)
    throw ConfigError("--point " + value + ": must be a number of --list, from 0 on");
  line.point = point;
}

/// Words that belong to no option: one file for some commands, nothing for the others.
void require_files(const CommandLine& line, const CommandInfo& info) {
  const std::string usage = "; usage: metasieve " + line.command + " " + info.usage;
  if (info.takes_keys && !line.files.empty())
    throw ConfigError("unexpected argument '" + line.files.front().string() + "'" + usage);
  if (!info.takes_keys && (line.files.size() != 1 || line.files.front().empty()))
    throw ConfigError(line.command + " needs exactly one file" + usage);
}

std::string keys_text(const std::vector<ConfigKey>& keys) {
  const Config defaults;
  std::string text, section;
  for (const ConfigKey& key : keys) {
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) != section) text += "  [" + (section = key.name.substr(0, dot)) + "]\n";
    const std::string name = key.name.substr(dot + 1);
    text += "    " + name + std::string(name.size() < 19 ? 19 - name.size() : 1, ' ') + key.help + "; " +
            key.domain + " (" + key.get(defaults) + ")\n";
  }
  return text;
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
    else if (std::find(info.options.begin(), info.options.end(), name) == info.options.end())
      unknown_option(name, info);
    else if (is("dry-run"))
      line.dry_run = true;
    else if (is("resume"))
      line.resume = true;
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

std::string help_text(const std::string& command) {
  if (command.empty()) {
    std::string text =
        "metasieve: meta-learns which training samples to trust, on many noisy, unfair tasks in parallel.\n\n"
        "usage: [mpirun -n RANKS] metasieve COMMAND [options]\n\ncommands:\n";
    for (const CommandInfo& info : commands())
      text += "  " + std::string(info.name) + std::string(10 - std::string(info.name).size(), ' ') +
              info.brief + "\n";
    return text +
           "\nmetasieve COMMAND --help lists a command's options and configuration keys.\n"
           "metasieve --version says what it was built with.\n\n"
           "exit codes, and what to do:\n"
           "   0  done\n"
           "   2  command line or configuration: mend what the message names; nothing was changed\n"
           "   3  a file cannot be read or written: mend what the message names (metasieve verify FILE "
           "tells\n"
           "      more), then the same command with --resume; the last checkpoint is whole\n"
           "   4  too many tasks failed numerically: see /failures of results.h5; smaller steps, more ridge, "
           "or\n"
           "      raise run.max_failed and --resume\n"
           "  70  out of memory: more nodes or fewer ranks a node, then --resume; or a bug: please report "
           "it\n"
           "  75  stopped early by a signal or time limit: the same command with --resume goes on\n"
           "  any other: a rank was killed, or mpirun; --resume goes on from the last checkpoint\n";
  }
  const CommandInfo& info = find_command(command);
  std::string text = "usage: metasieve " + command + " " + info.usage + "\n\n" + info.about + "\n";
  if (!info.takes_keys) return text;
  text += "\n  --config F    INI file; any key below also as --section.key value, which wins over the file\n";
  if (is_sweep(info))
    text += "                left out: the sweep that DIR/sweep.ini has kept\n"
            "  --list        the points, with predicted core-seconds and state\n"
            "  --point I     make the one of this number alone, as in an array of jobs\n"
            "  --status      what is done, running, failed and left, and core-hours\n"
            "  --collect     one row a point of all that was found, in DIR/sweep.h5 and DIR/sweep.csv\n"
            "  --retry       make failed points anew\n"
            "  --resume      changes nothing: a sweep always goes on\n";
  else if (std::find(info.options.begin(), info.options.end(), "resume") != info.options.end())
    text += "  --resume      go on where a stopped or killed run with this output was; start anew if there "
            "is none\n";
  text += "  --dry-run     check everything, print memory per rank, file sizes and expected time, and stop\n"
          "\nkeys (default):\n" +
          keys_text(config_keys()) + (is_sweep(info) ? keys_text(sweep_keys()) : "");
  text += "  [family.NAME]       a family of tasks for suite.mixture; each knob lo:hi or one value\n    ";
  for (const std::string& knob : family_keys()) text += knob + " ";
  return text + "\n\nmetasieve --help says what each exit code means, and what to do then.\n";
}

} // namespace metasieve
