#include "inner/design.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace metasieve {
namespace {

struct Moments {
  double mean, inverse_scale;
};

template <class Column>
Moments moments(const Column& column) {
  const double count = static_cast<double>(column.size());
  if (column.size() == 0) return {0.0, 0.0};
  const double mean = column.template cast<double>().sum() / count;
  const double variance = (column.template cast<double>().array() - mean).square().sum() / count;
  const double scale = std::sqrt(variance);
  return {mean, scale < 1e-12 * std::max(1.0, std::abs(mean)) ? 0.0 : 1.0 / scale};
}

/// The groups by number of rows, the largest first; of one size, the one with the first row first.
std::vector<Index> groups_by_size(const Split& train) {
  const auto count = static_cast<std::size_t>(train.groups);
  std::vector<Index> rows(count, 0), first(count, train.rows()), order(count);
  for (Index i = train.rows(); i-- > 0;) {
    ++rows[train.group(i)];
    first[train.group(i)] = i;
  }
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::sort(order, {}, [&](Index k) {
    const auto at = static_cast<std::size_t>(k);
    return std::tuple(-rows[at], first[at], k);
  });
  return order;
}

/// Standardizer::group_values.
Matrix group_columns(const Split& train) {
  const std::vector<Index> order = groups_by_size(train);
  Matrix values(train.groups, train.groups - 1);
  for (Index j = 0; j < values.cols(); ++j) {
    const Index own = order[static_cast<std::size_t>(j + 1)];
    const Moments m = moments((train.group.array() == static_cast<std::uint8_t>(own)).cast<std::uint8_t>());
    values.col(j).setConstant((0.0 - m.mean) * m.inverse_scale);
    values(own, j) = (1.0 - m.mean) * m.inverse_scale;
  }
  return values;
}

void fill_row(const Split& split, const Standardizer& s, Index from, Matrix& out, Index to) {
  const Index d = split.columns();
  for (Index j = 0; j < d; ++j)
    out(to, j) = (static_cast<double>(split.x(from, j)) - s.mean(j)) * s.inverse_scale(j);
  for (Index j = 0; j < s.group_values.cols(); ++j) out(to, d + j) = s.group_values(split.group(from), j);
  out(to, out.cols() - 1) = 1.0;
}

} // namespace

Standardizer fit_standardizer(const Split& train, bool use_group) {
  const Index d = train.columns();
  Standardizer s{Vector(d), Vector(d), use_group ? group_columns(train) : Matrix(train.groups, 0)};
  for (Index j = 0; j < d; ++j) {
    const Moments m = moments(train.x.col(j));
    s.mean(j) = m.mean;
    s.inverse_scale(j) = m.inverse_scale;
  }
  return s;
}

Matrix design_matrix(const Split& split, const Standardizer& standardizer) {
  Matrix out(split.rows(), standardizer.inputs());
  for (Index i = 0; i < out.rows(); ++i) fill_row(split, standardizer, i, out, i);
  return out;
}

Matrix design_matrix(const Split& split, const Standardizer& standardizer, const std::vector<Index>& rows) {
  Matrix out(static_cast<Index>(rows.size()), standardizer.inputs());
  for (Index i = 0; i < out.rows(); ++i)
    fill_row(split, standardizer, rows[static_cast<std::size_t>(i)], out, i);
  return out;
}

} // namespace metasieve
