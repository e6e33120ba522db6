#include "files/raw_file.hpp"

#include "base/hash.hpp"
#include "parallel/collective.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

void sync_folder(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  static_cast<void>(::fsync(file)); // not all file systems have it for folders
  ::close(file);
}

std::uint64_t hash_file(const Communicator& comm, const std::filesystem::path& path) {
  std::string mine; // hashes of this rank's blocks
  agree_on_file(comm, [&] {
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
