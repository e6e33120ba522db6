#include "cli/help.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/command_table.hpp"
#include "config/keys.hpp"

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

namespace {

/// Text as groff shows it: no escapes, no requests, dashes that can be copied.
std::string plain(const std::string& text) {
  std::string out;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '-')
      out += "\\-";
    else if (c == '\\')
      out += "\\e";
    else if (c == ',')
      out += ",\\:"; // lists of keys and methods have no blanks to break at
    else
      out += c;
    begins_line = c == '\n';
  }
  return out;
}

std::string section(const std::string& name) { return ".SH " + plain(name) + "\n"; }
std::string subsection(const std::string& name) { return ".SS \"" + plain(name) + "\"\n"; }
std::string paragraph(const std::string& text) { return ".PP\n" + plain(text) + "\n"; }
std::string tagged(const std::string& name, const std::string& text) {
  return ".TP\n.B " + plain(name) + "\n" + plain(text) + "\n";
}

/// Lines as they are.
std::string verbatim(const std::string& lines) { return ".PP\n.nf\n" + plain(lines) + "\n.fi\n"; }

std::string tagged(const std::vector<Explained>& all) {
  std::string text;
  for (const Explained& each : all) text += tagged(each.name, each.meaning);
  return text;
}

/// What is told of a command: flowing text, but for lines that are indented, as examples are.
std::string about(const std::string& text) {
  const std::size_t example = text.find("\n  ");
  return paragraph(text.substr(0, example)) +
         (example == std::string::npos ? "" : verbatim(text.substr(example + 1)));
}

std::string command_part(const CommandInfo& info) {
  std::string text = subsection(std::string("metasieve ") + info.name + " " + info.usage) + about(info.about);
  if (info.leaves != nullptr) text += paragraph("Leaves: " + std::string(info.leaves) + ".");
  for (const OptionInfo& option : info.options)
    text += tagged("--" + std::string(option.name) +
                       (option.value == nullptr ? "" : " " + std::string(option.value)),
                   option.help + std::string(option.is_required ? " (required)" : ""));
  std::string examples;
  for (const char* example : info.examples)
    examples += (examples.empty() ? "  metasieve " : "\n  metasieve ") + std::string(example);
  return text + verbatim(examples);
}

std::string keys_part() {
  std::string text, current;
  for (const ConfigKey& key : keys_of(find_command("sweep"))) { // which takes all
    const std::string of = key.name.substr(0, key.name.find('.'));
    if (of != current) text += subsection("[" + (current = of) + "]");
    text += tagged(key.name, key.help + "; " + key.domain + " (default: " + key.get(Config()) + ")");
  }
  return text + subsection("[family.NAME]") +
         paragraph("A family of tasks for suite.mixture; each knob lo:hi or one value: " +
                   joined(family_keys()) + ".");
}

} // namespace

std::string man_page() {
  const std::string version_name = "metasieve " + std::string(version());
  std::string text =
      ".\\\" Made by `metasieve help --man`.\n.TH METASIEVE 1 \"\" \"" + version_name +
      "\" \"User Commands\"\n.nh\n.ad l\n" + section("NAME") +
      plain("metasieve - meta-learns which training samples to trust, on many noisy, unfair "
            "tasks in parallel\n") +
      section("SYNOPSIS") +
      ".B metasieve\n.I COMMAND\n[options]\n.br\n.B mpirun \\-n\n.I RANKS\n"
      ".B metasieve\n.I COMMAND\n[options]\n" +
      section("DESCRIPTION") +
      plain("Generates suites of noisy, unfair binary classification tasks, and meta-trains on "
            "them a small policy that decides which training rows to trust, so that a model "
            "fitted to the rows it keeps is accurate and fair. The results have the same bytes "
            "for any number of ranks and threads.\n") +
      paragraph("To begin with, from the folder of the sources:");
  for (const Explained& first : first_commands()) text += tagged(first.name, first.meaning);
  text += section("COMMANDS");
  for (const CommandInfo& info : commands()) text += command_part(info);
  text += subsection("metasieve help [TOPIC]") + tagged(help_topics());
  text += section("CONFIGURATION KEYS") +
          plain("In the INI file that --config names, or as --section.key value, which wins.\n") +
          keys_part();
  text +=
      section("FILES") +
      plain("Results go where --output says, and nowhere else: a folder of train, sweep and scaling, a file "
            "of the others. They are HDF5, which h5py and h5dump read. How far a run is, is in "
            "progress.json in the folder, or FILE.progress.json beside the file: one JSON object that rank "
            "0 replaces as a whole, at most once a second.\n") +
      tagged(status_fields());
  text += section("ENVIRONMENT") + tagged(environment_variables());
  text += section("EXIT STATUS") + tagged(exit_codes());
  return text + section("SEE ALSO") + ".BR mpirun (1),\n.BR h5dump (1)\n";
}

