#include "base/json.hpp"

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
  text_.assign(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr);
}

Json::Json(const std::string& value) : text_(json_string(value)) {}

Json Json::object(const std::vector<std::pair<std::string, Json>>& members) {
  std::vector<std::string> items;
  items.reserve(members.size());
  for (const auto& [name, value] : members) items.push_back(json_string(name) + ": " + value.text());
  Json out;
  out.text_ = enclosed('{', items, '}');
  return out;
}

Json Json::array(const std::vector<Json>& values) {
  std::vector<std::string> items;
  items.reserve(values.size());
  for (const Json& value : values) items.push_back(value.text());
  Json out;
  out.text_ = enclosed('[', items, ']');
  return out;
}

Json Json::of_text(std::string text) {
  Json out;
  out.text_ = std::move(text);
  return out;
}

} // namespace metasieve
