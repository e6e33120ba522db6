#include "features/neighbours.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace metasieve {
namespace {

/// The nearest so far, in ascending order; ties in order of index, in whatever order they are offered.
class Nearest {
public:
  void offer(double distance, Index row) {
    std::size_t at = neighbour_count - 1;
    if (!before(distance, row, at)) return;
    for (; at > 0 && before(distance, row, at - 1); --at) {
      distance_[at] = distance_[at - 1];
      row_[at] = row_[at - 1];
    }
    distance_[at] = distance;
    row_[at] = row;
  }

  [[nodiscard]] double agreement(const Labels& y, std::uint8_t own) const {
    double found = 0, same = 0;
    for (std::size_t k = 0; k < neighbour_count && row_[k] >= 0; ++k) {
      found += 1;
      same += y(row_[k]) == own ? 1 : 0;
    }
    return found > 0 ? same / found : 0.0;
  }

private:
  [[nodiscard]] bool before(double distance, Index row, std::size_t place) const {
    return distance < distance_[place] || (distance == distance_[place] && row < row_[place]);
  }

  std::array<double, neighbour_count> distance_ = filled(std::numeric_limits<double>::infinity());
  std::array<Index, neighbour_count> row_ = filled(Index{-1});

  template <class T>
  static std::array<T, neighbour_count> filled(T value) {
    std::array<T, neighbour_count> out;
    out.fill(value);
    return out;
  }
};

/// Differences before scaling: those of integer columns are exact, so 29 and 31 are equally far from 30.
double squared_distance(const MatrixF& x, Index a, Index b, const Vector& weight) {
  double sum = 0.0;
  for (Index j = 0; j < x.cols(); ++j) {
    const double difference = static_cast<double>(x(a, j)) - static_cast<double>(x(b, j));
    sum += difference * difference * weight(j);
  }
  return sum;
}

} // namespace

std::vector<Index> neighbour_references(Index rows, const NeighbourOptions& options) {
  std::vector<Index> references(static_cast<std::size_t>(rows));
  std::iota(references.begin(), references.end(), Index{0});
  if (rows <= options.exact_rows) return references;
  references = sample_without_replacement(Stream(options.seed, Draw::knn_reference, options.id), rows,
                                          std::min(options.reference_rows, rows));
  std::ranges::sort(references);
  return references;
}

Vector agreement_among(const Split& train, const Standardizer& standardizer,
                       const std::vector<Index>& references) {
  NeighbourFilter filter(train, standardizer, references);
  const Vector weight = standardizer.inverse_scale.head(train.columns()).array().square();
  Vector agreement(train.rows());
  for (Index begin = 0; begin < train.rows(); begin += NeighbourFilter::block) {
    filter.search(begin);
    const Index end = std::min(begin + NeighbourFilter::block, train.rows());
    for (Index row = begin; row < end; ++row) {
      if (const auto positives = filter.positives(row - begin)) {
        const Index same = train.y(row) == 1 ? *positives : neighbour_count - *positives;
        agreement(row) = static_cast<double>(same) / static_cast<double>(neighbour_count);
        continue;
      }
      Nearest nearest;
      for (const std::int32_t candidate : filter.candidates(row - begin)) {
        const Index other = references[static_cast<std::size_t>(candidate)];
        if (other != row) nearest.offer(squared_distance(train.x, other, row, weight), other);
      }
      agreement(row) = nearest.agreement(train.y, train.y(row));
    }
  }
  return agreement;
}

Vector neighbour_agreement(const Split& train, const Standardizer& standardizer,
                           const NeighbourOptions& options) {
  return agreement_among(train, standardizer, neighbour_references(train.rows(), options));
}

} // namespace metasieve
