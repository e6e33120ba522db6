#include "tasks/tabular.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace metasieve {
namespace {

/// Indices in the stream Draw::table_columns of a column. Normal draws 4 i to 4 i + 3 share their bits with
/// the uniform draw i, so they begin at 256. Append only, or old seeds change meaning.
struct ColumnDraws {
  static constexpr Index factor_count = 0, common_share = 1, kind = 2, levels = 3, form = 4, factors = 8,
                         cuts = 16, loadings = 256;
};

Stream column_stream(Index column, Seed seed, TaskId id) {
  return {seed, Draw::table_columns, id, static_cast<std::uint64_t>(column)};
}

/// [n] log-odds of variance 1.
Vector standard_log_odds(const Matrix& factors, bool interaction, Seed seed, TaskId id) {
  const Stream stream(seed, Draw::table_labels, id);
  const Index count = 1 + stream.below(0, std::min<Index>(factors.cols(), 5));
  Vector weights(count);
  for (Index k = 0; k < count; ++k) weights(k) = stream.normal(4 + k);
  weights.normalize();
  Vector linear = Vector::Zero(factors.rows());
  for (Index k = 0; k < count; ++k) linear += weights(k) * factors.col(k);
  if (!interaction || factors.cols() == 1) return linear;
  return std::sqrt(0.5) * (linear + factors.col(0).cwiseProduct(factors.col(1)));
}

/// How columns come from factors and from noise of their own, with variance 1. Each factor is in a column as
/// far as there are as many columns.
struct Loadings {
  Matrix factors;         ///< [q, d]
  Eigen::RowVectorXd own; ///< [d]
};

Loadings draw_loadings(Index q, Index d, Seed seed, TaskId id) {
  Loadings drawn{Matrix::Zero(q, d), Eigen::RowVectorXd(d)};
  for (Index j = 0; j < d; ++j) {
    const Stream stream = column_stream(j, seed, id);
    const Index count = 1 + stream.below(ColumnDraws::factor_count, 3);
    Vector weights = Vector::Zero(q);
    for (Index k = 0; k < count; ++k) {
      const Index factor = k == 0 ? j % q : stream.below(ColumnDraws::factors + k, q);
      weights(factor) += stream.normal(ColumnDraws::loadings + k);
    }
    const double common = stream.uniform(ColumnDraws::common_share, 0.3, 0.9);
    drawn.factors.col(j) = std::sqrt(common) * weights.normalized();
    drawn.own(j) = std::sqrt(1.0 - common);
  }
  return drawn;
}

/// values [n] -> how many of `count` random cuts each is above: 0/1 with one cut.
Vector levels_of(const Vector& values, Index count, const Stream& stream) {
  Vector levels = Vector::Zero(values.size());
  for (Index k = 0; k < count; ++k) {
    const double cut = stream.uniform(ColumnDraws::cuts + k, -1.6, 1.6);
    levels += (values.array() > cut).cast<double>().matrix();
  }
  return levels;
}

/// values [n, levels] -> 1 at the greatest of each row, after a random constant for each level, else 0.
Matrix category_of(const Matrix& values, const Stream& stream) {
  Eigen::RowVectorXd offsets(values.cols());
  for (Index k = 0; k < values.cols(); ++k) offsets(k) = stream.uniform(ColumnDraws::cuts + k, -1.0, 1.0);
  Matrix category = Matrix::Zero(values.rows(), values.cols());
  for (Index i = 0; i < values.rows(); ++i) {
    Index greatest = 0;
    (values.row(i) + offsets).maxCoeff(&greatest);
    category(i, greatest) = 1.0;
  }
  return category;
}

/// Makes the first columns of `x` [n, d] one discrete variable. Returns how many: a category takes one for
/// each level, and where there are fewer it is ordinal.
Index make_discrete(Eigen::Ref<Matrix, 0, Eigen::OuterStride<>> x, const Stream& stream) {
  const Index kind = stream.below(ColumnDraws::kind, 3); // binary, ordinal, category
  const Index size = 3 + stream.below(ColumnDraws::levels, 4);
  if (kind == 2 && size <= x.cols()) {
    x.leftCols(size) = category_of(x.leftCols(size), stream);
    return size;
  }
  const Index cuts = kind == 0 ? 1 : 2 + stream.below(ColumnDraws::form, 5);
  x.col(0) = levels_of(x.col(0), cuts, stream);
  return 1;
}

/// Log-normal or zero-inflated. Bounded, so that a huge shift of the factors makes no infinity.
Vector skewed(const Vector& values, const Stream& stream) {
  if (stream.below(ColumnDraws::kind, 2) == 0)
    return (stream.uniform(ColumnDraws::form, 0.3, 1.2) * values.array().min(10.0)).exp();
  return (values.array() - stream.uniform(ColumnDraws::form, 0.0, 1.3)).max(0.0);
}

Index share_of(double share, Index count) { return std::llround(share * static_cast<double>(count)); }

} // namespace

Labels table_labels(const Matrix& factors, Index positives, const TaskParameters& parameters, Seed seed,
                    TaskId id) {
  Vector score = parameters.separability * standard_log_odds(factors, parameters.interaction, seed, id);
  const Stream noise(seed, Draw::table_labels, id, 1);
  for (Index i = 0; i < score.size(); ++i) {
    const double u = noise.uniform(i);
    score(i) += std::log(u / (1.0 - u));
  }
  std::vector<Index> order(static_cast<std::size_t>(score.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::nth_element(order, order.begin() + positives, [&](Index a, Index b) {
    return score(a) != score(b) ? score(a) > score(b) : a < b;
  });
  Labels y = Labels::Zero(score.size());
  std::for_each_n(order.begin(), positives, [&](Index i) { y(i) = 1; });
  return y;
}

Matrix table_columns(const Matrix& factors, const TaskParameters& parameters, Seed seed, TaskId id) {
  const Index n = factors.rows(), d = parameters.features;
  const Loadings loadings = draw_loadings(factors.cols(), d, seed, id);
  Matrix x = factors * loadings.factors;
  x.array() += Stream(seed, Draw::column_noise, id).normals(n, d).array().rowwise() * loadings.own.array();

  const Index discrete = share_of(parameters.discrete, d);
  const Index rest = discrete + share_of(parameters.skewed, d - discrete);
  for (Index j = 0; j < discrete;)
    j += make_discrete(x.middleCols(j, discrete - j), column_stream(j, seed, id));
  for (Index j = discrete; j < rest; ++j) x.col(j) = skewed(x.col(j), column_stream(j, seed, id));
  return x;
}

} // namespace metasieve
