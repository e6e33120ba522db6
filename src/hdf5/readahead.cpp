#include "hdf5/readahead.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace metasieve {
namespace {

/// Linux reads no more for one hint than the disk's read-ahead and greatest request allow; often less.
constexpr std::uint64_t most_needed = std::uint64_t{4} << 20;

} // namespace

PageHints::PageHints(const std::filesystem::path& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

PageHints::~PageHints() {
  if (file_ >= 0) ::close(file_);
}

PageHints::PageHints(PageHints&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

PageHints& PageHints::operator=(PageHints&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

void PageHints::written(std::uint64_t offset, std::uint64_t size) const noexcept {
#ifdef SYNC_FILE_RANGE_WRITE // Linux
  if (file_ >= 0 && size > 0)
    static_cast<void>(::sync_file_range(file_, static_cast<off_t>(offset), static_cast<off_t>(size),
                                        SYNC_FILE_RANGE_WRITE));
#endif
}

void PageHints::needed(std::uint64_t offset, std::uint64_t size) const noexcept {
  if (file_ < 0) return;
  for (std::uint64_t at = 0; at < size; at += most_needed)
    static_cast<void>(::posix_fadvise(file_, static_cast<off_t>(offset + at),
                                      static_cast<off_t>(std::min(most_needed, size - at)),
                                      POSIX_FADV_WILLNEED));
}

} // namespace metasieve
