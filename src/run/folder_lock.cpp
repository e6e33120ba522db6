#include "run/folder_lock.hpp"

#include "io/agree.hpp"
#include "run/phase_clock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

namespace metasieve {

FolderLock::FolderLock(const Communicator& comm, const std::filesystem::path& folder, double patience) {
  agree_on_file(comm, [&] {
    if (!comm.is_root()) return;
    file_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const auto held_by_another = [&] {
      return file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    };
    const double begin = wall_seconds();
    bool held = held_by_another();
    for (; held && wall_seconds() - begin < patience; held = held_by_another())
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (held) {
      ::close(std::exchange(file_, -1));
      throw DataError("cannot write to " + folder.string() +
                      ": another run is writing there; wait until it has ended, or give another --output");
    }
  });
  found_ = comm.max(std::int64_t{file_ >= 0}) != 0;
}

bool FolderLock::is_held(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return false;
  const bool held = ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  return held;
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
