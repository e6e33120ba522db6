#include "runtime/output_checks.hpp"

#include "base/stopwatch.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/collective.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// Leaves nothing behind. @return 0, or errno
int try_to_write_into(const fs::path& folder) {
  const fs::path trial = folder / (".metasieve." + std::to_string(getpid()) + ".trial");
  const Descriptor file(::open(trial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) return errno;
  ::unlink(trial.c_str());
  return 0;
}

void require_writable(const fs::path& file) {
  const auto refuse = [&](const std::string& problem) {
    throw DataError("cannot write " + file.string() + ": " + problem);
  };
  require_file_name(file);
  std::error_code error;
  const fs::path folder = existing_folder(file);
  if (!fs::is_directory(folder, error)) refuse(folder.string() + " is no folder");
  if (const int problem = try_to_write_into(folder); problem != 0)
    refuse("folder " + folder.string() + ": " + std::generic_category().message(problem));
}

/// Whether another process holds a lock that excludes this one; takes it otherwise.
bool is_refused(int file, int kind) { return ::flock(file, kind | LOCK_NB) != 0 && errno == EWOULDBLOCK; }

} // namespace

fs::path existing_folder(const fs::path& path) {
  std::error_code error;
  fs::path folder = fs::absolute(path, error).parent_path();
  while (folder.has_relative_path() && !fs::exists(folder, error)) folder = folder.parent_path();
  return folder;
}

void require_distinct(const Communicator& comm, const std::vector<fs::path>& outputs,
                      const std::vector<fs::path>& inputs) {
  on_root(comm, [&] {
    for (const fs::path& output : outputs)
      for (const fs::path& input : inputs)
        if (fs::weakly_canonical(fs::absolute(output)) == fs::weakly_canonical(fs::absolute(input)))
          throw ConfigError("--output " + output.string() + ": would replace the input " + input.string() +
                            "; choose another name");
  });
}

void require_writable(const Communicator& comm, const std::vector<fs::path>& files) {
  on_root(comm, [&] {
    for (const fs::path& file : files) require_writable(file);
  });
}

std::optional<FileLock> FileLock::try_lock(const fs::path& path) {
  std::error_code none;
  // Network file systems lock a file only if it is open for writing, and a folder not at all.
  const int mode = fs::is_directory(path, none) ? O_RDONLY | O_DIRECTORY : O_RDWR | O_CREAT;
  Descriptor file(::open(path.c_str(), mode | O_CLOEXEC, 0666));
  if (file.get() < 0)
    throw DataError("cannot write " + path.string() + ": " + std::generic_category().message(errno));
  if (is_refused(file.get(), LOCK_EX)) return std::nullopt;
  return FileLock(std::move(file));
}

bool FileLock::is_held(const fs::path& file) {
  const Descriptor opened(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  return opened.get() >= 0 && is_refused(opened.get(), LOCK_SH);
}

bool FileLock::is_at(const fs::path& path) const {
  struct stat mine {};
  struct stat there {};
  return ::fstat(file_.get(), &mine) == 0 && ::stat(path.c_str(), &there) == 0 &&
         mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

OutputLock::OutputLock(const Communicator& comm, const fs::path& output) {
  on_root(comm, [&] {
    path_ = fs::absolute(output.string() + ".lock");
    existing_folder_ = existing_folder(path_);
    std::error_code none;
    fs::create_directories(path_.parent_path(), none);
    try {
      // A run that ends may remove the file between our opening and locking it.
      lock_ = FileLock::try_lock(path_);
      for (int i = 0; i < 100 && lock_ && !lock_->is_at(path_); ++i) lock_ = FileLock::try_lock(path_);
    } catch (const DataError&) {
      return; // where no file can be made there is no lock: whether the output can be written shows later
    }
    if (!lock_)
      throw DataError("cannot write " + output.string() +
                      ": another run is writing it; wait until it has ended, or give another --output");
  });
}

OutputLock::~OutputLock() {
  if (!lock_) return;
  ::unlink(path_.c_str());
  std::error_code not_empty;
  for (fs::path folder = path_.parent_path(); folder != existing_folder_ && folder.has_relative_path();
       folder = folder.parent_path())
    fs::remove(folder, not_empty);
}

FolderLock::FolderLock(const Communicator& comm, const fs::path& folder, double patience) {
  on_root(comm, [&] {
    std::error_code none;
    if (!fs::is_directory(folder, none)) return;
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
