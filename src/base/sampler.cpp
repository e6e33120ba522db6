#include "base/sampler.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace metasieve {
namespace {

constexpr Index nowhere = -1;
/// Positions that are held in an array rather than in the hash table: filling it is cheaper up to here.
constexpr Index front_per_drawn = 8;
/// Numbers in a word of the bitmap, and how many words may be looked through for a drawn number.
constexpr Index word_bits = 64, words_per_drawn = 4;

template <class T>
void grow(std::vector<T>& memory, Index size) {
  if (std::ssize(memory) < size) memory.resize(static_cast<std::size_t>(size));
}

/// Knuth's multiplicative hash, into a table of a power of two.
std::size_t slot_of(Index position, std::size_t slots) {
  const auto mixed = static_cast<std::uint64_t>(position) * 0x9e3779b97f4a7c15ULL;
  return static_cast<std::size_t>(mixed >> 32) & (slots - 1);
}

} // namespace

Index& Sampler::value_at(Index position) {
  std::size_t slot = slot_of(position, moved_.size());
  while (moved_[slot].position != position && moved_[slot].position != nowhere)
    slot = (slot + 1) & (moved_.size() - 1);
  if (moved_[slot].position == nowhere) moved_[slot] = {position, position};
  return moved_[slot].value;
}

// Fisher and Yates's shuffle, of which only what has been moved is written down.
std::span<const Index> Sampler::draw(const Stream& stream, Index size, Index count) {
  const Index front = size <= front_per_drawn * count ? size : count;
  grow(front_, front);
  std::iota(front_.begin(), front_.begin() + front, Index{0});
  if (front < size) {
    grow(moved_, static_cast<Index>(std::bit_ceil(2 * static_cast<std::size_t>(count))));
    std::fill(moved_.begin(), moved_.end(), Moved{nowhere, nowhere});
  }
  Index* const at = front_.data();
  for (Index i = 0; i < count; ++i) {
    const Index other = i + stream.below(i, size - i);
    std::swap(at[i], other < front ? at[other] : value_at(other));
  }
  return {at, static_cast<std::size_t>(count)};
}

std::span<const Index> Sampler::draw_sorted(const Stream& stream, Index size, Index count) {
  static_cast<void>(draw(stream, size, count));
  if (size > words_per_drawn * word_bits * count)
    std::sort(front_.begin(), front_.begin() + count);
  else
    sort(size, count);
  return {front_.data(), static_cast<std::size_t>(count)};
}

/// Through a bitmap of all numbers.
void Sampler::sort(Index size, Index count) {
  const Index words = (size + word_bits - 1) / word_bits;
  grow(drawn_, words);
  std::fill_n(drawn_.begin(), words, std::uint64_t{0});
  for (Index i = 0; i < count; ++i) {
    const auto number = static_cast<std::size_t>(front_[static_cast<std::size_t>(i)]);
    drawn_[number / word_bits] |= std::uint64_t{1} << (number % word_bits);
  }
  Index* next = front_.data();
  for (Index word = 0; word < words; ++word)
    for (std::uint64_t left = drawn_[static_cast<std::size_t>(word)]; left != 0; left &= left - 1)
      *next++ = word * word_bits + std::countr_zero(left);
}

} // namespace metasieve
