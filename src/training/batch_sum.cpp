#include "training/batch_sum.hpp"

#include "policy/adam.hpp"

#include <algorithm>
#include <array>

namespace metasieve {
namespace {

constexpr Index extra_sums = 5; // after d_theta: loss, accuracy loss, fairness loss, succeeded, clipped

std::span<const double> values_of(const Vector& vector) {
  return {vector.data(), static_cast<std::size_t>(vector.size())};
}

} // namespace

BatchSum::BatchSum(Index parameters, Index batch_size)
    : batch_size_(batch_size),
      sum_(parameters + extra_sums, bound, batch_size), mean_{0, 0, 0, Vector::Zero(parameters), 0, 0} {}

void BatchSum::add(const MetaGradient& gradient) {
  if (gradient.failure != TaskFailure::none) return;
  const auto bounded = [](double value) { return std::clamp(value, -bound, bound); };
  const bool beyond = gradient.d_theta.norm() > bound;
  const std::array<double, extra_sums> rest{bounded(gradient.loss), bounded(gradient.accuracy_loss),
                                            bounded(gradient.fairness_loss), 1.0, beyond ? 1.0 : 0.0};
  if (beyond)
    sum_.add(values_of(clipped(gradient.d_theta, bound * (1.0 - 1e-12))), rest);
  else
    sum_.add(values_of(gradient.d_theta), rest);
}

const BatchGradient& BatchSum::mean(const Communicator& comm) {
  const Vector& total = sum_.total(comm);
  const Index p = total.size() - extra_sums;
  const double succeeded = total(p + 3); // 0: the means are NaN
  mean_.loss = total(p) / succeeded;
  mean_.accuracy_loss = total(p + 1) / succeeded;
  mean_.fairness_loss = total(p + 2) / succeeded;
  if (succeeded > 0)
    mean_.d_theta = total.head(p) / succeeded;
  else
    mean_.d_theta.setZero();
  mean_.failed = batch_size_ - static_cast<std::int64_t>(succeeded);
  mean_.clipped = static_cast<std::int64_t>(total(p + 4));
  return mean_;
}

} // namespace metasieve
