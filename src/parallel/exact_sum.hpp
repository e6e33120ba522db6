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

  /// Collective: the sum of all that was added on all ranks, [size].
  [[nodiscard]] Vector total(const Communicator& comm);

private:
  double bound_;
  double scale_; // a power of two: multiplying by it is exact
  std::vector<std::int64_t> sums_;
  std::mutex guard_;
};

} // namespace metasieve
