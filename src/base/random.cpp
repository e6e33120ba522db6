#include "base/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace metasieve {
namespace {

/// (0, 1]: safe under a logarithm.
double open_below(std::uint64_t bits) { return (static_cast<double>(bits >> 11) + 1.0) * 0x1p-53; }
double open_above(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

/// Two normals (Box and Muller 1958).
std::array<double, 2> box_muller(std::uint64_t radius_bits, std::uint64_t angle_bits) {
  const double radius = std::sqrt(-2.0 * std::log(open_below(radius_bits)));
  const double angle = 2.0 * std::numbers::pi * open_above(angle_bits);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

} // namespace

Stream::Stream(Seed seed, Draw draw, TaskId task, std::uint64_t step) noexcept
    : seed_(static_cast<std::uint64_t>(seed)), draw_(static_cast<std::uint64_t>(draw)),
      task_(static_cast<std::uint64_t>(task)), step_(step) {}

// Not inlined: GCC clears the upper halves of vector registers where a function ends, but not before every
// call, and with them in use the C library's log takes some eight times as long.
[[gnu::noinline]] std::array<std::uint64_t, 4> Stream::words(Index index) const noexcept {
  const r123::Philox4x64 generator;
  const auto out = generator({{static_cast<std::uint64_t>(index), task_, step_, 0}}, {{seed_, draw_}});
  return {out[0], out[1], out[2], out[3]};
}

std::uint64_t Stream::bits(Index index) const noexcept { return words(index)[0]; }

double Stream::uniform(Index index) const noexcept { return open_above(bits(index)); }

double Stream::uniform(Index index, double low, double high) const noexcept {
  return low + (high - low) * uniform(index);
}

double Stream::normal(Index index) const noexcept {
  // Four words make four normals: words (0, 1) the first two, words (2, 3) the others.
  const std::array<std::uint64_t, 4> four = words(index / 4);
  const std::size_t pair = index % 4 < 2 ? 0 : 2;
  return box_muller(four[pair], four[pair + 1])[static_cast<std::size_t>(index % 2)];
}

Matrix Stream::normals(Index rows, Index columns) const {
  Matrix out(rows, columns);
  const Index size = out.size(), whole = size / 4 * 4;
  for (Index i = 0; i < whole; i += 4) {
    const std::array<std::uint64_t, 4> four = words(i / 4);
    const auto first = box_muller(four[0], four[1]), second = box_muller(four[2], four[3]);
    std::copy(first.begin(), first.end(), out.data() + i);
    std::copy(second.begin(), second.end(), out.data() + i + 2);
  }
  for (Index i = whole; i < size; ++i) out.data()[i] = normal(i);
  return out;
}

Index Stream::below(Index index, Index bound) const noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<Index>((static_cast<Wide>(bits(index)) * static_cast<std::uint64_t>(bound)) >> 64);
}

std::vector<Index> sample_without_replacement(const Stream& stream, Index size, Index count) {
  std::vector<Index> numbers(static_cast<std::size_t>(size));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  for (Index i = 0; i < count; ++i)
    std::iter_swap(numbers.begin() + i, numbers.begin() + i + stream.below(i, size - i));
  numbers.resize(static_cast<std::size_t>(count));
  return numbers;
}

std::vector<Index> permutation(const Stream& stream, Index size) {
  return sample_without_replacement(stream, size, size);
}

std::span<const Index> Sampler::draw(const Stream& stream, Index size, Index count) {
  const Index known = std::ssize(numbers_);
  if (size > known) {
    numbers_.resize(static_cast<std::size_t>(size));
    std::iota(numbers_.begin() + known, numbers_.end(), known);
  }
  drawn_.resize(static_cast<std::size_t>(count));
  others_.resize(static_cast<std::size_t>(count));
  Index *const at = numbers_.data(), *const other = others_.data();
  for (Index i = 0; i < count; ++i) {
    other[i] = i + stream.below(i, size - i);
    std::swap(at[i], at[other[i]]);
  }
  std::copy_n(at, count, drawn_.begin());
  for (Index i = count; i-- > 0;) std::swap(at[i], at[other[i]]); // back in order, for the next draw
  return drawn_;
}

std::span<const Index> Sampler::draw_sorted(const Stream& stream, Index size, Index count) {
  constexpr Index word_bits = 64;
  marked_.assign(static_cast<std::size_t>((size + word_bits - 1) / word_bits), 0);
  for (const Index number : draw(stream, size, count))
    marked_[static_cast<std::size_t>(number / word_bits)] |= std::uint64_t{1} << (number % word_bits);
  Index next = 0;
  for (std::size_t word = 0; word < marked_.size(); ++word)
    for (std::uint64_t left = marked_[word]; left != 0; left &= left - 1)
      drawn_[static_cast<std::size_t>(next++)] =
          static_cast<Index>(word) * word_bits + std::countr_zero(left);
  return drawn_;
}

} // namespace metasieve
