#include "numerics/newton.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace metasieve::newton {
namespace {

using namespace Eigen::internal;

Packet load(const double* from) { return pload<Packet>(from); }
Packet all(double value) { return pset1<Packet>(value); }

/// The lanes of a register, one by one.
std::array<double, lanes> values_of(Packet packet) {
  std::array<double, lanes> values;
  pstoreu(values.data(), packet);
  return values;
}

double add_lanes(Packet packet) {
  const std::array<double, lanes> values = values_of(packet);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// exp(-f) = 2^n e^r with r = -f - n log 2, and e^r = (q + p) / (q - p) by the rational form of Cephes
/// (Moshier, netlib.org/cephes), as in Eigen's pexp; here its quotient and that of 1 / (1 + exp(-f)) are one.
Packet sigmoid(Packet f) {
  const Packet x = pmax(pmin(pnegate(f), all(708.0)), all(-708.0));
  const Packet n = pfloor(pmadd(x, all(1.4426950408889634), all(0.5)));
  const Packet r = pmadd(n, all(-1.42860682030941723212e-6), pmadd(n, all(-0.693145751953125), x));
  const Packet square = pmul(r, r);
  Packet p = pmadd(all(1.26177193074810590878e-4), square, all(3.02994407707441961300e-2));
  p = pmul(r, pmadd(p, square, all(1.0)));
  Packet q = pmadd(all(3.00198505138664455042e-6), square, all(2.52448340349684104192e-3));
  q = pmadd(pmadd(q, square, all(2.27265548208155028766e-1)), square, all(2.0));
  const Packet below = psub(q, p);
  return pdiv(below, padd(below, pldexp(padd(q, p), n)));
}

constexpr int tile = gram_scratch; // columns of a tile of the Hessian: tile^2 sums stay in registers

/// X d for `width` registers of rows from row i on.
template <int width>
Packet move_some(const Block& block, const double* d, const double* f, double* moved, Index i,
                 Packet largest) {
  Packet sum[width];
  for (int k = 0; k < width; ++k) sum[k] = all(0.0);
  const double* column = block.x + i;
  for (Index j = 0; j < block.columns; ++j, column += block.stride) {
    const Packet factor = all(d[j]);
    for (int k = 0; k < width; ++k) sum[k] = pmadd(load(column + k * lanes), factor, sum[k]);
  }
  for (int k = 0; k < width; ++k) {
    pstore(moved + i + k * lanes, psub(load(f + i + k * lanes), sum[k]));
    largest = pmax(largest, pabs(sum[k]));
  }
  return largest;
}

template <int width>
void add_some_products(const Block& block, Index j, const double* v, double* sums) {
  const double* x = block.x + j * block.stride;
  Packet sum[width];
  for (int k = 0; k < width; ++k) sum[k] = load(sums + (j + k) * lanes);
  for (Index i = 0; i < block.rows; i += lanes) {
    const Packet factor = load(v + i);
    for (int k = 0; k < width; ++k) sum[k] = pmadd(load(x + k * block.stride + i), factor, sum[k]);
  }
  for (int k = 0; k < width; ++k) pstore(sums + (j + k) * lanes, sum[k]);
}

/// A tile of the Hessian: `height` scaled columns by `tile` columns, or on the diagonal by themselves.
template <int height, bool diagonal>
void add_tile(const Block& block, const double* scaled, const double* x, double* sums) {
  constexpr int width = diagonal ? height : tile;
  Packet sum[height][width]; // in registers, once the loops are unrolled
#pragma GCC unroll 4
  for (int k = 0; k < height; ++k)
#pragma GCC unroll 4
    for (int l = 0; l < width; ++l) sum[k][l] = load(sums + (k * tile + l) * lanes);
  for (Index i = 0; i < block.rows; i += lanes) {
    Packet left[height];
    for (int k = 0; k < height; ++k) left[k] = load(scaled + k * block_rows + i);
    for (int l = 0; l < width; ++l) {
      const Packet right = load(x + l * block.stride + i);
      for (int k = 0; k < height; ++k)
        if (!diagonal || k >= l) sum[k][l] = pmadd(left[k], right, sum[k][l]);
    }
  }
#pragma GCC unroll 4
  for (int k = 0; k < height; ++k)
#pragma GCC unroll 4
    for (int l = 0; l < width; ++l) pstore(sums + (k * tile + l) * lanes, sum[k][l]);
}

/// All tiles of the rows j .. j + height of the Hessian; returns the sums after them.
template <int height>
double* add_tile_row(const Block& block, Index j, const double* c, double* scaled, double* sums) {
  const double* own = block.x + j * block.stride;
  for (Index i = 0; i < block.rows; i += lanes)
    for (int k = 0; k < height; ++k)
      pstore(scaled + k * block_rows + i, pmul(load(c + i), load(own + k * block.stride + i)));
  for (Index l = 0; l < j; l += tile, sums += tile * tile * lanes)
    add_tile<height, false>(block, scaled, block.x + l * block.stride, sums);
  add_tile<height, true>(block, scaled, own, sums);
  return sums + tile * tile * lanes;
}

} // namespace

double move_logits(const Block& block, const double* d, const double* f, double* moved) {
  constexpr int width = 4;
  Packet largest = all(0.0);
  Index i = 0;
  for (; i + width * lanes <= block.rows; i += width * lanes)
    largest = move_some<width>(block, d, f, moved, i, largest);
  for (; i < block.rows; i += lanes) largest = move_some<1>(block, d, f, moved, i, largest);
  return std::ranges::max(values_of(largest));
}

void derive(Index rows, const double* f, const double* y, const double* s, double* p, double* residual) {
  for (Index i = 0; i < rows; i += lanes) {
    const Packet prediction = sigmoid(load(f + i));
    pstore(p + i, prediction);
    pstore(residual + i, pmul(load(s + i), psub(prediction, load(y + i))));
  }
}

void curve(Index rows, const double* p, const double* s, double* curvature) {
  const Packet one = all(1.0);
  for (Index i = 0; i < rows; i += lanes) {
    const Packet prediction = load(p + i);
    pstore(curvature + i, pmul(load(s + i), pmul(prediction, psub(one, prediction))));
  }
}

double loss(Index rows, const double* f, const double* y, const double* s) {
  const Packet zero = all(0.0), one = all(1.0), two = all(2.0);
  Packet total = zero;
  for (Index i = 0; i < rows; i += lanes) {
    const Packet margin = pmul(psub(pmul(two, load(y + i)), one), load(f + i));
    const Packet of_size = plog(padd(one, pexp(pnegate(pabs(margin)))));
    total = pmadd(load(s + i), padd(of_size, pmax(pnegate(margin), zero)), total);
  }
  return add_lanes(total);
}

double sum(Index rows, const double* v) {
  Packet total = all(0.0);
  for (Index i = 0; i < rows; i += lanes) total = padd(total, load(v + i));
  return add_lanes(total);
}

void add_products(const Block& block, const double* v, double* sums) {
  constexpr int width = 8;
  Index j = 0;
  for (; j + width <= block.columns; j += width) add_some_products<width>(block, j, v, sums);
  if (j + 4 <= block.columns) {
    add_some_products<4>(block, j, v, sums);
    j += 4;
  }
  for (; j < block.columns; ++j) add_some_products<1>(block, j, v, sums);
}

Index gram_sums(Index columns) {
  const Index tiles = (columns + tile - 1) / tile;
  return tiles * (tiles + 1) / 2 * tile * tile;
}

void add_gram(const Block& block, const double* c, double* scratch, double* sums) {
  static_assert(tile == 4);
  Index j = 0;
  for (; j + tile <= block.columns; j += tile) sums = add_tile_row<tile>(block, j, c, scratch, sums);
  switch (block.columns - j) {
  case 3: add_tile_row<3>(block, j, c, scratch, sums); break;
  case 2: add_tile_row<2>(block, j, c, scratch, sums); break;
  case 1: add_tile_row<1>(block, j, c, scratch, sums); break;
  default: break;
  }
}

void store_gram(Index columns, const double* sums, double total, double* h, Index stride) {
  for (Index first = 0; first < columns; first += tile)
    for (Index left = 0; left <= first; left += tile, sums += tile * tile)
      for (Index k = 0; k < tile && first + k < columns; ++k)
        for (Index l = 0; l < tile && left + l <= first + k; ++l)
          h[(left + l) * stride + first + k] = sums[k * tile + l] / total;
}

void add_up(const double* sums, Index count, double* out) {
  for (Index k = 0; k < count; k += lanes) {
    PacketBlock<Packet, lanes> square;
    for (Index l = 0; l < lanes; ++l) square.packet[l] = load(sums + (k + l) * lanes);
    ptranspose(square);
    Packet total = square.packet[0];
    for (Index l = 1; l < lanes; ++l) total = padd(total, square.packet[l]);
    pstore(out + k, total);
  }
}

} // namespace metasieve::newton

