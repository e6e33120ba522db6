#pragma once

#include "base/error.hpp"
#include "base/linalg.hpp"

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
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
  template <class T>
  requires std::is_trivially_copyable_v<T> ByteWriter& put(const std::vector<T>& values) {
    put(static_cast<std::uint64_t>(values.size()));
    for (const T& value : values) put(value);
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

/// Reads them back in the same order. Members throw DataError where the bytes end too early.
class ByteReader {
public:
  explicit ByteReader(const std::string& bytes) : rest_(bytes) {}

  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T get() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  [[nodiscard]] std::string text() { return std::string(take(get<std::uint64_t>())); }
  [[nodiscard]] std::vector<std::string> texts() {
    std::vector<std::string> texts;
    for (auto left = get<std::uint64_t>(); left > 0; --left) texts.push_back(text());
    return texts;
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] std::vector<T> values() {
    std::vector<T> values;
    for (auto left = get<std::uint64_t>(); left > 0; --left) values.push_back(get<T>());
    return values;
  }
  template <class Array>
  [[nodiscard]] Array array() {
    const Index rows = get<Index>();
    const Index columns = get<Index>();
    std::uint64_t count = 0, size = 0;
    constexpr Index fixed = Array::ColsAtCompileTime;
    if (rows < 0 || columns < 0 || (fixed != Eigen::Dynamic && columns != fixed) ||
        __builtin_mul_overflow(rows, columns, &count) ||
        __builtin_mul_overflow(count, sizeof(typename Array::Scalar), &size))
      fail();
    const std::string_view values = take(size); // first: memory is taken only for what is there
    Array array(rows, columns);
    if (size > 0) std::memcpy(array.data(), values.data(), size);
    return array;
  }

private:
  [[noreturn]] static void fail() { throw DataError("a message between processes is damaged"); }
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) fail();
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest_;
};

} // namespace metasieve
