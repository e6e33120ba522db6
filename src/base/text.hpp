#pragma once

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace metasieve {

/// "a, b, c"
[[nodiscard]] std::string joined(const std::vector<std::string>& words, std::string_view separator = ", ");

/// "a, b, c, d, e, ...": at most five of the words.
[[nodiscard]] std::string first_few(std::vector<std::string> words, std::string_view separator = ", ");

/// Pieces of `text` between separators, each trimmed. Nothing after the last separator is no piece.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

/// The longest beginning of UTF-8 text that has at most `most` bytes and ends in no character's middle.
[[nodiscard]] std::string cut_text(const std::string& text, std::size_t most);

/// `text` without blanks, tabs and line ends before and after it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// The one of `known`, which must not be empty, that is spelt most like `name`; one with this very name after
/// its last dot goes first.
[[nodiscard]] std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

/// The number that the whole of `text` is; none if anything else is in it, or it does not fit.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && last == end ? std::optional(number) : std::nullopt;
}

/// The shortest text that parse_number reads back to the same bits.
template <class Number>
[[nodiscard]] std::string number_text(Number number) {
  std::array<char, 64> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

/// Text of printf; cut after 511 characters.
template <class... Values>
[[nodiscard]] std::string format(const char* pattern, Values... values) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

/// A field of comma-separated text: in quotes where a comma, a quote or a line break is in it (RFC 4180).
[[nodiscard]] std::string csv_field(const std::string& text);

/// "0.4 s", "35 s", "3 min 20 s", "2 h 05 min", "3 d 04 h"
[[nodiscard]] std::string duration_text(double seconds);

/// `section.key` -> value, in the order in which they were given.
using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// The keys of INI text that a user wrote: [section], key = value, # comments; keys before the first
/// [section] have no prefix. `name` is what errors call the text. @throws ConfigError naming file and line
/// for anything else, and for a key given twice
[[nodiscard]] KeyValues parse_ini(const std::string& text, const std::string& name);

/// The keys of INI text that a program wrote, as it is stored in files: without comments. Passes over lines
/// that are neither [section] nor key = value.
[[nodiscard]] KeyValues stored_ini(const std::string& text);

} // namespace metasieve
