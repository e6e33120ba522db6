#pragma once

#include "base/linalg.hpp"
#include "hdf5/attribute.hpp"
#include "hdf5/file_header.hpp"
#include "hdf5/handles.hpp"
#include "hdf5/records.hpp"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// Ends the message about a file of a newer major version.
inline constexpr const char* newer_version_advice = "install a newer metasieve";

/// An attribute or a data set, without its values.
struct ValueLayout {
  std::string name;
  std::string type; ///< as h5::describe_type
  std::vector<Index> shape;
  std::vector<std::string> fields; ///< of a compound
};

/// Where the values of a data set lie in the file, one after the other.
struct Extent {
  std::int64_t place = 0; ///< of the first one, in bytes from the start of the file; 0 if there is none
  Index count = 0;        ///< number of values
};

/// One of our files, read by one rank alone. The contents are taken for hostile: extents are checked against
/// what the file can hold before memory is allocated. Members throw DataError: one line with the name of the
/// file, the data set, what is wrong and what would be right.
class FileReader {
public:
  /// Checks that it exists, is HDF5, is ours, has a version that we know, and is complete.
  explicit FileReader(const std::filesystem::path& path);
  /// Checks also that it is of this type.
  FileReader(const std::filesystem::path& path, FileType type);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] FileType type() const noexcept { return type_; }
  [[nodiscard]] const FormatVersion& version() const noexcept { return version_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

  /// A root attribute; the types are those of h5::read_attribute.
  template <class Value>
  [[nodiscard]] Value attribute(const std::string& name) const {
    return within("/", [&] { return h5::read_attribute<Value>(file_.get(), name); });
  }
  [[nodiscard]] bool has_attribute(const std::string& name) const;
  /// The root attribute, or nothing if the file lacks it.
  template <class Value>
  [[nodiscard]] std::optional<Value> attribute_if_any(const std::string& name) const {
    return has_attribute(name) ? std::optional(attribute<Value>(name)) : std::nullopt;
  }

  /// Whether there is a group or data set of this name ("/train/x").
  [[nodiscard]] bool contains(const std::string& name) const;
  /// Number of things in a group.
  [[nodiscard]] Index member_count(const std::string& group) const;

  /// Every attribute of the root.
  [[nodiscard]] std::vector<ValueLayout> attributes() const;
  /// Every data set of the file, by name.
  [[nodiscard]] std::vector<ValueLayout> data_sets() const;
  /// Whether the values are those whose checksum was written with them; nothing: it has none. The checksum of
  /// texts of variable length is that of their bytes, a zero byte after each.
  [[nodiscard]] std::optional<bool> checksum_fits(const std::string& name) const;

  /// The extents of a data set of `rank` dimensions, all of whose values are in the file.
  [[nodiscard]] std::vector<Index> shape(const std::string& name, int rank) const;

  /// The values, row by row. T is int64_t (any integer type will do), double or float (any number).
  template <class T>
  [[nodiscard]] std::vector<T> values(const std::string& name, int rank) const {
    return within(name, [&] {
      const DataSet data_set = open(name, rank);
      std::size_t count = 1;
      for (const hsize_t extent : data_set.extents) count *= extent; // which fits: `open` has checked it
      std::vector<T> values(count);
      read(data_set, h5::type_of<T>(), std::is_integral_v<T>, values.data());
      return values;
    });
  }

  /// The texts of a data set of one dimension, of fixed or variable length.
  [[nodiscard]] std::vector<std::string> texts(const std::string& name) const;

  /// Checks that the data set has one dimension and exactly the type T, and lies in the file as it is.
  template <class T>
  [[nodiscard]] Extent extent(const std::string& name) const {
    return extent(name, h5::type_of<T>());
  }

  /// Optional fields that the file lacks are as in Record{}.
  template <class Record>
  [[nodiscard]] std::vector<Record> records(const std::string& name,
                                            const h5::Records<Record>& records) const {
    const std::string bytes = read_records(name, records.layouts(), records.blank());
    return within(name, [&] { return records.unpack(bytes); });
  }
  /// A table with whatever fields it has; its texts are checked.
  [[nodiscard]] h5::AnyRecords any_records(const std::string& name) const;

  /// "PATH: name: problem"
  [[noreturn]] void fail(const std::string& name, const std::string& problem) const;

private:
  struct DataSet {
    h5::DataSet set;
    h5::DataType type;
    std::vector<hsize_t> extents;
  };
  [[nodiscard]] DataSet open(const std::string& name) const;
  /// Checks also that it has `rank` dimensions, and that all its values are in the file.
  [[nodiscard]] DataSet open(const std::string& name, int rank) const;
  void check_storage(const DataSet& data_set) const;
  [[nodiscard]] Extent extent(const std::string& name, hid_t type) const;
  /// The bytes of a table's records, as of h5::Records. `blank`: the bytes of a record before it is read.
  [[nodiscard]] std::string read_records(const std::string& name, const std::vector<h5::FieldLayout>& fields,
                                         const std::string& blank) const;
  /// Calls `use` with each text of a data set of variable length, in order. @throws DataError if they are
  /// more than the file can hold
  void each_text(const DataSet& data_set, const std::function<void(const char*)>& use) const;
  static void read(const DataSet& data_set, hid_t type, bool integers, void* values);

  /// Adds file and name to what `work` throws.
  template <std::invocable Work>
  auto within(const std::string& name, const Work& work) const {
    try {
      return work();
    } catch (const h5::IoError& error) {
      fail(name, std::string("damaged (") + error.what() + ")");
    } catch (const DataError& error) {
      const std::string text = error.what();
      if (text.starts_with(path_.string() + ": ")) throw;
      fail(name, text);
    }
  }

  std::filesystem::path path_;
  std::uint64_t bytes_ = 0;
  h5::File file_;
  FileType type_ = FileType::suite;
  FormatVersion version_;
};

} // namespace metasieve
