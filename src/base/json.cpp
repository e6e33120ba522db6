#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace metasieve {
namespace {

/// Bytes of the UTF-8 character at the begin of `text`; 0 if there is none (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                           : (first & 0xf0U) == 0xe0        ? 3
                           : first >= 0xf0 && first <= 0xf4 ? 4
                                                            : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool surrogate = first == 0xed && byte(1) > 0x9f;
  const bool beyond = first == 0xf4 && byte(1) > 0x8f;
  return overlong || surrogate || beyond ? 0 : size;
}

std::string escaped(char c) {
  switch (c) {
  case '"': return "\\\"";
  case '\\': return "\\\\";
  case '\n': return "\\n";
  case '\r': return "\\r";
  case '\t': return "\\t";
  default: break;
  }
  if (static_cast<unsigned char>(c) >= 0x20) return {c};
  std::array<char, 8> code{};
  std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(c));
  return code.data();
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 1)
      out += escaped(text.front());
    else
      out += size == 0 ? std::string("\\ufffd") : std::string(text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out + "\"";
}

/// `text` one level deeper. Strings have no line breaks in them.
std::string indented(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\n  ") : std::string(1, c);
  return out;
}

/// "[", "a", "b", "]" on lines of their own.
std::string enclosed(char open, const std::vector<std::string>& items, char close) {
  std::string out(1, open);
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "\n  " : ",\n  ") + indented(items[i]);
  return out + (items.empty() ? "" : "\n") + close;
}

} // namespace

Json::Json(double value) {
  if (!std::isfinite(value)) return;
  std::array<char, 64> buffer{};
  word_.assign(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr);
  std::snprintf(buffer.data(), buffer.size(), "%.6g", value);
  plain_ = buffer.data();
}

Json::Json(const std::string& value) : word_(json_string(value)), plain_(value) {}

Json Json::object(std::vector<std::pair<std::string, Json>> members) {
  Json out;
  out.kind_ = Kind::object;
  out.members_ = std::move(members);
  return out;
}

Json Json::array(const std::vector<Json>& values) {
  Json out;
  out.kind_ = Kind::array;
  for (const Json& value : values) out.members_.emplace_back(std::string(), value);
  return out;
}

std::string Json::text() const {
  if (kind_ == Kind::scalar) return word_;
  std::vector<std::string> items;
  items.reserve(members_.size());
  for (const auto& [name, value] : members_)
    items.push_back((kind_ == Kind::object ? json_string(name) + ": " : "") + value.text());
  return kind_ == Kind::object ? enclosed('{', items, '}') : enclosed('[', items, ']');
}

bool Json::has_scalars_only() const {
  return std::all_of(members_.begin(), members_.end(),
                     [](const auto& member) { return member.second.kind_ == Kind::scalar; });
}

/// "name value, name value", or "value, value".
std::string Json::one_line() const {
  if (kind_ == Kind::scalar) return plain_;
  std::string line;
  for (const auto& [name, value] : members_)
    line += (line.empty() ? "" : ", ") + name + (name.empty() ? "" : " ") + value.plain_;
  return line.empty() ? "none" : line;
}

std::string Json::outline(std::size_t indent) const {
  constexpr std::size_t width = 20, longest_line = 100;
  std::string out;
  for (const auto& [name, value] : members_) {
    std::string line = std::string(indent, ' ') + name;
    const bool is_short =
        value.has_scalars_only() && (value.kind_ != Kind::object || value.one_line().size() <= longest_line);
    if (is_short) line.resize(std::max(line.size() + 1, indent + width), ' ');
    if (is_short)
      out += line + value.one_line() + "\n";
    else
      out += line + "\n" + (value.kind_ == Kind::array ? value.table(indent + 2) : value.outline(indent + 2));
  }
  return out;
}

/// Of an array of objects with the same names: a column a name.
std::string Json::table(std::size_t indent) const {
  std::vector<std::string> lines(members_.size() + 1, std::string(indent, ' '));
  for (std::size_t k = 0; k < members_.front().second.members_.size(); ++k) {
    std::size_t widest = 0;
    for (std::size_t row = 0; row < lines.size(); ++row) {
      const auto& [name, value] = members_[row == 0 ? 0 : row - 1].second.members_.at(k);
      lines[row] += row == 0 ? name : value.one_line();
      widest = std::max(widest, lines[row].size());
    }
    for (std::string& line : lines) line.resize(widest + 2, ' ');
  }
  std::string out;
  for (const std::string& line : lines) out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  return out;
}

} // namespace metasieve
