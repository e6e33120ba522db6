#pragma once

#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"
#include "parallel/collective.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
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

/// The ranks that give the content of a file.
enum class Writers {
  root,
  all_ranks ///< the rows of each, in rank order
};

/// The list of what a file of one type holds beside the attributes of every file, in the order in which it is
/// written. From this list follow writing and reading. A `member` is a pointer to a member of Content, or a
/// function from the content, const or not, to a reference.
template <class Content>
class FileLayout {
  template <class Member>
  using ValueOf = std::remove_cvref_t<std::invoke_result_t<Member, Content&>>;

public:
  explicit FileLayout(FileType type, Writers writers = Writers::root) : type_(type), writers_(writers) {}

  [[nodiscard]] FileType type() const noexcept { return type_; }
  [[nodiscard]] Writers writers() const noexcept { return writers_; }

  /// A part that is none of the below.
  FileLayout& part(std::function<void(FileWriter&, const Content&)> write,
                   std::function<void(const FileReader&, Content&)> read) {
    parts_.push_back({std::move(write), std::move(read)});
    return *this;
  }
  /// A part that follows from the rest of the content: it is only written.
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
  template <class Member, class Record = typename ValueOf<Member>::value_type>
  FileLayout& table(const std::string& name, Member member, const h5::Records<Record>& records,
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

  /// Everything in another layout, of a part of this content.
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
  Writers writers_;
  std::vector<Part> parts_;
};

/// The layout of the files that hold a Content. Each file type specialises it.
template <class Content>
[[nodiscard]] const FileLayout<Content>& layout_of();

/// First argument of a process that checks a file for another one: `metasieve --check-file CHECK PATH`.
inline constexpr const char* check_option = "--check-file";

/// Lets check_in_child_process start this program again: its main calls serve_file_check first of all.
void allow_child_processes() noexcept;

/// Has a file read by a process of its own: HDF5 1.10 crashes, or never ends, on many damaged files, and that
/// must not happen to a rank. The new process is this program again, without MPI; a copy of this one (fork)
/// would be unsafe beside the memory that an MPI library has registered with the network. `check`: see
/// serve_file_check.
/// @return what the check says of a sound file; nothing if no process can be started, and nothing was checked
/// @throws DataError what the check throws; or that the file is damaged, if it crashes or takes too long
std::optional<std::string> check_in_child_process(const std::filesystem::path& path, std::string_view check);

/// Collective: check_in_child_process on rank 0, after which every rank sees the file. @throws
/// CollectiveError
void check_together(const Communicator& comm, const std::filesystem::path& path, FileType type);

/// Collective: rank 0 has the file checked, then every rank reads it. @throws CollectiveError (exit code 3)
/// naming file and data set: missing, not HDF5, another file type, a newer version, truncated, a wrong shape
/// or type, and what the layout refuses
template <class Content>
[[nodiscard]] Content read_file(const Communicator& comm, const std::filesystem::path& path) {
  const FileLayout<Content>& layout = layout_of<Content>();
  check_together(comm, path, layout.type());
  Content content{};
  run_collectively_on_file(comm, [&] { content = layout.read(FileReader(path, layout.type())); });
  return content;
}

/// Collective: writes the content of the layout's writers. What was at `path` goes to `previous`, unless that
/// is empty. @throws CollectiveError (exit code 3) naming the file if it cannot be written
template <class Content>
void write_file(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                const Content& content, const std::filesystem::path& previous = {}) {
  const FileLayout<Content>& layout = layout_of<Content>();
  const auto fill = [&](FileWriter& file) { layout.write(file, content); };
  if (layout.writers() == Writers::root)
    write_file_on_root(comm, path, layout.type(), provenance, fill, previous);
  else
    write_file(comm, path, layout.type(), provenance, fill, previous);
}

} // namespace metasieve
