#include "features/neighbours.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace metasieve {
namespace {

// Reference rows stand in chunks of `lanes`, one vector register wide, and are compared with `together` rows
// at a time while they are in registers. Every distance takes the same path, so equal rows are at equal
// distances.
constexpr Index lanes = 8, together = 4;
constexpr double infinity = std::numeric_limits<double>::infinity();
using Chunk = Eigen::Array<double, lanes, 1>;

struct References {
  std::vector<Index> rows;
  Eigen::Array<double, lanes, Eigen::Dynamic> values; ///< column chunk * d + j: column j of that chunk's rows
  Index chunks;
};

References pack(const MatrixF& x, std::vector<Index> rows) {
  const Index d = x.cols(), count = static_cast<Index>(rows.size()), chunks = (count + lanes - 1) / lanes;
  References references{std::move(rows), decltype(References::values)::Zero(lanes, chunks * d), chunks};
  for (Index r = 0; r < count; ++r)
    for (Index j = 0; j < d; ++j)
      references.values(r % lanes, r / lanes * d + j) = x(references.rows[static_cast<std::size_t>(r)], j);
  return references;
}

/// The nearest so far, in ascending order. Rows are offered in order of index and an equal distance goes
/// behind, so ties go to the lower index.
struct Nearest {
  std::array<double, neighbour_count> distance;
  std::array<std::uint8_t, neighbour_count> label{};

  Nearest() { distance.fill(infinity); }
  [[nodiscard]] double worst() const { return distance.back(); }

  void insert(double candidate, std::uint8_t candidate_label) {
    std::size_t at = neighbour_count - 1;
    for (; at > 0 && distance[at - 1] > candidate; --at) {
      distance[at] = distance[at - 1];
      label[at] = label[at - 1];
    }
    distance[at] = candidate;
    label[at] = candidate_label;
  }

  [[nodiscard]] double agreement(std::uint8_t own) const {
    double found = 0, same = 0;
    for (std::size_t k = 0; k < neighbour_count && distance[k] < infinity; ++k) {
      found += 1;
      same += label[k] == own ? 1 : 0;
    }
    return found > 0 ? same / found : 0.0;
  }
};

/// Rows begin..begin+together-1; past the last row it repeats that one.
std::array<Nearest, together> search(const Split& train, const References& references, const Vector& weight,
                                     Index begin) {
  const Index d = train.columns();
  std::array<Nearest, together> nearest;
  std::array<Index, together> row;
  Eigen::Array<double, together, Eigen::Dynamic> query(together, d);
  for (std::size_t q = 0; q < together; ++q) {
    row[q] = std::min(begin + static_cast<Index>(q), train.rows() - 1);
    query.row(static_cast<Index>(q)) = train.x.row(row[q]).cast<double>();
  }
  for (Index chunk = 0; chunk < references.chunks; ++chunk) {
    std::array<Chunk, together> distance;
    distance.fill(Chunk::Zero());
    for (Index j = 0; j < d; ++j) {
      const Chunk column = references.values.col(chunk * d + j);
      // Differences before scaling: those of integer columns are exact, so 29 and 31 are equally far from 30.
      for (std::size_t q = 0; q < together; ++q)
        distance[q] += (column - query(static_cast<Index>(q), j)).square() * weight(j);
    }
    const Index first = chunk * lanes;
    const Index filled = std::min(lanes, static_cast<Index>(references.rows.size()) - first);
    for (std::size_t q = 0; q < together; ++q) {
      if (!(distance[q].minCoeff() < nearest[q].worst())) continue;
      for (Index lane = 0; lane < filled; ++lane) {
        const Index other = references.rows[static_cast<std::size_t>(first + lane)];
        if (distance[q](lane) < nearest[q].worst() && other != row[q])
          nearest[q].insert(distance[q](lane), train.y(other));
      }
    }
  }
  return nearest;
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

Vector neighbour_agreement(const Split& train, const Standardizer& standardizer,
                           const NeighbourOptions& options) {
  const References references = pack(train.x, neighbour_references(train.rows(), options));
  const Vector weight = standardizer.inverse_scale.head(train.columns()).array().square();
  Vector agreement(train.rows());
  for (Index begin = 0; begin < train.rows(); begin += together) {
    const auto nearest = search(train, references, weight, begin);
    for (Index i = begin; i < std::min(begin + together, train.rows()); ++i)
      agreement(i) = nearest[static_cast<std::size_t>(i - begin)].agreement(train.y(i));
  }
  return agreement;
}

} // namespace metasieve
