#pragma once

#include "hdf5/reader.hpp"

#include <string>

namespace metasieve {

/// A description of any of our files: type, version, origin, and of each data set the range of
/// its values (of a table, of each field; of texts, how often each occurs), or the records of a small table
/// that is shown whole. As text for people, or as one JSON object for programs: file, type, attributes,
/// config (sections of keys, whose values are text as in an INI file), data_sets (name, type, shape, and the
/// fields of tables), and contents. Undefined numbers are null. Lines end in a line break. @throws DataError
[[nodiscard]] std::string description_of(const FileReader& file, bool as_json);

} // namespace metasieve
