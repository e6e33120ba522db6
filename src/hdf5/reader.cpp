#include "hdf5/reader.hpp"

#include "base/version.hpp"
#include "hdf5/checksum.hpp"
#include "hdf5/handles.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <span>

namespace metasieve {
namespace {

/// Deflate, HDF5's usual filter, shrinks at most 1032 times.
constexpr std::uint64_t most_compression = 1032;
/// h5py's own choice is below 1 MiB.
constexpr std::uint64_t most_chunk_bytes = std::uint64_t{256} << 20;
constexpr std::uint64_t most_chunks = 1'000'000;

std::string shape_text(const std::vector<Index>& shape) {
  std::string text = "[";
  for (const Index extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

std::vector<Index> shape_of(const std::vector<hsize_t>& extents) {
  std::vector<Index> shape;
  for (const hsize_t extent : extents)
    shape.push_back(static_cast<Index>(std::min<hsize_t>(extent, std::numeric_limits<Index>::max())));
  return shape;
}

std::vector<hsize_t> extents_of(const h5::DataSpace& space) {
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) throw DataError("holds nothing");
  const int rank = h5::check(H5Sget_simple_extent_ndims(space.get()), "H5Sget_simple_extent_ndims");
  std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
  h5::check(H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr), "H5Sget_simple_extent_dims");
  return extents;
}

ValueLayout layout_of(const std::string& name, const h5::DataType& type,
                      const std::vector<hsize_t>& extents) {
  ValueLayout layout{name, h5::describe_type(type.get()), shape_of(extents), {}};
  const int members = layout.type == "compound" ? H5Tget_nmembers(type.get()) : 0;
  for (int i = 0; i < members; ++i) {
    char* const field = H5Tget_member_name(type.get(), static_cast<unsigned>(i));
    layout.fields.emplace_back(field == nullptr ? "" : field);
    H5free_memory(field);
  }
  return layout;
}

/// Shuffle, deflate and checksum, each at most once and in this order: what h5py and h5repack write. HDF5 has
/// more, and any order of them, but reads beyond its memory when the values do not fit.
bool has_usual_filters(hid_t creation) {
  constexpr std::array usual{H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32};
  const auto* next = usual.begin();
  const int count = h5::check(H5Pget_nfilters(creation), "H5Pget_nfilters");
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config);
    next = std::find(next, usual.end(), h5::check(filter, "H5Pget_filter"));
    if (next++ == usual.end()) return false;
  }
  return true;
}

/// Product, or the greatest number if it does not fit.
std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<std::uint64_t>::max() : result;
}

/// Numbers and texts of fixed size, alone or in a compound: what lies in memory as it does in the file.
bool is_plain(hid_t type) {
  const H5T_class_t type_class = H5Tget_class(type);
  if (type_class == H5T_STRING) return H5Tis_variable_str(type) == 0;
  if (type_class != H5T_COMPOUND) return type_class == H5T_INTEGER || type_class == H5T_FLOAT;
  const int members = H5Tget_nmembers(type);
  for (int i = 0; i < members; ++i) {
    const h5::DataType member(H5Tget_member_type(type, static_cast<unsigned>(i)), "H5Tget_member_type");
    if (H5Tget_class(member.get()) == H5T_COMPOUND || !is_plain(member.get())) return false;
  }
  return true;
}

bool is_variable_text(hid_t type) {
  return H5Tget_class(type) == H5T_STRING && h5::check(H5Tis_variable_str(type), "H5Tis_variable_str") > 0;
}

/// Checksum of all values, read piece by piece in the type of the file.
std::uint64_t checksum_of(const h5::DataSet& data_set, const h5::DataType& type,
                          const std::vector<hsize_t>& extents) {
  const hsize_t columns = extents.size() == 2 ? extents[1] : 1;
  const std::size_t row_bytes = H5Tget_size(type.get()) * columns;
  if (row_bytes == 0) return 0;
  const hsize_t block = std::max<hsize_t>((hsize_t{32} << 20U) / row_bytes, 1);
  std::vector<std::byte> bytes;
  std::uint64_t sum = 0;
  for (hsize_t row = 0; row < extents[0]; row += block) {
    const hsize_t rows = std::min(block, extents[0] - row);
    bytes.resize(rows * row_bytes);
    const h5::DataSpace in_file = h5::rows_of(data_set.get(), row, rows, columns);
    const h5::DataSpace in_memory = h5::rows_in_memory(extents.size(), rows, columns);
    h5::check(H5Dread(data_set.get(), type.get(), in_memory.get(), in_file.get(), H5P_DEFAULT, bytes.data()),
              "H5Dread");
    sum += checksum(static_cast<std::int64_t>(row), row_bytes, bytes);
  }
  return sum;
}

