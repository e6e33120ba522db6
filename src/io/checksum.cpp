#include "io/checksum.hpp"

#include <algorithm>
#include <cstring>

namespace metasieve {
namespace {

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit of the input moves half of the output.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

} // namespace

std::uint64_t checksum(std::int64_t first_row, std::size_t row_bytes, std::span<const std::byte> bytes) {
  const std::size_t words = (row_bytes + 7) / 8;
  std::uint64_t place = static_cast<std::uint64_t>(first_row) * words, sum = 0;
  for (std::size_t row = 0; row < bytes.size(); row += row_bytes)
    for (std::size_t at = 0; at < row_bytes; at += 8) {
      std::uint64_t word = 0; // the last one of a row is filled up with zeros
      std::memcpy(&word, bytes.data() + row + at, std::min<std::size_t>(8, row_bytes - at));
      sum += mix(word + 0x9e3779b97f4a7c15ULL * ++place);
    }
  return sum;
}

} // namespace metasieve
