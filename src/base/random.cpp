#include "base/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>
#include <utility>

namespace metasieve {
namespace {

struct Words {
  std::array<std::uint64_t, 4> word;
};

Words philox(std::uint64_t seed, std::uint64_t draw, std::uint64_t task, std::uint64_t step, Index index) {
  const r123::Philox4x64 generator;
  const auto out = generator({{static_cast<std::uint64_t>(index), task, step, 0}}, {{seed, draw}});
  return {{out[0], out[1], out[2], out[3]}};
}

/// (0, 1]: safe under a logarithm.
double open_below(std::uint64_t bits) { return (static_cast<double>(bits >> 11) + 1.0) * 0x1p-53; }
double open_above(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

struct NormalPair {
  double first, second;
};

NormalPair box_muller(std::uint64_t radius_bits, std::uint64_t angle_bits) {
  const double radius = std::sqrt(-2.0 * std::log(open_below(radius_bits)));
  const double angle = 2.0 * std::numbers::pi * open_above(angle_bits);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

/// The same for many at a time, operation by operation, to the same bits. Each loop is a function of its own
/// that is not inlined: GCC clears the upper halves of vector registers where a function ends, but not before
/// every call, and with them in use the C library's log takes some eight times as long.
class NormalBlock {
public:
  static constexpr Index steps = 64; ///< of Philox; each makes four normals

  [[gnu::noinline]] void put(Index k, const std::array<std::uint64_t, 4>& words) {
    for (const std::size_t pair : {0U, 1U}) {
      const std::size_t at = 2 * static_cast<std::size_t>(k) + pair;
      radius_[at] = open_below(words[2 * pair]);
      angle_[at] = 2.0 * std::numbers::pi * open_above(words[2 * pair + 1]);
    }
  }
  /// 4 * `count` normals.
  void make(Index count, double* out) {
    const std::size_t pairs = 2 * static_cast<std::size_t>(count);
    take_logarithms(pairs);
    take_directions(pairs);
    multiply(pairs, out);
  }

private:
  [[gnu::noinline]] void take_logarithms(std::size_t pairs) {
    for (std::size_t i = 0; i < pairs; ++i) radius_[i] = std::log(radius_[i]);
  }
  [[gnu::noinline]] void take_directions(std::size_t pairs) {
    for (std::size_t i = 0; i < pairs; ++i) {
      cosine_[i] = std::cos(angle_[i]);
      sine_[i] = std::sin(angle_[i]);
    }
  }
  [[gnu::noinline]] void multiply(std::size_t pairs, double* out) const {
    for (std::size_t i = 0; i < pairs; ++i) {
      const double radius = std::sqrt(-2.0 * radius_[i]);
      out[2 * i] = radius * cosine_[i];
      out[2 * i + 1] = radius * sine_[i];
    }
  }

  std::array<double, 2 * steps> radius_, angle_, cosine_, sine_;
};

} // namespace

Stream::Stream(Seed seed, Draw draw, TaskId task, std::uint64_t step) noexcept
    : seed_(static_cast<std::uint64_t>(seed)), draw_(static_cast<std::uint64_t>(draw)),
      task_(static_cast<std::uint64_t>(task)), step_(step) {}

std::uint64_t Stream::bits(Index index) const noexcept {
  return philox(seed_, draw_, task_, step_, index).word[0];
}

double Stream::uniform(Index index) const noexcept { return open_above(bits(index)); }

double Stream::uniform(Index index, double low, double high) const noexcept {
  return low + (high - low) * uniform(index);
}

double Stream::normal(Index index) const noexcept {
  // A block of four words makes four normals: words (0, 1) the first two, words (2, 3) the others.
  const Words words = philox(seed_, draw_, task_, step_, index / 4);
  const std::size_t pair = index % 4 < 2 ? 0 : 2;
  const NormalPair both = box_muller(words.word[pair], words.word[pair + 1]);
  return index % 2 == 0 ? both.first : both.second;
}

Matrix Stream::normals(Index rows, Index columns) const {
  Matrix out(rows, columns);
  const Index size = out.size(), whole = size / 4 * 4;
  NormalBlock block;
  for (Index begin = 0; begin < whole; begin += 4 * block.steps) {
    const Index steps = std::min(block.steps, (whole - begin) / 4);
    for (Index k = 0; k < steps; ++k) block.put(k, philox(seed_, draw_, task_, step_, begin / 4 + k).word);
    block.make(steps, out.data() + begin);
  }
  for (Index i = whole; i < size; ++i) out.data()[i] = normal(i);
  return out;
}

Index Stream::below(Index index, Index bound) const noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<Index>((static_cast<Wide>(bits(index)) * static_cast<std::uint64_t>(bound)) >> 64);
}

std::vector<Index> sample_without_replacement(const Stream& stream, Index size, Index count) {
  Sampler sampler;
  const std::span<const Index> drawn = sampler.draw(stream, size, count);
  return {drawn.begin(), drawn.end()};
}

std::vector<Index> permutation(const Stream& stream, Index size) {
  return sample_without_replacement(stream, size, size);
}

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
