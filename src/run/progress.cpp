#include "run/progress.hpp"

#include "run/phase_clock.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace metasieve {

namespace {

/// Open MPI's mpirun gives rank 0 a pseudo-terminal of its own, so only where mpirun itself writes tells the
/// truth.
bool is_terminal() {
  if (isatty(STDOUT_FILENO) == 0) return false;
  if (std::getenv("OMPI_COMM_WORLD_RANK") == nullptr) return true;
  std::error_code error;
  const std::string target =
      std::filesystem::read_symlink("/proc/" + std::to_string(getppid()) + "/fd/1", error).string();
  return target.starts_with("/dev/pts/") || target.starts_with("/dev/tty");
}

} // namespace

Progress::Progress(bool speaks, std::string what, long total, long log_every, long begun)
    : speaks_(speaks), terminal_(speaks && is_terminal()), what_(std::move(what)), total_(total),
      log_every_(log_every), begun_(begun), begin_(wall_seconds()) {}

Progress::~Progress() { clear_line(); }

void Progress::report(long done, const std::string& state) {
  if (!speaks_) return;
  const double now = wall_seconds(), spent = now - begin_;
  const double left =
      done > begun_ ? spent / static_cast<double>(done - begun_) * static_cast<double>(total_ - done) : 0.0;
  if (terminal_) {
    if (now - last_ < 0.1 && done < total_) return;
    last_ = now;
    clear_line();
    std::printf("%s %ld/%ld  %s  %.0f s left", what_.c_str(), done, total_, state.c_str(), left);
    dirty_ = true;
  } else if (done % log_every_ == 0 || done == total_) {
    std::printf("%s %ld/%ld  %s  %.1f s, %.0f s left\n", what_.c_str(), done, total_, state.c_str(), spent,
                left);
  }
  std::fflush(stdout);
}

void Progress::say(const std::string& line) {
  if (!speaks_) return;
  clear_line();
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void Progress::clear_line() {
  if (dirty_) std::printf("\r\033[K");
  dirty_ = false;
}

} // namespace metasieve
