#pragma once

#include "base/random.hpp"
#include "base/split.hpp"

#include <cstdint>
#include <string>

namespace metasieve {

/// What is known of one task. The first 22 fields, in this order, open every record of a suite file.
/// A share of an empty set (a rate in a group without rows) is NaN.
struct Metadata {
  std::uint64_t task_id = 0;
  std::int64_t n_samples = 0;
  std::int64_t n_train = 0;
  std::int64_t n_test = 0;
  std::int64_t n_features = 0;
  double noise_rate = 0;              ///< asked for; exactly floor(rate * n_train) rows are flipped
  double group_imbalance = 0;         ///< share of all groups but 0 asked for
  double class_imbalance = 0;         ///< P(y=1) asked for
  double separability = 0;            ///< half the side of the hypercube; tabular: sd of log-odds
  std::uint8_t add_group_bias = 0;    ///< 1 if the odds ratio between any two groups is not 1
  std::uint64_t seed = 0;             ///< of the suite; with task_id and the family it makes this task again
  double train_pos_rate = 0;          ///< of the noisy labels
  double train_minority_rate = 0;     ///< share of all groups but 0
  double train_actual_noise_rate = 0; ///< share of training labels that differ from the clean ones
  double train_dp_gap = 0;            ///< largest less least P(y=1|z), noisy labels; as Metrics::dp_gap
  double test_pos_rate = 0;
  double test_minority_rate = 0;
  double test_dp_gap = 0;
  double train_pos_rate_z0 = 0;
  double train_pos_rate_z1 = 0; ///< of all groups but 0; so is test_pos_rate_z1
  double test_pos_rate_z0 = 0;
  double test_pos_rate_z1 = 0;

  std::string family;             ///< at most 31 characters
  std::int64_t disadvantaged = 1; ///< the group of lowest positive odds, a target of label bias
  double feature_shift = 0;
  double label_bias = 0;
  std::uint8_t adversarial = 0;
  std::int64_t groups = 2; ///< K
};

/// Rows and columns of one task, known before it is made.
struct TaskShape {
  Index train_rows, test_rows, columns;
};

/// One classification task: noisy training rows, clean test rows, standardised on the training rows.
struct Task {
  TaskId id{};
  Split train, test;
  Metadata metadata;
};

} // namespace metasieve
