#include "kernels/outer_loss.hpp"

#include "numerics/gemv.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace metasieve::kernels {
namespace {

using namespace simd;

using P = Register<float>;
constexpr Index step = lanes<P>;

P constant(double value) { return broadcast<P>(static_cast<float>(value)); }

/// 0 or 1, zeros up to whole registers.
const float* as_float(const Labels& labels, Buffer<float>& buffer) {
  float* const out = whole_registers(buffer, labels.size());
  std::ranges::copy(labels, out);
  clear_beyond(out, labels.size());
  return out;
}

/// One number for each (label, group) cell, 2y + z.
using Cells = std::array<double, 4>;

/// Whether a row is in each cell, 1 or 0.
std::array<P, 4> membership(const P& y, const P& group) {
  const P both = y * group, one = constant(1.0);
  return {one - y - group + both, group - both, y - both, both};
}

/// A gap and its derivative by each row's decision, the same within a cell.
struct SmoothGap {
  double value = 0;
  Cells d_decision{};

  void add(const SmoothGap& other, double weight) {
    value += weight * other.value;
    for (std::size_t c = 0; c < 4; ++c) d_decision[c] += weight * other.d_decision[c];
  }
};

/// Over the rows of labels `first` to `last`; nothing where a group has too few of them.
std::optional<SmoothGap> parity(const Cells& rows, const Cells& decisions, std::size_t first,
                                std::size_t last) {
  std::array<double, 2> count{}, sum{};
  for (std::size_t y = first; y <= last; ++y)
    for (std::size_t z = 0; z < 2; ++z) count[z] += rows[2 * y + z], sum[z] += decisions[2 * y + z];
  if (count[0] < smallest_cell || count[1] < smallest_cell) return std::nullopt;
  const double difference = sum[1] / count[1] - sum[0] / count[0];
  SmoothGap out{std::sqrt(difference * difference + gap_floor), {}};
  for (std::size_t y = first; y <= last; ++y)
    for (std::size_t z = 0; z < 2; ++z)
      out.d_decision[2 * y + z] = difference / out.value * (z == 1 ? 1.0 : -1.0) / count[z];
  return out;
}

SmoothGap fairness(const Cells& rows, const Cells& decisions, Gap kind) {
  SmoothGap out;
  const double weight = kind == Gap::both ? 0.5 : 1.0;
  if (kind == Gap::eo || kind == Gap::both) {
    const auto negatives = parity(rows, decisions, 0, 0), positives = parity(rows, decisions, 1, 1);
    const double share = negatives && positives ? 0.5 * weight : weight; // the mean of those that are defined
    if (negatives) out.add(*negatives, share);
    if (positives) out.add(*positives, share);
  }
  if (kind == Gap::dp || kind == Gap::both)
    if (const auto all = parity(rows, decisions, 0, 1)) out.add(*all, weight);
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
  const float *const y = as_float(labels, y_), *const group = as_float(groups, group_);
  float *const decision = whole_registers(decision_, m), *const d_score = whole_registers(d_score_, m);

  const auto sums = row_sums<P, 9>(m, [&](Index i) {
    const P f = load<P>(score + i), label = load<P>(y + i);
    const P sharp = sigmoid(constant(sharpness) * f); // stands for the decision 1[f > 0]
    store(decision + i, sharp);
    const std::array<P, 4> in = membership(label, load<P>(group + i));
    const P both = label * sharp;
    const P loss = smooth ? logistic_loss_of(f, label) : sharp + label - (both + both);
    return std::array<P, 9>{in[0],         in[1],         in[2],         in[3], in[0] * sharp,
                            in[1] * sharp, in[2] * sharp, in[3] * sharp, loss};
  });
  const SmoothGap gap =
      fairness({sums[0], sums[1], sums[2], sums[3]}, {sums[4], sums[5], sums[6], sums[7]}, options.fairness);

  std::array<P, 4> d_decision; // of each cell
  for (std::size_t c = 0; c < 4; ++c)
    d_decision[c] = constant(options.fairness_weight * gap.d_decision[c] * sharpness);
  const P share = constant((smooth ? 1.0 : -sharpness) / rows);
  for (Index i = 0; i < m; i += step) {
    const P label = load<P>(y + i), sharp = load<P>(decision + i);
    const std::array<P, 4> in = membership(label, load<P>(group + i));
    const P slope = sharp - sharp * sharp;
    P fair = in[0] * d_decision[0];
    for (std::size_t c = 1; c < 4; ++c) fair = fma(in[c], d_decision[c], fair);
    const P accurate = smooth ? sigmoid(load<P>(score + i)) - label : (label + label - constant(1.0)) * slope;
    store(d_score + i, fma(accurate, share, fair * slope));
  }
  clear_beyond(d_score, m);
  const double accuracy = sums[8] / rows;
  return {accuracy + options.fairness_weight * gap.value, accuracy, gap.value};
}

} // namespace metasieve::kernels
