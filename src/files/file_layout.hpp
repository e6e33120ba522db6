#pragma once

#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace metasieve {

/// What is wrong with a value that was read ("must be above 0"); nothing where it is sound.
template <class Value>
using Fault = std::function<std::string(const Value&)>;

/// Whether every file has a table, with records or without.
enum class Presence {
  always,
  added_later, ///< files of older programs lack it
  if_any       ///< left out where there are no records
};

/// All that a file of one type holds beside the attributes of every file, in the order in which it is
/// written. From this list follow writing and reading. A `member` is a pointer to a member of Content, or a
/// function from the content, const or not, to a reference.
template <class Content>
class FileLayout {
  template <class Member>
  using ValueOf = std::remove_cvref_t<std::invoke_result_t<Member, Content&>>;

public:
  explicit FileLayout(FileType type) : type_(type) {}

  [[nodiscard]] FileType type() const noexcept { return type_; }

  /// What is none of the below.
  FileLayout& part(std::function<void(FileWriter&, const Content&)> write,
                   std::function<void(const FileReader&, Content&)> read) {
    parts_.push_back({std::move(write), std::move(read)});
    return *this;
  }
  /// What follows from the rest of the content: it is only written.
  FileLayout& written(std::function<void(FileWriter&, const Content&)> write) {
    return part(std::move(write), [](const FileReader&, Content&) {});
  }
  /// A check of what has been read so far, or what every file has: it is only read.
  FileLayout& read_only(std::function<void(const FileReader&, Content&)> read) {
    return part([](FileWriter&, const Content&) {}, std::move(read));
  }

  /// A root attribute; bool is stored as 0 or 1.
  template <class Member>
  FileLayout& attribute(const std::string& name, Member member, const Fault<ValueOf<Member>>& fault = {}) {
    using Value = ValueOf<Member>;
    using Stored = std::conditional_t<std::is_same_v<Value, bool>, std::int64_t, Value>;
    return part(
        [=](FileWriter& file, const Content& content) {
          file.attribute(name, static_cast<Stored>(std::invoke(member, content)));
        },
        [=](const FileReader& file, Content& content) {
          const auto stored = file.attribute<Stored>(name);
          std::invoke(member, content) = static_cast<Value>(stored);
          std::string problem = fault ? fault(std::invoke(member, content)) : std::string();
          if (std::is_same_v<Value, bool> && static_cast<Stored>(std::invoke(member, content)) != stored)
            problem = "must be 0 or 1";
          if (!problem.empty()) file.fail("/", "attribute '" + name + "' " + problem);
        });
  }

  /// A root attribute that a file may lack: the member stays as in Content{} then.
  template <class Member>
  FileLayout& optional_attribute(const std::string& name, Member member) {
    return part(
        [=](FileWriter& file, const Content& content) { file.attribute(name, std::invoke(member, content)); },
        [=](const FileReader& file, Content& content) {
          if (auto value = file.attribute_if_any<ValueOf<Member>>(name))
            std::invoke(member, content) = std::move(*value);
        });
  }

  /// An attribute that the writer gives every file: "config" or "git_commit".
  FileLayout& attribute_of_every_file(const std::string& name, std::string Content::*member) {
    return read_only([=](const FileReader& file, Content& content) {
      content.*member = file.attribute<std::string>(name);
    });
  }

  /// A table: a std::vector of records. Ranks write theirs in rank order.
  template <class Record, class Member>
  FileLayout& table(const std::string& name, const h5::Records<Record>& records, Member member,
                    const Meaning& meaning, Presence presence = Presence::always) {
    return part(
        [=](FileWriter& file, const Content& content) {
          const std::vector<Record>& rows = std::invoke(member, content);
          if (presence != Presence::if_any || file.communicator().sum(std::ssize(rows)) > 0)
            file.write(name, records, std::span(rows), meaning);
        },
        [=](const FileReader& file, Content& content) {
          if (presence == Presence::always || file.contains(name))
            std::invoke(member, content) = file.records(name, records);
        });
  }

  /// An array: a matrix, a vector, or a std::optional one, which a file may lack. `read`: from the file and
  /// the array's name, given the content so far.
  template <class Member>
  FileLayout&
  array(const std::string& name, Member member, const Meaning& meaning,
        const std::function<ValueOf<Member>(const FileReader&, const std::string&, const Content&)>& read) {
    return part(
        [=](FileWriter& file, const Content& content) {
          const auto& values = std::invoke(member, content);
          if constexpr (requires { values.has_value(); }) {
            if (values) file.write(name, *values, meaning);
          } else
            file.write(name, values, meaning);
        },
        [=](const FileReader& file, Content& content) {
          if constexpr (requires { std::invoke(member, content).has_value(); })
            if (!file.contains(name)) return;
          std::invoke(member, content) = read(file, name, content);
        });
  }

  /// All that another layout has, of a part of this content.
  template <class Other, class Member>
  FileLayout& include(const FileLayout<Other>& layout, Member member) {
    return part(
        [=](FileWriter& file, const Content& content) { layout.write(file, std::invoke(member, content)); },
        [=](const FileReader& file, Content& content) { std::invoke(member, content) = layout.read(file); });
  }

  /// Collective; all parts, in order.
  void write(FileWriter& file, const Content& content) const {
    for (const Part& part : parts_) part.write(file, content);
  }
  /// @throws DataError naming file and data set
  [[nodiscard]] Content read(const FileReader& file) const {
    Content content{};
    for (const Part& part : parts_) part.read(file, content);
    return content;
  }

private:
  struct Part {
    std::function<void(FileWriter&, const Content&)> write;
    std::function<void(const FileReader&, Content&)> read;
  };
  FileType type_;
  std::vector<Part> parts_;
};

} // namespace metasieve
