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

/// a = P(y=1, z=1) at the margins P(y=1) = positive and P(z=1) = group1, both in (0, 1): the root of
/// (positive - a)(group1 - a) = odds * a * (1 - positive - group1 + a) between max(0, positive + group1 - 1)
/// and min(positive, group1). odds > 0 is the positive odds of group 0 over those of group 1.
[[nodiscard]] double joint_share(double positive, double group1, double odds);

/// Rows by label and group.
struct JointTable {
  Index y0z0, y0z1, y1z0, y1z1;
  friend bool operator==(const JointTable&, const JointTable&) = default;
};

/// The integer table with exactly these margins that is nearest to joint_share. `odds` >= 1 is the positive
/// odds of the favoured group over those of `disadvantaged` (0 or 1). 0 <= positives, group1 <= rows, rows
/// >= 1.
[[nodiscard]] JointTable joint_table(Index rows, Index positives, Index group1, double odds,
                                     int disadvantaged);

/// Groups [n] that realise `table`: uniformly random given y, so independent of the features given y.
[[nodiscard]] Labels assign_groups(const Labels& y, const JointTable& table, Seed seed, TaskId id);

/// Uniformly random unit vector, [columns].
[[nodiscard]] Vector shift_direction(Index columns, Seed seed, TaskId id);

/// x [n, d] plus shift * (z - 1/2) * sqrt(d)/2 * direction': moves the means of the groups apart by
/// shift * sqrt(d)/2 along `direction` [d].
[[nodiscard]] Matrix shift_groups(const Matrix& x, const Labels& group, double shift,
                                  const Vector& direction);

/// Bits depend on (family, seed, id) only: any rank and thread makes the same task.
/// @throws ConfigError if `family` is out of its domain.
[[nodiscard]] Task generate_task(const Family& family, Seed seed, TaskId id);

} // namespace metasieve
