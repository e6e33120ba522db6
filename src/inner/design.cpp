#include "inner/design.hpp"

#include <cmath>

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

void fill_row(const Split& split, const Standardizer& s, Index from, Matrix& out, Index to) {
  const Index d = split.columns();
  for (Index j = 0; j < d; ++j)
    out(to, j) = (static_cast<double>(split.x(from, j)) - s.mean(j)) * s.inverse_scale(j);
  if (s.use_group) out(to, d) = (static_cast<double>(split.group(from)) - s.mean(d)) * s.inverse_scale(d);
  out(to, out.cols() - 1) = 1.0;
}

} // namespace

Standardizer fit_standardizer(const Split& train, bool use_group) {
  const Index d = train.columns(), inputs = d + (use_group ? 1 : 0);
  Standardizer s{Vector(inputs), Vector(inputs), use_group};
  for (Index j = 0; j < inputs; ++j) {
    const Moments m = j < d ? moments(train.x.col(j)) : moments(train.group);
    s.mean(j) = m.mean;
    s.inverse_scale(j) = m.inverse_scale;
  }
  return s;
}

Matrix design_matrix(const Split& split, const Standardizer& standardizer) {
  Matrix out(split.rows(), standardizer.mean.size() + 1);
  for (Index i = 0; i < out.rows(); ++i) fill_row(split, standardizer, i, out, i);
  return out;
}

Matrix design_matrix(const Split& split, const Standardizer& standardizer, const std::vector<Index>& rows) {
  Matrix out(static_cast<Index>(rows.size()), standardizer.mean.size() + 1);
  for (Index i = 0; i < out.rows(); ++i)
    fill_row(split, standardizer, rows[static_cast<std::size_t>(i)], out, i);
  return out;
}

} // namespace metasieve