/// HDF5 holds a chunk in memory as a whole, and keeps some hundred bytes for each of those it reads.
void check_chunks(hid_t creation, const std::vector<hsize_t>& extents, std::uint64_t value_bytes) {
  std::vector<hsize_t> chunk(extents.size());
  h5::check(H5Pget_chunk(creation, static_cast<int>(chunk.size()), chunk.data()), "H5Pget_chunk");
  std::uint64_t bytes = value_bytes, count = 1;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    bytes = product(bytes, chunk[i]);
    count = product(count, chunk[i] == 0 ? 0 : extents[i] / chunk[i] + 1);
  }
  if (bytes > most_chunk_bytes) throw DataError("has chunks above 256 MiB; rewrite it with smaller ones");
  if (count > most_chunks) throw DataError("has more than a million chunks; rewrite it with larger ones");
}

} // namespace

FileReader::FileReader(const std::filesystem::path& path) : path_(path), file_(open_file(path)) {
  bytes_ = std::filesystem::file_size(path);
  within("/", [&] {
    if (!h5::has_attribute(file_.get(), "filetype"))
      throw DataError("attribute 'filetype' is missing: not a file of metasieve");
    const auto name = h5::read_attribute<std::string>(file_.get(), "filetype");
    const auto known = file_type_of(name);
    if (!known) throw DataError("attribute 'filetype' is '" + name + "': not a file of metasieve");
    type_ = *known;
    const auto numbers = h5::read_attribute<std::vector<std::int64_t>>(file_.get(), "version");
    if (numbers.size() != 2 || numbers[0] < 1 || numbers[1] < 0)
      throw DataError("attribute 'version' must be [major, minor], from [1, 0]");
    if (numbers[0] > format_version.major)
      throw DataError("has format version " + std::to_string(numbers[0]) + "." + std::to_string(numbers[1]) +
                      ", but metasieve " + std::string(metasieve::version()) + " reads only " +
                      std::to_string(format_version.major) + ".x: " + newer_version_advice);
    version_ = {static_cast<std::int32_t>(numbers[0]), static_cast<std::int32_t>(numbers[1])};
    if (!h5::has_attribute(file_.get(), "complete"))
      throw DataError("attribute 'complete' is missing: the file was never finished; make it again");
  });
}

FileReader::FileReader(const std::filesystem::path& path, FileType type) : FileReader(path) {
  if (type_ != type)
    fail("/", "is a " + std::string(to_string(type_)) + " file; must be " + std::string(to_string(type)));
}

void FileReader::fail(const std::string& name, const std::string& problem) const {
  throw DataError(path_.string() + ": " + (name == "/" ? "" : name + ": ") + problem);
}

bool FileReader::has_attribute(const std::string& name) const {
  return within("/", [&] { return h5::has_attribute(file_.get(), name); });
}

bool FileReader::contains(const std::string& name) const {
  return within(name, [&] {
    for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
      const std::string prefix = name.substr(0, end);
      if (h5::check(H5Lexists(file_.get(), prefix.c_str(), H5P_DEFAULT), "H5Lexists") == 0) return false;
      if (end == std::string::npos) return true;
    }
  });
}

Index FileReader::member_count(const std::string& group) const {
  if (!contains(group)) fail(group, "is missing");
  return within(group, [&] {
    const h5::Group opened(H5Gopen2(file_.get(), group.c_str(), H5P_DEFAULT), "H5Gopen");
    H5G_info_t info{};
    h5::check(H5Gget_info(opened.get(), &info), "H5Gget_info");
    return static_cast<Index>(info.nlinks);
  });
}

FileReader::DataSet FileReader::open(const std::string& name) const {
  if (!contains(name)) fail(name, "is missing");
  const h5::Object object(H5Oopen(file_.get(), name.c_str(), H5P_DEFAULT), "H5Oopen");
  if (H5Iget_type(object.get()) != H5I_DATASET) fail(name, "is no data set");
  h5::DataSet set(H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT), "H5Dopen");
  h5::DataType type(H5Dget_type(set.get()), "H5Dget_type");
  std::vector<hsize_t> extents = extents_of({H5Dget_space(set.get()), "H5Dget_space"});
  return {std::move(set), std::move(type), std::move(extents)};
}

