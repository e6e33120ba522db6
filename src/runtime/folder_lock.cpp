#include "runtime/folder_lock.hpp"

#include "base/stopwatch.hpp"
#include "parallel/collective.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace metasieve {

namespace fs = std::filesystem;

namespace {

/// Whether another process holds a lock that excludes this one; takes it otherwise.
bool is_refused(int file, int kind) { return ::flock(file, kind | LOCK_NB) != 0 && errno == EWOULDBLOCK; }

} // namespace

std::optional<FileLock> FileLock::try_lock(const fs::path& path) {
  std::error_code none;
  // Network file systems lock a file only if it is open for writing, and a folder not at all.
  const int mode = fs::is_directory(path, none) ? O_RDONLY | O_DIRECTORY : O_RDWR | O_CREAT;
  FileLock lock(::open(path.c_str(), mode | O_CLOEXEC, 0666));
  if (lock.file_ < 0)
    throw DataError("cannot write " + path.string() + ": " + std::generic_category().message(errno));
  if (is_refused(lock.file_, LOCK_EX)) return std::nullopt;
  return lock;
}

bool FileLock::is_held(const fs::path& file) {
  const FileLock lock(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  return lock.file_ >= 0 && is_refused(lock.file_, LOCK_SH);
}

FileLock::~FileLock() {
  if (file_ >= 0) ::close(file_);
}

FolderLock::FolderLock(const Communicator& comm, const fs::path& folder, double patience) {
  run_collectively_on_file(comm, [&] {
    std::error_code none;
    if (!comm.is_root() || !fs::is_directory(folder, none)) return;
    const double begin = wall_seconds();
    while (!(lock_ = FileLock::try_lock(folder)) && wall_seconds() - begin < patience)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (!lock_)
      throw DataError("cannot write to " + folder.string() +
                      ": another run is writing there; wait until it has ended, or give another --output");
  });
  found_ = comm.max(std::int64_t{lock_.has_value()}) != 0;
}

} // namespace metasieve
