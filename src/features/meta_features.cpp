#include "features/meta_features.hpp"

#include "features/neighbours.hpp"
#include "features/out_of_fold.hpp"
#include "features/random_fourier.hpp"
#include "features/raw_signals.hpp"

#include <algorithm>
#include <iterator>

namespace metasieve {

std::vector<Index> kept_references(Index rows, const FeatureOptions& options,
                                   const std::vector<Index>& kept) {
  const NeighbourOptions neighbours{.seed = options.seed, .id = options.id};
  std::vector<Index> references;
  std::ranges::set_intersection(neighbour_references(rows, neighbours), kept, std::back_inserter(references));
  return references;
}

Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options) {
  return meta_features(train, probe, options, all_rows(train.rows()));
}

Matrix meta_features(const Split& train, const Probe& refitted, const FeatureOptions& options,
                     const std::vector<Index>& kept) {
  if (train.rows() == 0) return {0, feature_count(options.set)};
  const Matrix design = design_matrix(train, refitted.standardizer);
  RawSignals signals{row_logits(design, refitted.beta), {}, {}, {}};
  if (options.set == FeatureSet::basic) return assemble_features(train, signals, options.set);

  const Vector sign = 2.0 * to_vector(train.y).array() - 1.0;
  const Stream folds(options.seed, Draw::folds, options.id);
  const RowBlock x = design.leftCols(train.columns());
  const FourierBasis basis = draw_fourier_basis(x, options.seed, options.id);
  signals.agreement =
      neighbour_agreement(train, refitted.standardizer, kept_references(train.rows(), options, kept));
  signals.fold_margin =
      sign.cwiseProduct(out_of_fold_logits(design, train.y, refitted.beta, options.ridge, folds, kept));
  signals.fourier_margin = sign.cwiseProduct(fourier_ridge(basis, x, sign, kept, fourier_ridges).prediction);
  return assemble_features(train, signals, options.set);
}

} // namespace metasieve
