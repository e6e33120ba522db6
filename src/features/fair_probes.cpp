#include "features/fair_probes.hpp"

#include "fairness/outer_loss.hpp"
#include "numerics/bfgs.hpp"
#include "numerics/logistic.hpp"

#include <Eigen/LU>

#include <algorithm>
#include <utility>

namespace metasieve {
namespace {

constexpr double most_label_weight = 8; // of a row whose label is rare in its group
constexpr double gap_weight = 0.35;
constexpr double fair_ridge = 2.5e-4;

} // namespace

FairRows fair_rows(const Matrix& design, const Split& train, const Vector& agreement,
                   const std::vector<Index>& kept) {
  FairRows rows{design, kept, train.y(kept), Labels(std::ssize(kept)), by_first_row(train.group(kept))};
  for (Index i = 0; i < rows.rows(); ++i) {
    const double own = agreement(kept[static_cast<std::size_t>(i)]);
    rows.denoised(i) = (rows.y(i) == 1 ? own : 1.0 - own) > 0.5 ? 1 : 0;
  }
  rows.groups = rows.group.maxCoeff() + Index{1};
  return rows;
}

SigmoidSums FairRows::decision_sums() const {
  std::vector<std::vector<Index>> members(static_cast<std::size_t>(cells()));
  for (Index i = 0; i < rows(); ++i)
    members[static_cast<std::size_t>(cell(i))].push_back(kept[static_cast<std::size_t>(i)]);
  return {design, members};
}

FairObjective::FairObjective(const FairRows& rows, bool balanced, FairGap gap)
    : groups_(rows.groups), rows_(Vector::Zero(rows.cells())), accuracy_(Vector::Zero(rows.cells())) {
  for (Index i = 0; i < rows.rows(); ++i) rows_(rows.cell(i)) += 1.0;
  for (Index z = 0; z < groups_; ++z)
    for (const Index y : {0, 1}) {
      const auto count = [&](Index label) {
        return rows_(cell(2 * label, z)) + rows_(cell(2 * label + 1, z));
      };
      const double own = count(y), other = count(1 - y);
      if (own == 0.0) continue;
      const double weight = balanced ? std::min(most_label_weight, 0.5 * (own + other) / own) : 1.0;
      const double share = weight / static_cast<double>(rows.rows());
      // sigmoid(-4 t f) is s, or 1 - s of a positive.
      for (const Index denoised : {0, 1}) accuracy_(cell(2 * y + denoised, z)) = y == 1 ? -share : share;
      if (y == 1) constant_ += share * own;
    }

  if (gap == FairGap::dp) add_parity(gap_weight, {0, 1, 2, 3});
  if (gap != FairGap::both && gap != FairGap::denoised) return;
  const bool observed = gap == FairGap::both;
  add_parity(0.25 * gap_weight, observed ? std::vector<Index>{0, 1} : std::vector<Index>{0, 2});
  add_parity(0.25 * gap_weight, observed ? std::vector<Index>{2, 3} : std::vector<Index>{1, 3});
  if (parities_.size() == 1) parities_[0].weight *= 2.0; // the mean of those that are defined
  add_parity(0.5 * gap_weight, {0, 1, 2, 3});
}

void FairObjective::add_parity(double weight, std::vector<Index> labels) {
  Parity parity{weight, std::move(labels), {}};
  for (Index z = 0; z < groups_; ++z)
    if (of_group(parity, rows_, z) >= smallest_cell) parity.groups.push_back(z);
  if (parity.groups.size() >= 2) parities_.push_back(std::move(parity));
}

double FairObjective::of_group(const Parity& parity, const Vector& sums, Index group) const {
  double total = 0.0;
  for (const Index labels : parity.labels) total += sums(cell(labels, group));
  return total;
}

std::vector<double> FairObjective::rates(const Parity& parity, const Vector& sums) const {
  std::vector<double> out;
  for (const Index z : parity.groups) out.push_back(of_group(parity, sums, z) / of_group(parity, rows_, z));
  return out;
}

double FairObjective::value(const Vector& sums) const {
  double value = constant_;
  for (Index c = 0; c < sums.size(); ++c) value += accuracy_(c) * sums(c);
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
      for (const Index labels : parity.labels) out(cell(labels, z)) += d_sum;
    }
  }
  return out;
}

namespace {

/// The Hessian of the logistic loss over up to 4096 rows, for it is a first guess.
Eigen::MatrixXd logistic_hessian_at(const Vector& beta, const FairRows& rows, const Vector& ridge) {
  const Index distance = (rows.rows() + 4095) / 4096;
  std::vector<Index> some;
  for (Index i = 0; i < rows.rows(); i += distance) some.push_back(rows.kept[static_cast<std::size_t>(i)]);
  const Matrix x = rows.design(some, Eigen::all);
  return logistic_hessian(x, Vector::Ones(x.rows()), sigmoid((x * beta).array()), ridge);
}

} // namespace

Matrix fit_fair_probes(const FairRows& rows, const Vector& start) {
  constexpr double blunt = 2.0, roughly = 1e-2, tolerance = 1e-6;
  const Vector ridge = ridge_diagonal(start.size(), fair_ridge);
  const Eigen::MatrixXd first_guess = logistic_hessian_at(start, rows, ridge).inverse();
  SigmoidSums sums = rows.decision_sums();
  const auto minimum = [&](double k, bool balanced, FairGap gap, const Vector& from, double largest_slope) {
    const FairObjective objective(rows, balanced, gap);
    const auto at = [&](const Vector& beta) -> Objective {
      const Vector of_cells = sums.at(beta, k), penalty = ridge.cwiseProduct(beta);
      return {objective.value(of_cells) + 0.5 * beta.dot(penalty),
              sums.gradient(objective.gradient(of_cells)) + penalty};
    };
    return minimise(at, from, first_guess, largest_slope).point;
  };
  const auto start_of = [&](bool balanced) {
    return minimum(blunt, balanced, FairGap::none, start, roughly);
  };
  const auto fit = [&](bool balanced, FairGap gap, const Vector& from) {
    return minimum(sharpness, balanced, gap, from, tolerance);
  };
  const Vector p01 = fit(false, FairGap::none, start_of(false));
  Matrix beta(4, start.size());
  beta << p01.transpose(), fit(false, FairGap::both, p01).transpose(),
      fit(false, FairGap::denoised, p01).transpose(), fit(true, FairGap::dp, start_of(true)).transpose();
  return beta;
}

} // namespace metasieve
