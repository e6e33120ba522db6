#pragma once

#include "base/linalg.hpp"

#include <algorithm>
#include <vector>

/// The few loops that decide how long a run takes are written for whole vector registers, with Eigen's
/// packets: `pload`, `pmadd`, `pexp` ... of Eigen::internal, which have a form for every instruction set and
/// a scalar one where there is none. Each such loop has a plain double form that a test holds it to.
namespace metasieve::simd {

/// The widest register of T on the processor that is compiled for: 16 float with AVX-512, 8 with AVX, 4 with
/// SSE.
template <class T>
using Packet = typename Eigen::internal::packet_traits<T>::type;

template <class P>
using Scalar = typename Eigen::internal::unpacket_traits<P>::type;

/// Values in a register.
template <class P>
inline constexpr Index lanes = Eigen::internal::unpacket_traits<P>::size;

/// The smallest multiple of `step` that is at least `count`.
[[nodiscard]] constexpr Index padded(Index count, Index step) { return (count + step - 1) / step * step; }

/// Memory for a loop that is run again and again: aligned for every packet, and kept as it shrinks. Not
/// initialised beyond what was written.
template <class T>
class Buffer {
public:
  /// At least `size` values; those that were there are lost if it grows.
  T* sized(Index size) {
    if (std::ssize(values_) < size)
      values_ = std::vector<T, Eigen::aligned_allocator<T>>(static_cast<std::size_t>(size));
    return values_.data();
  }
  [[nodiscard]] T* data() noexcept { return values_.data(); }
  [[nodiscard]] const T* data() const noexcept { return values_.data(); }

private:
  std::vector<T, Eigen::aligned_allocator<T>> values_;
};

/// `n` values of a buffer as a vector: Eigen's own are given back and taken anew whenever their size changes.
template <class T>
[[nodiscard]] Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>> vector_in(Buffer<T>& buffer, Index n) {
  return {buffer.sized(n), n};
}

} // namespace metasieve::simd
