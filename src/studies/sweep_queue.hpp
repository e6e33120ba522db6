#pragma once

#include "runtime/folder_lock.hpp"

#include <filesystem>

namespace metasieve {

/// Hands out the numbers 0, 1, 2, ... to the ranks of a job, each to one of them: a number is taken by making
/// a file of its name in a folder of this job, which a file system does for one process alone. So no rank
/// must answer another one, which would wait while it works.
class SweepQueue {
public:
  /// Collective: makes PARENT/SESSION, and removes what sessions that were killed have left there.
  /// @throws AgreedError (exit code 3)
  SweepQueue(const Communicator& comm, const std::filesystem::path& parent);

  /// By this rank alone: the lowest number that is free. @throws DataError
  [[nodiscard]] Index take();
  /// By this rank alone: how many it knows to be taken.
  [[nodiscard]] Index taken() const noexcept { return next_; }

  /// Collective.
  void remove();

private:
  const Communicator& comm_;
  std::filesystem::path folder_;
  FolderLock lock_;
  Index next_ = 0; ///< all below are taken
};

} // namespace metasieve
