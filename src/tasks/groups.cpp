#include "tasks/groups.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {

double joint_share(double positive, double group1, double odds) {
  // (1 - odds) a^2 - b a + positive * group1 = 0, in the form of the root that does not cancel.
  const double b = odds + (positive + group1) * (1.0 - odds);
  const double product = positive * group1;
  const double root = std::sqrt(b * b + 4.0 * (odds - 1.0) * product);
  const double share = b > 0 ? 2.0 * product / (b + root) : (root - b) / (2.0 * (odds - 1.0));
  return std::clamp(share, std::max(0.0, positive + group1 - 1.0), std::min(positive, group1));
}

JointTable joint_table(Index rows, Index positives, Index group1, double odds, int disadvantaged) {
  const double count = static_cast<double>(rows);
  const double share =
      joint_share(static_cast<double>(positives) / count, static_cast<double>(group1) / count,
                  disadvantaged == 1 ? odds : 1.0 / odds);
  const Index both =
      std::clamp<Index>(std::llround(share * count), std::max<Index>(0, positives + group1 - rows),
                        std::min(positives, group1));
  return {rows - positives - group1 + both, group1 - both, positives - both, both};
}

Labels assign_groups(const Labels& y, const JointTable& table, Seed seed, TaskId id) {
  Labels group = Labels::Zero(y.size());
  for (const int label : {0, 1}) {
    std::vector<Index> rows;
    for (Index i = 0; i < y.size(); ++i)
      if (y(i) == label) rows.push_back(i);
    const Stream stream(seed, Draw::groups, id, static_cast<std::uint64_t>(label));
    const auto members = sample_without_replacement(stream, static_cast<Index>(rows.size()),
                                                    label == 1 ? table.y1z1 : table.y0z1);
    for (const Index member : members) group(rows[static_cast<std::size_t>(member)]) = 1;
  }
  return group;
}

Vector shift_direction(Index columns, Seed seed, TaskId id) {
  const Matrix normals = Stream(seed, Draw::shift_direction, id).normals(1, columns);
  return normals.row(0).transpose() / normals.norm();
}

Matrix shift_groups(const Matrix& x, const Labels& group, double shift, const Vector& direction) {
  const Vector position = group.cast<double>().array() - 0.5;
  const double distance = shift * std::sqrt(static_cast<double>(x.cols())) / 2.0;
  return x + distance * position * direction.transpose();
}

} // namespace metasieve
