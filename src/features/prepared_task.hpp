#pragma once

#include "base/precision.hpp"
#include "features/meta_features.hpp"
#include "tasks/corruption.hpp"

namespace metasieve {

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

/// The task with its probe and without features.
[[nodiscard]] PreparedTask with_probe(Task task, const PrepareOptions& options);

/// Options of the meta-features of task `id`.
[[nodiscard]] FeatureOptions feature_options(const PrepareOptions& options, TaskId id);

/// The task with its probe and its meta-features, in float64 whatever `options` asks for: kernels::prepare is
/// the form that chooses.
[[nodiscard]] PreparedTask prepare(Task task, const PrepareOptions& options);

} // namespace metasieve
