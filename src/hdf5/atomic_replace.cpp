#include "hdf5/atomic_replace.hpp"

#include "base/error.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/collective.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void cannot_write(const fs::path& path, const std::string& reason) {
  throw DataError("cannot write " + path.string() + ": " + reason);
}

std::string reason(int error) { return std::generic_category().message(error); }

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Opens `part`, calls `use(descriptor)`, which returns 0 or an errno, and closes it. @throws DataError
void with_file(const fs::path& part, const fs::path& path, int flags, const auto& use) {
  const int file = ::open(part.c_str(), flags | O_CLOEXEC, 0666);
  if (file < 0) cannot_write(path, reason(errno));
  const int error = use(file);
  ::close(file);
  if (error != 0) cannot_write(path, reason(error));
}

/// Gives the file at `path`, if there is one, the name `previous` too: `path` is never missing. File systems
/// without hard links leave it missing for a moment.
void keep_as(const fs::path& path, const fs::path& previous) {
  const fs::path second = previous.string() + ".part";
  ::unlink(second.c_str());
  if (::link(path.c_str(), second.c_str()) == 0) {
    const int error = std::rename(second.c_str(), previous.c_str()) == 0 ? 0 : errno;
    ::unlink(second.c_str()); // still there if both were one file already
    if (error != 0) cannot_write(previous, reason(error));
  } else if (errno != ENOENT && std::rename(path.c_str(), previous.c_str()) != 0) {
    cannot_write(previous, reason(errno));
  }
}

/// Removes the unfinished file, if it is still there when the scope ends.
struct Removal {
  const fs::path& part;
  explicit Removal(const fs::path& file) : part(file) {}
  Removal(const Removal&) = delete;
  Removal& operator=(const Removal&) = delete;
  ~Removal() {
    std::error_code ignored;
    fs::remove(part, ignored);
  }
};

void write_part(const fs::path& part, const fs::path& path, const std::string& text) {
  std::ofstream stream(part, std::ios::binary);
  stream << text << std::flush;
  if (!stream)
    throw DataError("cannot write " + path.string() +
                    ": the disk is full, or a limit on file sizes is reached");
}

} // namespace

void prepare_place(const fs::path& path, const fs::path& part) {
  if (!path.has_filename()) cannot_write(path, "it names no file");
  std::error_code error;
  // The rename would replace a device such as /dev/null.
  const fs::file_status there = fs::status(path, error);
  if (fs::is_directory(there)) cannot_write(path, "it is a folder");
  if (fs::exists(there) && !fs::is_regular_file(there)) cannot_write(path, "it is no regular file");
  fs::create_directories(folder_of(path), error);
  if (error) cannot_write(path, "folder " + folder_of(path).string() + ": " + error.message());
  with_file(part, path, O_WRONLY | O_CREAT | O_TRUNC, [](int) { return 0; });
}

void reserve_space(const fs::path& path, const fs::path& part, std::uint64_t offset, std::uint64_t size) {
  with_file(part, path, O_WRONLY, [&](int file) {
    // Not posix_fallocate, which writes every block where the file system cannot do better.
    const bool done = ::fallocate(file, 0, static_cast<off_t>(offset), static_cast<off_t>(size)) == 0;
    return !done && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) ? errno : 0;
  });
}

void require_visible(const fs::path& path) {
  std::error_code error;
  for (int attempt = 0; attempt < 30; ++attempt) {
    if (fs::exists(path, error)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw DataError(path.string() +
                  ": rank 0 sees this file and this rank does not: it must be in a folder that all "
                  "nodes share");
}

void atomic_replace(const fs::path& part, const fs::path& path, const fs::path& previous) {
  with_file(part, path, O_RDONLY, [](int file) { return ::fsync(file) == 0 ? 0 : errno; });
  if (!previous.empty()) keep_as(path, previous);
  if (std::rename(part.c_str(), path.c_str()) != 0) cannot_write(path, reason(errno));
  sync_folder(folder_of(path));
}

void write_text(const Communicator& comm, const fs::path& path, const std::string& text) {
  static_cast<void>(run_on_root_and_broadcast(comm, [&] {
    const fs::path part = path.string() + ".part";
    prepare_place(path, part);
    const Removal removal{part};
    write_part(part, path, text);
    atomic_replace(part, path);
    return std::string();
  }));
}

void replace_text(const fs::path& path, const std::string& text) {
  const fs::path part = path.string() + "." + host_name() + "." + std::to_string(getpid()) + ".part";
  const Removal removal{part};
  write_part(part, path, text);
  std::error_code error;
  fs::rename(part, path, error);
  if (error) throw DataError("cannot write " + path.string() + ": " + error.message());
}

std::optional<std::string> text_if_any(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

} // namespace metasieve
