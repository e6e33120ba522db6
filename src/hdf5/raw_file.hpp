#pragma once

#include "parallel/communicator.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace metasieve {

/// Owns a file descriptor, or none if it is negative; move-only.
class Descriptor {
public:
  explicit Descriptor(int file) noexcept : file_(file) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }

  [[nodiscard]] int get() const noexcept { return file_; }

private:
  int file_;
};

/// A file as bytes, used by one rank; move-only. Every call is checked. @throws DataError naming the file
class RawFile {
public:
  [[nodiscard]] static RawFile open(const std::filesystem::path& path); ///< to read
  /// A new file, to append to. @throws DataError if there is one of this name
  [[nodiscard]] static RawFile create(const std::filesystem::path& path);

  [[nodiscard]] std::int64_t size() const;
  /// `size` bytes from `offset` on; fewer where the file ends before.
  [[nodiscard]] std::string read(std::int64_t offset, std::int64_t size) const;
  /// Reads into `to`. @return the number of bytes that were there
  std::size_t read(std::int64_t offset, std::span<std::byte> to) const;
  void append(const std::string& bytes);
  /// Flushes what was appended to disk.
  void sync();

  // Hints to the system; where it takes none nothing is lost.
  /// Starts to read `size` bytes from `offset` on, which this node will soon need.
  void read_ahead(std::int64_t offset, std::int64_t size) const noexcept;
  /// Starts to move to disk `size` bytes from `offset` on, which a process of this node has written.
  void write_back(std::int64_t offset, std::int64_t size) const noexcept;

private:
  RawFile(int file, std::filesystem::path path) : file_(file), path_(std::move(path)) {}

  Descriptor file_;
  std::filesystem::path path_;
};

/// Flushes the entries of a folder to disk, where the file system can.
void sync_folder(const std::filesystem::path& folder);

/// Collective: a hash of the bytes of a file, each rank reading its part; the same for any number of ranks.
/// @throws CollectiveError (exit code 3)
[[nodiscard]] std::uint64_t hash_file(const Communicator& comm, const std::filesystem::path& path);

/// @throws DataError "cannot write PATH: reason" if it names no file, or what is there is no regular file.
void require_file_name(const std::filesystem::path& path);

/// Makes the folders of `path` and shows that `part` can be created there, before all ranks try together.
/// @throws DataError "cannot write PATH: reason"
void prepare_place(const std::filesystem::path& path, const std::filesystem::path& part);

/// Has the file system set aside bytes [offset, offset + size) of `part`, where it can. @throws DataError if
/// there is no room.
void reserve_space(const std::filesystem::path& path, const std::filesystem::path& part, std::uint64_t offset,
                   std::uint64_t size);

/// Waits a few seconds until this rank sees a file that rank 0 has found or made, for network file systems
/// may be late: a rank that opened what is not there would hang the others. @throws DataError
void require_visible(const std::filesystem::path& path);

/// Moves the finished `part` to `path`, safe on disk when it returns; what was at `path` goes to `previous`,
/// unless that is empty: at every moment one of the two is whole. @throws DataError
void atomic_replace(const std::filesystem::path& part, const std::filesystem::path& path,
                    const std::filesystem::path& previous = {});

/// Collective; rank 0's text is written to PATH.part, flushed to disk and renamed, so that `path` holds all
/// of it or what was there before. Missing folders are made. @throws CollectiveError (exit code 3) naming the
/// file if it cannot be written.
void write_text(const Communicator& comm, const std::filesystem::path& path, const std::string& text);

/// Called by one rank alone: as write_text, but the folder must be there and nothing is flushed to disk.
/// Several processes may do so at once: one of their texts is left.
void replace_text(const std::filesystem::path& path, const std::string& text);

/// The bytes of a file, read by one rank alone; nothing where there is none or it cannot be read.
[[nodiscard]] std::optional<std::string> text_if_any(const std::filesystem::path& path);

} // namespace metasieve
