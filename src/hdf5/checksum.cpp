#include "hdf5/checksum.hpp"

#include <cstring>

namespace metasieve {
namespace {

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit of the input moves half of the output.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

/// Sums `count` words, the first of which is word number `place` of the data set. Compilers vectorise the
/// loop.
template <class Word>
std::uint64_t sum_of_words(std::uint64_t place, const std::byte* bytes, std::size_t count) {
  std::uint64_t sum = 0, step = 0x9e3779b97f4a7c15ULL * place;
  for (std::size_t i = 0; i < count; ++i) {
    Word word = 0;
    std::memcpy(&word, bytes + i * sizeof word, sizeof word);
    step += 0x9e3779b97f4a7c15ULL;
    sum += mix(word + step);
  }
  return sum;
}

/// Sums rows that are no whole words: the last word of each is filled up with zeros.
std::uint64_t sum_of_ragged_rows(std::uint64_t place, std::size_t row_bytes,
                                 std::span<const std::byte> bytes) {
  const std::size_t whole = row_bytes / 8, rest = row_bytes % 8;
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row < bytes.size(); row += row_bytes, place += whole + 1) {
    const std::byte* const from = bytes.data() + row;
    std::uint64_t last = 0;
    std::memcpy(&last, from + 8 * whole, rest);
    sum += sum_of_words<std::uint64_t>(place, from, whole);
    sum += mix(last + 0x9e3779b97f4a7c15ULL * (place + whole + 1));
  }
  return sum;
}

} // namespace

std::uint64_t checksum(std::int64_t first_row, std::size_t row_bytes, std::span<const std::byte> bytes) {
  const std::uint64_t place = static_cast<std::uint64_t>(first_row) * ((row_bytes + 7) / 8);
  switch (row_bytes) {
  case 1: return sum_of_words<std::uint8_t>(place, bytes.data(), bytes.size());
  case 4: return sum_of_words<std::uint32_t>(place, bytes.data(), bytes.size() / 4);
  default: break;
  }
  if (row_bytes % 8 == 0) return sum_of_words<std::uint64_t>(place, bytes.data(), bytes.size() / 8);
  return sum_of_ragged_rows(place, row_bytes, bytes);
}

} // namespace metasieve
