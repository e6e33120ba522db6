#include "parallel/exact_sum.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {

ExactSum::ExactSum(Index size, double bound, std::int64_t terms)
    : bound_(bound), scale_(std::exp2(std::floor(62.0 - std::log2(bound * static_cast<double>(terms))))),
      sums_(static_cast<std::size_t>(size), 0), all_(sums_), total_(size) {}

void ExactSum::add(std::span<const double> values) { add(values, {}); }

void ExactSum::add(std::span<const double> first, std::span<const double> second) {
  require_bounded(first);
  require_bounded(second);
  const std::lock_guard lock(guard_);
  accumulate(first, 0);
  accumulate(second, first.size());
}

void ExactSum::require_bounded(std::span<const double> values) const {
  for (const double value : values)
    if (!(std::abs(value) <= bound_))
      throw Error(ExitCode::internal,
                  "exact sum: " + std::to_string(value) + " is beyond the bound " + std::to_string(bound_));
}

void ExactSum::accumulate(std::span<const double> values, std::size_t begin) {
  for (std::size_t i = 0; i < values.size(); ++i) sums_[begin + i] += std::llrint(values[i] * scale_);
}

const Vector& ExactSum::total(const Communicator& comm) {
  all_ = sums_;
  comm.sum(all_);
  for (std::size_t i = 0; i < all_.size(); ++i)
    total_(static_cast<Index>(i)) = static_cast<double>(all_[i]) / scale_;
  return total_;
}

void ExactSum::clear() { std::ranges::fill(sums_, 0); }

} // namespace metasieve
