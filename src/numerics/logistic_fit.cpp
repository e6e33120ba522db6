#include "numerics/logistic_fit.hpp"

#include "numerics/newton.hpp"

#include <algorithm>

namespace metasieve {

LogisticFit fit_logistic(const Matrix& x, const Vector& y, const Vector& weights, const Vector& start,
                         const Vector& ridge_diag, double tolerance) {
  constexpr Index kept_size = 1 << 20; // 8 MB a thread; what is larger costs more to fit than to allocate
  thread_local NewtonFit kept;
  NewtonFit large;
  NewtonFit& newton = x.size() <= kept_size ? kept : large;
  newton.load(x);
  std::copy_n(y.data(), y.size(), newton.labels().data());
  std::copy_n(weights.data(), weights.size(), newton.weights().data());
  const FitStatus status = newton.fit(start, ridge_diag, tolerance);
  return {newton.beta(), status, newton.iterations()};
}

} // namespace metasieve
