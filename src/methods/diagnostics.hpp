#pragma once

#include "base/linalg.hpp"

#include <array>

namespace metasieve {

/// The rejection of training rows (weight 0 in a hard selection; a soft one rejects none) judged as a
/// detector of flipped labels, over some set of rows. Counts, so that those of many tasks can be added.
struct Detection {
  Index rows = 0;
  Index rejected = 0;
  Index flipped = 0; ///< y differs from y_clean
  Index caught = 0;  ///< rejected and flipped

  [[nodiscard]] double precision() const;      ///< caught / rejected; NaN if none is rejected
  [[nodiscard]] double recall() const;         ///< caught / flipped; NaN if none is flipped
  [[nodiscard]] double share_rejected() const; ///< rejected / rows: recall of chance; NaN without rows
  [[nodiscard]] double share_flipped() const;  ///< flipped / rows: precision of chance; NaN without rows

  friend bool operator==(const Detection&, const Detection&) = default;
};

[[nodiscard]] Detection operator+(const Detection& a, const Detection& b);

/// Detection by observed label and group. A flipped row with observed label 0 is a hidden positive (1 -> 0),
/// one with observed label 1 a false positive (0 -> 1); a detector chooses among rows of one observed label,
/// so that is what its precision and share are taken over.
struct DetectionReport {
  std::array<std::array<Detection, 2>, 2> cell{}; ///< [observed label][group]

  [[nodiscard]] Detection all() const { return of_group(0) + of_group(1); }
  [[nodiscard]] Detection of_group(std::size_t z) const { return cell[0][z] + cell[1][z]; }
  [[nodiscard]] Detection hidden_positives() const { return cell[0][0] + cell[0][1]; }
  [[nodiscard]] Detection false_positives() const { return cell[1][0] + cell[1][1]; }
};

[[nodiscard]] DetectionReport operator+(const DetectionReport& a, const DetectionReport& b);

/// weights [n] >= 0 of the training rows, y observed, y_clean, group: each [n].
[[nodiscard]] DetectionReport detect(const Vector& weights, const Labels& y, const Labels& y_clean,
                                     const Labels& group);

} // namespace metasieve
