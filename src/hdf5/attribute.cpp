#include "hdf5/attribute.hpp"

#include <algorithm>
#include <cstring>

namespace metasieve::h5 {
namespace {

/// More than any attribute of ours needs; keeps a hostile file from asking for all memory.
constexpr std::size_t most_bytes = std::size_t{1} << 28;

std::string quoted(const std::string& name) { return "attribute '" + name + "'"; }

struct Opened {
  Attribute attribute;
  DataType type;
  DataSpace space;
  std::size_t count; ///< number of values
};

/// The attribute as one value or a list of at most most_bytes.
Opened open(hid_t object, const std::string& name) {
  if (!has_attribute(object, name)) throw DataError(quoted(name) + " is missing");
  Attribute attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), "H5Aopen");
  DataType type(H5Aget_type(attribute.get()), "H5Aget_type");
  DataSpace space(H5Aget_space(attribute.get()), "H5Aget_space");
  const int rank = check(H5Sget_simple_extent_ndims(space.get()), "H5Sget_simple_extent_ndims");
  const auto count = static_cast<std::size_t>(
      check(H5Sget_simple_extent_npoints(space.get()), "H5Sget_simple_extent_npoints"));
  if (rank > 1) throw DataError(quoted(name) + " must be one value or a list");
  if (count > most_bytes / std::max<std::size_t>(H5Tget_size(type.get()), 1))
    throw DataError(quoted(name) + " is too large");
  return {std::move(attribute), std::move(type), std::move(space), count};
}

std::vector<std::string> variable_texts(const Opened& opened) {
  const DataType type(H5Tget_native_type(opened.type.get(), H5T_DIR_DEFAULT), "H5Tget_native_type");
  std::vector<char*> pointers(opened.count, nullptr);
  check(H5Aread(opened.attribute.get(), type.get(), pointers.data()), "H5Aread");
  std::vector<std::string> texts;
  for (const char* text : pointers) texts.emplace_back(text == nullptr ? "" : text);
  check(H5Dvlen_reclaim(type.get(), opened.space.get(), H5P_DEFAULT, pointers.data()), "H5Dvlen_reclaim");
  return texts;
}

std::vector<std::string> fixed_texts(const Opened& opened) {
  const std::size_t size = H5Tget_size(opened.type.get());
  std::string bytes(size * opened.count, '\0');
  check(H5Aread(opened.attribute.get(), opened.type.get(), bytes.data()), "H5Aread");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < opened.count; ++i) {
    const char* begin = bytes.data() + i * size;
    texts.emplace_back(begin, strnlen(begin, size));
  }
  return texts;
}

/// `is_one`: exactly one value.
template <class T>
std::vector<T> read_values(hid_t object, const std::string& name, bool is_one) {
  constexpr bool text = std::is_same_v<T, std::string>, number = std::is_same_v<T, double>;
  const Opened opened = open(object, name);
  const H5T_class_t found = H5Tget_class(opened.type.get());
  const bool is_alike = text ? found == H5T_STRING : found == H5T_INTEGER || (number && found == H5T_FLOAT);
  if (!is_alike || (is_one && opened.count != 1)) {
    const std::string kind = text ? "text" : number ? "number" : "integer";
    throw DataError(quoted(name) + " is " + describe_type(opened.type.get()) + " [" +
                    std::to_string(opened.count) + "]; must be " + (is_one ? "one " + kind : kind + "s"));
  }
  if constexpr (text) {
    const bool variable = check(H5Tis_variable_str(opened.type.get()), "H5Tis_variable_str") > 0;
    return variable ? variable_texts(opened) : fixed_texts(opened);
  } else {
    std::vector<T> values(opened.count);
    if (opened.count > 0) check(H5Aread(opened.attribute.get(), type_of<T>(), values.data()), "H5Aread");
    return values;
  }
}

} // namespace

void write_attribute(hid_t object, const std::string& name, hid_t type, std::size_t count, const void* values,
                     bool is_scalar) {
  const hsize_t extent = count;
  const DataSpace space(is_scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, nullptr),
                        "H5Screate");
  const Attribute attribute(H5Acreate2(object, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                            "H5Acreate");
  const std::int64_t nothing = 0; // HDF5 wants an address even for no values
  check(H5Awrite(attribute.get(), type, values == nullptr ? &nothing : values), "H5Awrite");
}

void write_attribute(hid_t object, const std::string& name, const std::string& text) {
  write_attribute(object, name, text_type(text.size()).get(), 1, text.c_str(), true);
}

void write_attribute(hid_t object, const std::string& name, const std::vector<std::string>& texts) {
  std::size_t size = 1;
  for (const std::string& text : texts) size = std::max(size, text.size());
  std::string bytes(size * texts.size() + 1, '\0');
  for (std::size_t i = 0; i < texts.size(); ++i)
    std::memcpy(bytes.data() + i * size, texts[i].data(), texts[i].size());
  write_attribute(object, name, text_type(size).get(), texts.size(), bytes.data(), false);
}

void overwrite_attribute(hid_t object, const std::string& name, std::uint64_t value) {
  const Attribute attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), "H5Aopen");
  check(H5Awrite(attribute.get(), type_of<std::uint64_t>(), &value), "H5Awrite");
}

bool has_attribute(hid_t object, const std::string& name) {
  return check(H5Aexists(object, name.c_str()), "H5Aexists") > 0;
}

template <class Value>
Value read_attribute(hid_t object, const std::string& name) {
  if constexpr (std::is_arithmetic_v<Value> || std::is_same_v<Value, std::string>)
    return read_values<Value>(object, name, true).front();
  else
    return read_values<typename Value::value_type>(object, name, false);
}

template std::string read_attribute(hid_t, const std::string&);
template std::int64_t read_attribute(hid_t, const std::string&);
template std::uint64_t read_attribute(hid_t, const std::string&);
template double read_attribute(hid_t, const std::string&);
template std::vector<std::string> read_attribute(hid_t, const std::string&);
template std::vector<std::int64_t> read_attribute(hid_t, const std::string&);

} // namespace metasieve::h5
