#include "features/meta_features.hpp"

#include "base/error.hpp"
#include "features/fair_probes.hpp"
#include "features/raw_signals.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace metasieve {
namespace {

/// The reference rows of the nearest neighbours that are kept, ascending.
std::vector<Index> kept_references(Index rows, const FeatureOptions& options,
                                   const std::vector<Index>& kept) {
  const NeighbourOptions neighbours{.seed = options.seed, .id = options.id};
  std::vector<Index> references;
  std::ranges::set_intersection(neighbour_references(rows, neighbours), kept, std::back_inserter(references));
  return references;
}

} // namespace

Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options) {
  return meta_features(train, probe, options, all_rows(train.rows()));
}

Matrix meta_features(const Split& train, const Probe& refitted, const FeatureOptions& options,
                     const std::vector<Index>& kept, const SignalForms& forms) {
  if (train.rows() == 0) return {0, feature_count(options.set)};
  const Matrix design = design_matrix(train, refitted.standardizer);
  RawSignals signals{row_logits(design, refitted.beta), {}, {}, {}, {}};
  if (options.set == FeatureSet::basic) return assemble_features(train, signals, options.set);

  const Vector sign = 2.0 * to_vector(train.y).array() - 1.0;
  const Stream folds(options.seed, Draw::folds, options.id);
  const RowBlock x = design.leftCols(train.columns());
  const FourierBasis basis = draw_fourier_basis(x, options.seed, options.id);
  signals.agreement =
      forms.neighbour_agreement(train, refitted.standardizer, kept_references(train.rows(), options, kept));
  signals.fold_margin =
      sign.cwiseProduct(out_of_fold_logits(design, train.y, refitted.beta, options.ridge, folds, kept));
  signals.fourier_margin =
      sign.cwiseProduct(forms.fourier_ridge(basis, x, sign, kept, fourier_ridges).prediction);
  if (options.set == FeatureSet::fair) {
    const FairRows rows = fair_rows(design, train, signals.agreement, kept);
    const Matrix probes = fit_fair_probes(rows, refitted.beta);
    signals.fair_margins.resize(train.rows(), probes.rows());
    for (Index k = 0; k < probes.rows(); ++k)
      signals.fair_margins.col(k) = sign.cwiseProduct(row_logits(design, probes.row(k)));
  }
  return assemble_features(train, signals, options.set);
}

void require_groups(FeatureSet set, Index groups) {
  if (serves_any_groups(set) || groups == 2) return;
  throw ConfigError("policy.features = " + std::string(to_string(set)) +
                    ": serves two groups, and a task has " + std::to_string(groups) +
                    "; relative and fair serve any number");
}

PreparedTask with_probe(Task task, const PrepareOptions& options) {
  require_groups(options.features, task.train.groups);
  const Corruption corruption = corruption_of(task);
  PreparedTask out{task.id, std::move(task.train), std::move(task.test), {}, {}, options.seed, corruption};
  out.probe = fit_probe(out.train, options.use_group, options.ridge);
  return out;
}

FeatureOptions feature_options(const PrepareOptions& options, TaskId id) {
  return {options.features, options.ridge, options.seed, id};
}

PreparedTask prepare(Task task, const PrepareOptions& options) {
  PreparedTask out = with_probe(std::move(task), options);
  out.features = meta_features(out.train, out.probe, feature_options(options, out.id)).cast<float>();
  return out;
}

} // namespace metasieve
