#pragma once

#include "base/range.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace metasieve {

/// Arrays of different tasks seen as one long array: what a rank gives to or takes from one data set. T may
/// be const.
template <class T>
class Pieces {
public:
  void add(std::span<T> piece) {
    pieces_.push_back(piece);
    ends_.push_back(size() + std::ssize(piece));
  }
  [[nodiscard]] Index size() const noexcept { return ends_.empty() ? 0 : ends_.back(); }

  /// The piece, where there is one alone.
  [[nodiscard]] std::span<T> only() const { return pieces_.front(); }

  /// Copies values [range) to `to`.
  void copy_to(Range range, std::byte* to) const {
    visit(range, [&](std::span<T> values) {
      std::memcpy(to, values.data(), values.size_bytes());
      to += values.size_bytes();
    });
  }
  /// Fills values [range) from `from`.
  void copy_from(Range range, const std::byte* from) const {
    visit(range, [&](std::span<T> values) {
      std::memcpy(values.data(), from, values.size_bytes());
      from += values.size_bytes();
    });
  }

private:
  template <class Visitor>
  void visit(Range range, const Visitor& visitor) const {
    auto i =
        static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), range.begin) - ends_.begin());
    for (Index at = range.begin; at < range.end; ++i) {
      const Index begin = ends_[i] - std::ssize(pieces_[i]);
      const Index end = std::min(ends_[i], range.end);
      if (end > at)
        visitor(pieces_[i].subspan(static_cast<std::size_t>(at - begin), static_cast<std::size_t>(end - at)));
      at = end;
    }
  }

  std::vector<std::span<T>> pieces_;
  std::vector<Index> ends_; ///< one past the last value of each piece
};

} // namespace metasieve
