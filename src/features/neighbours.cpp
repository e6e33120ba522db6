#include "features/neighbours.hpp"

#include <algorithm>
#include <utility>

namespace metasieve {
namespace {

/// Differences before scaling: those of integer columns are exact, so 29 and 31 are equally far from 30.
double squared_distance(const MatrixF& x, Index a, Index b, const Vector& inverse_scale) {
  double sum = 0.0;
  for (Index j = 0; j < x.cols(); ++j) {
    const double difference = static_cast<double>(x(a, j)) - static_cast<double>(x(b, j));
    sum += difference * difference * (inverse_scale(j) * inverse_scale(j));
  }
  return sum;
}

} // namespace

std::vector<Index> neighbour_references(Index rows, const NeighbourOptions& options) {
  if (rows <= options.exact_rows) return all_rows(rows);
  std::vector<Index> references = sample_without_replacement(
      Stream(options.seed, Draw::knn_reference, options.id), rows, std::min(options.reference_rows, rows));
  std::ranges::sort(references);
  return references;
}

double agreement_of_row(const Split& train, const Standardizer& standardizer, Index row,
                        std::span<const Index> references) {
  std::vector<std::pair<double, Index>> others; // distance, row: ties go to the lower index
  for (const Index other : references)
    if (other != row)
      others.emplace_back(squared_distance(train.x, other, row, standardizer.inverse_scale), other);
  const Index found = std::min(neighbour_count, std::ssize(others));
  std::partial_sort(others.begin(), others.begin() + found, others.end());
  const Index same = std::count_if(others.begin(), others.begin() + found,
                                   [&](const auto& other) { return train.y(other.second) == train.y(row); });
  return found > 0 ? static_cast<double>(same) / static_cast<double>(found) : 0.0;
}

Vector neighbour_agreement(const Split& train, const Standardizer& standardizer,
                           std::span<const Index> references) {
  Vector agreement(train.rows());
  for (Index row = 0; row < train.rows(); ++row)
    agreement(row) = agreement_of_row(train, standardizer, row, references);
  return agreement;
}

} // namespace metasieve
