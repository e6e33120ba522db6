#pragma once

#include "hdf5/handles.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace metasieve::h5 {

/// One field of a record in a file.
struct FieldLayout {
  std::string name;
  std::size_t size;  ///< bytes
  hid_t (*number)(); ///< type of a number; nullptr: zero-padded text
  std::size_t offset = 0;
  bool optional = false; ///< files of older programs lack it
};

/// The compound type of these fields, without gaps.
[[nodiscard]] DataType compound_type(const std::vector<FieldLayout>& fields);

/// @throws DataError unless `file_type` is a compound with these fields, of like classes; an optional field
/// may be missing, and there may be others.
void require_fields(hid_t file_type, const std::vector<FieldLayout>& fields);

/// The fields of a compound, one after the other, their numbers as std::int64_t, std::uint64_t or double.
/// @throws DataError if it is none, or has fields of another kind
[[nodiscard]] std::vector<FieldLayout> fields_of(hid_t file_type);

/// The text in a zero-padded field. @throws DataError if it fills the field without a final zero byte.
[[nodiscard]] std::string padded_text(const std::string& name, const std::byte* bytes, std::size_t size);

/// A table with whatever fields it has, see fields_of.
struct AnyRecords {
  std::vector<FieldLayout> fields;
  std::size_t record_bytes = 0, count = 0;
  std::string bytes; ///< of `count` records

  /// Calls `use` with the value of a field of a record: std::string, std::int64_t, std::uint64_t or double.
  auto visit(const FieldLayout& field, std::size_t record, const auto& use) const {
    const auto* from =
        reinterpret_cast<const std::byte*>(bytes.data()) + record * record_bytes + field.offset;
    const auto number = [&]<class T>(T value) {
      std::memcpy(&value, from, sizeof value);
      return use(value);
    };
    if (field.number == nullptr) return use(padded_text(field.name, from, field.size));
    if (field.number == &type_of<double>) return number(double{});
    return field.number == &type_of<std::uint64_t> ? number(std::uint64_t{}) : number(std::int64_t{});
  }
};

/// A member of a member, as a function from the record to a reference.
template <class Outer, class Inner>
[[nodiscard]] auto nested(Outer outer, Inner inner) {
  return [=](auto& record) -> auto& { return std::invoke(inner, std::invoke(outer, record)); };
}

/// How one field of a Record is stored: its name, where it is in the record, and how it lies in a file.
template <class Record>
struct Field {
  FieldLayout layout;
  std::function<void(const Record&, std::byte*)> store;
  std::function<void(Record&, const std::byte*)> load;

  Field(FieldLayout in_file, decltype(store) to_file, decltype(load) from_file)
      : layout(std::move(in_file)), store(std::move(to_file)), load(std::move(from_file)) {}

  /// A number; `member` is a pointer to a member, or a function from the record to a reference.
  template <class Member>
  Field(const std::string& name, Member member) {
    using Value = std::remove_cvref_t<std::invoke_result_t<Member, Record&>>;
    layout = {name, sizeof(Value), &type_of<Value>};
    store = [member](const Record& record, std::byte* to) {
      const Value value = std::invoke(member, record);
      std::memcpy(to, &value, sizeof value);
    };
    load = [member](Record& record, const std::byte* from) {
      std::memcpy(&std::invoke(member, record), from, sizeof(Value));
    };
  }

  /// Text of at most `size` - 1 bytes; what is longer is cut.
  template <class Member>
  Field(const std::string& name, std::size_t size, Member member) {
    layout = {name, size, nullptr};
    store = [member, size](const Record& record, std::byte* to) {
      const std::string& value = std::invoke(member, record);
      std::memcpy(to, value.data(), std::min(value.size(), size - 1));
    };
    load = [member, size, name](Record& record, const std::byte* from) {
      std::invoke(member, record) = padded_text(name, from, size);
    };
  }

  /// Marks the field as one that a file may lack: it is as in Record{} then.
  [[nodiscard]] Field optional() && {
    layout.optional = true;
    return std::move(*this);
  }
};

/// A flag computed from the record: written, but not read back.
template <class Record>
Field<Record> flag(const std::string& name, std::function<bool(const Record&)> value) {
  return {{name, 1, &type_of<std::uint8_t>},
          [value](const Record& record, std::byte* to) { *to = static_cast<std::byte>(value(record)); },
          [](Record&, const std::byte*) {}};
}

/// All fields of a Record, in file order.
template <class Record>
class Records {
public:
  Records(std::initializer_list<Field<Record>> fields) : Records(std::vector<Field<Record>>(fields)) {}
  explicit Records(std::vector<Field<Record>> fields) : fields_(std::move(fields)) {
    for (Field<Record>& field : fields_) {
      field.layout.offset = size_;
      size_ += field.layout.size;
      layouts_.push_back(field.layout);
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; } ///< bytes of one record
  [[nodiscard]] const std::vector<FieldLayout>& layouts() const noexcept { return layouts_; }
  [[nodiscard]] DataType type() const { return compound_type(layouts_); }

  /// The fields that every file has.
  [[nodiscard]] Records without_optional() const {
    std::vector<Field<Record>> fields;
    for (const Field<Record>& field : fields_)
      if (!field.layout.optional) fields.push_back(field);
    return Records(std::move(fields));
  }

  /// The bytes of a record that nothing was read into: optional fields as in Record{}, all others zero.
  [[nodiscard]] std::string blank() const {
    std::string bytes(size_, '\0');
    const Record record{};
    for (const Field<Record>& field : fields_)
      if (field.layout.optional)
        field.store(record, reinterpret_cast<std::byte*>(bytes.data()) + field.layout.offset);
    return bytes;
  }

  void store(const Record& record, std::byte* to) const {
    std::memset(to, 0, size_);
    for (const Field<Record>& field : fields_) field.store(record, to + field.layout.offset);
  }
  [[nodiscard]] Record load(const std::byte* from) const {
    Record record{};
    for (const Field<Record>& field : fields_) field.load(record, from + field.layout.offset);
    return record;
  }

  [[nodiscard]] std::string pack(const std::vector<Record>& records) const {
    std::string bytes(records.size() * size_, '\0');
    auto* to = reinterpret_cast<std::byte*>(bytes.data());
    for (const Record& record : records) store(record, std::exchange(to, to + size_));
    return bytes;
  }
  [[nodiscard]] std::vector<Record> unpack(const std::string& bytes) const {
    if (bytes.size() % size_ != 0) throw DataError("records end too early");
    std::vector<Record> records;
    records.reserve(bytes.size() / size_);
    for (std::size_t at = 0; at < bytes.size(); at += size_)
      records.push_back(load(reinterpret_cast<const std::byte*>(bytes.data()) + at));
    return records;
  }

private:
  std::vector<Field<Record>> fields_;
  std::vector<FieldLayout> layouts_;
  std::size_t size_ = 0;
};

} // namespace metasieve::h5
