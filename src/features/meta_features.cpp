#include "features/meta_features.hpp"

#include "features/evidence.hpp"
#include "features/neighbours.hpp"
#include "features/out_of_fold.hpp"
#include "features/random_fourier.hpp"

namespace metasieve {

Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options) {
  if (train.rows() == 0) return {0, feature_count(options.set)};
  const Matrix design = design_matrix(train, probe.standardizer);
  Evidence evidence{row_logits(design, probe.beta), {}, {}, {}};
  if (options.set == FeatureSet::seed10) return arranged(train, evidence, options.set);

  const Vector sign = 2.0 * to_vector(train.y).array() - 1.0;
  const NeighbourOptions neighbours{.seed = options.seed, .id = options.id};
  const Stream folds(options.seed, Draw::folds, options.id);
  evidence.agreement = neighbour_agreement(train, probe.standardizer, neighbours);
  evidence.fold_margin =
      sign.cwiseProduct(out_of_fold_logits(design, train.y, probe.beta, options.ridge, folds));
  evidence.fourier_margin =
      rff_margin(design.leftCols(train.columns()), train.y, options.seed, options.id, options.precision);
  return arranged(train, evidence, options.set);
}

} // namespace metasieve