namespace metasieve {
namespace {

using newton::block_rows, newton::lanes;

constexpr int step_limit = 100, halving_limit = 40;

/// So that columns start in different sets of the cache, whatever the number of rows.
Index column_stride(Index rows) {
  constexpr Index page = 512, shift = 264;
  return simd::padded(std::max<Index>(rows - shift, 0), page) + shift;
}

/// Calls body(begin, count) for each block of rows.
template <class Body>
void for_each_block(Index rows, const Body& body) {
  for (Index begin = 0; begin < rows; begin += block_rows) body(begin, std::min(block_rows, rows - begin));
}

/// Room for `registers` sums, all zero.
void clear(simd::Buffer<double>& sums, Index registers) {
  std::fill_n(sums.sized(registers * lanes), registers * lanes, 0.0);
}

} // namespace

Index NewtonFit::padded_rows() const { return simd::padded(rows_, lanes); }

newton::Block NewtonFit::block(Index begin, Index count) const {
  return {x_.data() + begin, stride_, columns_, count};
}

void NewtonFit::load(Index rows, Index columns) {
  rows_ = rows, columns_ = columns, stride_ = column_stride(rows);
  state_ = Hessian::absent;
  const Index padded = padded_rows();
  x_.sized(stride_ * columns);
  for (simd::Buffer<double>* const each : {&y_, &s_, &f_, &p_, &before_f_}) each->sized(padded);
  for (simd::Buffer<double>* const each : {&start_, &ridge_, &beta_, &gradient_, &before_beta_})
    each->sized(columns);
  rowwise_.sized(block_rows);
  scaled_.sized(block_rows * newton::gram_scratch);
  added_.sized(simd::padded(std::max(columns, newton::gram_sums(columns)), lanes));
  hessian_.resize(columns);
  // Rows that fill up the last register have no weight.
  const auto end_with_zeros = [&](double* values) { std::fill(values + rows, values + padded, 0.0); };
  for (Index j = 0; j < columns; ++j) end_with_zeros(x_.data() + j * stride_);
  end_with_zeros(y_.data());
  end_with_zeros(s_.data());
}

void NewtonFit::load(const Matrix& x) {
  load(x.rows(), x.cols());
  for_each_block(rows_, [&](Index begin, Index count) {
    for (Index j = 0; j < columns_; ++j)
      for (Index i = begin; i < begin + count; ++i) x_.data()[j * stride_ + i] = x(i, j);
  });
}

FitStatus NewtonFit::fit(const Input& start, const Input& ridge_diag, double tolerance) {
  std::copy_n(start.data(), columns_, start_.data());
  std::copy_n(ridge_diag.data(), columns_, ridge_.data());
  const FitStatus status = minimise(tolerance);
  if (status == FitStatus::diverged) std::copy_n(start_.data(), columns_, beta_.data());
  return status;
}

FitStatus NewtonFit::minimise(double tolerance) {
  iterations_ = 0;
  total_ = newton::sum(padded_rows(), s_.data());
  if (!(total_ > 0.0)) return FitStatus::diverged;
  std::copy_n(start_.data(), columns_, beta_.data());
  std::transform(start_.data(), start_.data() + columns_, before_beta_.data(), std::negate<>());
  std::fill_n(before_f_.data(), padded_rows(), 0.0);
  evaluate(before_beta_.data(), true);
  for (;; ++iterations_) {
    const double slope =
        Eigen::Map<const Vector>(gradient_.data(), columns_).cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
    if (!std::isfinite(slope)) return FitStatus::diverged;
    if (slope < tolerance) return FitStatus::converged;
    if (iterations_ == step_limit) return FitStatus::step_limit;
    if (!factorise()) return FitStatus::diverged;
    // Convergence is quadratic: it tells whether the next point will need its Hessian.
    step(slope * slope > 1e-2 * tolerance);
  }
}

/// Logits, predictions, gradient and, if asked for, the Hessian at beta, in one pass over x. The logits are
/// those before less X direction; without a direction, those that are there. Returns the largest |X
/// direction|.
double NewtonFit::evaluate(const double* direction, bool with_hessian) {
  double *const f = f_.data(), *const residual = rowwise_.data();
  const Index gradient_registers = simd::padded(columns_, lanes);
  clear(gradient_sums_, gradient_registers);
  clear(hessian_sums_, simd::padded(newton::gram_sums(columns_), lanes));
  state_ = Hessian::absent;
  double most = 0;
  for_each_block(padded_rows(), [&](Index begin, Index count) {
    const newton::Block rows = block(begin, count);
    if (direction != nullptr)
      most = std::max(most, newton::move_logits(rows, direction, before_f_.data() + begin, f + begin));
    newton::derive(count, f + begin, y_.data() + begin, s_.data() + begin, p_.data() + begin, residual);
    newton::add_products(rows, residual, gradient_sums_.data());
    if (with_hessian) add_curvature(begin, count);
  });
  newton::add_up(gradient_sums_.data(), gradient_registers, added_.data());
  for (Index j = 0; j < columns_; ++j)
    gradient_.data()[j] = added_.data()[j] / total_ + ridge_.data()[j] * beta_.data()[j];
  if (with_hessian) store_hessian();
  return most;
}

void NewtonFit::add_curvature(Index begin, Index count) {
  newton::curve(count, p_.data() + begin, s_.data() + begin, rowwise_.data());
  newton::add_gram(block(begin, count), rowwise_.data(), scaled_.data(), hessian_sums_.data());
}

void NewtonFit::store_hessian() {
  newton::add_up(hessian_sums_.data(), simd::padded(newton::gram_sums(columns_), lanes), added_.data());
  double* const h = hessian_.matrix();
  newton::store_gram(columns_, added_.data(), total_, h, hessian_.stride());
  for (Index j = 0; j < columns_; ++j) h[j * hessian_.stride() + j] += ridge_.data()[j];
  state_ = Hessian::summed;
}

bool NewtonFit::factorise() {
  if (state_ == Hessian::absent) {
    clear(hessian_sums_, simd::padded(newton::gram_sums(columns_), lanes));
    for_each_block(padded_rows(), [&](Index begin, Index count) { add_curvature(begin, count); });
    store_hessian();
  }
  if (state_ == Hessian::summed) state_ = hessian_.factorise() ? Hessian::factorised : Hessian::absent;
  return state_ == Hessian::factorised;
}

/// To the next point along Newton's direction; the step is halved until it meets Armijo's condition.
void NewtonFit::step(bool with_hessian) {
  // Along a step that changes no logit by more than r, phi''' <= r phi'' (Bach 2010, doi:10.1214/09-EJS521),
  // so phi(1) <= phi(0) - D + D (e^r - r - 1) / r^2, as Newton's direction has phi''(0) = -phi'(0) = D: up to
  // this r the full step meets the condition for sure, and no logarithm is needed to see it.
  constexpr double surely_lower = 1.5;
  const double* const direction = hessian_.solve(gradient_.data());
  const double decrease = View(gradient_.data(), columns_).dot(View(direction, columns_));
  std::swap(beta_, before_beta_);
  std::swap(f_, before_f_);
  for (Index j = 0; j < columns_; ++j) beta_.data()[j] = before_beta_.data()[j] - direction[j];
  if (evaluate(direction, with_hessian) <= surely_lower) return;
  if (halve_until_lower(direction, decrease)) evaluate(nullptr, with_hessian);
}

/// Whether the step was too long.
bool NewtonFit::halve_until_lower(const double* direction, double decrease) {
  const double before = value(before_f_.data(), before_beta_.data());
  // With slack for rounding: near the optimum the full step is right though the value cannot show it.
  const double slack = 1e-14 * (1.0 + std::abs(before));
  double size = 1.0;
  for (int halving = 0; halving < halving_limit; ++halving) {
    if (value(f_.data(), beta_.data()) <= before - 1e-4 * size * decrease + slack) break;
    size *= 0.5;
    for (Index i = 0; i < padded_rows(); ++i) f_.data()[i] = 0.5 * (f_.data()[i] + before_f_.data()[i]);
    for (Index j = 0; j < columns_; ++j) beta_.data()[j] = before_beta_.data()[j] - size * direction[j];
  }
  return size < 1.0;
}

double NewtonFit::value(const double* f, const double* beta) const {
  double penalty = 0;
  for (Index j = 0; j < columns_; ++j) penalty += ridge_.data()[j] * beta[j] * beta[j];
  return newton::loss(padded_rows(), f, y_.data(), s_.data()) / total_ + 0.5 * penalty;
}

NewtonFit::View NewtonFit::solve(const Input& v) {
  if (factorise()) return {hessian_.solve(v.data()), columns_};
  std::fill_n(before_beta_.data(), columns_, std::numeric_limits<double>::quiet_NaN());
  return {before_beta_.data(), columns_};
}

NewtonFit::View NewtonFit::pullback(const Input& d_beta) {
  const View adjoint = solve(d_beta);
  const double shared = View(ridge_.data(), columns_).cwiseProduct(beta()).dot(adjoint);
  const double *const p = p_.data(), *const y = y_.data();
  double* const out = before_f_.data();
  std::fill_n(out, padded_rows(), 0.0);
  for_each_block(padded_rows(), [&](Index begin, Index count) {
    newton::move_logits(block(begin, count), adjoint.data(), out + begin, out + begin); // to -X a
  });
  for (Index i = 0; i < rows_; ++i) out[i] = ((p[i] - y[i]) * out[i] - shared) / total_;
  return {out, rows_};
}

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
