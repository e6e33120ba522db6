#pragma once

#include "base/random.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace metasieve {

/// Draws without replacement, again and again, in memory that it keeps: no allocation once it has seen its
/// largest count. A draw costs O(count) time and memory, whatever the size it draws from.
class Sampler {
public:
  /// [count] the first `count` entries of a uniformly random permutation of 0..size-1, those that
  /// sample_without_replacement gives. 0 <= count <= size. Valid until the next draw.
  [[nodiscard]] std::span<const Index> draw(const Stream& stream, Index size, Index count);
  /// [count] the same rows in ascending order.
  [[nodiscard]] std::span<const Index> draw_sorted(const Stream& stream, Index size, Index count);

private:
  /// What stands at a position that is not its own number.
  struct Moved {
    Index position, value;
  };

  Index& value_at(Index position);
  void sort(Index size, Index count);

  std::vector<Index> front_;         // what stands at the first positions
  std::vector<Moved> moved_;         // hash table of the positions behind them, with linear probing
  std::vector<std::uint64_t> drawn_; // a bit for each number
};

} // namespace metasieve
