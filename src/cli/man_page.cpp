#include "base/version.hpp"
#include "base/words.hpp"
#include "cli/command_table.hpp"
#include "cli/help.hpp"

#include <sstream>

namespace metasieve {
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

} // namespace metasieve
