#include "kernels/meta_features.hpp"

#include "features/out_of_fold.hpp"
#include "features/raw_signals.hpp"
#include "kernels/fourier_ridge.hpp"
#include "kernels/neighbours.hpp"

#include <utility>

namespace metasieve::kernels {

Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options,
                     Precision precision) {
  return kernels::meta_features(train, probe, options, precision, all_rows(train.rows()));
}

Matrix meta_features(const Split& train, const Probe& refitted, const FeatureOptions& options,
                     Precision precision, const std::vector<Index>& kept) {
  if (precision == Precision::float64 || options.set == FeatureSet::basic || train.rows() == 0)
    return metasieve::meta_features(train, refitted, options, kept);
  const Matrix design = design_matrix(train, refitted.standardizer);
  const Vector sign = 2.0 * to_vector(train.y).array() - 1.0;
  const Stream folds(options.seed, Draw::folds, options.id);
  const RowBlock x = design.leftCols(train.columns());
  const FourierBasis basis = draw_fourier_basis(x, options.seed, options.id);
  RawSignals signals{row_logits(design, refitted.beta), {}, {}, {}};
  signals.agreement = kernels::neighbour_agreement(train, refitted.standardizer,
                                                   kept_references(train.rows(), options, kept));
  signals.fold_margin =
      sign.cwiseProduct(out_of_fold_logits(design, train.y, refitted.beta, options.ridge, folds, kept));
  signals.fourier_margin =
      sign.cwiseProduct(kernels::fourier_ridge(basis, x, sign, kept, fourier_ridges).prediction);
  return assemble_features(train, signals, options.set);
}

PreparedTask prepare(Task task, const PrepareOptions& options) {
  PreparedTask out = with_probe(std::move(task), options);
  out.features =
      kernels::meta_features(out.train, out.probe, feature_options(options, out.id), options.precision)
          .cast<float>();
  out.precision = options.precision;
  return out;
}

} // namespace metasieve::kernels
