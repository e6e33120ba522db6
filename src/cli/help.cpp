#include "cli/help.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/command_table.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>
#include <utility>

namespace metasieve {
namespace {

// ------------------------------------------------------- what is said: once, for the terminal and the manual
// page

struct Block {
  enum class Kind { section, subsection, paragraph, lines, entry } kind;
  std::string text;      ///< flowing, but for `lines`, which stay as they are; of an entry its name
  std::string meaning{}; ///< of an entry
};
using enum Block::Kind;

using Document = std::vector<Block>;

void add(Document& document, const Document& more) { std::ranges::copy(more, std::back_inserter(document)); }

Block key_entry(const ConfigKey& key, const std::string& name) {
  return {entry, name, key.help + "; " + key.domain + " (" + key.get(Config()) + ")"};
}

/// The keys of all sections, or of one.
Document keys_part(const std::vector<ConfigKey>& keys, bool with_section_names,
                   const std::string& only = "") {
  Document part;
  std::string current;
  for (const ConfigKey& key : keys) {
    const std::string section_name = key.section();
    if (!only.empty() && section_name != only) continue;
    if (section_name != current) part.push_back({subsection, "[" + (current = section_name) + "]"});
    part.push_back(key_entry(key, with_section_names ? key.name : key.name.substr(section_name.size() + 1)));
  }
  if (only.empty() || only == "family")
    add(part, {{subsection, "[family.NAME]"},
               {paragraph, "A family of tasks for suite.mixture; each knob lo:hi or one value: " +
                               joined(family_keys()) + "."}});
  return part;
}

Document command_part(const CommandInfo& info) {
  const std::size_t lines_begin = info.about.find("\n  ");
  Document part{{subsection, info.usage()}, {paragraph, info.about.substr(0, lines_begin)}};
  if (lines_begin != std::string::npos) part.push_back({lines, info.about.substr(lines_begin + 1)});
  if (!info.leaves.empty()) part.push_back({paragraph, "Leaves: " + info.leaves + "."});
  for (const OptionInfo& option : info.options)
    part.push_back({entry, option.text(), option.help + (option.is_required ? " (required)" : "")});
  return part;
}

Document progress_part() {
  return {
      {paragraph,
       "How far a run is, is in progress.json in the folder that --output names, or in FILE.progress.json "
       "beside the file: one JSON object, replaced as a whole at most once a second by rank 0."},
      {entry, "command", "train, generate, evaluate, sweep or scaling"},
      {entry, "state",
       "running; at the end done, stopped (exit code 75) or failed. A run that is killed leaves running, "
       "with an `updated` that grows old"},
      {entry, "done, total, unit",
       "how far it is, earlier sessions included, and in what: iterations, tasks, points. Tasks are "
       "estimated from the share of rank 0"},
      {entry, "seconds_elapsed, seconds_left", "of this session; what is left is estimated"},
      {entry, "started, updated", "ISO 8601, UTC"},
      {entry, "ranks, threads", "threads of each rank"},
      {entry, "version, commit", "of the program"},
      {entry, "metrics",
       "the latest loss, validation_loss, validation_accuracy, validation_dp_gap, validation_eo_gap of "
       "train"},
      {entry, "exit_code", "null while it runs"}};
}

Document general_part() {
  Document part{{section, "commands"}};
  for (const CommandInfo& info : commands()) part.push_back({entry, info.name, info.brief});
  add(part,
      {{section, "to begin with, from the folder of the sources"},
       {lines, R"(  metasieve train --config configs/quickstart.ini --output run
      a policy in minutes, in run/
  metasieve generate --suite.tasks 40 --suite.seed 7 --output fresh.h5
      tasks that it has not seen
  metasieve evaluate --policy run/policy.h5 --suite fresh.h5 --output e.h5
      does it help?
  metasieve score --policy configs/policy.h5 --dataset data.h5 --output scores.h5
      weights for your own data, by the shipped policy
  mpirun -n 4 metasieve train ...
      on four ranks: the same bytes, sooner)"},
       {section, "files"},
       {paragraph, "Results go where --output says, and nowhere else: a folder of train, sweep and scaling, "
                   "a file of the others. They are HDF5, which h5py and h5dump read. How far a run is, for "
                   "programs, is in progress.json there (FILE.progress.json). --dry-run checks everything "
                   "and says what a run will take, --resume continues after a stop."},
       {section, "more, as metasieve help TOPIC"},
       {entry, "COMMAND", "options, keys to begin with and examples of a command; also COMMAND --help"},
       {entry, "keys [SECTION]", "all configuration keys, with meaning, domain and default"},
       {entry, "progress", "what is in progress.json, for programs that watch a run"},
       {entry, "--man", "the manual page, as groff text: metasieve help --man | man -l -"},
       {entry, "--bash-completion", "completions for bash: source <(metasieve help --bash-completion)"},
       {section, "environment"},
       {entry, "OMP_NUM_THREADS",
        "threads of each rank; the default, all cores, is too many with several ranks on a node"},
       {entry, "NO_COLOR",
        "if not empty: no colours; there are none anyway where the output is no terminal, or TERM=dumb"},
       {entry, "SLURM_JOB_ID, SLURM_JOB_END_TIME",
        "set by SLURM: a run stops run.margin_minutes before its job ends, with a checkpoint"},
       {entry, "METASIEVE_BUILD, METASIEVE_RUN, METASIEVE_EXTRA, ...",
        "for the scripts in jobs/ alone, which say at their top what each does; the program reads none of "
        "them"},
       {section, "exit status"},
       {entry, "0", "done"},
       {entry, "2", "command line or configuration: correct what the message names; nothing was changed"},
       {entry, "3",
        "a file cannot be read or written: correct what the message names (metasieve verify FILE says more), "
        "then the same command with --resume; the last checkpoint is whole"},
       {entry, "4",
        "too many tasks failed numerically: see /failures of results.h5; smaller steps, more ridge, or raise "
        "run.max_failed and --resume"},
       {entry, "70",
        "out of memory: more nodes or fewer ranks a node, then --resume; or a bug: please report it"},
       {entry, "75", "stopped early by a signal or time limit: the same command with --resume continues"},
       {entry, "any other", "a rank was killed, or mpirun; --resume continues from the last checkpoint"}});
  return part;
}

constexpr const char* purpose =
    "meta-learns which training samples to trust, on many noisy, unfair tasks in parallel";

// ------------------------------------------------------- on a terminal

/// `text` from `column` on, in lines of at most 100 characters, behind `begin` or below it if that is too
/// long.
std::string wrapped(std::string begin, const std::string& text, std::size_t column) {
  const std::string margin(column, ' ');
  std::string out;
  if (begin.size() + 2 > column && !begin.empty()) out = std::exchange(begin, "") + "\n";
  std::string line = begin + margin.substr(begin.size());
  std::istringstream words(text);
  bool is_first = true;
  for (std::string word; words >> word; is_first = false) {
    if (!is_first && line.size() + 1 + word.size() > 100) {
      out += std::exchange(line, margin) + "\n";
      is_first = true;
    }
    line += (is_first ? "" : " ") + word;
  }
  return out + line + "\n";
}

std::string as_text(const Document& document) {
  std::string text;
  for (const Block* last = nullptr; const Block& block : document) {
    const bool follows_title =
        last != nullptr && (last->kind == section || (last->kind == subsection && block.kind == entry));
    const bool is_close = last == nullptr || follows_title || block.kind == lines ||
                          (block.kind == entry && last->kind == entry);
    text += is_close ? "" : "\n";
    last = &block;
    switch (block.kind) {
    case section: text += block.text + ":\n"; break;
    case lines: text += block.text + "\n"; break;
    case subsection:
    case paragraph: text += wrapped("", block.text, 0); break;
    case entry: text += wrapped("  " + block.text, block.meaning, 26);
    }
  }
  return text;
}

std::string general_help() {
  return "metasieve: " + std::string(purpose) +
         ".\n\nusage: [mpirun -n RANKS] metasieve COMMAND [options]\n\n" + as_text(general_part()) +
         "\nmetasieve --version says what it was built with; see also README.md; man metasieve; mpirun(1)\n";
}

Document examples_part(const CommandInfo& info, std::size_t most) {
  std::string examples;
  for (std::size_t i = 0; i < std::min(most, info.examples.size()); ++i)
    examples += (i == 0 ? "  metasieve " : "\n  metasieve ") + info.examples[i];
  return {{paragraph, "For example:"}, {lines, examples}};
}

std::string command_help(const CommandInfo& info) {
  Document text = command_part(info);
  text.front().text = "usage: " + text.front().text;
  std::string see_also = "see also: metasieve help";
  if (info.takes_keys()) {
    text.push_back({section, "keys to begin with, as --section.key value or in --config; domain (default)"});
    for (const std::string& name : info.first_keys) text.push_back(key_entry(*find_key(name), name));
    see_also = "all keys: metasieve help keys; " + see_also;
  }
  add(text, examples_part(info, 1));
  return as_text(text) + "\n" + see_also + "\n";
}

std::string keys_help(const std::string& only) {
  const Document keys = keys_part(config_keys(), false, only);
  if (keys.empty())
    throw ConfigError("help keys " + only + ": there is no such section; metasieve help keys lists all");
  return "configuration keys: in an INI file, or as --section.key value; meaning, domain (default)\n\n" +
         as_text(keys);
}

// ------------------------------------------------------- as a manual page

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

std::string as_groff(const Document& document) {
  std::string text;
  for (const Block& block : document) {
    const std::string words = plain(block.text);
    switch (block.kind) {
    case section: {
      std::string title = words;
      std::ranges::transform(title, title.begin(), [](unsigned char c) { return std::toupper(c); });
      text += ".SH " + title + "\n";
      break;
    }
    case subsection: text += ".SS \"" + words + "\"\n"; break;
    case paragraph: text += ".PP\n" + words + "\n"; break;
    case lines: text += ".PP\n.nf\n" + words + "\n.fi\n"; break;
    case entry: text += ".TP\n.B " + words + "\n" + plain(block.meaning) + "\n";
    }
  }
  return text;
}

std::string man_page() {
  Document page{{section, "description"},
                {paragraph, "Generates suites of noisy, unfair binary classification tasks, and meta-trains "
                            "on them a small policy that "
                            "decides which training rows to trust, so that a model fitted to the rows it "
                            "keeps is accurate and fair. The "
                            "results have the same bytes for any number of ranks and threads."}};
  add(page, general_part());
  page.push_back({section, "commands in detail"});
  for (const CommandInfo& info : commands()) {
    add(page, command_part(info));
    add(page, examples_part(info, info.examples.size()));
  }
  add(page, {{section, "configuration keys"},
             {paragraph, "In the INI file that --config names, or as --section.key value, which wins."}});
  add(page, keys_part(config_keys(), true));
  page.push_back({section, "progress"});
  add(page, progress_part());
  return ".\\\" Made by `metasieve help --man`.\n.TH METASIEVE 1 \"\" \"metasieve " + std::string(version()) +
         "\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\n" + plain("metasieve - " + std::string(purpose)) +
         "\n.SH SYNOPSIS\n.B metasieve\n.I COMMAND\n[options]\n.br\n.B mpirun \\-n\n.I RANKS\n"
         ".B metasieve\n.I COMMAND\n[options]\n" +
         as_groff(page) + ".SH SEE ALSO\n.BR mpirun (1),\n.BR h5dump (1)\n";
}

// ------------------------------------------------------- for bash

/// A bash function that prints the line of a case for its argument.
std::string lookup(const std::string& name, const KeyValues& cases) {
  std::string text = name + "() {\n  case $1 in\n";
  for (const auto& [key, words] : cases)
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
  case $(_metasieve_takes "$command/$before") in
    DIR) COMPREPLY=($(compgen -d -- "$word")) ;;
    N) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}

