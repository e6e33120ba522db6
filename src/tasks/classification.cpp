#include "tasks/classification.hpp"

#include <array>

namespace metasieve {
namespace {

constexpr Index cluster_count = 4; // two a class; cluster k holds label k % 2

/// [rows, columns], uniform in [-1, 1).
Matrix uniform_matrix(const Stream& stream, Index rows, Index columns) {
  Matrix out(rows, columns);
  for (Index i = 0; i < out.size(); ++i) out(i / columns, i % columns) = stream.uniform(i, -1.0, 1.0);
  return out;
}

bool repeats(const Matrix& vertices, Index row) {
  for (Index k = 0; k < row; ++k)
    if (vertices.row(k) == vertices.row(row)) return true;
  return false;
}

/// Four distinct vertices of {-1, 1}^dimensions, [4, dimensions], uniformly at random. In two dimensions they
/// come in order: scikit-learn's sampler does not shuffle when it takes all, so that there the label is the
/// sign of the last axis and never an exclusive or.
Matrix cluster_vertices(const Stream& stream, Index dimensions) {
  Matrix vertices(cluster_count, dimensions);
  if (dimensions == 2) {
    vertices << -1, -1, -1, 1, 1, -1, 1, 1;
    return vertices;
  }
  Index next = 0;
  for (Index k = 0; k < cluster_count; ++k) {
    do {
      for (Index j = 0; j < dimensions; ++j) vertices(k, j) = stream.below(next++, 2) == 0 ? -1.0 : 1.0;
    } while (repeats(vertices, k));
  }
  return vertices;
}

std::array<Index, cluster_count> cluster_sizes(Index rows, Index positives) {
  const Index negatives = rows - positives;
  return {(negatives + 1) / 2, (positives + 1) / 2, negatives / 2, positives / 2};
}

} // namespace

Classification make_classification(const ClassificationShape& shape, Seed seed, TaskId id) {
  const Index n = shape.rows, d = shape.columns;
  const Index informative = informative_columns(d), redundant = redundant_columns(d);
  const Index useless = d - informative - redundant;
  const Matrix normals = Stream(seed, Draw::covariates, id).normals(n, informative + useless);
  const Matrix centres = shape.separability * cluster_vertices(Stream(seed, Draw::vertices, id), informative);

  Matrix clusters(n, informative);
  Labels labels(n);
  const auto sizes = cluster_sizes(n, shape.positives);
  Index begin = 0;
  for (Index k = 0; k < cluster_count; ++k) {
    const Index size = sizes[static_cast<std::size_t>(k)];
    const Matrix map = uniform_matrix(Stream(seed, Draw::cluster_maps, id, static_cast<std::uint64_t>(k)),
                                      informative, informative);
    clusters.middleRows(begin, size).noalias() = normals.middleRows(begin, size).leftCols(informative) * map;
    clusters.middleRows(begin, size).rowwise() += centres.row(k);
    labels.segment(begin, size).setConstant(static_cast<std::uint8_t>(k % 2));
    begin += size;
  }

  Matrix columns(n, d);
  columns.leftCols(informative) = clusters;
  columns.middleCols(informative, redundant).noalias() =
      clusters * uniform_matrix(Stream(seed, Draw::redundant_map, id), informative, redundant);
  columns.rightCols(useless) = normals.rightCols(useless);

  const auto row_order = permutation(Stream(seed, Draw::row_order, id), n);
  const auto column_order = permutation(Stream(seed, Draw::column_order, id), d);
  return {columns(row_order, column_order), labels(row_order)};
}

} // namespace metasieve
