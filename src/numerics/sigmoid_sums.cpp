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
  for (Buffer<double>* const each : {&slope_, &curvature_}) each->resize_uninitialized(block_rows);
  scaled_.resize_uninitialized(block_rows * syrk_scratch);
  added_.resize_uninitialized(padded(std::max(p, syrk_sums(p)), step));
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

SumDerivatives SigmoidSums::derivatives(const Vector& weights) {
  const Index p = x_.columns(), wide = padded(p, step), squares = padded(syrk_sums(p), step);
  SumDerivatives out{Matrix::Zero(count_, p), Eigen::MatrixXd::Zero(p, p)};
  hessian_sums_.fill(squares * step, 0.0);
  const P one = broadcast<P>(1.0), k = broadcast<P>(k_);
  double *const slope = slope_.data(), *const curvature = curvature_.data();
  for (const Part& part : parts_) {
    const P weight = broadcast<P>(k_ * weights(part.number));
    slope_sums_.fill(wide * step, 0.0);
    for_each_block(part.begin, part.end, [&](Index begin, Index end) {
      for (Index i = begin; i < end; i += step) {
        const P s = load<P>(sigmoids_.data() + i), first = k * s * (one - s);
        store(slope + i - begin, first);
        store(curvature + i - begin, P(weight * first * (one - s - s)));
      }
      const ColumnBlock<double> rows = x_.block(begin, end);
      gemv_transposed(rows, slope, slope_sums_.data());
      syrk(rows, curvature, scaled_.data(), hessian_sums_.data());
    });
    simd::reduce_lanes(slope_sums_.data(), wide, added_.data());
    out.gradients.row(part.number) = Eigen::Map<const Eigen::RowVectorXd>(added_.data(), p);
  }
  simd::reduce_lanes(hessian_sums_.data(), squares, added_.data());
  store_syrk(p, added_.data(), 1.0, out.hessian.data(), p);
  return out;
}

} // namespace metasieve
