#include "kernels/fair_probes.hpp"

#include "numerics/gemv.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace metasieve::kernels {
namespace {

using namespace simd;
using P = Register<double>;
constexpr Index step = lanes<P>;

constexpr Index block_rows = 128;   // worked on while they stay in the first-level cache
constexpr Index column_shift = 264; // of the design

/// Which of a cell's two sums the rows of a part are in: those with q = 0 in the first alone, those with q =
/// 1 in both alike, and few others by their q.
enum class Part : std::uint8_t { first, both, by_q };

/// The rows by cells and parts of them, each part in whole registers: rows of zeros fill up its last one.
class CellRows {
public:
  explicit CellRows(const FairRows& rows);
  Vector sums(const Vector& beta, double k);
  SumDerivatives derivatives(const Vector& weights);

private:
  struct CellPart {
    Index cell;
    Part part;
    Index begin, end; // rows
    double padding;   // of them, those of zeros
  };
  template <class Body>
  static void for_each_block(const CellPart& part, const Body& body) {
    for (Index begin = part.begin; begin < part.end; begin += block_rows)
      body(begin, std::min(begin + block_rows, part.end));
  }
  void fill(const CellPart& part, const FairRows& rows, const std::vector<Index>& members);

  Index cells_;
  double k_ = 0;
  std::vector<CellPart> parts_;
  Columns<double> x_;
  Buffer<double> q_, decisions_;                     // of each row
  Buffer<double> slope_, by_q_, curvature_, scaled_; // of a block
  Buffer<double> slope_sums_, by_q_sums_, hessian_sums_, added_;
};

Part part_of(double q) { return q == 0.0 ? Part::first : q == 1.0 ? Part::both : Part::by_q; }

CellRows::CellRows(const FairRows& rows) : cells_(rows.cells()) {
  constexpr Index parts_of_cell = 3;
  std::vector<std::vector<Index>> members(static_cast<std::size_t>(parts_of_cell * cells_));
  for (Index i = 0; i < rows.rows(); ++i)
    members[static_cast<std::size_t>(parts_of_cell * rows.cell(i) +
                                     static_cast<Index>(part_of(rows.denoised(i))))]
        .push_back(i);
  Index total = 0;
  for (Index k = 0; k < std::ssize(members); ++k) {
    const Index own = std::ssize(members[static_cast<std::size_t>(k)]), end = total + padded(own, step);
    if (own == 0) continue;
    parts_.push_back({k / parts_of_cell, static_cast<Part>(k % parts_of_cell), total, end,
                      static_cast<double>(end - total - own)});
    total = end;
  }
  const Index p = rows.design.cols();
  x_.resize(total, p, column_shift);
  q_.fill(total, 0.0);
  decisions_.resize_uninitialized(total);
  for (const CellPart& part : parts_)
    fill(part, rows,
         members[static_cast<std::size_t>(parts_of_cell * part.cell + static_cast<Index>(part.part))]);
  for (Buffer<double>* const each : {&slope_, &by_q_, &curvature_}) each->resize_uninitialized(block_rows);
  scaled_.resize_uninitialized(block_rows * syrk_scratch);
  added_.resize_uninitialized(padded(std::max(p, syrk_sums(p)), step));
}

void CellRows::fill(const CellPart& part, const FairRows& rows, const std::vector<Index>& members) {
  for (Index at = part.begin; at < part.end; ++at) {
    const Index k = at - part.begin;
    const bool is_row = k < std::ssize(members);
    const Index row = is_row ? members[static_cast<std::size_t>(k)] : 0;
    for (Index j = 0; j < x_.columns(); ++j) x_.column(j)[at] = is_row ? rows.x(row)(j) : 0.0;
    if (is_row) q_.data()[at] = rows.denoised(row);
  }
}

Vector CellRows::sums(const Vector& beta, double k) {
  k_ = k;
  const Vector c = k * beta;
  Vector out = Vector::Zero(2 * cells_);
  double* const s = decisions_.data();
  for (const CellPart& part : parts_) {
    P all = broadcast<P>(0.0), by_q = all;
    for_each_block(part, [&](Index begin, Index end) {
      gemv(x_, c.data(), begin, end, s);
      for (Index i = begin; i < end; i += step) {
        const P decision = sigmoid(load<P>(s + i));
        store(s + i, decision);
        all = all + decision;
        by_q = fma(load<P>(q_.data() + i), decision, by_q);
      }
    });
    out(2 * part.cell) += reduce_lanes(all) - 0.5 * part.padding; // a row of zeros has s = 1/2
    out(2 * part.cell + 1) += reduce_lanes(by_q);
  }
  return out;
}

SumDerivatives CellRows::derivatives(const Vector& weights) {
  const Index p = x_.columns(), wide = padded(p, step), squares = padded(syrk_sums(p), step);
  SumDerivatives out{Matrix::Zero(2 * cells_, p), Eigen::MatrixXd::Zero(p, p)};
  hessian_sums_.fill(squares * step, 0.0);
  const P one = broadcast<P>(1.0), k = broadcast<P>(k_);
  double *const slope = slope_.data(), *const by_q = by_q_.data(), *const curvature = curvature_.data();
  for (const CellPart& part : parts_) {
    const Index all = 2 * part.cell;
    const P weight = broadcast<P>(weights(all)), weight_by_q = broadcast<P>(weights(all + 1));
    slope_sums_.fill(wide * step, 0.0);
    by_q_sums_.fill(wide * step, 0.0);
    for_each_block(part, [&](Index begin, Index end) {
      for (Index i = begin; i < end; i += step) {
        const P s = load<P>(decisions_.data() + i), q = load<P>(q_.data() + i);
        const P first = k * s * (one - s);
        store(slope + i - begin, first);
        store(by_q + i - begin, P(q * first));
        store(curvature + i - begin, P(k * first * (one - s - s) * fma(q, weight_by_q, weight)));
      }
      const ColumnBlock<double> rows = x_.block(begin, end);
      gemv_transposed(rows, slope, slope_sums_.data());
      if (part.part == Part::by_q) gemv_transposed(rows, by_q, by_q_sums_.data());
      syrk(rows, curvature, scaled_.data(), hessian_sums_.data());
    });
    const auto add = [&](const Buffer<double>& sums, Index to) {
      simd::reduce_lanes(sums.data(), wide, added_.data());
      for (Index j = 0; j < p; ++j) out.gradients(to, j) += added_.data()[j];
    };
    add(slope_sums_, all);
    if (part.part != Part::first) add(part.part == Part::both ? slope_sums_ : by_q_sums_, all + 1);
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
