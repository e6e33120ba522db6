#include "files/foreign_file.hpp"

#include "base/bytes.hpp"
#include "parallel/collective.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <new>
#include <string_view>
#include <utility>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr const char* mark = "--read-apart"; ///< first argument of a process that reads for another one
constexpr const char* this_program = "/proc/self/exe";
constexpr int result_fd = 3;

bool can_start_again = false;

struct Reader {
  const char* name;
  std::string (*read)(const fs::path&);
};

/// In the order of Content.
constexpr std::array<Reader, 12> readers{{{"header", header_content},
                                          {"layout", layout_content},
                                          {"checksums", checksums_content},
                                          {"suite", suite_content},
                                          {"dataset", dataset_content},
                                          {"policy", policy_content},
                                          {"checkpoint", checkpoint_content},
                                          {"results", results_content},
                                          {"evaluation", evaluation_content},
                                          {"scores", scores_content},
                                          {"scaling", scaling_content},
                                          {"sweep", sweep_content}}};

const Reader& reader_of(Content content) { return readers.at(static_cast<std::size_t>(content)); }

// ------------------------------------------------------------------------------------- the process that
// reads

/// What the reader returned or threw: exit code, then bytes or message.
std::string outcome_of(const Reader& reader, const fs::path& path) {
  const auto outcome = [](ExitCode code, const std::string& text) {
    return ByteWriter().put(code).put(text).take();
  };
  try {
    return outcome(ExitCode::done, reader.read(path));
  } catch (const Error& error) {
    return outcome(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return outcome(ExitCode::internal, "out of memory while reading " + path.string());
  } catch (const std::exception& error) {
    return outcome(ExitCode::internal, error.what());
  }
}

/// A damaged file may send HDF5 round in circles; a sound one takes a second for some 100 MB.
void limit_time(const fs::path& path) {
  std::error_code missing;
  const std::uintmax_t bytes = fs::file_size(path, missing);
  const rlim_t seconds = 30 + (missing ? 0 : bytes >> 20U);
  const rlimit time{seconds, seconds}, none{0, 0};
  setrlimit(RLIMIT_CPU, &time);
  setrlimit(RLIMIT_CORE, &none);
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// ------------------------------------------------------------------------------------- the process that asks

/// A file descriptor.
class Descriptor {
public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }
  void close() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

private:
  int fd_;
};

/// @return its process id, or nothing if it could not be started
std::optional<pid_t> start(const Reader& reader, const fs::path& path, int result) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  if (posix_spawn_file_actions_init(&files) != 0) return std::nullopt;
  if (posix_spawnattr_init(&attributes) != 0) {
    posix_spawn_file_actions_destroy(&files);
    return std::nullopt;
  }
  // What HDF5 says when it crashes helps nobody: this process says in one line what is wrong.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&files, result, result_fd);
  // A signal to the whole job asks this process to stop, and would end the other one.
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP}) sigaddset(&blocked, signal);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  std::string program = "metasieve", first = mark, name = reader.name, file = path.string();
  const std::array<char*, 5> arguments{program.data(), first.data(), name.data(), file.data(), nullptr};
  pid_t process = 0;
  const int failed = posix_spawn(&process, this_program, &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return std::nullopt;
  return process;
}

std::string read_all(int fd) {
  std::string bytes;
  std::vector<char> piece(std::size_t{1} << 20);
  for (;;) {
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return bytes;
    bytes.append(piece.data(), static_cast<std::size_t>(count));
  }
}

/// Its exit status as waitpid tells it.
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

std::optional<int> serve_reader(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != mark) {
    can_start_again = true;
    return std::nullopt;
  }
  if (argc != 4) return static_cast<int>(ExitCode::usage);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const Reader& reader : readers)
    if (reader.name == std::string_view(argv[2])) {
      limit_time(argv[3]);
      // At once: HDF5's own end may fail on what a damaged file has left of its structures.
      _exit(write_all(result_fd, outcome_of(reader, argv[3])) ? 0 : 1);
    }
  return static_cast<int>(ExitCode::usage);
}

std::string read_apart(Content content, const fs::path& path) {
  const Reader& reader = reader_of(content);
  std::array<int, 2> ends{-1, -1};
  if (!can_start_again || pipe2(ends.data(), O_CLOEXEC) != 0) return reader.read(path);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const std::optional<pid_t> process = start(reader, path, to.get());
  to.close();
  if (!process) return reader.read(path);
  const std::string outcome = read_all(from.get());
  const int status = wait_for(*process);
  ExitCode code = ExitCode::internal;
  std::string text;
  try {
    ByteReader bytes(outcome);
    code = bytes.get<ExitCode>();
    text = bytes.text();
  } catch (const DataError&) { // it did not live to say more
    fail_crashed(path, status);
  }
  if (code == ExitCode::data) throw DataError(text);
  if (code != ExitCode::done) throw Error(code, text);
  return text;
}

std::string content_of(const Communicator& comm, Content content, const fs::path& path) {
  return from_root(comm, [&] { return read_apart(content, path); });
}

} // namespace metasieve
