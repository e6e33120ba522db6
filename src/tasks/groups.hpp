#pragma once

#include "base/random.hpp"
#include "tasks/family.hpp"

#include <vector>

namespace metasieve {

/// What a task asks for in one of its groups.
struct GroupParameters {
  double share;       ///< of the rows
  double odds;        ///< positive odds of group 0 over those of this group, > 0
  bool disadvantaged; ///< label bias hides its positives
};

/// [K] the groups of a task with these parameters. Group 0 has the rows that `minority` leaves. With K = 2,
/// group 1 has the others, and odds and disadvantage are those of the parameters. With K > 2, `minority` is
/// divided by a symmetric Dirichlet(2) draw, at least least_group_share each; odds are log-uniform in the
/// family's group_odds, and a group that is not drawn as disadvantaged has their inverse. Label bias then
/// hides positives of the groups with lower odds than group 0: in a task without bias those drawn as
/// disadvantaged; group 0 if there are none. Depends on (family, seed, id) only.
[[nodiscard]] std::vector<GroupParameters> draw_groups(const Family& family, const TaskParameters& drawn,
                                                       Seed seed, TaskId id);

/// a = P(y=1, z=1) at the margins P(y=1) = positive and P(z=1) = group1, both in (0, 1): the root of
/// (positive - a)(group1 - a) = odds * a * (1 - positive - group1 + a) between max(0, positive + group1 - 1)
/// and min(positive, group1). odds > 0 is the positive odds of group 0 over those of group 1.
[[nodiscard]] double joint_share(double positive, double group1, double odds);

/// Rows of one group by label.
struct GroupRows {
  Index negatives, positives;
  friend bool operator==(const GroupRows&, const GroupRows&) = default;
};

/// [K] whole numbers of rows that are nearest to what the groups ask for, with exactly these margins: `rows`,
/// `positives`, and the share of all groups but 0 to the nearest row. Each group has a row. Positive odds are
/// those asked for over one base rate: for two groups by joint_share, for more by bisection and largest
/// remainders. K <= rows, 1 <= positives < rows.
[[nodiscard]] std::vector<GroupRows> joint_table(Index rows, Index positives,
                                                 const std::vector<GroupParameters>& groups);

/// Groups [n] that realise `table` [K]: uniformly random given y, so independent of the features given y.
[[nodiscard]] Labels assign_groups(const Labels& y, const std::vector<GroupRows>& table, Seed seed,
                                   TaskId id);

/// [K, columns] by how much the mean of each group moves, in units in which two groups are at a distance of
/// 1. Two groups move by half a random unit vector, against each other. More move each along a random unit
/// vector of its own, less the mean of these vectors, over sqrt(2): then the distance of a pair is 1 in the
/// root mean square. One group does not move.
[[nodiscard]] Matrix group_shifts(Index groups, Index columns, Seed seed, TaskId id);

/// x [n, d] plus shift * sqrt(d)/2 times the row of `shifts` [K, d] of each row's group.
[[nodiscard]] Matrix shift_groups(const Matrix& x, const Labels& group, double shift, const Matrix& shifts);

} // namespace metasieve
