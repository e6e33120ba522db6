#include "kernels/meta_features.hpp"

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
  if (precision == Precision::float64) return metasieve::meta_features(train, refitted, options, kept);
  return metasieve::meta_features(train, refitted, options, kept,
                                  {kernels::neighbour_agreement, kernels::fourier_ridge});
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
