#pragma once

#include "features/meta_features.hpp"

#include <Eigen/Core>

namespace metasieve {

/// What the labels say of positives that are labelled negative in the group of the lowest positive rate.
struct HiddenPositives {
  Index group = -1;    ///< its number; -1: there is no estimate
  double share = 0;    ///< share of its positives that are hidden: the posterior mean, in [0, 0.6]
  double evidence = 0; ///< log-likelihood gained by the best share over none, >= 0
};

/// The training rows as the model of hidden positives sees them.
struct HiddenPositivesData {
  Vector logit; ///< [n] r, of models that have not seen the row
  Vector y;     ///< [n] labels, 0 or 1
  Labels d;     ///< [n] 1 for a row of the disadvantaged group, else 0
};

/// Minus the log of the posterior density of the parameters (s, a_g, a_other, log k), up to a constant.
struct HiddenPositivesLoss {
  double value = 0;
  Eigen::Vector4d gradient;
  Eigen::Matrix4d information; ///< expected Hessian
};

/// The loss of the model P(y_i = 1) = e + (1 - 2e) (1 - beta d_i) sigmoid(s k^d_i r_i + a_i) at flip rate e =
/// 0.05 and log k ~ N(0, 0.15^2); a_i is a_g in the disadvantaged group and a_other elsewhere. `beta`: share
/// of the positives of that group that are labelled negative, whatever their features.
[[nodiscard]] HiddenPositivesLoss hidden_positives_loss(const HiddenPositivesData& data,
                                                        const Eigen::Vector4d& parameters, double beta);

/// Estimates `beta` for the group of the lowest share of positive labels; a tie goes to the larger group,
/// then to the one with the first row. All other groups are pooled. Honest differences between groups move
/// the intercepts; hidden positives put a ceiling of 1 - beta on the group's rate, which flattens its curve
/// where the logit is large. The share is the mean over beta = 0, 0.05, ..., 0.6 with prior 0.8 on 0. Does
/// not depend on how groups are numbered.
[[nodiscard]] HiddenPositives hidden_positives(const Vector& logit, const Labels& y, const Labels& group);

/// The estimate from the training rows of the task, whose features are of `set`. No estimate where the set
/// has no column oof_common, fewer than two groups have rows, or all labels are alike.
[[nodiscard]] HiddenPositives hidden_positives(const PreparedTask& task, FeatureSet set);

} // namespace metasieve
