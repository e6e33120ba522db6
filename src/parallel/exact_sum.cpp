#include "parallel/exact_sum.hpp"

#include <cmath>

namespace metasieve {

ExactSum::ExactSum(Index size, double bound, std::int64_t terms)
    : bound_(bound), scale_(std::exp2(std::floor(62.0 - std::log2(bound * static_cast<double>(terms))))),
      sums_(static_cast<std::size_t>(size), 0) {}

void ExactSum::add(std::span<const double> values) {
  for (const double value : values)
    if (!(std::abs(value) <= bound_))
      throw Error(ExitCode::internal,
                  "exact sum: " + std::to_string(value) + " is beyond the bound " + std::to_string(bound_));
  const std::lock_guard lock(guard_);
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += std::llrint(values[i] * scale_);
}

Vector ExactSum::total(const Communicator& comm) {
  std::vector<std::int64_t> all = sums_;
  comm.sum(all);
  Vector total(static_cast<Index>(all.size()));
  for (std::size_t i = 0; i < all.size(); ++i)
    total(static_cast<Index>(i)) = static_cast<double>(all[i]) / scale_;
  return total;
}

} // namespace metasieve
