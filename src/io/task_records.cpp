#include "io/task_records.hpp"

namespace metasieve {

const h5::Records<Metadata>& metadata_records() {
  const auto number = [](const char* name, auto member) { return h5::number<Metadata>(name, member); };
  static const h5::Records<Metadata> records({
      number("task_id", &Metadata::task_id),
      number("n_samples", &Metadata::n_samples),
      number("n_train", &Metadata::n_train),
      number("n_test", &Metadata::n_test),
      number("n_features", &Metadata::n_features),
      number("noise_rate", &Metadata::noise_rate),
      number("group_imbalance", &Metadata::group_imbalance),
      number("class_imbalance", &Metadata::class_imbalance),
      number("separability", &Metadata::separability),
      number("add_group_bias", &Metadata::add_group_bias),
      number("seed", &Metadata::seed),
      number("train_pos_rate", &Metadata::train_pos_rate),
      number("train_minority_rate", &Metadata::train_minority_rate),
      number("train_actual_noise_rate", &Metadata::train_actual_noise_rate),
      number("train_dp_gap", &Metadata::train_dp_gap),
      number("test_pos_rate", &Metadata::test_pos_rate),
      number("test_minority_rate", &Metadata::test_minority_rate),
      number("test_dp_gap", &Metadata::test_dp_gap),
      number("train_pos_rate_z0", &Metadata::train_pos_rate_z0),
      number("train_pos_rate_z1", &Metadata::train_pos_rate_z1),
      number("test_pos_rate_z0", &Metadata::test_pos_rate_z0),
      number("test_pos_rate_z1", &Metadata::test_pos_rate_z1),
      h5::text<Metadata>("family", 32, &Metadata::family),
      number("disadvantaged", &Metadata::disadvantaged),
      number("feature_shift", &Metadata::feature_shift),
      number("label_bias", &Metadata::label_bias),
      number("adversarial", &Metadata::adversarial),
  });
  return records;
}

} // namespace metasieve
