#include "base/json.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace metasieve {
namespace {

/// Bytes of the UTF-8 character at the begin of `text`; 0 if there is none (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const auto size = static_cast<std::size_t>(std::countl_one(byte(0)));
  if (size < 2 || size > 4 || text.size() < size) return 0;
  std::uint32_t code = byte(0) & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800,
                                               0x10000}; // least code of characters of that size
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  return code >= least[size] && code <= 0x10ffff && !is_surrogate ? size : 0;
}

std::string escaped(char c) {
  if (c == '"' || c == '\\') return {'\\', c};
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  return static_cast<unsigned char>(c) < 0x20 ? format("\\u%04x", static_cast<unsigned>(c)) : std::string{c};
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    out += size == 0 ? "\\ufffd" : size == 1 ? escaped(text.front()) : std::string(text.substr(0, size));
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out + "\"";
}

} // namespace

Json::Json(double value) {
  if (!std::isfinite(value)) return;
  word_ = number_text(value);
  plain_ = format("%.6g", value);
}

Json::Json(const std::string& value) : word_(json_string(value)), plain_(value) {}

Json Json::object(JsonMembers members) {
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

std::string Json::text(const std::string& line_begin) const {
  if (kind_ == Kind::scalar) return word_;
  const bool is_object = kind_ == Kind::object;
  std::string out = is_object ? "{" : "[";
  for (const auto& [name, value] : members_) {
    out += (out.size() == 1 ? "" : ",") + line_begin + "  " + (is_object ? json_string(name) + ": " : "") +
           value.text(line_begin + "  ");
  }
  return out + (members_.empty() ? "" : line_begin) + (is_object ? "}" : "]");
}

bool Json::has_scalars_only() const {
  return std::ranges::all_of(members_,
                             [](const auto& member) { return member.second.kind_ == Kind::scalar; });
}

/// "name value, name value", or "value, value".
std::string Json::one_line() const {
  if (kind_ == Kind::scalar) return plain_;
  std::vector<std::string> words;
  for (const auto& [name, value] : members_) words.push_back(name + (name.empty() ? "" : " ") + value.plain_);
  return words.empty() ? "none" : joined(words);
}

std::string Json::outline(std::size_t indent) const {
  constexpr std::size_t width = 20, longest_line = 100;
  std::string out;
  for (const auto& [name, value] : members_) {
    std::string line = std::string(indent, ' ') + name;
    if (value.has_scalars_only() &&
        (value.kind_ != Kind::object || value.one_line().size() <= longest_line)) {
      line.resize(std::max(line.size() + 1, indent + width), ' ');
      out += line + value.one_line() + "\n";
    } else {
      out += line + "\n" + (value.kind_ == Kind::array ? value.table(indent + 2) : value.outline(indent + 2));
    }
  }
  return out;
}

/// An array of objects with the same names: a column a name.
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
