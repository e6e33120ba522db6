#include "tasks/generate.hpp"

#include "tasks/classification.hpp"
#include "tasks/corruption.hpp"
#include "tasks/groups.hpp"
#include "tasks/stratified.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace metasieve {
namespace {

/// Nearest count to share * rows that leaves neither side empty.
Index share_count(double share, Index rows) {
  return std::clamp<Index>(std::llround(share * static_cast<double>(rows)), 1, rows - 1);
}

struct ColumnScale {
  Eigen::RowVectorXd mean, inverse; ///< [d]; inverse is 0 for a constant column
};

/// Mean and population standard deviation of each column of x [n, d].
ColumnScale column_scale(const Matrix& x) {
  const Eigen::RowVectorXd mean = x.colwise().mean();
  const Eigen::RowVectorXd deviation = (x.rowwise() - mean).array().square().colwise().mean().sqrt();
  const auto constant = deviation.array() < 1e-12 * mean.array().abs().max(1.0);
  return {mean, constant.select(0.0, deviation.array().inverse())};
}

Matrix scaled(const Matrix& x, const ColumnScale& scale) {
  return (x.rowwise() - scale.mean).array().rowwise() * scale.inverse.array();
}

Split make_split(const Matrix& x, const Labels& y, const Labels& group, const std::vector<Index>& rows,
                 const ColumnScale& scale) {
  const Matrix part = x(rows, Eigen::all);
  return {scaled(part, scale).cast<float>(), y(rows), group(rows), y(rows)};
}

Labels corrupted(const Split& train, const TaskParameters& parameters, Seed seed, TaskId id) {
  const Index count = flip_count(parameters.label_noise, train.rows());
  const auto rows =
      parameters.adversarial ? lowest_loss_rows(train, count) : uniform_rows(train.rows(), count, seed, id);
  const Labels flipped = flip_labels(train.y_clean, rows);
  return hide_positives(flipped, train.group, parameters.disadvantaged, parameters.label_bias, seed, id);
}

double ratio(Index part, Index whole) {
  return whole == 0 ? std::numeric_limits<double>::quiet_NaN()
                    : static_cast<double>(part) / static_cast<double>(whole);
}

struct Rates {
  double positive, group1, positive_z0, positive_z1, dp_gap;
};

Rates rates(const Split& split) {
  std::array<Index, 2> rows{}, positives{};
  for (Index i = 0; i < split.rows(); ++i) {
    ++rows[split.group(i)];
    positives[split.group(i)] += split.y(i);
  }
  const double z0 = ratio(positives[0], rows[0]), z1 = ratio(positives[1], rows[1]);
  return {ratio(positives[0] + positives[1], split.rows()), ratio(rows[1], split.rows()), z0, z1,
          std::abs(z0 - z1)};
}

Metadata describe(const Family& family, const TaskParameters& parameters, const Split& train,
                  const Split& test, Seed seed, TaskId id) {
  const Rates in_train = rates(train), in_test = rates(test);
  return {.task_id = static_cast<std::uint64_t>(id),
          .n_samples = parameters.samples,
          .n_train = train.rows(),
          .n_test = test.rows(),
          .n_features = parameters.features,
          .noise_rate = parameters.label_noise,
          .group_imbalance = parameters.minority,
          .class_imbalance = parameters.positive,
          .separability = parameters.separability,
          .add_group_bias = static_cast<std::uint8_t>(parameters.biased),
          .seed = static_cast<std::uint64_t>(seed),
          .train_pos_rate = in_train.positive,
          .train_minority_rate = in_train.group1,
          .train_actual_noise_rate = ratio((train.y.array() != train.y_clean.array()).count(), train.rows()),
          .train_dp_gap = in_train.dp_gap,
          .test_pos_rate = in_test.positive,
          .test_minority_rate = in_test.group1,
          .test_dp_gap = in_test.dp_gap,
          .train_pos_rate_z0 = in_train.positive_z0,
          .train_pos_rate_z1 = in_train.positive_z1,
          .test_pos_rate_z0 = in_test.positive_z0,
          .test_pos_rate_z1 = in_test.positive_z1,
          .family = family.name,
          .disadvantaged = parameters.disadvantaged,
          .feature_shift = parameters.feature_shift,
          .label_bias = parameters.label_bias,
          .adversarial = static_cast<std::uint8_t>(parameters.adversarial)};
}

} // namespace

Task generate_task(const Family& family, Seed seed, TaskId id) {
  const TaskParameters parameters = draw_parameters(family, seed, id);
  const Index n = parameters.samples, d = parameters.features;
  const Index positives = share_count(parameters.positive, n), group1 = share_count(parameters.minority, n);

  const Classification base = make_classification({n, positives, d, parameters.separability}, seed, id);
  const JointTable table = joint_table(n, positives, group1, parameters.group_odds, parameters.disadvantaged);
  const Labels group = assign_groups(base.y, table, seed, id);
  const Matrix x = shift_groups(scaled(base.x, column_scale(base.x)), group, parameters.feature_shift,
                                shift_direction(d, seed, id));

  const Partition partition = stratified_partition(base.y, parameters.test_rows, seed, id);
  const ColumnScale scale = column_scale(x(partition.train, Eigen::all));
  Task task{id,
            make_split(x, base.y, group, partition.train, scale),
            make_split(x, base.y, group, partition.test, scale),
            {}};
  task.train.y = corrupted(task.train, parameters, seed, id);
  task.metadata = describe(family, parameters, task.train, task.test, seed, id);
  return task;
}

} // namespace metasieve
