#include "config/ini.hpp"

#include "base/error.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <set>
#include <sstream>

namespace metasieve {
namespace {

constexpr const char* blanks = " \t\r\f\v";

bool is_binary(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 &&
            std::string_view("\t\r\n\f\v").find(c) == std::string::npos) ||
           c == 0x7f;
  });
}

std::string trimmed(const std::string& line) {
  const std::size_t first = line.find_first_not_of(blanks);
  return first == std::string::npos ? "" : line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

/// The first line that Boost cannot read, which it does not number: "line 3: "words"".
std::string faulty_line(const std::string& text) {
  std::istringstream lines(text);
  int number = 1;
  for (std::string line; std::getline(lines, line); ++number) {
    const std::string content = trimmed(line.substr(0, line.find('#')));
    const bool section = content.starts_with('[') && content.ends_with(']');
    const std::size_t equals = content.find('=');
    if (content.empty() || section || (equals != std::string::npos && equals > 0)) continue;
    const bool is_long = content.size() > 60;
    return "line " + std::to_string(number) + ": \"" + content.substr(0, 60) + (is_long ? "..." : "") + "\"";
  }
  return "a line";
}

} // namespace

IniEntries parse_ini(const std::string& text, const std::string& name) {
  namespace po = boost::program_options;
  if (is_binary(text)) throw ConfigError(name + ": is no text file; an INI file is needed");
  IniEntries entries;
  std::set<std::string> seen;
  try {
    std::istringstream stream(text);
    const po::options_description none;
    for (const po::option& option : po::parse_config_file(stream, none, true).options) {
      if (!seen.insert(option.string_key).second)
        throw ConfigError(name + ": " + option.string_key + " is given twice: keep one");
      entries.emplace_back(option.string_key, option.value.empty() ? "" : option.value.front());
    }
  } catch (const po::error&) {
    throw ConfigError(name + ": " + faulty_line(text) + " must be [section], key = value, or # comment");
  }
  return entries;
}

} // namespace metasieve
