#include "studies/sweep_queue.hpp"

#include "parallel/collective.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// What sessions of jobs that were killed have left: nobody holds their locks.
void remove_dead_sessions(const fs::path& parent) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored))
    if (!entry.path().filename().string().starts_with("new.") && !FolderLock::is_held(entry.path()))
      fs::remove_all(entry.path(), ignored);
}

/// Unlike that of any other job.
std::string session_name() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return host_name() + "." + std::to_string(getpid()) + "." +
         std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

} // namespace

SweepQueue::SweepQueue(const Communicator& comm, const fs::path& parent) : comm_(comm) {
  const std::string name = from_root(comm, [&] {
    std::error_code error;
    std::string session = session_name();
    fs::create_directories(parent / ("new." + session), error);
    if (error) throw DataError("cannot write " + parent.string() + ": " + error.message());
    remove_dead_sessions(parent);
    return session;
  });
  // Under its own name only once it is locked: another session would take it for a dead one.
  lock_ = FolderLock(comm, parent / ("new." + name));
  folder_ = parent / name;
  agree_on_file(comm, [&] {
    if (comm.is_root()) fs::rename(parent / ("new." + name), folder_);
  });
}

Index SweepQueue::take() {
  const auto file_of = [&](Index number) { return folder_ / std::to_string(number); };
  std::error_code error;
  Index low = next_, step = 1; // doubled steps, then halved ones: others may have taken thousands meanwhile
  for (; fs::exists(file_of(low + step - 1), error); step *= 2) low += step;
  for (; step > 1; step /= 2)
    if (fs::exists(file_of(low + step / 2 - 1), error)) low += step / 2;
  for (next_ = low;; ++next_) {
    const int file = ::open(file_of(next_).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0) {
      ::close(file);
      return next_++;
    }
    if (errno != EEXIST)
      throw DataError("cannot write " + file_of(next_).string() + ": " +
                      std::generic_category().message(errno));
  }
}

void SweepQueue::remove() {
  comm_.barrier(); // nobody takes any more
  static_cast<void>(from_root(comm_, [&] {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    fs::remove(folder_.parent_path(), ignored); // where no other session is at work
    return std::string();
  }));
}

} // namespace metasieve
