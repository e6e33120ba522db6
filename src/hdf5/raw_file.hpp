#pragma once

#include "parallel/communicator.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace metasieve {

/// A file as bytes, used by one rank; move-only. Every call is checked. @throws DataError naming the file
class RawFile {
public:
  [[nodiscard]] static RawFile open(const std::filesystem::path& path); ///< to read
  /// A new file, to append to. @throws DataError if there is one of this name
  [[nodiscard]] static RawFile create(const std::filesystem::path& path);
  ~RawFile();
  RawFile(RawFile&& other) noexcept;
  RawFile& operator=(RawFile&& other) noexcept;

  [[nodiscard]] std::int64_t size() const;
  /// `size` bytes from `offset` on; fewer where the file ends before.
  [[nodiscard]] std::string read(std::int64_t offset, std::int64_t size) const;
  /// Reads into `to`. @return the number of bytes that were there
  std::size_t read(std::int64_t offset, std::span<std::byte> to) const;
  void append(const std::string& bytes);
  /// All that was appended is on disk when this returns.
  void sync();

  // Hints to the system; where it takes none nothing is lost.
  /// Starts to read `size` bytes from `offset` on, which this node will soon need.
  void read_ahead(std::int64_t offset, std::int64_t size) const noexcept;
  /// Starts to move to disk `size` bytes from `offset` on, which a process of this node has written.
  void write_back(std::int64_t offset, std::int64_t size) const noexcept;

private:
  RawFile(int file, std::filesystem::path path) : file_(file), path_(std::move(path)) {}

  int file_;
  std::filesystem::path path_;
};

/// Has the entries of a folder on disk, where the file system can.
void sync_folder(const std::filesystem::path& folder);

/// Collective: a hash of the bytes of a file, each rank reading its part; the same for any number of ranks.
/// @throws CollectiveError (exit code 3)
[[nodiscard]] std::uint64_t hash_file(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
