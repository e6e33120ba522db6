#include "hdf5/raw_file.hpp"

#include "base/hash.hpp"
#include "parallel/collective.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace metasieve {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{4} << 20; // of a file that is hashed

[[noreturn]] void fail(const char* what, const std::filesystem::path& path) {
  throw DataError(std::string("cannot ") + what + " " + path.string() + ": " +
                  std::generic_category().message(errno));
}

} // namespace

RawFile RawFile::open(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("read", path);
  return {file, path};
}

RawFile RawFile::create(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) fail("write", path);
  return {file, path};
}

RawFile::~RawFile() {
  if (file_ >= 0) ::close(file_);
}

RawFile::RawFile(RawFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}

RawFile& RawFile::operator=(RawFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  return *this;
}

std::int64_t RawFile::size() const {
  struct stat status {};
  if (::fstat(file_, &status) != 0) fail("read", path_);
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
    const ssize_t count = ::pread(file_, to.data() + done, to.size() - done, at);
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
    const ssize_t count = ::write(file_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write", path_);
    done += static_cast<std::size_t>(count);
  }
}

void RawFile::sync() {
  if (::fsync(file_) != 0) fail("write", path_);
}

void RawFile::read_ahead(std::int64_t offset, std::int64_t size) const noexcept {
  // Linux reads no more for one hint than the disk's read-ahead and greatest request allow; often less.
  constexpr std::int64_t most = std::int64_t{4} << 20;
  for (std::int64_t at = 0; at < size; at += most)
    static_cast<void>(::posix_fadvise(file_, offset + at, std::min(most, size - at), POSIX_FADV_WILLNEED));
}

void RawFile::write_back(std::int64_t offset, std::int64_t size) const noexcept {
#ifdef SYNC_FILE_RANGE_WRITE // Linux
  if (size > 0) static_cast<void>(::sync_file_range(file_, offset, size, SYNC_FILE_RANGE_WRITE));
#endif
}

void sync_folder(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  static_cast<void>(::fsync(file)); // not all file systems have it for folders
  ::close(file);
}

std::uint64_t hash_file(const Communicator& comm, const std::filesystem::path& path) {
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

} // namespace metasieve
