#pragma once

#include "base/linalg.hpp"

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace metasieve {

/// Values as bytes, to travel from rank 0 to the others. Not a file format.
class ByteWriter {
public:
  template <class T>
  requires std::is_trivially_copyable_v<T> ByteWriter& put(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  ByteWriter& put(const std::string& text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
    return *this;
  }
  ByteWriter& put(const std::vector<std::string>& texts) {
    put(static_cast<std::uint64_t>(texts.size()));
    for (const std::string& text : texts) put(text);
    return *this;
  }
  /// Shape and values.
  template <class Derived>
  ByteWriter& put(const Eigen::PlainObjectBase<Derived>& matrix) {
    put(matrix.rows()).put(matrix.cols());
    bytes_.append(reinterpret_cast<const char*>(matrix.data()),
                  static_cast<std::size_t>(matrix.size()) * sizeof(typename Derived::Scalar));
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
  std::string bytes_;
};

/// Takes them back in the same order.
class ByteReader {
public:
  explicit ByteReader(const std::string& bytes) : next_(bytes.data()) {}

  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T get() {
    T value;
    copy_to(&value, sizeof value);
    return value;
  }
  [[nodiscard]] std::string text() {
    std::string text(get<std::uint64_t>(), '\0');
    copy_to(text.data(), text.size());
    return text;
  }
  [[nodiscard]] std::vector<std::string> texts() {
    std::vector<std::string> texts(get<std::uint64_t>());
    for (std::string& each : texts) each = text();
    return texts;
  }
  template <class Array>
  [[nodiscard]] Array array() {
    const Index rows = get<Index>();
    const Index columns = get<Index>();
    Array array(rows, columns);
    copy_to(array.data(), static_cast<std::size_t>(array.size()) * sizeof(typename Array::Scalar));
    return array;
  }

private:
  void copy_to(void* to, std::size_t size) {
    if (size > 0) std::memcpy(to, next_, size);
    next_ += size;
  }
  const char* next_;
};

} // namespace metasieve
