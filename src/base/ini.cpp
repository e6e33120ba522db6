#include "base/ini.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <set>

namespace metasieve {
namespace {

bool is_binary(const std::string& text) {
  return std::ranges::any_of(text, [](unsigned char c) {
    return c == 0x7f || (c < 0x20 && std::string_view("\t\r\n\f\v").find(char(c)) == std::string_view::npos);
  });
}

/// The keys of these lines; calls faulty(i) for line i if it is neither [section] nor key = value nor empty.
KeyValues keys_of(const std::vector<std::string>& lines, const auto& faulty) {
  KeyValues entries;
  std::string section;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = trimmed(lines[i]);
    const std::size_t equals = line.find('=');
    if (line.empty()) continue;
    if (line.starts_with('[') && line.ends_with(']'))
      section = line.size() > 2 ? std::string(line.substr(1, line.size() - 2)) + "." : "";
    else if (equals == std::string_view::npos)
      faulty(i);
    else
      entries.emplace_back(section + std::string(trimmed(line.substr(0, equals))),
                           trimmed(line.substr(equals + 1)));
  }
  return entries;
}

} // namespace

KeyValues parse_ini(const std::string& text, const std::string& name) {
  if (is_binary(text)) throw ConfigError(name + ": is no text file; an INI file is needed");
  std::vector<std::string> lines = split(text, '\n');
  for (std::string& line : lines) line = std::string(trimmed(line.substr(0, line.find('#'))));
  KeyValues entries = keys_of(lines, [&](std::size_t i) {
    throw ConfigError(name + ": line " + std::to_string(i + 1) + ": \"" + lines[i].substr(0, 60) +
                      (lines[i].size() > 60 ? "..." : "") +
                      "\" must be [section], key = value, or # comment");
  });
  std::set<std::string> seen;
  for (const auto& [key, value] : entries)
    if (!seen.insert(key).second) throw ConfigError(name + ": " + key + " is given twice: keep one");
  return entries;
}

KeyValues stored_ini(const std::string& text) {
  return keys_of(split(text, '\n'), [](std::size_t) {});
}

} // namespace metasieve
