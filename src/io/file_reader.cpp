#include "io/file_reader.hpp"

#include "base/version.hpp"
#include "io/open_file.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace metasieve {
namespace {

/// Deflate, HDF5's usual filter, shrinks at most 1032 times.
constexpr std::uint64_t most_compression = 1032;
/// h5py's own choice is below 1 MiB; a chunk is held in memory as a whole.
constexpr std::uint64_t most_chunk_bytes = std::uint64_t{256} << 20;

std::string shape_text(const std::vector<Index>& shape) {
  std::string text = "[";
  for (const Index extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

std::vector<hsize_t> extents_of(const h5::DataSet& data_set) {
  const h5::DataSpace space(H5Dget_space(data_set.get()), "H5Dget_space");
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) throw DataError("holds nothing");
  const int rank = h5::check(H5Sget_simple_extent_ndims(space.get()), "H5Sget_simple_extent_ndims");
  std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
  h5::check(H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr), "H5Sget_simple_extent_dims");
  return extents;
}

/// Product, or the greatest number if it does not fit.
std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<std::uint64_t>::max() : result;
}

} // namespace

FileReader::FileReader(const std::filesystem::path& path) : path_(path), file_(open_file(path)) {
  bytes_ = std::filesystem::file_size(path);
  within("/", [&] {
    if (!h5::has_attribute(file_.get(), "filetype"))
      throw DataError("attribute 'filetype' is missing: not a file of metasieve");
    const std::string name = h5::read_text(file_.get(), "filetype");
    const auto known = file_type_of(name);
    if (!known) throw DataError("attribute 'filetype' is '" + name + "': not a file of metasieve");
    type_ = *known;
    const std::vector<std::int64_t> numbers = h5::read_integers(file_.get(), "version");
    if (numbers.size() != 2 || numbers[0] < 1 || numbers[1] < 0)
      throw DataError("attribute 'version' must be [major, minor], from [1, 0]");
    if (numbers[0] > format_version.major)
      throw DataError("has format version " + std::to_string(numbers[0]) + "." + std::to_string(numbers[1]) +
                      ", but metasieve " + std::string(metasieve::version()) + " reads only " +
                      std::to_string(format_version.major) + ".x: install a newer metasieve");
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

std::string FileReader::text(const std::string& attribute) const {
  return within("/", [&] { return h5::read_text(file_.get(), attribute); });
}

std::string FileReader::text_if_any(const std::string& attribute) const {
  return has_attribute(attribute) ? text(attribute) : std::string();
}

std::vector<std::string> FileReader::texts(const std::string& attribute) const {
  return within("/", [&] { return h5::read_texts(file_.get(), attribute); });
}

std::int64_t FileReader::integer(const std::string& attribute) const {
  return within("/", [&] { return h5::read_integer(file_.get(), attribute); });
}

std::vector<std::int64_t> FileReader::integers(const std::string& attribute) const {
  return within("/", [&] { return h5::read_integers(file_.get(), attribute); });
}

std::uint64_t FileReader::unsigned_integer(const std::string& attribute) const {
  return within("/", [&] { return h5::read_unsigned(file_.get(), attribute); });
}

double FileReader::number(const std::string& attribute) const {
  return within("/", [&] { return h5::read_number(file_.get(), attribute); });
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

Index FileReader::value_count(const std::vector<Index>& shape) {
  Index count = 1;
  for (const Index extent : shape) count *= extent; // `shape` has checked that it fits
  return count;
}

h5::DataSet FileReader::open(const std::string& name) const {
  if (!contains(name)) fail(name, "is missing");
  const h5::Object object(H5Oopen(file_.get(), name.c_str(), H5P_DEFAULT), "H5Oopen");
  if (H5Iget_type(object.get()) != H5I_DATASET) fail(name, "is no data set");
  return {H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT), "H5Dopen"};
}

void FileReader::check_storage(const std::string& name, const h5::DataSet& data_set,
                               std::uint64_t values) const {
  const h5::PropertyList creation(H5Dget_create_plist(data_set.get()), "H5Dget_create_plist");
  const h5::DataType type(H5Dget_type(data_set.get()), "H5Dget_type");
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  const bool known = layout == H5D_CONTIGUOUS || layout == H5D_COMPACT || layout == H5D_CHUNKED;
  if (!known || H5Pget_external_count(creation.get()) != 0)
    fail(name, "keeps its values in other files; copy them into this one");
  const std::uint64_t wanted = product(values, H5Tget_size(type.get()));
  if (wanted == 0) return;
  std::uint64_t capacity = H5Dget_storage_size(data_set.get());
  if (capacity > bytes_) fail(name, "is larger than the file: truncated or damaged");
  if (layout == H5D_CHUNKED) {
    std::array<hsize_t, H5S_MAX_RANK> chunk{};
    const int rank = h5::check(H5Pget_chunk(creation.get(), H5S_MAX_RANK, chunk.data()), "H5Pget_chunk");
    std::uint64_t chunk_bytes = H5Tget_size(type.get());
    for (int i = 0; i < rank; ++i) chunk_bytes = product(chunk_bytes, chunk[static_cast<std::size_t>(i)]);
    if (chunk_bytes > most_chunk_bytes) fail(name, "has chunks above 256 MiB; rewrite it with smaller ones");
    capacity = product(capacity, most_compression);
  }
  if (wanted > capacity) fail(name, "has fewer bytes in the file than its shape asks for: damaged");
}

std::vector<Index> FileReader::shape(const std::string& name, int rank) const {
  return within(name, [&] {
    const h5::DataSet data_set = open(name);
    std::vector<Index> shape;
    std::uint64_t values = 1;
    for (const hsize_t extent : extents_of(data_set)) {
      values = product(values, extent);
      shape.push_back(static_cast<Index>(std::min<hsize_t>(extent, std::numeric_limits<Index>::max())));
    }
    if (std::ssize(shape) != rank)
      fail(name, "has shape " + shape_text(shape) + "; must have " + std::to_string(rank) +
                     (rank == 1 ? " dimension" : " dimensions"));
    check_storage(name, data_set, values);
    return shape;
  });
}

void FileReader::require_type(const std::string& name, hid_t type) const {
  within(name, [&] {
    const h5::DataSet data_set = open(name);
    const h5::DataType found(H5Dget_type(data_set.get()), "H5Dget_type");
    if (h5::check(H5Tequal(found.get(), type), "H5Tequal") == 0)
      fail(name, "has type " + h5::describe_type(found.get()) + "; must be " + h5::describe_type(type) +
                     ", little-endian");
  });
}

void FileReader::read(const std::string& name, hid_t type, bool integers, void* values) const {
  within(name, [&] {
    const h5::DataSet data_set = open(name);
    const h5::DataType found(H5Dget_type(data_set.get()), "H5Dget_type");
    const H5T_class_t type_class = H5Tget_class(found.get());
    if (type_class != H5T_INTEGER && (integers || type_class != H5T_FLOAT))
      fail(name,
           "has type " + h5::describe_type(found.get()) + "; must be " + (integers ? "integers" : "numbers"));
    h5::check(H5Dread(data_set.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "H5Dread");
  });
}

std::string FileReader::read_records(const std::string& name,
                                     const std::vector<h5::FieldLayout>& layouts) const {
  const Index count = shape(name, 1).front();
  const h5::DataSet data_set = open(name);
  const h5::DataType found(H5Dget_type(data_set.get()), "H5Dget_type");
  h5::require_fields(found.get(), layouts);
  const h5::DataType wanted = h5::compound_type(layouts);
  std::string bytes(static_cast<std::size_t>(count) * H5Tget_size(wanted.get()), '\0');
  if (count > 0)
    h5::check(H5Dread(data_set.get(), wanted.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "H5Dread");
  return bytes;
}

} // namespace metasieve
