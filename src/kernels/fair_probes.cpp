#include "kernels/fair_probes.hpp"

#include "numerics/gemv.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace metasieve::kernels {
namespace {

using namespace simd;
using P = Register<double>;
constexpr Index step = lanes<P>;

constexpr Index block_rows = 128;   // worked on while they stay in the first-level cache
constexpr Index column_shift = 264; // of the design

/// The rows by cells, each in whole registers: rows of zeros fill up its last one.
class CellRows {
public:
  explicit CellRows(const FairRows& rows);
  Vector sums(const Vector& beta, double k);
  SumDerivatives derivatives(const Vector& weights);

private:
  struct Cell {
    Index number, begin, end; // of its rows
    double padding;           // rows of zeros among them
  };
  template <class Body>
  static void for_each_block(const Cell& cell, const Body& body) {
    for (Index begin = cell.begin; begin < cell.end; begin += block_rows)
      body(begin, std::min(begin + block_rows, cell.end));
  }

  Index count_;
  double k_ = 0;
  std::vector<Cell> cells_; // that have rows
  Columns<double> x_;
  Buffer<double> decisions_;                  // of each row
  Buffer<double> slope_, curvature_, scaled_; // of a block
  Buffer<double> slope_sums_, hessian_sums_, added_;
};

CellRows::CellRows(const FairRows& rows) : count_(rows.cells()) {
  std::vector<std::vector<Index>> members(static_cast<std::size_t>(count_));
  for (Index i = 0; i < rows.rows(); ++i) members[static_cast<std::size_t>(rows.cell(i))].push_back(i);
  Index total = 0;
  for (Index c = 0; c < count_; ++c) {
    const Index own = std::ssize(members[static_cast<std::size_t>(c)]), end = total + padded(own, step);
    if (own == 0) continue;
    cells_.push_back({c, total, end, static_cast<double>(end - total - own)});
    total = end;
  }
  const Index p = rows.design.cols();
  x_.resize(total, p, column_shift);
  for (const Cell& cell : cells_) {
    Index at = cell.begin;
    for (const Index row : members[static_cast<std::size_t>(cell.number)]) {
      for (Index j = 0; j < p; ++j) x_.column(j)[at] = rows.x(row)(j);
      ++at;
    }
    for (; at < cell.end; ++at)
      for (Index j = 0; j < p; ++j) x_.column(j)[at] = 0.0;
  }
  decisions_.resize_uninitialized(total);
  for (Buffer<double>* const each : {&slope_, &curvature_}) each->resize_uninitialized(block_rows);
  scaled_.resize_uninitialized(block_rows * syrk_scratch);
  added_.resize_uninitialized(padded(std::max(p, syrk_sums(p)), step));
}

Vector CellRows::sums(const Vector& beta, double k) {
  k_ = k;
  const Vector c = k * beta;
  Vector out = Vector::Zero(count_);
  double* const s = decisions_.data();
  for (const Cell& cell : cells_) {
    P sum = broadcast<P>(0.0);
    for_each_block(cell, [&](Index begin, Index end) {
      gemv(x_, c.data(), begin, end, s);
      for (Index i = begin; i < end; i += step) {
        const P decision = sigmoid(load<P>(s + i));
        store(s + i, decision);
        sum = sum + decision;
      }
    });
    out(cell.number) = simd::reduce_lanes(sum) - 0.5 * cell.padding; // a row of zeros has s = 1/2
  }
  return out;
}

SumDerivatives CellRows::derivatives(const Vector& weights) {
  const Index p = x_.columns(), wide = padded(p, step), squares = padded(syrk_sums(p), step);
  SumDerivatives out{Matrix::Zero(count_, p), Eigen::MatrixXd::Zero(p, p)};
  hessian_sums_.fill(squares * step, 0.0);
  const P one = broadcast<P>(1.0), k = broadcast<P>(k_);
  double *const slope = slope_.data(), *const curvature = curvature_.data();
  for (const Cell& cell : cells_) {
    const P weight = broadcast<P>(k_ * weights(cell.number));
    slope_sums_.fill(wide * step, 0.0);
    for_each_block(cell, [&](Index begin, Index end) {
      for (Index i = begin; i < end; i += step) {
        const P s = load<P>(decisions_.data() + i), first = k * s * (one - s);
        store(slope + i - begin, first);
        store(curvature + i - begin, P(weight * first * (one - s - s)));
      }
      const ColumnBlock<double> rows = x_.block(begin, end);
      gemv_transposed(rows, slope, slope_sums_.data());
      syrk(rows, curvature, scaled_.data(), hessian_sums_.data());
    });
    simd::reduce_lanes(slope_sums_.data(), wide, added_.data());
    out.gradients.row(cell.number) = Eigen::Map<const Eigen::RowVectorXd>(added_.data(), p);
  }
  simd::reduce_lanes(hessian_sums_.data(), squares, added_.data());
  store_syrk(p, added_.data(), 1.0, out.hessian.data(), p);
  return out;
}

} // namespace

DecisionSums decision_sums(const FairRows& rows) {
  const auto form = std::make_shared<CellRows>(rows);
  return {[form](const Vector& beta, double k) { return form->sums(beta, k); },
          [form](const Vector& weights) { return form->derivatives(weights); }};
}

} // namespace metasieve::kernels
