#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>

namespace metasieve {

/// Keeps a second run out of an output folder for as long as it lives, even if it dies: rank 0 holds an
/// advisory lock on the folder itself. File systems that have no such locks are let off.
class FolderLock {
public:
  FolderLock() = default;
  /// Collective. A folder that is not there yet is not locked. @throws AgreedError (exit code 3) if another
  /// run holds it, and still does after `patience` seconds
  FolderLock(const Communicator& comm, const std::filesystem::path& folder, double patience = 0);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;

  /// Whether the folder was there; alike on every rank.
  [[nodiscard]] bool found() const noexcept { return found_; }

private:
  int file_ = -1; ///< on rank 0
  bool found_ = false;
};

} // namespace metasieve
