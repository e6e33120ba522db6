#include "features/fair_probes.hpp"

#include "fairness/outer_loss.hpp"
#include "features/probe.hpp"
#include "numerics/logistic.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace metasieve {
namespace {

constexpr double ramp = 0.05;           // predictions of at least this size are taken for labels
constexpr double most_label_weight = 8; // of a row whose label is rare in its group
constexpr double gap_weight = 0.35;
constexpr double fair_ridge = 2.5e-4;

} // namespace

FairRows fair_rows(const Matrix& design, const Split& train, const Vector& predictions,
                   const std::vector<Index>& kept) {
  const Labels group = by_first_row(train.group(kept));
  const Vector q = (0.5 + 0.5 / ramp * predictions(kept).array()).max(0.0).min(1.0);
  return {design, kept, train.y(kept), group, q, group.maxCoeff() + Index{1}};
}

DecisionSums decision_sums(const FairRows& rows) {
  struct Point {
    double k;
    Vector decisions; // [m]
  };
  const auto point = std::make_shared<Point>();
  const auto at = [&rows, point](const Vector& beta, double k) {
    *point = {k, sigmoid((k * row_logits(rows.design, beta)(rows.kept)).array())};
    Vector sums = Vector::Zero(2 * rows.cells());
    for (Index i = 0; i < rows.rows(); ++i) {
      const double s = point->decisions(i);
      sums(2 * rows.cell(i)) += s;
      sums(2 * rows.cell(i) + 1) += rows.denoised(i) * s;
    }
    return sums;
  };
  const auto derivatives = [&rows, point](const Vector& weights) {
    const Index p = rows.design.cols();
    SumDerivatives out{Matrix::Zero(2 * rows.cells(), p), Eigen::MatrixXd::Zero(p, p)};
    for (Index i = 0; i < rows.rows(); ++i) {
      const double s = point->decisions(i), q = rows.denoised(i);
      const double slope = point->k * s * (1.0 - s), curvature = point->k * slope * (1.0 - 2.0 * s);
      const Index all = 2 * rows.cell(i), by_q = all + 1;
      out.gradients.row(all) += slope * rows.x(i);
      out.gradients.row(by_q) += q * slope * rows.x(i);
      out.hessian += curvature * (weights(all) + q * weights(by_q)) * rows.x(i).transpose() * rows.x(i);
    }
    return out;
  };
  return {at, derivatives};
}

FairObjective::FairObjective(const FairRows& rows, bool balanced, FairGap gap)
    : groups_(rows.groups), rows_(Vector::Zero(2 * rows.cells())), accuracy_(Vector::Zero(2 * rows.cells())) {
  for (Index i = 0; i < rows.rows(); ++i) {
    rows_(2 * rows.cell(i)) += 1.0;
    rows_(2 * rows.cell(i) + 1) += rows.denoised(i);
  }
  for (Index z = 0; z < groups_; ++z)
    for (const Index y : {0, 1}) {
      const double own = rows_(number(y, z, 0)), other = rows_(number(1 - y, z, 0));
      if (own == 0.0) continue;
      const double weight = balanced ? std::min(most_label_weight, 0.5 * (own + other) / own) : 1.0;
      const double share = weight / static_cast<double>(rows.rows());
      accuracy_(number(y, z, 0)) = y == 1 ? -share : share; // sigmoid(-4 t f) is s, or 1 - s of a positive
      if (y == 1) constant_ += share * own;
    }

  const Eigen::Matrix2d all{{1, 0}, {1, 0}};
  if (gap == FairGap::dp) add_parity(gap_weight, all);
  if (gap != FairGap::both && gap != FairGap::denoised) return;
  const bool observed = gap == FairGap::both;
  add_parity(0.25 * gap_weight,
             observed ? Eigen::Matrix2d{{1, 0}, {0, 0}} : Eigen::Matrix2d{{1, -1}, {1, -1}});
  add_parity(0.25 * gap_weight, observed ? Eigen::Matrix2d{{0, 0}, {1, 0}} : Eigen::Matrix2d{{0, 1}, {0, 1}});
  if (parities_.size() == 1) parities_[0].weight *= 2.0; // the mean of those that are defined
  add_parity(0.5 * gap_weight, all);
}

void FairObjective::add_parity(double weight, const Eigen::Matrix2d& share) {
  Parity parity{weight, share, {}};
  for (Index z = 0; z < groups_; ++z)
    if (of_group(parity, rows_, z) >= smallest_cell) parity.groups.push_back(z);
  if (parity.groups.size() >= 2) parities_.push_back(std::move(parity));
}

