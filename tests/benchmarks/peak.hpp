#pragma once

#include "numerics/registers.hpp"
#include "policy/network.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>

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

/// Floating-point operations of a row's way through the policy network: forward, and with what goes back to
/// every layer but the first's inputs.
inline double network_operations(const Policy& policy, bool back) {
  double sum = 0;
  for (const LayerView& layer : layers(policy)) {
    const double one_way = 2.0 * static_cast<double>(layer.inputs * layer.outputs);
    sum += one_way * (back ? (layer.weight_offset == 0 ? 2.0 : 3.0) : 1.0);
  }
  return sum;
}

inline void count_operations(benchmark::State& state, double operations) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(1e-9 * operations, benchmark::Counter::kIsIterationInvariantRate);
}

/// How many times its limit `work` takes: the time of `operations` in float32 at the peak. Both are measured
/// in turn, so that both see the same machine; of the fastest of each.
template <class Work>
double times_limit(benchmark::State& state, double operations, Work&& work) {
  const auto seconds = [](auto&& timed) {
    const auto begin = std::chrono::steady_clock::now();
    timed();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  double own = std::numeric_limits<double>::infinity(), at_peak = own, peak_operations = 0;
  for (auto _ : state) {
    own = std::min(own, seconds(work));
    at_peak = std::min(at_peak, seconds([&] { peak_operations = multiply_adds_in_registers<float>(20000); }));
  }
  return own / operations * (peak_operations / at_peak);
}

} // namespace metasieve
