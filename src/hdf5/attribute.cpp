#include "hdf5/attribute.hpp"

#include <algorithm>
#include <cstring>

namespace metasieve::h5 {
namespace {

/// More than any attribute of ours needs; keeps a hostile file from asking for all memory.
constexpr std::size_t most_bytes = std::size_t{1} << 28;

void write(hid_t object, const std::string& name, hid_t type, const DataSpace& space, const void* data) {
  const Attribute attribute(H5Acreate2(object, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                            "H5Acreate");
  check(H5Awrite(attribute.get(), type, data), "H5Awrite");
}

DataSpace scalar() { return {H5Screate(H5S_SCALAR), "H5Screate"}; }

DataSpace list_of(std::size_t count) {
  const hsize_t extent = count;
  return {H5Screate_simple(1, &extent, nullptr), "H5Screate_simple"};
}

std::string quoted(const std::string& name) { return "attribute '" + name + "'"; }

struct Opened {
  Attribute attribute;
  DataType type;
  H5T_class_t type_class;
  std::size_t count; ///< number of values
};

/// The attribute as a scalar or a list of at most most_bytes.
Opened open(hid_t object, const std::string& name) {
  if (!has_attribute(object, name)) throw DataError(quoted(name) + " is missing");
  Attribute attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), "H5Aopen");
  DataType type(H5Aget_type(attribute.get()), "H5Aget_type");
  const DataSpace space(H5Aget_space(attribute.get()), "H5Aget_space");
  const int rank = check(H5Sget_simple_extent_ndims(space.get()), "H5Sget_simple_extent_ndims");
  const auto count = check(H5Sget_simple_extent_npoints(space.get()), "H5Sget_simple_extent_npoints");
  const std::size_t size = std::max<std::size_t>(H5Tget_size(type.get()), 1);
  if (rank > 1) throw DataError(quoted(name) + " must be one value or a list");
  if (static_cast<std::size_t>(count) > most_bytes / size) throw DataError(quoted(name) + " is too large");
  const H5T_class_t type_class = H5Tget_class(type.get());
  return {std::move(attribute), std::move(type), type_class, static_cast<std::size_t>(count)};
}

std::vector<std::string> variable_texts(const Opened& opened) {
  const DataType type(H5Tget_native_type(opened.type.get(), H5T_DIR_DEFAULT), "H5Tget_native_type");
  const DataSpace space(H5Aget_space(opened.attribute.get()), "H5Aget_space");
  std::vector<char*> pointers(opened.count, nullptr);
  check(H5Aread(opened.attribute.get(), type.get(), pointers.data()), "H5Aread");
  std::vector<std::string> texts;
  for (const char* text : pointers) texts.emplace_back(text == nullptr ? "" : text);
  check(H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, pointers.data()), "H5Dvlen_reclaim");
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

template <class T>
std::vector<T> read_values(const Opened& opened) {
  std::vector<T> values(opened.count);
  if (opened.count > 0) check(H5Aread(opened.attribute.get(), type_of<T>(), values.data()), "H5Aread");
  return values;
}

void require(bool condition, const std::string& name, const Opened& opened, const char* expected) {
  if (condition) return;
  throw DataError(quoted(name) + " is " + describe_type(opened.type.get()) + " [" +
                  std::to_string(opened.count) + "]; must be " + expected);
}

} // namespace

void write_attribute(hid_t object, const std::string& name, const std::string& text) {
  const DataType type = text_type(text.size());
  write(object, name, type.get(), scalar(), text.empty() ? "\0" : text.data());
}

void write_attribute(hid_t object, const std::string& name, const std::vector<std::string>& texts) {
  std::size_t size = 1;
  for (const std::string& text : texts) size = std::max(size, text.size());
  std::string bytes(size * texts.size() + 1, '\0');
  for (std::size_t i = 0; i < texts.size(); ++i)
    std::memcpy(bytes.data() + i * size, texts[i].data(), texts[i].size());
  write(object, name, text_type(size).get(), list_of(texts.size()), bytes.data());
}

void write_attribute(hid_t object, const std::string& name, std::int64_t value) {
  write(object, name, type_of<std::int64_t>(), scalar(), &value);
}

void write_attribute(hid_t object, const std::string& name, std::uint64_t value) {
  write(object, name, type_of<std::uint64_t>(), scalar(), &value);
}

void write_attribute(hid_t object, const std::string& name, double value) {
  write(object, name, type_of<double>(), scalar(), &value);
}

void write_attribute(hid_t object, const std::string& name, std::span<const std::int32_t> values) {
  write(object, name, type_of<std::int32_t>(), list_of(values.size()), values.data());
}

void write_attribute(hid_t object, const std::string& name, std::span<const std::int64_t> values) {
  // HDF5 wants an address even for no values.
  const std::int64_t nothing = 0;
  write(object, name, type_of<std::int64_t>(), list_of(values.size()),
        values.empty() ? &nothing : values.data());
}

void set_attribute(hid_t object, const std::string& name, std::uint64_t value) {
  const Attribute attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), "H5Aopen");
  check(H5Awrite(attribute.get(), type_of<std::uint64_t>(), &value), "H5Awrite");
}

bool has_attribute(hid_t object, const std::string& name) {
  return check(H5Aexists(object, name.c_str()), "H5Aexists") > 0;
}

std::vector<std::string> read_texts(hid_t object, const std::string& name) {
  const Opened opened = open(object, name);
  require(opened.type_class == H5T_STRING, name, opened, "text");
  const bool variable = check(H5Tis_variable_str(opened.type.get()), "H5Tis_variable_str") > 0;
  return variable ? variable_texts(opened) : fixed_texts(opened);
}

std::string read_text(hid_t object, const std::string& name) {
  const std::vector<std::string> texts = read_texts(object, name);
  if (texts.size() != 1) throw DataError(quoted(name) + " must be one text");
  return texts.front();
}

std::vector<std::int64_t> read_integers(hid_t object, const std::string& name) {
  const Opened opened = open(object, name);
  require(opened.type_class == H5T_INTEGER, name, opened, "integers");
  return read_values<std::int64_t>(opened);
}

std::int64_t read_integer(hid_t object, const std::string& name) {
  const Opened opened = open(object, name);
  require(opened.type_class == H5T_INTEGER && opened.count == 1, name, opened, "one integer");
  return read_values<std::int64_t>(opened).front();
}

std::uint64_t read_unsigned(hid_t object, const std::string& name) {
  const Opened opened = open(object, name);
  require(opened.type_class == H5T_INTEGER && opened.count == 1, name, opened, "one integer");
  return read_values<std::uint64_t>(opened).front();
}

double read_number(hid_t object, const std::string& name) {
  const Opened opened = open(object, name);
  const bool number = opened.type_class == H5T_FLOAT || opened.type_class == H5T_INTEGER;
  require(number && opened.count == 1, name, opened, "one number");
  return read_values<double>(opened).front();
}

} // namespace metasieve::h5
