#include "methods/confident.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace metasieve {
namespace {

using Rows = std::vector<Index>;
using Pair = std::array<double, 2>;

/// P(label) of row i.
double confidence(const Vector& positive, Index i, int label) {
  return label == 1 ? positive(i) : 1.0 - positive(i);
}

/// The joint distribution of observed and true labels times the rows of the part, [observed][true].
/// rows: those of each observed label.
std::array<Pair, 2> joint(const Vector& positive, const std::array<Rows, 2>& rows) {
  Pair threshold{};
  for (int label = 0; label < 2; ++label) {
    const Rows& own = rows[static_cast<std::size_t>(label)];
    double sum = 0.0;
    for (const Index i : own) sum += confidence(positive, i, label);
    threshold[static_cast<std::size_t>(label)] = sum / static_cast<double>(own.size());
  }
  std::array<Pair, 2> counts{};
  for (std::size_t label = 0; label < 2; ++label) {
    for (const Index i : rows[label]) {
      const bool zero = confidence(positive, i, 0) >= threshold[0];
      const bool one = confidence(positive, i, 1) >= threshold[1];
      if (!zero && !one) continue;
      const bool more = positive(i) > 0.5 || (positive(i) == 0.5 && label == 1); // where it is both
      ++counts[label][zero && one ? (more ? 1 : 0) : (one ? 1 : 0)];
    }
    const double sum = counts[label][0] + counts[label][1], size = static_cast<double>(rows[label].size());
    for (double& count : counts[label]) count *= sum > 0 ? size / sum : 0.0;
    if (sum == 0) counts[label][label] = size;
  }
  return counts;
}

void weight(const Vector& positive, std::array<Rows, 2> rows, Vector& weights) {
  if (rows[0].empty() || rows[1].empty()) return;
  const std::array<Pair, 2> counts = joint(positive, rows);
  for (std::size_t label = 0; label < 2; ++label) {
    Rows& own = rows[label];
    std::ranges::stable_sort(own, {},
                             [&](Index i) { return confidence(positive, i, static_cast<int>(label)); });
    const auto pruned =
        std::min(std::llround(counts[label][1 - label]), static_cast<long long>(own.size()) - 1);
    const double of_class = counts[0][label] + counts[1][label];
    const double kept = counts[label][label] > 0 ? of_class / counts[label][label] : 1.0;
    for (std::size_t k = 0; k < own.size(); ++k)
      weights(own[k]) = static_cast<long long>(k) < pruned ? 0.0 : kept;
  }
}

Vector out_of_fold(const PreparedTask& task, double ridge) {
  const Matrix design = design_matrix(task.train, task.probe.standardizer);
  return sigmoid(out_of_fold_logits(design, task.train.y, task.probe.beta, ridge,
                                    Stream(task.seed, Draw::folds, task.id))
                     .array());
}

} // namespace

Vector confident_weights(const Vector& positive, const Labels& y, const Labels& part) {
  std::array<std::array<Rows, 2>, most_groups> rows;
  for (Index i = 0; i < y.size(); ++i) rows[part(i)][y(i)].push_back(i);
  Vector weights = Vector::Ones(y.size());
  for (const std::array<Rows, 2>& of_part : rows) weight(positive, of_part, weights);
  return weights;
}

Vector confident_weights(const PreparedTask& task, double ridge) {
  return confident_weights(out_of_fold(task, ridge), task.train.y, Labels::Zero(task.train.rows()));
}

Vector confident_group_weights(const PreparedTask& task, double ridge) {
  return confident_weights(out_of_fold(task, ridge), task.train.y, task.train.group);
}

} // namespace metasieve