complete -F _metasieve metasieve
)bash";

std::string bash_completion() {
  std::string names, sections;
  KeyValues options, keys, takes, values;
  for (const CommandInfo& info : commands()) {
    names += info.name + " ";
    options.emplace_back(info.name, "");
    if (!info.takes_keys()) takes.emplace_back(info.name + "/" + info.name, info.operand);
    keys.emplace_back(info.name, "");
    for (const OptionInfo& option : info.options) {
      options.back().second += "--" + option.name + " ";
      takes.emplace_back(info.name + "/--" + option.name, option.value);
    }
    for (const ConfigKey& key : keys_of(info)) keys.back().second += "--" + key.name + " ";
  }
  for (const ConfigKey& key : config_keys()) {
    values.emplace_back(key.name, joined(key.words, " "));
    if (!sections.ends_with(key.section() + " ")) sections += key.section() + " ";
  }
  return "# Completions of metasieve for bash: made by `metasieve help --bash-completion`.\n\n"
         "_metasieve_commands() { echo \"" +
         names + "\"; }\n_metasieve_sections() { echo \"" + sections +
         "family\"; }\n_metasieve_topics() { echo \"keys progress --man --bash-completion\"; }\n\n" +
         lookup("_metasieve_options", options) + lookup("_metasieve_keys", keys) +
         lookup("_metasieve_values", values) + lookup("_metasieve_takes", takes) + complete_function;
}

} // namespace

std::string help_text(const std::vector<std::string>& words) {
  if (words.empty()) return general_help();
  const std::string& topic = words.front();
  if (topic == "keys") return keys_help(words.size() > 1 ? words[1] : "");
  if (topic == "--man") return man_page();
  if (topic == "--bash-completion") return bash_completion();
  if (topic == "progress") return as_text(progress_part());
  return command_help(find_command(topic));
}

std::optional<std::string> text_without_mpi(std::span<char* const> arguments) {
  if (arguments.size() != 2 || std::string_view(arguments[0]) != "help") return std::nullopt;
  const std::string topic = arguments[1];
  if (topic == "--man" || topic == "--bash-completion") return help_text({topic});
  return std::nullopt;
}

} // namespace metasieve
