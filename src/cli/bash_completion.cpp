#include "base/words.hpp"
#include "cli/command_table.hpp"
#include "cli/help.hpp"

namespace metasieve {
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
