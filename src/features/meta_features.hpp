#pragma once

#include "base/linalg.hpp"
#include "base/random.hpp"
#include "features/feature_set.hpp"
#include "features/neighbours.hpp"
#include "features/probe.hpp"
#include "features/random_fourier.hpp"
#include "tasks/corruption.hpp"

#include <vector>

namespace metasieve {

/// What the random parts of the features (folds, reference rows, random Fourier basis) depend on.
struct FeatureOptions {
  FeatureSet set = FeatureSet::full;
  double ridge = 1e-3; ///< of the out-of-fold regressions, as in the probe
  Seed seed{};
  TaskId id{};
};

/// The meta-features of all rows, [n, f]: all that the policy may know of each training row, scaled per task.
/// Always finite. Takes no other split, so it cannot leak one; never reads train.y_clean.
[[nodiscard]] Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options);

/// The two signals that kernels have another form of.
struct SignalForms {
  decltype(&metasieve::neighbour_agreement) neighbour_agreement = metasieve::neighbour_agreement;
  decltype(&metasieve::fourier_ridge) fourier_ridge = metasieve::fourier_ridge;
};

/// The meta-features of all rows, [n, f], as the rows `kept` see them, ascending and not empty. What the
/// labels of other rows decide is learnt from the kept rows alone, and asked for every row: `refitted` (of
/// refit_probe), the neighbours, the out-of-fold and the random Fourier regressions. A kept row is left out
/// of its own neighbours, fold and regression as before; a rejected row is in none. Columns of the row itself
/// (y, group) and base rates (log_cell_weight, cell_share), and all scaling, are of all rows: a balanced
/// selection must not look like balanced data, or the next round would undo it.
[[nodiscard]] Matrix meta_features(const Split& train, const Probe& refitted, const FeatureOptions& options,
                                   const std::vector<Index>& kept, const SignalForms& forms = {});

/// Options of what is computed once per task, before any policy is known.
struct PrepareOptions {
  FeatureSet features = FeatureSet::full;
  bool use_group = true;
  double ridge = 1e-3;
  Seed seed{};                              ///< of the random parts of the features
  Precision precision = Precision::float64; ///< that kernels::prepare works in
};

/// A task with its probe and meta-features: what a rank holds of its shard.
struct PreparedTask {
  TaskId id{};
  Split train; ///< support rows, noisy labels
  Split test;  ///< query rows, clean labels
  Probe probe;
  MatrixF features;                         ///< [n, f]
  Seed seed{};                              ///< of the random parts of its features
  Corruption corruption = Corruption::none; ///< for reports
  Precision precision = Precision::float64; ///< that it was prepared in, and that a policy is asked in
};

/// Refuses a feature set that serves two groups alone where there is another number of them. @throws
/// ConfigError
void require_groups(FeatureSet set, Index groups);

/// The task with its probe and without features. @throws ConfigError as require_groups
[[nodiscard]] PreparedTask with_probe(Task task, const PrepareOptions& options);

/// Options of the meta-features of task `id`.
[[nodiscard]] FeatureOptions feature_options(const PrepareOptions& options, TaskId id);

/// The task with its probe and its meta-features, in float64 whatever `options` asks for: kernels::prepare is
/// the form that chooses.
[[nodiscard]] PreparedTask prepare(Task task, const PrepareOptions& options);

} // namespace metasieve
