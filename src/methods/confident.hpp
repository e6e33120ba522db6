#pragma once

#include "features/meta_features.hpp"

namespace metasieve {

/// Weights of rows by confident learning (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068), separately in
/// each part of the rows. positive [n]: P(y = 1) of a model that has not seen the row; y [n] as observed;
/// part [n]: 0..most_groups - 1.
///
/// A row counts as confidently of class j where P(j) is at least the mean of P(j) over the rows labelled j;
/// if of both, as of the more probable one. The counts C_ij of rows labelled i that are confidently of j,
/// scaled so that each label has its rows, estimate the joint distribution Q of observed and true labels. Of
/// the paper's rules this is prune by noise rate: of the rows labelled i the round(n Q_ij), j != i, with the
/// largest P(j) - P(i) have weight 0 (for two classes its prune by class is the same). The others have the
/// paper's class weight sum_k Q_ki / Q_ii, the estimated rows of class i over those of them that are labelled
/// i. One row of a label is always kept; a label without confident rows is left as it is.
[[nodiscard]] Vector confident_weights(const Vector& positive, const Labels& y, const Labels& part);

/// All training rows as one part; P(y = 1) by out-of-fold logistic regressions, as in the features.
[[nodiscard]] Vector confident_weights(const PreparedTask& task, double ridge);

/// Within each group, thresholds, counts and pruning: for noise that differs between groups. The model is
/// that of all rows: a small group could not fit its own.
[[nodiscard]] Vector confident_group_weights(const PreparedTask& task, double ridge);

} // namespace metasieve