/// Checks that all values can be in the file, and how they are stored.
void FileReader::check_storage(const DataSet& data_set) const {
  const h5::PropertyList creation(H5Dget_create_plist(data_set.set.get()), "H5Dget_create_plist");
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  const bool known = layout == H5D_CONTIGUOUS || layout == H5D_COMPACT || layout == H5D_CHUNKED;
  if (!known || H5Pget_external_count(creation.get()) != 0)
    throw DataError("keeps its values in other files; copy them into this one");
  if (!has_usual_filters(creation.get()))
    throw DataError("is stored with unusual filters; rewrite it, as with h5repack -f GZIP=1");
  const std::size_t value_bytes = H5Tget_size(data_set.type.get());
  std::uint64_t wanted = 1;
  for (const hsize_t extent : data_set.extents) wanted = product(wanted, extent);
  wanted = product(wanted, value_bytes);
  if (wanted == 0) return;
  std::uint64_t capacity = H5Dget_storage_size(data_set.set.get());
  if (capacity > bytes_) throw DataError("is larger than the file: truncated or damaged");
  if (layout == H5D_CHUNKED) capacity = product(capacity, most_compression);
  if (wanted > capacity) throw DataError("has fewer bytes in the file than its shape asks for: damaged");
  if (layout == H5D_CHUNKED) check_chunks(creation.get(), data_set.extents, value_bytes);
}

FileReader::DataSet FileReader::open(const std::string& name, int rank) const {
  DataSet data_set = open(name);
  const std::vector<Index> shape = shape_of(data_set.extents);
  if (std::ssize(shape) != rank)
    throw DataError("has shape " + shape_text(shape) + "; must have " + std::to_string(rank) +
                    (rank == 1 ? " dimension" : " dimensions"));
  check_storage(data_set);
  return data_set;
}

std::vector<Index> FileReader::shape(const std::string& name, int rank) const {
  return within(name, [&] { return shape_of(open(name, rank).extents); });
}

Extent FileReader::extent(const std::string& name, hid_t type) const {
  return within(name, [&]() -> Extent {
    const DataSet data_set = open(name, 1);
    const h5::PropertyList creation(H5Dget_create_plist(data_set.set.get()), "H5Dget_create_plist");
    if (H5Pget_layout(creation.get()) != H5D_CONTIGUOUS)
      throw DataError("is compressed or in chunks; unpack the suite with h5repack -f NONE -l CONTI");
    if (h5::check(H5Tequal(data_set.type.get(), type), "H5Tequal") == 0)
      throw DataError("has type " + h5::describe_type(data_set.type.get()) + "; must be " +
                      h5::describe_type(type) + ", little-endian");
    const h5::PropertyList file_creation(H5Fget_create_plist(file_.get()), "H5Fget_create_plist");
    hsize_t before = 0; // whether offsets count such a block is not the same in all versions of HDF5
    h5::check(H5Pget_userblock(file_creation.get(), &before), "H5Pget_userblock");
    if (before != 0) throw DataError("comes after a user block; remove it with h5unjam");
    const haddr_t offset = H5Dget_offset(data_set.set.get());
    return {offset == HADDR_UNDEF ? std::int64_t{0} : static_cast<std::int64_t>(offset),
            static_cast<Index>(data_set.extents.front())};
  });
}

std::vector<ValueLayout> FileReader::attributes() const {
  const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* names) -> herr_t {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
  };
  return within("/", [&] {
    std::vector<std::string> names;
    h5::check(H5Aiterate2(file_.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names), "H5Aiterate");
    std::vector<ValueLayout> layouts;
    for (const std::string& name : names) {
      const h5::Attribute attribute(H5Aopen(file_.get(), name.c_str(), H5P_DEFAULT), "H5Aopen");
      const h5::DataType type(H5Aget_type(attribute.get()), "H5Aget_type");
      layouts.push_back(layout_of(name, type, extents_of({H5Aget_space(attribute.get()), "H5Aget_space"})));
    }
    return layouts;
  });
}

std::vector<ValueLayout> FileReader::data_sets() const {
  const auto collect = [](hid_t, const char* name, const H5O_info_t* info, void* names) -> herr_t {
    if (info->type == H5O_TYPE_DATASET)
      static_cast<std::vector<std::string>*>(names)->push_back("/" + std::string(name));
    return 0;
  };
  std::vector<std::string> names;
  within("/", [&] {
    h5::check(H5Ovisit2(file_.get(), H5_INDEX_NAME, H5_ITER_INC, collect, &names, H5O_INFO_BASIC),
              "H5Ovisit");
  });
  std::vector<ValueLayout> layouts;
  for (const std::string& name : names)
    within(name, [&] {
      const DataSet data_set = open(name);
      layouts.push_back(layout_of(name, data_set.type, data_set.extents));
    });
  return layouts;
}

