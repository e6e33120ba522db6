#pragma once

#include "hdf5/handles.hpp"

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace metasieve::h5 {

/// Fixed-length text, padded with zero bytes.
void write_attribute(hid_t object, const std::string& name, const std::string& text);
/// One-dimensional list of texts, each padded to the longest.
void write_attribute(hid_t object, const std::string& name, const std::vector<std::string>& texts);
/// One-dimensional list of `count` numbers of the type; one number if `is_scalar`.
void write_attribute(hid_t object, const std::string& name, hid_t type, std::size_t count, const void* values,
                     bool is_scalar);

template <class Number>
requires std::is_arithmetic_v<Number>
void write_attribute(hid_t object, const std::string& name, Number value) {
  write_attribute(object, name, type_of<Number>(), 1, &value, true);
}
template <class Number>
requires std::is_arithmetic_v<Number>
void write_attribute(hid_t object, const std::string& name, const std::vector<Number>& values) {
  write_attribute(object, name, type_of<Number>(), values.size(), values.data(), false);
}

/// Overwrites the value of an attribute in its place.
void overwrite_attribute(hid_t object, const std::string& name, std::uint64_t value);

[[nodiscard]] bool has_attribute(hid_t object, const std::string& name);

/// The value of an attribute. Value: std::string (of fixed or variable length), std::int64_t or std::uint64_t
/// (any integer type), double (any number), or a std::vector of these, which one value will do for.
/// @throws DataError: missing, another type, more than one value, too large.
template <class Value>
[[nodiscard]] Value read_attribute(hid_t object, const std::string& name);

} // namespace metasieve::h5
