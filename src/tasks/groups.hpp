#pragma once

#include "base/random.hpp"

namespace metasieve {

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

} // namespace metasieve
