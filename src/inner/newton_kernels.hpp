#pragma once

#include "base/simd.hpp"

/// The loops over rows of NewtonFit, for whole registers of `lanes` rows: each is one formula of the weighted
/// logistic regression. Sums are kept as registers, one partial sum a lane, until `add_up`.
namespace metasieve::newton {

using Packet = simd::Packet<double>;
inline constexpr Index lanes = simd::lanes<Packet>;

/// Rows that are worked on while they stay in the first-level cache.
inline constexpr Index block_rows = 128;

/// Some rows of a design by columns: x(i, j) = x[j * stride + i]. `rows` is a multiple of `lanes`.
struct Block {
  const double* x;
  Index stride, columns, rows;
};

/// moved = f - X d, which may be f itself; returns the largest |X d|. f, moved [rows], d [columns].
double move_logits(const Block& block, const double* d, const double* f, double* moved);

/// p = sigmoid(f) and residual = s (p - y) of rows with logits f, labels y and weights s. [rows] each.
void derive(Index rows, const double* f, const double* y, const double* s, double* p, double* residual);

/// curvature = s p (1 - p). [rows] each.
void curve(Index rows, const double* p, const double* s, double* curvature);

/// Sum of s loss(f, y) over the rows.
[[nodiscard]] double loss(Index rows, const double* f, const double* y, const double* s);

/// Sum of v [rows].
[[nodiscard]] double sum(Index rows, const double* v);

/// Adds X'v to `sums` [columns][lanes].
void add_products(const Block& block, const double* v, double* sums);

/// Registers that add_gram needs for its sums.
[[nodiscard]] Index gram_sums(Index columns);
/// Rows times this many values are the scratch memory of add_gram.
inline constexpr Index gram_scratch = 4;

/// Adds the lower half of X' diag(c) X to `sums` [gram_sums][lanes], in an order that store_gram knows. c
/// [rows].
void add_gram(const Block& block, const double* c, double* scratch, double* sums);

/// From the sums of add_gram, added up: h(i, j) = h[j * stride + i], i >= j, is the sum divided by `total`.
void store_gram(Index columns, const double* sums, double total, double* h, Index stride);

/// Each register of `sums` [count][lanes] becomes one number of out [count], count padded to whole registers.
void add_up(const double* sums, Index count, double* out);

} // namespace metasieve::newton