double FairObjective::of_group(const Parity& parity, const Vector& sums, Index group) const {
  double total = 0.0;
  for (const Index y : {0, 1})
    for (const Index kind : {0, 1}) total += parity.share(y, kind) * sums(number(y, group, kind));
  return total;
}

std::vector<double> FairObjective::rates(const Parity& parity, const Vector& sums) const {
  std::vector<double> out;
  for (const Index z : parity.groups) out.push_back(of_group(parity, sums, z) / of_group(parity, rows_, z));
  return out;
}

double FairObjective::value(const Vector& sums) const {
  double value = constant_;
  for (Index j = 0; j < sums.size(); ++j) value += accuracy_(j) * sums(j);
  for (const Parity& parity : parities_) value += parity.weight * smooth_gap(rates(parity, sums)).value;
  return value;
}

Vector FairObjective::gradient(const Vector& sums) const {
  Vector out = accuracy_;
  for (const Parity& parity : parities_) {
    const SmoothGap gap = smooth_gap(rates(parity, sums));
    for (std::size_t k = 0; k < parity.groups.size(); ++k) {
      const Index z = parity.groups[k];
      const double d_sum = parity.weight * gap.d_rate[k] / of_group(parity, rows_, z);
      for (const Index y : {0, 1})
        for (const Index kind : {0, 1}) out(number(y, z, kind)) += d_sum * parity.share(y, kind);
    }
  }
  return out;
}

Derivatives FairObjective::chain_rule(const Vector& sums, const SumDerivatives& derivatives) const {
  const Index p = derivatives.gradients.cols();
  Derivatives out{Vector::Zero(p), derivatives.hessian};
  const Vector d_sums = gradient(sums);
  for (Index j = 0; j < d_sums.size(); ++j)
    out.gradient += d_sums(j) * derivatives.gradients.row(j).transpose();
  // The Hessian of a gap v by the rates of G groups is ((G I - 1 1') / pairs - d d') / v, d its gradient.
  for (const Parity& parity : parities_) {
    const SmoothGap gap = smooth_gap(rates(parity, sums));
    const double groups = static_cast<double>(parity.groups.size()), pairs = 0.5 * groups * (groups - 1.0);
    const double weight = parity.weight / gap.value;
    Vector total = Vector::Zero(p), along = Vector::Zero(p), of_rate(p);
    for (std::size_t k = 0; k < parity.groups.size(); ++k) {
      const Index z = parity.groups[k];
      of_rate.setZero();
      for (const Index y : {0, 1})
        for (const Index kind : {0, 1})
          of_rate += parity.share(y, kind) * derivatives.gradients.row(number(y, z, kind)).transpose();
      of_rate /= of_group(parity, rows_, z);
      total += of_rate;
      along += gap.d_rate[k] * of_rate;
      out.hessian += weight * groups / pairs * of_rate * of_rate.transpose();
    }
    out.hessian -= weight / pairs * total * total.transpose();
    out.hessian -= weight * along * along.transpose();
  }
  return out;
}

namespace {

Vector minimum_of(const FairObjective& objective, const DecisionSums& sums, double k, const Vector& start,
                  double tolerance) {
  const Vector ridge = ridge_diagonal(start.size(), fair_ridge);
  Vector beta, at;
  const auto value = [&](const Vector& point) {
    beta = point;
    at = sums.at(beta, k);
    return objective.value(at) + 0.5 * beta.dot(ridge.cwiseProduct(beta));
  };
  const auto derivatives = [&] {
    Derivatives out = objective.chain_rule(at, sums.derivatives(objective.gradient(at)));
    out.gradient += ridge.cwiseProduct(beta);
    out.hessian.diagonal() += ridge;
    return out;
  };
  return minimise_damped(value, derivatives, start, tolerance).point;
}

} // namespace

Matrix fit_fair_probes(const FairRows& rows, const DecisionSums& sums, const Vector& start) {
  constexpr double blunt = 2.0, roughly = 1e-2, tolerance = 1e-8;
  const auto start_of = [&](bool balanced) {
    return minimum_of({rows, balanced, FairGap::none}, sums, blunt, start, roughly);
  };
  const auto fit = [&](bool balanced, FairGap gap, const Vector& from) -> Vector {
    return minimum_of({rows, balanced, gap}, sums, sharpness, from, tolerance);
  };
  const Vector p01 = fit(false, FairGap::none, start_of(false));
  Matrix beta(4, start.size());
  beta << p01.transpose(), fit(false, FairGap::both, p01).transpose(),
      fit(false, FairGap::denoised, p01).transpose(), fit(true, FairGap::dp, start_of(true)).transpose();
  return beta;
}

} // namespace metasieve
