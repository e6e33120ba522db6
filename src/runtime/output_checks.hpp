#pragma once

#include "hdf5/raw_file.hpp"
#include "parallel/communicator.hpp"

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

namespace metasieve {

/// The folder of `path`, or where that is still to be made, the innermost folder above it that exists.
[[nodiscard]] std::filesystem::path existing_folder(const std::filesystem::path& path);

/// Checks that no output is one of the inputs, which it would replace. @throws CollectiveError (exit code 2)
/// naming it
void require_distinct(const Communicator& comm, const std::vector<std::filesystem::path>& outputs,
                      const std::vector<std::filesystem::path>& inputs);

/// Checks that `files` can be written, before hours are spent on their contents. Changes nothing: folders
/// are made when there is something to put into them. @throws CollectiveError (exit code 3) naming file and
/// reason.
void require_writable(const Communicator& comm, const std::vector<std::filesystem::path>& files);

/// An advisory lock that this process holds on a file or folder until it is destroyed, or the process dies.
/// File systems without locks let everybody in.
class FileLock {
public:
  /// Called by one rank alone. Creates a file that is not there, in a folder that is.
  /// @return nothing if another process holds it. @throws DataError
  [[nodiscard]] static std::optional<FileLock> try_lock(const std::filesystem::path& path);
  /// Whether another process holds a lock on the file; false if it cannot be opened.
  [[nodiscard]] static bool is_held(const std::filesystem::path& file);
  /// Whether the locked file is still what has this name.
  [[nodiscard]] bool is_at(const std::filesystem::path& path) const;

private:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}

  Descriptor file_;
};

/// Keeps a second run out of an output folder for as long as it lives; rank 0 holds the lock.
class FolderLock {
public:
  FolderLock() = default;
  /// Collective. A folder that is not there is not locked. @throws CollectiveError (exit code 3) if another
  /// run still holds it after `patience` seconds
  FolderLock(const Communicator& comm, const std::filesystem::path& folder, double patience = 0);

  /// Whether the folder was there; the same on every rank.
  [[nodiscard]] bool found() const noexcept { return found_; }

private:
  std::optional<FileLock> lock_; ///< on rank 0
  bool found_ = false;
};

/// Keeps a second run from writing the same output file for as long as it lives: rank 0 holds a lock on
/// FILE.lock, which it makes and removes. A run that is killed leaves that file, which then blocks no other
/// run.
class OutputLock {
public:
  /// Collective; makes the folder. @throws CollectiveError (exit code 3) if another run holds the lock
  OutputLock(const Communicator& comm, const std::filesystem::path& output);
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

private:
  std::filesystem::path path_, existing_folder_; ///< absolute; the innermost folder that was there before
  std::optional<FileLock> lock_;                 ///< on rank 0
};

} // namespace metasieve
