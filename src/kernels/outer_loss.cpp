#include "kernels/outer_loss.hpp"

#include "numerics/gemv.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>

namespace metasieve::kernels {
namespace {

using namespace simd;

using P = Register<float>;
constexpr Index step = lanes<P>;

P constant(double value) { return broadcast<P>(static_cast<float>(value)); }

/// Labels as numbers, zeros up to whole registers.
const float* as_float(const Labels& labels, Buffer<float>& buffer) {
  float* const out = whole_registers(buffer, labels.size());
  std::ranges::copy(labels, out);
  clear_beyond(out, labels.size());
  return out;
}

/// One number for each cell of group and label, [z][y].
using Cells = std::array<std::array<double, 2>, most_groups>;

/// Rows and sums of decisions of groups 0..groups-1.
struct CellSums {
  std::size_t groups = 0;
  Cells rows{}, decisions{};
};

/// A smooth gap, and its derivative by the decisions of each group, which is 0 where a group is left out.
struct Parity {
  double gap = 0;
  std::array<double, most_groups> d_decision{};
};

/// Over the rows of labels `first` to `last`; nothing where fewer than two groups have enough of them.
std::optional<Parity> parity(const CellSums& sums, std::size_t first, std::size_t last) {
  std::array<double, most_groups> rates{}, rows{};
  std::array<std::size_t, most_groups> group{};
  std::size_t count = 0; // groups with enough rows
  for (std::size_t z = 0; z < sums.groups; ++z) {
    double own = 0, decisions = 0;
    for (std::size_t y = first; y <= last; ++y) own += sums.rows[z][y], decisions += sums.decisions[z][y];
    if (own < smallest_cell) continue;
    rates[count] = decisions / own;
    rows[count] = own;
    group[count++] = z;
  }
  if (count < 2) return std::nullopt;
  const SmoothGap gap = smooth_gap(std::span(rates.data(), count));
  Parity out{gap.value, {}};
  for (std::size_t k = 0; k < count; ++k) out.d_decision[group[k]] = gap.d_rate[k] / rows[k];
  return out;
}

/// The fairness term and its derivative by the decisions of each cell.
struct Fairness {
  double value = 0;
  Cells d_decision{};

  void add(const Parity& parity, double weight, std::size_t first, std::size_t last) {
    value += weight * parity.gap;
    for (std::size_t z = 0; z < d_decision.size(); ++z)
      for (std::size_t y = first; y <= last; ++y) d_decision[z][y] += weight * parity.d_decision[z];
  }
};

Fairness fairness(const CellSums& sums, Gap kind) {
  Fairness out;
  const double weight = kind == Gap::both ? 0.5 : 1.0;
  if (kind == Gap::eo || kind == Gap::both) {
    const auto negatives = parity(sums, 0, 0), positives = parity(sums, 1, 1);
    const double share = negatives && positives ? 0.5 * weight : weight; // the mean of those that are defined
    if (negatives) out.add(*negatives, share, 0, 0);
    if (positives) out.add(*positives, share, 1, 1);
  }
  if (kind == Gap::dp || kind == Gap::both)
    if (const auto all = parity(sums, 0, 1)) out.add(*all, weight, 0, 1);
  return out;
}

/// y, group, decision [m] in whole registers.
CellSums cell_sums(Index m, const Labels& groups, const float* y, const float* group, const float* decision) {
  CellSums out;
  for (const std::uint8_t z : groups) out.groups = std::max<std::size_t>(out.groups, z + 1U);
  for (std::size_t z = 0; z < out.groups; ++z) {
    const P number = constant(static_cast<double>(z)), one = constant(1.0);
    const auto sums = row_sums<P, 4>(m, [&](Index i) {
      const P own = equal(load<P>(group + i), number), label = load<P>(y + i), sharp = load<P>(decision + i);
      const P other_label = one - label, both = label * sharp, other = sharp - both;
      return std::array<P, 4>{bit_and(own, other_label), bit_and(own, label), bit_and(own, other),
                              bit_and(own, both)};
    });
    out.rows[z] = {sums[0], sums[1]};
    out.decisions[z] = {sums[2], sums[3]};
  }
  return out;
}

/// log(1 + exp(-t f)), t = 2y - 1.
P logistic_loss_of(const P& f, const P& y) {
  const P margin = (y + y - constant(1.0)) * f;
  return log(constant(1.0) + exp(-abs(margin))) + max(-margin, constant(0.0));
}

} // namespace

OuterLoss::Value OuterLoss::operator()(const float* score, const Labels& labels, const Labels& groups,
                                       const OuterOptions& options) {
  const Index m = labels.size();
  const double rows = static_cast<double>(m);
  const bool smooth = options.accuracy_loss == AccuracyLoss::logistic;
  const Index positives = labels.cast<Index>().sum();
  const auto weight = label_weights(options.accuracy_loss, m - positives, positives);
  const P negative = constant(weight[0]), excess = constant(weight[1] - weight[0]);
  const auto weight_of = [&](const P& label) { return fma(label, excess, negative); };
  const float *const y = as_float(labels, y_), *const group = as_float(groups, group_);
  float *const decision = whole_registers(decision_, m), *const d_score = whole_registers(d_score_, m);

  const double loss = row_sums<P, 1>(m, [&](Index i) {
    const P f = load<P>(score + i), label = load<P>(y + i);
    const P sharp = sigmoid(constant(sharpness) * f); // stands for the decision 1[f > 0]
    store(decision + i, sharp);
    const P both = label * sharp;
    const P loss_of_row = smooth ? logistic_loss_of(f, label) : sharp + label - (both + both);
    return std::array<P, 1>{weight_of(label) * loss_of_row};
  })[0];
  const Fairness gap = fairness(cell_sums(m, groups, y, group, decision), options.fairness);

  std::array<std::array<float, 2>, most_groups> of_cell{};
  for (std::size_t z = 0; z < of_cell.size(); ++z)
    for (std::size_t label = 0; label < 2; ++label)
      of_cell[z][label] = static_cast<float>(options.fairness_weight * gap.d_decision[z][label] * sharpness);
  float* const d_decision = whole_registers(d_decision_, m);
  for (Index i = 0; i < m; ++i) d_decision[i] = of_cell[groups(i)][labels(i)];
  clear_beyond(d_decision, m);
  const P share = constant((smooth ? 1.0 : -sharpness) / rows);
  for (Index i = 0; i < m; i += step) {
    const P label = load<P>(y + i), sharp = load<P>(decision + i);
    const P slope = sharp - sharp * sharp, fair = load<P>(d_decision + i);
    const P accurate = smooth ? sigmoid(load<P>(score + i)) - label : (label + label - constant(1.0)) * slope;
    store(d_score + i, fma(weight_of(label) * accurate, share, fair * slope));
  }
  clear_beyond(d_score, m);
  const double accuracy = loss / rows;
  return {accuracy + options.fairness_weight * gap.value, accuracy, gap.value};
}

} // namespace metasieve::kernels
