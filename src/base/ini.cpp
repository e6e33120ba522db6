#include "base/ini.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace metasieve {
namespace {

bool is_binary(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 &&
            std::string_view("\t\r\n\f\v").find(c) == std::string::npos) ||
           c == 0x7f;
  });
}

/// Calls faulty(number, line) for a line, from 1 on, that is neither [section] nor key = value nor empty.
KeyValues read_lines(std::string_view text, bool with_comments,
                     const std::function<void(std::size_t number, const std::string& line)>& faulty) {
  KeyValues entries;
  std::string section;
  const std::vector<std::string> lines = split(text, '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line =
        trimmed(with_comments ? std::string_view(lines[i]).substr(0, lines[i].find('#')) : lines[i]);
    const std::size_t equals = line.find('=');
    if (line.empty()) continue;
    if (line.starts_with('[') && line.ends_with(']'))
      section = line.size() > 2 ? std::string(line.substr(1, line.size() - 2)) + "." : "";
    else if (equals == std::string_view::npos)
      faulty(i + 1, std::string(line));
    else
      entries.emplace_back(section + std::string(trimmed(line.substr(0, equals))),
                           trimmed(line.substr(equals + 1)));
  }
  return entries;
}

} // namespace

KeyValues parse_ini(const std::string& text, const std::string& name) {
  if (is_binary(text)) throw ConfigError(name + ": is no text file; an INI file is needed");
  KeyValues entries = read_lines(text, true, [&](std::size_t number, const std::string& line) {
    throw ConfigError(name + ": line " + std::to_string(number) + ": \"" + line.substr(0, 60) +
                      (line.size() > 60 ? "..." : "") + "\" must be [section], key = value, or # comment");
  });
  std::set<std::string> seen;
  for (const auto& [key, value] : entries)
    if (!seen.insert(key).second) throw ConfigError(name + ": " + key + " is given twice: keep one");
  return entries;
}

KeyValues stored_ini(const std::string& text) {
  return read_lines(text, false, [](std::size_t, const std::string&) {});
}

} // namespace metasieve
