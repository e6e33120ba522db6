#include "fuzz/hdf5_target.hpp"

#include <cstring>
#include <optional>
#include <string_view>

// HDF5's own, exported but in no public header; without it, checksums stay wrong.
extern "C" std::uint32_t H5_checksum_lookup3(const void* bytes, std::size_t size, std::uint32_t start)
    __attribute__((weak));

namespace metasieve::fuzz {
namespace {

using File = std::span<std::uint8_t>;

/// A number of `size` bytes, little-endian, if it is inside the file.
std::optional<std::uint64_t> number(File file, std::uint64_t at, std::uint64_t size) {
  if (at > file.size() || size > file.size() - at) return std::nullopt;
  std::uint64_t value = 0;
  std::memcpy(&value, file.data() + at, size);
  return value;
}

bool starts_with(File file, std::uint64_t at, std::string_view mark) {
  return at <= file.size() && mark.size() <= file.size() - at &&
         std::memcmp(file.data() + at, mark.data(), mark.size()) == 0;
}

/// Bytes [begin, begin + size) end in a checksum of those before it.
void seal(File file, std::uint64_t begin, std::uint64_t size) {
  if (begin > file.size() || size > file.size() - begin || size < 4) return;
  const std::uint32_t sum = H5_checksum_lookup3(file.data() + begin, size - 4, 0);
  std::memcpy(file.data() + begin + size - 4, &sum, sizeof sum);
}

/// A continuation block of an object header: its place and size stand in a message of type 16.
void seal_blocks(File file, std::uint64_t begin, std::uint64_t end, std::uint64_t message_header, int depth) {
  for (std::uint64_t at = begin; depth < 4 && at + message_header <= end;) {
    const auto size = number(file, at + 1, 2);
    if (!size) return;
    if (*number(file, at, 1) == 16) {
      const auto block = number(file, at + message_header, 8),
                 length = number(file, at + message_header + 8, 8);
      if (block && length && *length >= 8 && starts_with(file, *block, "OCHK")) {
        seal_blocks(file, *block + 4, *block + *length - 4, message_header, depth + 1);
        seal(file, *block, *length);
      }
    }
    at += message_header + *size;
  }
}

/// A version 2 object header: mark, version, flags, times and phases if flagged, size, messages, checksum.
void seal_header(File file, std::uint64_t at) {
  const auto flags = number(file, at + 5, 1);
  if (!flags) return;
  const std::uint64_t width = std::uint64_t{1} << (*flags & 3U);
  const std::uint64_t size_at = at + 6 + ((*flags & 0x20U) != 0 ? 16 : 0) + ((*flags & 0x10U) != 0 ? 4 : 0);
  const auto size = number(file, size_at, width);
  if (!size || *size > file.size()) return;
  const std::uint64_t begin = size_at + width;
  seal_blocks(file, begin, begin + *size, (*flags & 4U) != 0 ? 6 : 4, 0);
  seal(file, at, begin + *size + 4 - at);
}

} // namespace

void repair_checksums(File file) {
  if (H5_checksum_lookup3 == nullptr || file.size() < 48) return;
  if (file[8] == 2 || file[8] == 3) seal(file, 0, 48); // the superblock, with its usual 8-byte addresses
  for (std::uint64_t at = 0; at + 8 < file.size(); ++at)
    if (file[at] == 'O' && starts_with(file, at, "OHDR")) seal_header(file, at);
}

} // namespace metasieve::fuzz
