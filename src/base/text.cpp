#include "base/text.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

namespace metasieve {
namespace {

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

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

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (&word != words.data()) text += separator;
    text += word;
  }
  return text;
}

std::string first_few(std::vector<std::string> words, std::string_view separator) {
  constexpr std::size_t most = 5;
  if (words.size() > most) {
    words.resize(most);
    words.emplace_back("...");
  }
  return joined(words, separator);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find(separator), text.size());
    pieces.emplace_back(trimmed(text.substr(0, size)));
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return pieces;
}

std::string cut_text(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (most > 0 && continues(most)) --most;
  return text.substr(0, most);
}

std::string_view trimmed(std::string_view text) {
  constexpr const char* blanks = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  const auto distance = [&](const std::string& other) {
    return other.ends_with("." + name) ? 0 : edit_distance(name, other);
  };
  return *std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
    return distance(a) < distance(b);
  });
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string duration_text(double seconds) {
  if (seconds < 9.95) return format("%.1f s", seconds);
  const auto whole = std::lround(seconds);
  if (whole < 60) return format("%ld s", whole);
  if (whole < 3600) return format("%ld min %02ld s", whole / 60, whole % 60);
  if (whole < 86400) return format("%ld h %02ld min", whole / 3600, whole % 3600 / 60);
  return format("%ld d %02ld h", whole / 86400, whole % 86400 / 3600);
}

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
