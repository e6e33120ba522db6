#pragma once

#include "hdf5/handles.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace metasieve::h5 {

/// Fixed-length text, padded with zero bytes.
void write_attribute(hid_t object, const std::string& name, const std::string& text);
/// One-dimensional list of texts, each padded to the longest.
void write_attribute(hid_t object, const std::string& name, const std::vector<std::string>& texts);
void write_attribute(hid_t object, const std::string& name, std::int64_t value);
void write_attribute(hid_t object, const std::string& name, std::uint64_t value);
void write_attribute(hid_t object, const std::string& name, double value);
void write_attribute(hid_t object, const std::string& name, std::span<const std::int32_t> values);
void write_attribute(hid_t object, const std::string& name, std::span<const std::int64_t> values);

/// Gives an attribute that is there another value, in its place.
void set_attribute(hid_t object, const std::string& name, std::uint64_t value);

[[nodiscard]] bool has_attribute(hid_t object, const std::string& name);

/// Of fixed or variable length, one value or a list. @throws DataError: missing, not text, too large.
[[nodiscard]] std::vector<std::string> read_texts(hid_t object, const std::string& name);
/// Exactly one text. @throws DataError
[[nodiscard]] std::string read_text(hid_t object, const std::string& name);
/// One value or a list, of any integer type. @throws DataError: missing, not integers, too many.
[[nodiscard]] std::vector<std::int64_t> read_integers(hid_t object, const std::string& name);
[[nodiscard]] std::int64_t read_integer(hid_t object, const std::string& name);
[[nodiscard]] std::uint64_t read_unsigned(hid_t object, const std::string& name);
/// Exactly one value, floating point or integer. @throws DataError
[[nodiscard]] double read_number(hid_t object, const std::string& name);

} // namespace metasieve::h5
