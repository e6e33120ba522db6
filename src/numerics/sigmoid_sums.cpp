#include "numerics/sigmoid_sums.hpp"

#include <algorithm>

namespace metasieve {
namespace {

using namespace simd;
using P = Register<double>;
constexpr Index step = lanes<P>;

constexpr Index block_rows = 128;   // worked on while they stay in the first-level cache
constexpr Index column_shift = 264; // of x

template <class Body>
void for_each_block(Index begin, Index end, const Body& body) {
  for (; begin < end; begin += block_rows) body(begin, std::min(begin + block_rows, end));
}

} // namespace

SigmoidSums::SigmoidSums(const Matrix& x, const std::vector<std::vector<Index>>& parts)
    : count_(std::ssize(parts)) {
  Index total = 0;
  for (Index c = 0; c < count_; ++c) {
    const Index own = std::ssize(parts[static_cast<std::size_t>(c)]), end = total + padded(own, step);
    if (own == 0) continue;
    parts_.push_back({c, total, end, static_cast<double>(end - total - own)});
    total = end;
  }
  const Index p = x.cols();
  x_.resize(total, p, column_shift);
  for (const Part& part : parts_) {
    Index at = part.begin;
    for (const Index row : parts[static_cast<std::size_t>(part.number)]) {
      for (Index j = 0; j < p; ++j) x_.column(j)[at] = x(row, j);
      ++at;
    }
    for (; at < part.end; ++at)
      for (Index j = 0; j < p; ++j) x_.column(j)[at] = 0.0;
  }
  sigmoids_.resize_uninitialized(total);
  slopes_.resize_uninitialized(block_rows);
}

Vector SigmoidSums::at(const Vector& b, double k) {
  k_ = k;
  const Vector c = k * b;
  Vector out = Vector::Zero(count_);
  double* const s = sigmoids_.data();
  for (const Part& part : parts_) {
    P sum = broadcast<P>(0.0);
    for_each_block(part.begin, part.end, [&](Index begin, Index end) {
      gemv(x_, c.data(), begin, end, s);
      for (Index i = begin; i < end; i += step) {
        const P of_row = sigmoid(load<P>(s + i));
        store(s + i, of_row);
        sum = sum + of_row;
      }
    });
    out(part.number) = simd::reduce_lanes(sum) - 0.5 * part.padding; // a row of zeros has 1/2
  }
  return out;
}

Vector SigmoidSums::gradient(const Vector& weights) {
  const Index p = x_.columns(), wide = padded(p, step);
  gradient_sums_.fill(wide * step, 0.0);
  const P one = broadcast<P>(1.0);
  for (const Part& part : parts_) {
    const P weight = broadcast<P>(k_ * weights(part.number));
    for_each_block(part.begin, part.end, [&](Index begin, Index end) {
      for (Index i = begin; i < end; i += step) {
        const P s = load<P>(sigmoids_.data() + i);
        store(slopes_.data() + i - begin, P(weight * s * (one - s)));
      }
      gemv_transposed(x_.block(begin, end), slopes_.data(), gradient_sums_.data());
    });
  }
  Vector out(wide);
  simd::reduce_lanes(gradient_sums_.data(), wide, out.data());
  return out.head(p);
}

} // namespace metasieve
