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

void fill_seed_columns(const Split& train, const RowScores& scores, Matrix& features) {
  features.col(0) = z_scored(scores.loss);
  features.col(1) = z_scored(scores.confidence);
  features.col(2) = z_scored(scores.entropy);
  features.col(3) = train.group.cast<double>();
  features.col(4) = z_scored(mean_by_key(scores.loss, train.group));
  features.col(5) = z_scored(mean_by_key(scores.confidence, train.group));
  features.col(6) = scores.prediction;
  features.col(7) = train.y.cast<double>();
  features.col(8) = z_scored(scores.margin);
  features.col(9) = rank_fraction(scores.loss);
}

Vector scaled_cell_weight(const Split& train) { return log_cell_weight(train.y, train.group) / 0.3; }

Vector scaled_cell_share(const Labels& cell) { return (share_by_key(cell).array().log() + 1.4) / 0.6; }

void fill_full_columns(const Split& train, const RawSignals& signals, const RowScores& scores,
                       Matrix& features) {
  const Labels cell = cell_of(train.y, train.group);
  features.col(10) = z_scored(signals.agreement);
  features.col(11) = z_scored(signals.fold_margin);
  features.col(12) = z_scored(signals.fourier_margin);
  features.col(13) = scaled_cell_weight(train);
  features.col(14) = z_scored(mean_by_key(scores.loss, cell));
  features.col(15) = scaled_cell_share(cell);
}

void fill_context_columns(const Split& train, const RawSignals& signals, const RowScores& scores,
                          Matrix& features) {
  const Labels cell = cell_of(train.y, train.group);
  const Vector sign = 2.0 * train.y.cast<double>().array() - 1.0;
  const Vector agreement = 2.0 * signals.agreement.array() - 1.0;
  const Vector decision = (2.0 * sign.array() * signals.logits.array()).tanh();
  features.col(0) = train.group.cast<double>();
  features.col(1) = scores.prediction;
  features.col(2) = train.y.cast<double>();
  features.col(3) = rank_fraction(scores.loss);
  features.col(4) = scaled_cell_weight(train);
  features.col(5) = scaled_cell_share(cell);
  features.col(6) = agreement;
  features.col(7) = signals.fourier_margin;
  features.col(8) = (0.5 * signals.fold_margin.array()).tanh();
  features.col(9) = z_scored(signals.agreement);
  features.col(10) = z_scored(signals.fold_margin);
  features.col(11) = z_scored(signals.fourier_margin);
  features.col(12) = rank_in_cell(signals.fourier_margin, cell);
  features.col(13) = rank_in_cell(signals.fold_margin, cell);
  features.middleCols(14, 4) = cell_means(agreement, cell);
  features.middleCols(18, 4) = cell_means(signals.fourier_margin, cell);
  features.middleCols(22, 4) = cell_means(decision, cell);
  features.col(26) = signed_log_odds(cell);
}

} // namespace

Matrix assemble_features(const Split& train, const RawSignals& signals, FeatureSet set) {
  Matrix features(train.rows(), feature_count(set));
  if (train.rows() == 0) return features;
  const RowScores scores = row_scores(signals.logits, train.y);
  if (set == FeatureSet::context27) {
    fill_context_columns(train, signals, scores, features);
    return features;
  }
  fill_seed_columns(train, scores, features);
  if (set == FeatureSet::full16) fill_full_columns(train, signals, scores, features);
  return features;
}

} // namespace metasieve
