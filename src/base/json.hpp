#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace metasieve {

class Json;
/// Members of an object, in their order; names must differ.
using JsonMembers = std::vector<std::pair<std::string, Json>>;

/// A JSON value (RFC 8259). Always valid: numbers that are not finite become null, bytes that are not UTF-8
/// the replacement character.
class Json {
public:
  Json() = default; ///< null
  Json(bool value) : word_(value ? "true" : "false"), plain_(value ? "yes" : "no") {}
  Json(double value);
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) Json(Number value) : word_(std::to_string(value)), plain_(word_) {}
  Json(const std::string& value);
  Json(const char* value) : Json(std::string(value)) {}

  [[nodiscard]] static Json object(JsonMembers members);
  [[nodiscard]] static Json array(const std::vector<Json>& values);

  /// On several lines, two spaces a level; without a line break at the end.
  [[nodiscard]] std::string text() const { return text("\n"); }

  /// The values for people: a line "  name   value" a member; arrays of objects as tables, numbers with
  /// six digits. Lines end in a line break.
  [[nodiscard]] std::string outline() const { return outline(2); }

private:
  enum class Kind { scalar, object, array };

  [[nodiscard]] std::string text(const std::string& line_begin) const;
  [[nodiscard]] std::string outline(std::size_t indent) const;
  [[nodiscard]] std::string one_line() const;
  [[nodiscard]] std::string table(std::size_t indent) const;
  [[nodiscard]] bool has_scalars_only() const;

  Kind kind_ = Kind::scalar;
  std::string word_ = "null", plain_ = "-"; ///< a scalar as JSON, and for people
  JsonMembers members_;                     ///< the values of an array have no names
};

} // namespace metasieve
