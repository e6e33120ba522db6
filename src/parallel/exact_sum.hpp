#pragma once

#include "parallel/communicator.hpp"

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace metasieve {

/// Order-free sum of arrays: doubles of magnitude <= bound are rounded to 64-bit fixed point and added as
/// integers, so any split of the terms over threads and ranks gives the same bits. Resolution: bound * terms
/// * 2^-62, rounded up to a power of two.
class ExactSum {
public:
  /// Sums of up to `terms` arrays of `size` values. bound > 0, terms >= 1, the same on every rank.
  ExactSum(Index size, double bound, std::int64_t terms);

  /// Thread-safe. values [size], each of magnitude <= bound. @throws Error (internal) otherwise.
  void add(std::span<const double> values);
  /// Adds one array that is given in two parts, of [size] values together.
  void add(std::span<const double> first, std::span<const double> second);

  /// Collective: the sum of all that was added on all ranks, [size]. Valid until the next call.
  [[nodiscard]] const Vector& total(const Communicator& comm);

  /// Forgets what was added; keeps the memory.
  void clear();

private:
  void require_bounded(std::span<const double> values) const;
  void accumulate(std::span<const double> values, std::size_t begin);

  double bound_;
  double scale_;                         // a power of two: multiplying by it is exact
  std::vector<std::int64_t> sums_, all_; // of this rank, of all
  Vector total_;
  std::mutex guard_;
};

} // namespace metasieve
