#include "runtime/folder_lock.hpp"

#include "parallel/collective.hpp"
#include "runtime/phases.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

namespace metasieve {
namespace {

/// < 0: there is none.
int open_folder(const std::filesystem::path& folder) {
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/// Locks it, unless another run holds it. A file system without locks lets all in.
bool is_held_by_another(int folder) {
  return folder >= 0 && ::flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

} // namespace

FolderLock::FolderLock(const Communicator& comm, const std::filesystem::path& folder, double patience) {
  agree_on_file(comm, [&] {
    if (!comm.is_root()) return;
    file_ = open_folder(folder);
    const double begin = wall_seconds();
    bool held = is_held_by_another(file_);
    for (; held && wall_seconds() - begin < patience; held = is_held_by_another(file_))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (held) {
      ::close(std::exchange(file_, -1));
      throw DataError("cannot write to " + folder.string() +
                      ": another run is writing there; wait until it has ended, or give another --output");
    }
  });
  found_ = comm.max(std::int64_t{file_ >= 0}) != 0;
}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : file_(std::exchange(other.file_, -1)), found_(other.found_) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(found_, other.found_);
  return *this;
}

} // namespace metasieve
