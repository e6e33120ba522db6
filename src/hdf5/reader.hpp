#pragma once

#include "base/linalg.hpp"
#include "hdf5/attribute.hpp"
#include "hdf5/file_type.hpp"
#include "hdf5/handles.hpp"
#include "hdf5/records.hpp"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
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

/// One of our files, read by one rank alone. The contents are taken for hostile: extents are checked against
/// what the file can hold before memory is allocated. Members throw DataError: one line with the name of the
/// file, the data set, what is wrong and what would be right.
class FileReader {
public:
  /// Checks that it exists, is HDF5, is ours, has a version that we know, and is complete.
  explicit FileReader(const std::filesystem::path& path);
  /// Checks also that it is of this type.
  FileReader(const std::filesystem::path& path, FileType type);

  [[nodiscard]] FileType type() const noexcept { return type_; }
  [[nodiscard]] const FormatVersion& version() const noexcept { return version_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

  // Attributes of the root.
  [[nodiscard]] bool has_attribute(const std::string& name) const;
  [[nodiscard]] std::string text(const std::string& attribute) const;
  /// The text, or nothing if the attribute is missing.
  [[nodiscard]] std::string text_if_any(const std::string& attribute) const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& attribute) const;
  [[nodiscard]] std::int64_t integer(const std::string& attribute) const;
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& attribute) const;
  [[nodiscard]] std::uint64_t unsigned_integer(const std::string& attribute) const;
  [[nodiscard]] double number(const std::string& attribute) const;

  /// Whether there is a group or data set of this name ("/train/x").
  [[nodiscard]] bool contains(const std::string& name) const;
  /// Number of things in a group.
  [[nodiscard]] Index member_count(const std::string& group) const;

  /// The extents of a data set of `rank` dimensions, all of whose values are in the file.
  [[nodiscard]] std::vector<Index> shape(const std::string& name, int rank) const;
  /// @throws DataError unless the data set has exactly the type T.
  template <class T>
  void require_type(const std::string& name) const {
    require_type(name, h5::type_of<T>());
  }

  /// Every attribute of the root.
  [[nodiscard]] std::vector<ValueLayout> attributes() const;
  [[nodiscard]] ValueLayout layout(const std::string& data_set) const;
  /// Every data set of the file, by name.
  [[nodiscard]] std::vector<std::string> data_sets() const;
  /// Whether the values are those whose checksum was written with them; nothing: it has none.
  [[nodiscard]] std::optional<bool> checksum_fits(const std::string& name) const;
  /// Whether the values lie in the file as they are, one after the other.
  [[nodiscard]] bool is_contiguous(const std::string& name) const;
  /// Where the values of a contiguous data set begin, in bytes from the start of the file; 0 if it has none.
  [[nodiscard]] std::int64_t place(const std::string& name) const;

  /// All values, row by row. T is int64_t (any integer type will do), double or float (any number).
  template <class T>
  [[nodiscard]] std::vector<T> values(const std::string& name, int rank) const {
    std::vector<T> values(static_cast<std::size_t>(value_count(shape(name, rank))));
    read(name, h5::type_of<T>(), std::is_integral_v<T>, values.data());
    return values;
  }

  /// Optional fields that the file lacks are as in Record{}.
  template <class Record>
  [[nodiscard]] std::vector<Record> records(const std::string& name,
                                            const h5::Records<Record>& records) const {
    return within(name, [&] {
      const h5::Records<Record> there = records.without(absent_fields(name, records.layouts()));
      return there.unpack(read_records(name, there.layouts()));
    });
  }

  /// The fields of a table, as they are read: see h5::fields_of.
  [[nodiscard]] std::vector<h5::FieldLayout> fields(const std::string& name) const;

  /// "PATH: name: problem"
  [[noreturn]] void fail(const std::string& name, const std::string& problem) const;

private:
  [[nodiscard]] static Index value_count(const std::vector<Index>& shape);
  [[nodiscard]] h5::DataSet open(const std::string& name) const;
  void check_storage(const std::string& name, const h5::DataSet& data_set, std::uint64_t values) const;
  void require_type(const std::string& name, hid_t type) const;
  void read(const std::string& name, hid_t type, bool integers, void* values) const;
  [[nodiscard]] std::vector<std::string> absent_fields(const std::string& name,
                                                       const std::vector<h5::FieldLayout>& layouts) const;
  [[nodiscard]] std::string read_records(const std::string& name,
                                         const std::vector<h5::FieldLayout>& layouts) const;

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
