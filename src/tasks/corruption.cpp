#include "tasks/corruption.hpp"

#include "inner/design.hpp"
#include "numerics/logistic.hpp"
#include "numerics/newton.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace metasieve {

Index flip_count(double rate, Index rows) {
  return static_cast<Index>(std::floor(rate * static_cast<double>(rows)));
}

std::vector<Index> uniform_rows(Index rows, Index count, Seed seed, TaskId id) {
  return sample_without_replacement(Stream(seed, Draw::flips, id), rows, count);
}

std::vector<Index> lowest_loss_rows(const Split& train, Index count) {
  const Matrix x = design_matrix(train, fit_standardizer(train, false));
  const Vector y = to_vector(train.y_clean);
  // One class or a separable problem is legal: the ridge keeps the fit finite, and a failed one is all ties.
  const LogisticFit fit =
      fit_logistic(x, y, Vector::Ones(x.rows()), Vector::Zero(x.cols()), ridge_diagonal(x.cols(), 1e-3));
  const Vector loss = logistic_loss(x * fit.beta, y);

  std::vector<Index> order(static_cast<std::size_t>(x.rows()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return loss(a) < loss(b); });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

Labels flip_labels(const Labels& y, const std::vector<Index>& rows) {
  Labels flipped = y;
  for (const Index row : rows) flipped(row) = flipped(row) == 0 ? 1 : 0;
  return flipped;
}

Labels hide_positives(const Labels& y, const Labels& group, const std::vector<bool>& disadvantaged,
                      double probability, Seed seed, TaskId id) {
  const Stream stream(seed, Draw::label_bias, id);
  Labels hidden = y;
  for (Index i = 0; i < y.size(); ++i)
    if (y(i) == 1 && disadvantaged[group(i)] && stream.uniform(i) < probability) hidden(i) = 0;
  return hidden;
}

std::string_view to_string(Corruption corruption) {
  constexpr std::array<std::string_view, corruption_kinds> names{
      "none", "uniform", "adversarial", "bias", "uniform_bias", "adversarial_bias", "given"};
  return names[static_cast<std::size_t>(corruption)];
}

Corruption corruption_of(const Metadata& metadata) {
  const bool flips = flip_count(metadata.noise_rate, metadata.n_train) > 0;
  const bool bias = metadata.label_bias > 0.0;
  if (!flips) return bias ? Corruption::bias : Corruption::none;
  if (metadata.adversarial != 0) return bias ? Corruption::adversarial_bias : Corruption::adversarial;
  return bias ? Corruption::uniform_bias : Corruption::uniform;
}

Corruption corruption_of(const Task& task) {
  const Corruption asked = corruption_of(task.metadata);
  const bool differ = task.train.y != task.train.y_clean;
  return asked == Corruption::none && differ ? Corruption::given : asked;
}

} // namespace metasieve
