#include "hdf5/raw_file.hpp"

#include "base/hash.hpp"
#include "parallel/collective.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t block_bytes = std::int64_t{4} << 20; // of a file that is hashed

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(const char* what, const fs::path& path) {
  throw DataError(std::string("cannot ") + what + " " + path.string() + ": " + reason(errno));
}

[[noreturn]] void cannot_write(const fs::path& path, const std::string& reason) {
  throw DataError("cannot write " + path.string() + ": " + reason);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Opens `part`, calls `use(descriptor)`, which returns 0 or an errno, and closes it. @throws DataError
void with_file(const fs::path& part, const fs::path& path, int flags, const auto& use) {
  const Descriptor file(::open(part.c_str(), flags | O_CLOEXEC, 0666));
  if (file.get() < 0) cannot_write(path, reason(errno));
  if (const int error = use(file.get()); error != 0) cannot_write(path, reason(error));
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

Descriptor::~Descriptor() {
  if (file_ >= 0) ::close(file_);
}

RawFile RawFile::open(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("read", path);
  return {file, path};
}

RawFile RawFile::create(const fs::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) fail("write", path);
  return {file, path};
}

std::int64_t RawFile::size() const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail("read", path_);
  return status.st_size;
}

std::string RawFile::read(std::int64_t offset, std::int64_t size) const {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  bytes.resize(read(offset, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

std::size_t RawFile::read(std::int64_t offset, std::span<std::byte> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const auto at = static_cast<off_t>(offset) + static_cast<off_t>(done);
    const ssize_t count = ::pread(file_.get(), to.data() + done, to.size() - done, at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path_);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void RawFile::append(const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file_.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write", path_);
    done += static_cast<std::size_t>(count);
  }
}

void RawFile::sync() {
  if (::fsync(file_.get()) != 0) fail("write", path_);
}

void RawFile::read_ahead(std::int64_t offset, std::int64_t size) const noexcept {
  // Linux reads no more for one hint than the disk's read-ahead and greatest request allow; often less.
  constexpr std::int64_t most = std::int64_t{4} << 20;
  for (std::int64_t at = 0; at < size; at += most)
    static_cast<void>(
        ::posix_fadvise(file_.get(), offset + at, std::min(most, size - at), POSIX_FADV_WILLNEED));
}

void RawFile::write_back(std::int64_t offset, std::int64_t size) const noexcept {
#ifdef SYNC_FILE_RANGE_WRITE // Linux
  if (size > 0) static_cast<void>(::sync_file_range(file_.get(), offset, size, SYNC_FILE_RANGE_WRITE));
#endif
}

void sync_folder(const fs::path& folder) {
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() >= 0) static_cast<void>(::fsync(file.get())); // not all file systems have it for folders
}

std::uint64_t hash_file(const Communicator& comm, const fs::path& path) {
  std::string mine; // hashes of this rank's blocks
  run_collectively_on_file(comm, [&] {
    const RawFile file = RawFile::open(path);
    const std::int64_t blocks = (file.size() + block_bytes - 1) / block_bytes;
    for (std::int64_t b = blocks * comm.rank() / comm.size(); b < blocks * (comm.rank() + 1) / comm.size();
         ++b) {
      const std::uint64_t hash = hash_text(file.read(b * block_bytes, block_bytes));
      mine.append(reinterpret_cast<const char*>(&hash), sizeof hash);
    }
  });
  return hash_text(comm.gather(mine));
}

void require_file_name(const fs::path& path) {
  if (!path.has_filename()) cannot_write(path, "it names no file");
  std::error_code error;
  const fs::file_status there = fs::status(path, error);
  if (fs::is_directory(there)) cannot_write(path, "it is a folder");
  // The rename would replace a device such as /dev/null.
  if (fs::exists(there) && !fs::is_regular_file(there)) cannot_write(path, "it is no regular file");
}

void prepare_place(const fs::path& path, const fs::path& part) {
  require_file_name(path);
  std::error_code error;
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
