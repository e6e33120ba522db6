#pragma once

#include "features/meta_features.hpp"
#include "tasks/corruption.hpp"

namespace metasieve {

/// Options of what is computed once per task, before any policy is known.
struct PrepareOptions {
  FeatureSet features = FeatureSet::full16;
  bool use_group = true;
  double ridge = 1e-3;
  Seed seed{}; ///< of the random parts of the features
  Precision precision = Precision::float64;
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

[[nodiscard]] PreparedTask prepare(Task task, const PrepareOptions& options);

} // namespace metasieve