namespace {

/// A bash function that prints the line of a case for its argument.
std::string lookup(const std::string& name, const std::vector<std::pair<std::string, std::string>>& lines) {
  std::string text = name + "() {\n  case $1 in\n";
  for (const auto& [key, words] : lines)
    if (!words.empty()) text += "    " + key + ") echo \"" + words + "\" ;;\n";
  return text + "  esac\n}\n\n";
}

/// What does the work, with the words of the tables in functions of their own.
constexpr const char* complete_function = R"bash(_metasieve() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  if [[ $word == "=" ]]; then # bash divides --key=value into three words
    word=
  elif [[ $before == "=" ]]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
  fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "$(_metasieve_commands) help --help --version" -- "$word"))
    return
  fi
  if [[ $command == help ]]; then
    ((COMP_CWORD == 2)) && COMPREPLY=($(compgen -W "$(_metasieve_commands) $(_metasieve_topics)" -- "$word"))
    [[ $before == keys ]] && COMPREPLY=($(compgen -W "$(_metasieve_sections)" -- "$word"))
    return
  fi
  if [[ $before == --?*.* && $word != --* ]]; then
    local values list=
    values=$(_metasieve_values "${before#--}")
    [[ $word == *,* ]] && list=${word%,*},
    [[ -n $values ]] && COMPREPLY=($(compgen -P "$list" -W "$values" -- "${word##*,}"))
    return
  fi
  if [[ $word == --*.* ]]; then
    COMPREPLY=($(compgen -W "$(_metasieve_keys "$command")" -- "$word"))
    return
  fi
  if [[ $word == -* ]]; then
    local sections
    sections=$(for key in $(_metasieve_keys "$command"); do echo "${key%%.*}."; done | sort -u)
    COMPREPLY=($(compgen -W "$(_metasieve_options "$command") --help $sections" -- "$word"))
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *. ]] && compopt -o nospace 2>/dev/null
    return
  fi
  local IFS=$'\n' # names of files may have blanks
  compopt -o filenames 2>/dev/null
  case $(_metasieve_takes "$command" "$before") in
    DIR) COMPREPLY=($(compgen -d -- "$word")) ;;
    N) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}

complete -F _metasieve metasieve
)bash";

} // namespace

std::string bash_completion() {
  std::vector<std::string> names, sections;
  std::vector<std::pair<std::string, std::string>> options, keys, takes, values;
  for (const CommandInfo& info : commands()) {
    names.emplace_back(info.name);
    std::vector<std::string> of_command, key_names;
    for (const OptionInfo& option : info.options) {
      of_command.push_back("--" + std::string(option.name));
      if (option.value != nullptr)
        takes.emplace_back(std::string(info.name) + "/--" + option.name, option.value);
    }
    for (const ConfigKey& key : keys_of(info)) key_names.push_back("--" + key.name);
    options.emplace_back(info.name, joined(of_command, " "));
    keys.emplace_back(info.name, joined(key_names, " "));
  }
  for (const ConfigKey& key : keys_of(find_command("sweep"))) {
    values.emplace_back(key.name, joined(values_of(key), " "));
    const std::string section = key.name.substr(0, key.name.find('.'));
    if (sections.empty() || sections.back() != section) sections.push_back(section);
  }
  return "# Completions of metasieve for bash: made by `metasieve help --bash-completion`.\n\n"
         "_metasieve_commands() { echo \"" +
         joined(names, " ") + "\"; }\n_metasieve_sections() { echo \"" + joined(sections, " ") +
         " family\"; }\n_metasieve_topics() { echo \"keys progress --man --bash-completion\"; }\n\n" +
         lookup("_metasieve_options", options) + lookup("_metasieve_keys", keys) +
         lookup("_metasieve_values", values) + "_metasieve_takes() { _metasieve_option_value \"$1/$2\"; }\n" +
         lookup("_metasieve_option_value", takes) + complete_function;
}

} // namespace metasieve
