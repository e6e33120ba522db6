#include "numerics/tridiagonal.hpp"

#include "numerics/registers.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace metasieve {
namespace {

using namespace simd;
using P = Register<double>;
constexpr Index step = lanes<P>;
constexpr Index block = std::max<Index>(step, 4); // the diagonal blocks have both triangles
constexpr Index unroll = 4;                       // columns that are read at a time

/// The lower triangle of the matrix by columns, and vectors, all with zeros up to a multiple of `block`.
struct Work {
  explicit Work(const Eigen::MatrixXd& matrix)
      : size(matrix.rows()), stride(simd::padded(size, block)), a(Eigen::MatrixXd::Zero(stride, stride)) {
    for (Index j = 0; j < size; ++j) {
      const Index first = j / block * block;
      for (Index i = first; i < size; ++i) a(i, j) = i < j ? matrix(j, i) : matrix(i, j);
    }
    v = previous_v = previous_w = product = Vector::Zero(stride);
  }

  Index size, stride;
  Eigen::MatrixXd a;
  Vector v;                      ///< the reflection
  Vector previous_v, previous_w; ///< a - v w' - w v' is the matrix after the reflection before
  Vector product;                ///< of that matrix and v
};

void update_column(Work& work, Index j) {
  const double v = work.previous_v(j), w = work.previous_w(j);
  for (Index i = j; i < work.size; ++i) work.a(i, j) -= work.previous_v(i) * w + work.previous_w(i) * v;
}

/// Updates columns j..j+unroll-1, and adds what they and their mirror images give to the product.
void update_and_multiply(Work& work, Index j) {
  P v[unroll], w[unroll], factor[unroll], sum[unroll];
  for (Index c = 0; c < unroll; ++c) {
    v[c] = broadcast<P>(-work.previous_v(j + c));
    w[c] = broadcast<P>(-work.previous_w(j + c));
    factor[c] = broadcast<P>(work.v(j + c));
    sum[c] = broadcast<P>(0.0);
  }
  const Index first = j / block * block, stride = work.stride;
  double* const columns = &work.a(0, j);
  const double *const all_v = work.previous_v.data(), *const all_w = work.previous_w.data();
  const double* const all_x = work.v.data();
  double* const product = work.product.data();
  const auto add = [&](Index i) {
    const P v_i = load<P>(all_v + i), w_i = load<P>(all_w + i), x_i = load<P>(all_x + i);
    P product_i = load<P>(product + i);
#pragma GCC unroll 4
    for (Index c = 0; c < unroll; ++c) {
      double* const entry = columns + c * stride + i;
      const P updated = fma(w_i, v[c], fma(v_i, w[c], load<P>(entry)));
      store(entry, updated);
      product_i = fma(updated, factor[c], product_i);
      sum[c] = fma(updated, x_i, sum[c]);
    }
    store(product + i, product_i);
  };
  for (Index i = first; i < first + block; i += step) add(i);
  for (P& total : sum) total = broadcast<P>(0.0); // the diagonal block has its mirror images itself
  for (Index i = first + block; i < stride; i += step) add(i);
  for (Index c = 0; c < unroll; ++c) product[j + c] += reduce_lanes(sum[c]);
}

/// Makes work.v of column k, so that the reflection leaves of it an entry below the diagonal only: returned,
/// with the scale of the reflection.
std::pair<double, double> reflect(Work& work, Index k) {
  work.v.head(k + 1).setZero();
  const Index rest = work.size - k - 1;
  work.v.segment(k + 1, rest) = work.a.col(k).segment(k + 1, rest);
  const double first = work.v(k + 1), others = work.v.segment(k + 2, rest - 1).squaredNorm();
  work.v(k + 1) = 1.0;
  if (!(others > 0.0)) {
    work.v.segment(k + 2, rest - 1).setZero();
    return {first, 0.0};
  }
  const double below = first > 0.0 ? -std::sqrt(first * first + others) : std::sqrt(first * first + others);
  work.v.segment(k + 2, rest - 1) /= first - below;
  return {below, (below - first) / below};
}

} // namespace

TridiagonalForm tridiagonalise(const Eigen::MatrixXd& matrix) {
  const Index size = matrix.rows();
  Work work(matrix);
  TridiagonalForm form{Vector(size), Vector(size - 1), Eigen::MatrixXd::Zero(size, size), Vector::Zero(size)};
  for (Index k = 0; k + 1 < size; ++k) {
    update_column(work, k);
    form.diagonal(k) = work.a(k, k);
    std::tie(form.below(k), form.scale(k)) = reflect(work, k);
    form.reflectors.col(k) = work.v.head(size);

    work.product.setZero();
    for (Index j = (k + 1) / unroll * unroll; j < size; j += unroll) update_and_multiply(work, j);
    work.product.head(k + 1).setZero();
    const double scale = form.scale(k);
    work.previous_w = scale * (work.product - (0.5 * scale * work.product.dot(work.v)) * work.v);
    work.previous_v = work.v;
  }
  update_column(work, size - 1);
  form.diagonal(size - 1) = work.a(size - 1, size - 1);
  return form;
}

Vector rotated(const TridiagonalForm& form, Vector b) {
  for (Index k = 0; k + 1 < b.size(); ++k) {
    const Index rest = b.size() - k - 1;
    const auto v = form.reflectors.col(k).tail(rest);
    b.tail(rest) -= (form.scale(k) * v.dot(b.tail(rest))) * v;
  }
  return b;
}

Eigen::MatrixXf rotation(const TridiagonalForm& form) {
  // Blocks of reflections as I - V S V', S upper triangular (Schreiber and Van Loan 1989).
  constexpr Index at_once = 32;
  const Index size = form.diagonal.size(), count = size - 1;
  Eigen::MatrixXf q = Eigen::MatrixXf::Identity(size, size);
  for (Index begin = (count - 1) / at_once * at_once; begin >= 0; begin -= at_once) {
    const Index width = std::min(at_once, count - begin), rest = size - begin - 1;
    const Eigen::MatrixXf v = form.reflectors.block(begin + 1, begin, rest, width).cast<float>();
    const Eigen::MatrixXf inner = v.transpose() * v;
    Eigen::MatrixXf s = Eigen::MatrixXf::Zero(width, width);
    for (Index k = 0; k < width; ++k) {
      const auto scale = static_cast<float>(form.scale(begin + k));
      s(k, k) = scale;
      s.col(k).head(k) = -scale * (s.topLeftCorner(k, k) * inner.col(k).head(k));
    }
    auto rows = q.bottomRightCorner(rest, rest);
    const Eigen::MatrixXf left = v * s;
    const Eigen::MatrixXf right = v.transpose() * rows;
    rows.noalias() -= left * right;
  }
  return q;
}

ShiftedFactor factorise(const Vector& diagonal, const Vector& below, const Vector& rotated_target,
                        double ridge) {
  const Index size = diagonal.size();
  ShiftedFactor factor{Vector::Zero(size), Vector(size), rotated_target};
  factor.inverse_pivot(0) = 1.0 / (diagonal(0) + ridge);
  for (Index k = 1; k < size; ++k) {
    factor.multiplier(k) = below(k - 1) * factor.inverse_pivot(k - 1);
    factor.inverse_pivot(k) = 1.0 / (diagonal(k) + ridge - factor.multiplier(k) * below(k - 1));
    factor.target(k) -= factor.multiplier(k) * factor.target(k - 1);
  }
  return factor;
}

} // namespace metasieve
