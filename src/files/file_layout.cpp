#include "files/file_layout.hpp"

#include "hdf5/raw_file.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr const char* this_program = "/proc/self/exe";
bool can_start_again = false;

/// @return its process id, or nothing if it could not be started
std::optional<pid_t> start(std::string_view check, const fs::path& path, int result) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  if (posix_spawn_file_actions_init(&files) != 0) return std::nullopt;
  if (posix_spawnattr_init(&attributes) != 0) {
    posix_spawn_file_actions_destroy(&files);
    return std::nullopt;
  }
  // HDF5's own words when it crashes are dropped: this process says in one line what is wrong.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&files, result, STDOUT_FILENO);
  // A signal to the whole job asks this process to stop, and would end the other one.
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP}) sigaddset(&blocked, signal);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  std::string program = "metasieve", first = check_option, name(check), file = path.string();
  const std::array<char*, 5> arguments{program.data(), first.data(), name.data(), file.data(), nullptr};
  pid_t process = 0;
  const int failed = posix_spawn(&process, this_program, &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return std::nullopt;
  return process;
}

/// Reads to the end, and closes.
std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t count = 1; count > 0 || (count < 0 && errno == EINTR);) {
    count = ::read(fd, piece.data(), piece.size());
    if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
  }
  ::close(fd);
  return text;
}

/// Waits for the process to end. @return its status, as of waitpid
int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return status;
}

[[noreturn]] void fail_crashed(const fs::path& path, int status) {
  const bool slow = WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL);
  throw DataError(path.string() + ": damaged: HDF5 " +
                  (slow ? "takes too long, or too much memory, to read it"
                        : "crashed reading it (in a process of its own)"));
}

} // namespace

void allow_child_processes() noexcept { can_start_again = true; }

std::optional<std::string> check_in_child_process(const fs::path& path, std::string_view check) {
  std::array<int, 2> ends{-1, -1};
  if (!can_start_again || pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const std::optional<pid_t> process = start(check, path, ends[1]);
  ::close(ends[1]);
  const std::string text = read_all(ends[0]); // nothing where no process was started
  if (!process) return std::nullopt;
  const int status = wait_for(*process);
  if (!WIFEXITED(status)) fail_crashed(path, status);
  const auto code = static_cast<ExitCode>(WEXITSTATUS(status));
  if (code == ExitCode::done) return text;
  if (text.empty()) fail_crashed(path, status);
  if (code == ExitCode::data) throw DataError(text);
  throw Error(code, text);
}

void check_together(const Communicator& comm, const fs::path& path, FileType type) {
  on_root(comm, [&] { static_cast<void>(check_in_child_process(path, to_string(type))); });
  comm.run_collectively([&] {
    if (!comm.is_root()) require_visible(path);
  });
}

} // namespace metasieve
