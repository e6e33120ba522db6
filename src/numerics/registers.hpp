#pragma once

#include "base/linalg.hpp"

#include <algorithm>
#include <array>
#include <vector>

/// Vector registers for the few loops that decide how long a run takes. A register is the compiler's own
/// vector type, so + - * / and the sign are its operators; the other operations are below, in the form that
/// Eigen has for each instruction set (a scalar where there is none). Each such loop has a plain double form
/// that a test holds it to.
namespace metasieve::simd {

/// The widest register of T on the processor that is compiled for: 16 float with AVX-512, 8 with AVX, 4 with
/// SSE.
template <class T>
using Register = typename Eigen::internal::packet_traits<T>::type;

// Narrower ones of processors that have wider ones, for the tests.
#ifdef EIGEN_VECTORIZE_AVX
using Float4 = Eigen::internal::Packet4f;
#endif
#ifdef EIGEN_VECTORIZE_AVX512
using Float8 = Eigen::internal::Packet8f;
#endif

template <class P>
using Scalar = typename Eigen::internal::unpacket_traits<P>::type;

/// Values in a register.
template <class P>
inline constexpr Index lanes = Eigen::internal::unpacket_traits<P>::size;

/// A square of values: `lanes` registers.
template <class P>
using RegisterBlock = Eigen::internal::PacketBlock<P, static_cast<int>(lanes<P>)>;

/// The values from an aligned address on.
template <class P>
EIGEN_ALWAYS_INLINE P load(const Scalar<P>* from) {
  return Eigen::internal::pload<P>(from);
}
template <class P>
EIGEN_ALWAYS_INLINE P load_unaligned(const Scalar<P>* from) {
  return Eigen::internal::ploadu<P>(from);
}
template <class P>
EIGEN_ALWAYS_INLINE void store(Scalar<P>* to, const P& a) {
  Eigen::internal::pstore(to, a);
}
/// The values of a register, in their order.
template <class P>
EIGEN_ALWAYS_INLINE auto lane_values(const P& a) {
  std::array<Scalar<P>, static_cast<std::size_t>(lanes<P>)> values;
  Eigen::internal::pstoreu(values.data(), a);
  return values;
}
template <class P>
EIGEN_ALWAYS_INLINE P broadcast(Scalar<P> value) {
  return Eigen::internal::pset1<P>(value);
}
/// a b + c: rounded once where the processor can.
template <class P>
EIGEN_ALWAYS_INLINE P fma(const P& a, const P& b, const P& c) {
  return Eigen::internal::pmadd(a, b, c);
}
template <class P>
EIGEN_ALWAYS_INLINE P min(const P& a, const P& b) {
  return Eigen::internal::pmin(a, b);
}
template <class P>
EIGEN_ALWAYS_INLINE P max(const P& a, const P& b) {
  return Eigen::internal::pmax(a, b);
}
template <class P>
EIGEN_ALWAYS_INLINE P abs(const P& a) {
  return Eigen::internal::pabs(a);
}
template <class P>
EIGEN_ALWAYS_INLINE P floor(const P& a) {
  return Eigen::internal::pfloor(a);
}
template <class P>
EIGEN_ALWAYS_INLINE P exp(const P& a) {
  return Eigen::internal::pexp(a);
}
template <class P>
EIGEN_ALWAYS_INLINE P log(const P& a) {
  return Eigen::internal::plog(a);
}
/// a 2^n.
template <class P>
EIGEN_ALWAYS_INLINE P ldexp(const P& a, const P& n) {
  return Eigen::internal::pldexp(a, n);
}
/// A mask: all bits set where a < b.
template <class P>
EIGEN_ALWAYS_INLINE P less(const P& a, const P& b) {
  return Eigen::internal::pcmp_lt(a, b);
}
template <class P>
EIGEN_ALWAYS_INLINE P equal(const P& a, const P& b) {
  return Eigen::internal::pcmp_eq(a, b);
}
template <class P>
EIGEN_ALWAYS_INLINE P less_equal(const P& a, const P& b) {
  return Eigen::internal::pcmp_le(a, b);
}
template <class P>
EIGEN_ALWAYS_INLINE P bit_and(const P& a, const P& b) {
  return Eigen::internal::pand(a, b);
}
template <class P>
EIGEN_ALWAYS_INLINE P bit_or(const P& a, const P& b) {
  return Eigen::internal::por(a, b);
}
/// Whether a bit of the mask is set.
template <class P>
EIGEN_ALWAYS_INLINE bool any(const P& mask) {
  return Eigen::internal::predux_any(mask);
}
/// The sum of the values.
template <class P>
EIGEN_ALWAYS_INLINE Scalar<P> reduce_lanes(const P& a) {
  return Eigen::internal::predux(a);
}
/// Value j of register i becomes value i of register j.
template <class P>
EIGEN_ALWAYS_INLINE void transpose(RegisterBlock<P>& block) {
  Eigen::internal::ptranspose(block);
}

/// The smallest multiple of `step` that is at least `count`.
[[nodiscard]] constexpr Index padded(Index count, Index step) { return (count + step - 1) / step * step; }

/// Memory for a loop that is run again and again: aligned for every register, and kept as it shrinks.
template <class T>
class Buffer {
public:
  /// At least `size` values, not initialised; those that were there are lost if it grows.
  T* resize_uninitialized(Index size) {
    if (std::ssize(values_) < size)
      values_ = std::vector<T, Eigen::aligned_allocator<T>>(static_cast<std::size_t>(size));
    return values_.data();
  }
  /// `size` values, all `value`.
  T* fill(Index size, T value) {
    std::fill_n(resize_uninitialized(size), size, value);
    return values_.data();
  }
  [[nodiscard]] T* data() noexcept { return values_.data(); }
  [[nodiscard]] const T* data() const noexcept { return values_.data(); }

private:
  std::vector<T, Eigen::aligned_allocator<T>> values_;
};

/// Room for `n` values in whole registers.
template <class T>
T* whole_registers(Buffer<T>& buffer, Index n) {
  return buffer.resize_uninitialized(padded(n, lanes<Register<T>>));
}

/// Zeros after the first `n` values, up to whole registers.
template <class T>
void clear_beyond(T* values, Index n) {
  std::fill(values + n, values + padded(n, lanes<Register<T>>), T{0});
}

/// `n` values of a buffer as a vector, without Eigen's allocation whenever a size changes.
template <class T>
[[nodiscard]] Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>> vector_in(Buffer<T>& buffer, Index n) {
  return {buffer.resize_uninitialized(n), n};
}

} // namespace metasieve::simd
