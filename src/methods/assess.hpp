#pragma once

#include "base/linalg.hpp"
#include "fairness/metrics.hpp"
#include "features/meta_features.hpp"
#include "numerics/newton.hpp"

#include <array>
#include <vector>

namespace metasieve {

/// The rejection of training rows (weight 0 in a hard selection; a soft one rejects none) judged as a
/// detector of flipped labels, over some set of rows. Counts, so that those of many tasks can be added.
struct Detection {
  Index rows = 0;
  Index rejected = 0;
  Index flipped = 0; ///< y differs from y_clean
  Index caught = 0;  ///< rejected and flipped

  [[nodiscard]] double precision() const; ///< caught / rejected; NaN if none is rejected
  [[nodiscard]] double recall() const;    ///< caught / flipped; NaN if none is flipped

  friend bool operator==(const Detection&, const Detection&) = default;
};

[[nodiscard]] Detection operator+(const Detection& a, const Detection& b);

/// Detection by observed label and group. A flipped row with observed label 0 is a hidden positive (1 -> 0),
/// one with observed label 1 a false positive (0 -> 1); a detector chooses among rows of one observed label,
/// so that is what its precision and share are taken over.
struct DetectionReport {
  std::array<std::vector<Detection>, 2> cell{}; ///< [observed label][group]

  [[nodiscard]] Detection all() const { return hidden_positives() + false_positives(); }
  [[nodiscard]] Detection of_group(std::size_t z) const { return cell[0][z] + cell[1][z]; }
  [[nodiscard]] Detection hidden_positives() const { return sum(cell[0]); }
  [[nodiscard]] Detection false_positives() const { return sum(cell[1]); }

private:
  static Detection sum(const std::vector<Detection>& cells);
};

/// Where one has fewer groups, the others count as without rows.
[[nodiscard]] DetectionReport operator+(const DetectionReport& a, const DetectionReport& b);

/// weights [n] >= 0 of the training rows: y observed.
[[nodiscard]] DetectionReport detect(const Vector& weights, const Split& train);

/// What a method made of a task.
struct Model {
  Vector weights;      ///< [n] >= 0, of the training rows
  Vector score;        ///< [m], of the test rows: yhat = 1 where it is > 0
  bool failed = false; ///< the fit diverged
};

/// The final fits of one task: its designs are made once, and the memory of the fit is kept.
class FinalFits {
public:
  /// `ridge` as in the inner problem. `task` must outlive it.
  FinalFits(const PreparedTask& task, double ridge);
  /// A logistic regression to convergence on the weighted training rows, with `labels` [n].
  [[nodiscard]] Model fit(const Vector& weights, const Labels& labels);
  /// Scores of the training rows by the last fit, unless that has failed. [n]
  [[nodiscard]] Vector train_score() const { return newton_.logits(); }
  /// Scores of the test rows by coefficients [p]. [m]
  [[nodiscard]] Vector test_score(const Vector& beta) const { return test_ * beta; }

private:
  const PreparedTask& task_;
  Vector ridge_;
  Matrix test_;
  NewtonFit newton_;
};

/// The final fit of most methods: a logistic regression to convergence on the weighted training rows, with
/// `labels` [n]. `ridge` as in the inner problem.
[[nodiscard]] Model fit_model(const PreparedTask& task, const Vector& weights, const Labels& labels,
                              double ridge);

/// Quality of a model on the clean test rows, and what it was trained on. NaN: undefined.
struct Assessment {
  Metrics metrics;
  double noise_rate_all = 0;      ///< share of training labels that differ from the clean ones
  double noise_rate_selected = 0; ///< this share among the selected rows, by weight
  double noise_reduction = 0;     ///< 1 - selected / all; undefined where no label is flipped
  double minority_share = 0;      ///< share of all groups but group 0 in the selection, by weight
  double selected = 0;            ///< rows kept, or the sum of the weights
  Cells cells{};                  ///< of the test rows by label and group; empty if it failed
  DetectionReport detection;      ///< of flipped labels by the rows of weight 0
  bool failed = false;            ///< the fit diverged, or a score is not finite: the metrics are NaN
};

[[nodiscard]] Assessment assess(const PreparedTask& task, const Model& model);

/// `assess` for a model that was fitted to the clean labels: nothing noisy is left in what it was trained on.
[[nodiscard]] Assessment assess_oracle(const PreparedTask& task, const Model& model);

} // namespace metasieve
