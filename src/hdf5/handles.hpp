#pragma once

#include "base/error.hpp"

#include <hdf5.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>

/// A thin, checked layer over the HDF5 C calls.
namespace metasieve::h5 {

/// A failing HDF5 call: its name and the most specific entry of the error stack, on one line. Exit code 3.
struct IoError : DataError {
  using DataError::DataError;
};

/// Stops HDF5 from printing to standard error. Call before the first HDF5 call of an operation; cheap.
void initialise();

/// @throws IoError for `call`, with what HDF5's error stack says; clears the stack.
[[noreturn]] void fail(const char* call);

/// `result` of the HDF5 function `call`, unless it is negative. @throws IoError
template <class Result>
Result check(Result result, const char* call) {
  if constexpr (std::is_signed_v<Result>)
    if (result < 0) fail(call);
  return result;
}

/// Marks that a file had to stay open because closing it would fail, or did: HDF5 would try again at
/// MPI_Finalize, and crash. The program must then end without MPI_Finalize.
void give_up_file() noexcept;
[[nodiscard]] bool gave_up_file() noexcept;

/// Owns one HDF5 id; move-only. The destructor closes in silence; `close` checks.
template <herr_t (*Close)(hid_t)>
class Handle {
public:
  Handle() = default;
  /// Takes what the HDF5 function `call` returned. @throws IoError if that is negative.
  Handle(hid_t id, const char* call) : id_(check(id, call)) {}
  ~Handle() {
    if (id_ >= 0) Close(id_);
  }
  Handle(Handle&& other) noexcept : id_(other.release()) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }

  [[nodiscard]] hid_t get() const noexcept { return id_; }
  [[nodiscard]] explicit operator bool() const noexcept { return id_ >= 0; }
  /// Gives the id away unclosed.
  hid_t release() noexcept { return std::exchange(id_, H5I_INVALID_HID); }
  /// @throws IoError
  void close() {
    if (id_ >= 0) check(Close(release()), "close");
  }

private:
  hid_t id_ = H5I_INVALID_HID;
};

using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Object = Handle<H5Oclose>;
using DataSet = Handle<H5Dclose>;
using DataSpace = Handle<H5Sclose>;
using DataType = Handle<H5Tclose>;
using Attribute = Handle<H5Aclose>;
using PropertyList = Handle<H5Pclose>;

/// A property list of the class, e.g. H5P_DATASET_CREATE.
[[nodiscard]] PropertyList property_list(hid_t list_class);

/// The type of T in files, little-endian, and in memory: equal, because a collective transfer that converts
/// types is silently turned into an independent one.
template <class T>
[[nodiscard]] hid_t type_of() {
  static_assert(std::endian::native == std::endian::little, "files are written as they lie in memory");
  if constexpr (std::is_same_v<T, float>)
    return H5T_IEEE_F32LE;
  else if constexpr (std::is_same_v<T, double>)
    return H5T_IEEE_F64LE;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return H5T_STD_U8LE;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return H5T_STD_I32LE;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return H5T_STD_I64LE;
  else {
    static_assert(std::is_same_v<T, std::uint64_t>, "no such type in our files");
    return H5T_STD_U64LE;
  }
}

/// UTF-8 text of `size` bytes, at least 1, padded with zero bytes.
[[nodiscard]] DataType text_type(std::size_t size);

/// Rows [first, first + rows) of a data set of one or two dimensions; none if `rows` is 0.
[[nodiscard]] DataSpace rows_of(hid_t data_set, hsize_t first, hsize_t rows, hsize_t columns);
/// Memory for [rows], or [rows, columns] if `rank` is 2.
[[nodiscard]] DataSpace rows_in_memory(std::size_t rank, hsize_t rows, hsize_t columns);

/// Words for messages: "float32", "uint8", "text", "compound" ...
[[nodiscard]] std::string describe_type(hid_t type);

} // namespace metasieve::h5

namespace metasieve {

/// Version of the HDF5 library in use.
[[nodiscard]] std::string hdf5_version();

/// Begins the message about a file that this user may not read.
inline const std::string cannot_be_read = "cannot be read: ";

/// Opens an HDF5 file for reading by one rank alone. @throws DataError naming the file: missing, a folder,
/// not readable, empty, not HDF5, truncated or damaged.
[[nodiscard]] h5::File open_file(const std::filesystem::path& path);

} // namespace metasieve
