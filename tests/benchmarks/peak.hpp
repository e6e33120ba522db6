#pragma once

#include "numerics/registers.hpp"

#include <cstddef>

namespace metasieve {

/// Multiply-adds in registers that do not wait for each other: what one core can do at most. Twelve chains
/// hide the latency of two units that take four cycles each. Returns the floating-point operations.
template <class T>
[[gnu::noinline]] double multiply_adds_in_registers(std::size_t steps) {
  using P = simd::Register<T>;
  constexpr std::size_t chains = 12, values = sizeof(P) / sizeof(T);
  P sums[chains]; // NOLINT: std::array of a register warns that it loses its alignment
  for (std::size_t i = 0; i < chains; ++i) sums[i] = simd::broadcast<P>(static_cast<T>(i));
  const volatile T unknown_scale = static_cast<T>(0.999), unknown_add = static_cast<T>(0.001);
  const T scale = unknown_scale, add = unknown_add;
  const P a = simd::broadcast<P>(scale), b = simd::broadcast<P>(add);
  for (std::size_t step = 0; step < steps; ++step)
    for (P& sum : sums) sum = simd::fma(sum, a, b);
  P total = sums[0];
  for (std::size_t i = 1; i < chains; ++i) total = total + sums[i];
  alignas(P) T used[values]; // NOLINT
  simd::store(used, total);
  static volatile T kept;
  kept = used[0];
  static_cast<void>(kept);
  return 2.0 * static_cast<double>(values * chains * steps);
}

} // namespace metasieve
