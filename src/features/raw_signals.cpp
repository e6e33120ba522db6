#include "features/raw_signals.hpp"

#include "features/cells.hpp"

#include <cmath>

namespace metasieve {
namespace {

/// What the probe says of each row, unscaled. Plain functions of one row, so equal rows get equal bits.
struct RowScores {
  Vector loss, confidence, entropy, prediction, margin; ///< each [n]
};

RowScores row_scores(const Vector& logits, const Labels& y) {
  const Index n = logits.size();
  RowScores scores{Vector(n), Vector(n), Vector(n), Vector(n), Vector(n)};
  for (Index i = 0; i < n; ++i) {
    const double size = std::abs(logits(i)), tail = std::log1p(std::exp(-size)); // -log of the confidence
    const bool positive = logits(i) > 0.0, agrees = positive == (y(i) == 1);
    scores.loss(i) = agrees ? tail : size + tail;
    scores.confidence(i) = sigmoid(size);
    scores.entropy(i) = tail + size * sigmoid(-size);
    scores.prediction(i) = positive ? 1.0 : 0.0;
    scores.margin(i) = scores.confidence(i) - 0.5;
  }
  return scores;
}

Vector scaled_cell_weight(const Split& train) { return log_cell_weight(train.y, train.group) / 0.3; }

Vector scaled_cell_share(const Labels& cell) { return (share_by_key(cell).array().log() + 1.4) / 0.6; }

/// Fills the columns of FeatureSet::basic, with which FeatureSet::full begins.
void fill_basic_columns(const Split& train, const RowScores& scores, Matrix& features) {
  const auto column = [&](auto name) { return features.col(feature_column(FeatureSet::basic, name)); };
  column("loss") = z_scored(scores.loss);
  column("confidence") = z_scored(scores.confidence);
  column("entropy") = z_scored(scores.entropy);
  column("group") = train.group.cast<double>();
  column("group_loss") = z_scored(mean_by_key(scores.loss, train.group));
  column("group_confidence") = z_scored(mean_by_key(scores.confidence, train.group));
  column("prediction") = scores.prediction;
  column("label") = train.y.cast<double>();
  column("margin") = z_scored(scores.margin);
  column("loss_rank") = rank_fraction(scores.loss);
}

/// Fills the columns that FeatureSet::full has beside the basic ones.
void fill_full_columns(const Split& train, const RawSignals& signals, const RowScores& scores,
                       Matrix& features) {
  const auto column = [&](auto name) { return features.col(feature_column(FeatureSet::full, name)); };
  const Labels cell = cell_of(train.y, train.group, train.groups);
  column("knn") = z_scored(signals.agreement);
  column("oof_margin") = z_scored(signals.fold_margin);
  column("rff_margin") = z_scored(signals.fourier_margin);
  column("log_cell_weight") = scaled_cell_weight(train);
  column("cell_loss") = z_scored(mean_by_key(scores.loss, cell));
  column("cell_share") = scaled_cell_share(cell);
}

/// Fills the columns that FeatureSet::relative has of the groups, but for those of cells.
void fill_relative_columns(const Split& train, Matrix& features) {
  const auto column = [&](auto name) { return features.col(feature_column(FeatureSet::relative, name)); };
  const Labels &y = train.y, &group = train.group;
  const bool one_group = (group.array() == group(0)).all();
  if (one_group) {
    for (const char* name : {"log_group_share", "group_rate_difference", "log_odds"}) column(name).setZero();
    return;
  }
  column("log_group_share") = share_by_key(group).array().log() + 1.0;
  column("group_rate_difference") = group_rate_difference(y, group);
  column("log_odds") = signed_log_odds(y, group);
}

/// Fills the columns of FeatureSet::fair that it has beside those of relative.
void fill_fair_columns(const Split& train, const Matrix& margins, Matrix& features) {
  const Index columns_of_each = 7;
  Index first = feature_count(FeatureSet::relative);
  for (Index probe = 0; probe < margins.cols(); ++probe, first += columns_of_each) {
    // In steps of 2^-24, so that margins which differ by rounding alone are equal, and those near 0 are 0.
    const Vector margin = (margins.col(probe).array() * 0x1p24).round() * 0x1p-24;
    features.col(first) = (0.5 * margin.array()).tanh();
    features.col(first + 1) = z_scored(margin).cwiseMax(-4.0).cwiseMin(4.0);
    features.col(first + 2) = 2.0 * rank_fraction(margin).array() - 1.0;
    features.middleCols(first + 3, 4) = cell_means(margin.array().sign(), train.y, train.group);
  }
}

/// Fills the columns of context, or those that relative and fair share.
void fill_context_columns(const Split& train, const RawSignals& signals, const RowScores& scores,
                          FeatureSet set, Matrix& features) {
  const auto at = [&](auto name) { return feature_column(set, name); };
  const auto column = [&](auto name) { return features.col(at(name)); };
  const auto four_columns = [&](auto first) { return features.middleCols(at(first), 4); };
  const Labels cell = cell_of(train.y, train.group, train.groups);
  const Vector sign = 2.0 * train.y.cast<double>().array() - 1.0;
  const Vector agreement = 2.0 * signals.agreement.array() - 1.0;
  const Vector decision = (2.0 * sign.array() * signals.logits.array()).tanh();
  if (serves_any_groups(set)) {
    fill_relative_columns(train, features);
  } else {
    column("group") = train.group.cast<double>();
    column("log_odds") = signed_log_odds(train.y, train.group);
  }
  column("prediction") = scores.prediction;
  column("label") = train.y.cast<double>();
  column("loss_rank") = rank_fraction(scores.loss);
  column("log_cell_weight") = scaled_cell_weight(train);
  column("cell_share") = scaled_cell_share(cell);
  column("knn_common") = agreement;
  column("rff_common") = signals.fourier_margin;
  column("oof_common") = (0.5 * signals.fold_margin.array()).tanh();
  column("knn") = z_scored(signals.agreement);
  column("oof_margin") = z_scored(signals.fold_margin);
  column("rff_margin") = z_scored(signals.fourier_margin);
  column("rff_rank_in_cell") = rank_in_cell(signals.fourier_margin, cell);
  column("oof_rank_in_cell") = rank_in_cell(signals.fold_margin, cell);
  four_columns("cell_knn") = cell_means(agreement, train.y, train.group);
  four_columns("cell_rff") = cell_means(signals.fourier_margin, train.y, train.group);
  four_columns("cell_decision") = cell_means(decision, train.y, train.group);
}

} // namespace

Matrix assemble_features(const Split& train, const RawSignals& signals, FeatureSet set) {
  Matrix features(train.rows(), feature_count(set));
  if (train.rows() == 0) return features;
  const RowScores scores = row_scores(signals.logits, train.y);
  if (set == FeatureSet::context || serves_any_groups(set)) {
    fill_context_columns(train, signals, scores, set, features);
    if (set == FeatureSet::fair) fill_fair_columns(train, signals.fair_margins, features);
    return features;
  }
  fill_basic_columns(train, scores, features);
  if (set == FeatureSet::full) fill_full_columns(train, signals, scores, features);
  return features;
}

} // namespace metasieve
