#include "features/meta_features.hpp"

#include "features/cells.hpp"
#include "features/neighbours.hpp"
#include "features/out_of_fold.hpp"
#include "features/random_fourier.hpp"
#include "features/scaling.hpp"

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
  features.col(3) = to_vector(train.group);
  features.col(4) = z_scored(mean_by_key(scores.loss, train.group));
  features.col(5) = z_scored(mean_by_key(scores.confidence, train.group));
  features.col(6) = scores.prediction;
  features.col(7) = to_vector(train.y);
  features.col(8) = z_scored(scores.margin);
  features.col(9) = rank_fraction(scores.loss);
}

void fill_full_columns(const Split& train, const Probe& probe, const Matrix& design, const RowScores& scores,
                       const FeatureOptions& options, Matrix& features) {
  const Vector sign = 2.0 * to_vector(train.y).array() - 1.0;
  const Labels cell = cell_of(train.y, train.group);
  const Matrix x = design.leftCols(train.columns());
  const NeighbourOptions neighbours{.seed = options.seed, .id = options.id};
  const Stream folds(options.seed, Draw::folds, options.id);
  features.col(10) = z_scored(neighbour_agreement(train, probe.standardizer, neighbours));
  features.col(11) =
      z_scored(sign.cwiseProduct(out_of_fold_logits(design, train.y, probe.beta, options.ridge, folds)));
  features.col(12) = z_scored(rff_margin(x, train.y, options.seed, options.id));
  features.col(13) = log_cell_weight(train.y, train.group) / 0.3;
  features.col(14) = z_scored(mean_by_key(scores.loss, cell));
  features.col(15) = (share_by_key(cell).array().log() + 1.4) / 0.6;
}

} // namespace

Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options) {
  Matrix features(train.rows(), feature_count(options.set));
  if (train.rows() == 0) return features;
  const Matrix design = design_matrix(train, probe.standardizer);
  const RowScores scores = row_scores(row_logits(design, probe.beta), train.y);
  fill_seed_columns(train, scores, features);
  if (options.set == FeatureSet::full16) fill_full_columns(train, probe, design, scores, options, features);
  return features;
}

} // namespace metasieve
