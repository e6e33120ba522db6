#pragma once

#include "base/random.hpp"
#include "tasks/family.hpp"
#include "tasks/task.hpp"

#include <algorithm>

namespace metasieve {

/// Size and difficulty of one base problem: 1 <= positives < rows, columns >= 3, separability >= 0.
struct ClassificationShape {
  Index rows, positives, columns;
  double separability; ///< half the side of the hypercube whose vertices are the cluster centres
};

/// Rows and columns are shuffled. Nothing is standardised.
struct Classification {
  Matrix x; ///< [rows, columns]
  Labels y; ///< [rows], exactly `positives` of them 1
};

/// Columns that hold the clusters.
[[nodiscard]] inline Index informative_columns(Index columns) { return std::max<Index>(2, columns / 2); }

/// Columns that are linear combinations of the informative ones. The rest is noise.
[[nodiscard]] inline Index redundant_columns(Index columns) { return std::max<Index>(1, columns / 4); }

/// The construction of Guyon (2003, NIPS variable selection benchmark) as in make_classification of
/// scikit-learn 1.2 with two clusters a class, hypercube = True and flip_y = 0. Bits depend on (shape, seed,
/// id) only.
[[nodiscard]] Classification make_classification(const ClassificationShape& shape, Seed seed, TaskId id);

/// Bits depend on (family, seed, id) only: any rank and thread makes the same task.
/// @throws ConfigError if `family` is out of its domain.
[[nodiscard]] Task generate_task(const Family& family, Seed seed, TaskId id);

} // namespace metasieve
