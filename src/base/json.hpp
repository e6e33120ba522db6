#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace metasieve {

/// A JSON value as text (RFC 8259), made from the inside out. Always valid: numbers that are not finite
/// become null, bytes that are not UTF-8 the replacement character.
class Json {
public:
  Json() = default; ///< null
  Json(bool value) : text_(value ? "true" : "false") {}
  Json(double value);
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) Json(Number value) : text_(std::to_string(value)) {}
  Json(const std::string& value);
  Json(const char* value) : Json(std::string(value)) {}

  /// Members in their order; names must differ.
  [[nodiscard]] static Json object(const std::vector<std::pair<std::string, Json>>& members);
  [[nodiscard]] static Json array(const std::vector<Json>& values);

  /// What text() of another one said.
  [[nodiscard]] static Json of_text(std::string text);

  /// On several lines, two spaces a level; without a line break at the end.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
  std::string text_ = "null";
};

/// Members of an object that is still to be made.
using JsonMembers = std::vector<std::pair<std::string, Json>>;

} // namespace metasieve