std::optional<bool> FileReader::checksum_fits(const std::string& name) const {
  return within(name, [&]() -> std::optional<bool> {
    const DataSet data_set = open(name);
    if (!h5::has_attribute(data_set.set.get(), checksum_name)) return std::nullopt;
    const bool variable = is_variable_text(data_set.type.get());
    if (!variable && !is_plain(data_set.type.get()))
      throw DataError("has a checksum, but values of no fixed size");
    if (data_set.extents.empty() || data_set.extents.size() > (variable ? 1U : 2U))
      throw DataError(variable ? "has a checksum, but not 1 dimension"
                               : "has a checksum, but not 1 or 2 dimensions");
    check_storage(data_set);
    std::uint64_t sum = 0;
    if (variable) {
      std::int64_t place = 0;
      each_text(data_set, [&](const char* text) {
        const std::span bytes = std::as_bytes(std::span(text, std::strlen(text) + 1));
        sum += checksum(place, 1, bytes);
        place += std::ssize(bytes);
      });
    } else
      sum = checksum_of(data_set.set, data_set.type, data_set.extents);
    return h5::read_attribute<std::uint64_t>(data_set.set.get(), checksum_name) == sum;
  });
}

void FileReader::each_text(const DataSet& data_set, const std::function<void(const char*)>& use) const {
  constexpr hsize_t block = 4096;
  const h5::DataType type(H5Tget_native_type(data_set.type.get(), H5T_DIR_DEFAULT), "H5Tget_native_type");
  std::uint64_t bytes = 0; // a hostile file may have many texts in one place
  for (hsize_t row = 0; row < data_set.extents.front(); row += block) {
    const hsize_t rows = std::min(block, data_set.extents.front() - row);
    const h5::DataSpace in_file = h5::rows_of(data_set.set.get(), row, rows, 1);
    const h5::DataSpace in_memory = h5::rows_in_memory(1, rows, 1);
    std::vector<char*> texts(rows, nullptr);
    h5::check(
        H5Dread(data_set.set.get(), type.get(), in_memory.get(), in_file.get(), H5P_DEFAULT, texts.data()),
        "H5Dread");
    for (const char* text : texts) {
      bytes += text == nullptr ? 0 : std::strlen(text);
      if (bytes <= bytes_) use(text == nullptr ? "" : text);
    }
    h5::check(H5Dvlen_reclaim(type.get(), in_memory.get(), H5P_DEFAULT, texts.data()), "H5Dvlen_reclaim");
    if (bytes > bytes_) throw DataError("has more text than the file has bytes: damaged");
  }
}

std::vector<std::string> FileReader::texts(const std::string& name) const {
  return within(name, [&] {
    const DataSet data_set = open(name, 1);
    if (H5Tget_class(data_set.type.get()) != H5T_STRING)
      throw DataError("has type " + h5::describe_type(data_set.type.get()) + "; must be text");
    std::vector<std::string> texts;
    if (is_variable_text(data_set.type.get())) {
      each_text(data_set, [&](const char* text) { texts.emplace_back(text); });
      return texts;
    }
    const std::size_t size = H5Tget_size(data_set.type.get()), count = data_set.extents.front();
    std::string bytes(size * count, '\0'); // which fits: `open` has checked it
    if (count > 0)
      h5::check(H5Dread(data_set.set.get(), data_set.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()),
                "H5Dread");
    for (std::size_t i = 0; i < count; ++i) {
      const char* const begin = bytes.data() + i * size;
      texts.emplace_back(begin, strnlen(begin, size));
    }
    return texts;
  });
}

void FileReader::read(const DataSet& data_set, hid_t type, bool integers, void* values) {
  const H5T_class_t found = H5Tget_class(data_set.type.get());
  if (found != H5T_INTEGER && (integers || found != H5T_FLOAT))
    throw DataError("has type " + h5::describe_type(data_set.type.get()) + "; must be " +
                    (integers ? "integers" : "numbers"));
  h5::check(H5Dread(data_set.set.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "H5Dread");
}

std::string FileReader::read_records(const std::string& name, const std::vector<h5::FieldLayout>& fields,
                                     const std::string& blank) const {
  return within(name, [&] {
    const DataSet data_set = open(name, 1);
    const hsize_t count = data_set.extents.front();
    h5::require_fields(data_set.type.get(), fields);
    std::string bytes;
    bytes.reserve(count * blank.size());
    for (hsize_t i = 0; i < count; ++i) bytes += blank; // HDF5 leaves what the file lacks as it is
    if (count > 0)
      h5::check(H5Dread(data_set.set.get(), h5::compound_type(fields).get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                        bytes.data()),
                "H5Dread");
    return bytes;
  });
}

h5::AnyRecords FileReader::any_records(const std::string& name) const {
  return within(name, [&] {
    h5::AnyRecords table{h5::fields_of(open(name).type.get()), 0, 0, {}};
    table.record_bytes = table.fields.back().offset + table.fields.back().size;
    table.bytes = read_records(name, table.fields, std::string(table.record_bytes, '\0'));
    table.count = table.bytes.size() / table.record_bytes;
    for (const h5::FieldLayout& field : table.fields)
      for (std::size_t i = 0; field.number == nullptr && i < table.count; ++i)
        table.visit(field, i, [](const auto&) {});
    return table;
  });
}

} // namespace metasieve
