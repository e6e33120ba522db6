#include "tasks/generate.hpp"

#include "tasks/corruption.hpp"
#include "tasks/resample.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace metasieve {
namespace {

constexpr Index cluster_count = 4; // two a class; cluster k holds label k % 2

/// [rows, columns], uniform in [-1, 1).
Matrix uniform_matrix(const Stream& stream, Index rows, Index columns) {
  Matrix out(rows, columns);
  for (Index i = 0; i < out.size(); ++i) out(i / columns, i % columns) = stream.uniform(i, -1.0, 1.0);
  return out;
}

bool repeats(const Matrix& vertices, Index row) {
  for (Index k = 0; k < row; ++k)
    if (vertices.row(k) == vertices.row(row)) return true;
  return false;
}

/// Four distinct vertices of {-1, 1}^dimensions, [4, dimensions], uniformly at random. In two dimensions they
/// come in order: scikit-learn's sampler does not shuffle when it takes all, so that there the label is the
/// sign of the last axis and never an exclusive or.
Matrix cluster_vertices(const Stream& stream, Index dimensions) {
  Matrix vertices(cluster_count, dimensions);
  if (dimensions == 2) {
    vertices << -1, -1, -1, 1, 1, -1, 1, 1;
    return vertices;
  }
  Index next = 0;
  for (Index k = 0; k < cluster_count; ++k) {
    do {
      for (Index j = 0; j < dimensions; ++j) vertices(k, j) = stream.below(next++, 2) == 0 ? -1.0 : 1.0;
    } while (repeats(vertices, k));
  }
  return vertices;
}

std::array<Index, cluster_count> cluster_sizes(Index rows, Index positives) {
  const Index negatives = rows - positives;
  return {(negatives + 1) / 2, (positives + 1) / 2, negatives / 2, positives / 2};
}

} // namespace

Classification make_classification(const ClassificationShape& shape, Seed seed, TaskId id) {
  const Index n = shape.rows, d = shape.columns;
  const Index informative = informative_columns(d), redundant = redundant_columns(d);
  const Index useless = d - informative - redundant;
  const Matrix normals = Stream(seed, Draw::covariates, id).normals(n, informative + useless);
  const Matrix centres = shape.separability * cluster_vertices(Stream(seed, Draw::vertices, id), informative);

  Matrix clusters(n, informative);
  Labels labels(n);
  const auto sizes = cluster_sizes(n, shape.positives);
  Index begin = 0;
  for (Index k = 0; k < cluster_count; ++k) {
    const Index size = sizes[static_cast<std::size_t>(k)];
    const Matrix map = uniform_matrix(Stream(seed, Draw::cluster_maps, id, static_cast<std::uint64_t>(k)),
                                      informative, informative);
    clusters.middleRows(begin, size).noalias() = normals.middleRows(begin, size).leftCols(informative) * map;
    clusters.middleRows(begin, size).rowwise() += centres.row(k);
    labels.segment(begin, size).setConstant(static_cast<std::uint8_t>(k % 2));
    begin += size;
  }

  Matrix columns(n, d);
  columns.leftCols(informative) = clusters;
  columns.middleCols(informative, redundant).noalias() =
      clusters * uniform_matrix(Stream(seed, Draw::redundant_map, id), informative, redundant);
  columns.rightCols(useless) = normals.rightCols(useless);

  const auto row_order = permutation(Stream(seed, Draw::row_order, id), n);
  const auto column_order = permutation(Stream(seed, Draw::column_order, id), d);
  return {columns(row_order, column_order), labels(row_order)};
}

double joint_share(double positive, double group1, double odds) {
  // (1 - odds) a^2 - b a + positive * group1 = 0, in the form of the root that does not cancel.
  const double b = odds + (positive + group1) * (1.0 - odds);
  const double product = positive * group1;
  const double root = std::sqrt(b * b + 4.0 * (odds - 1.0) * product);
  const double share = b > 0 ? 2.0 * product / (b + root) : (root - b) / (2.0 * (odds - 1.0));
  return std::clamp(share, std::max(0.0, positive + group1 - 1.0), std::min(positive, group1));
}

JointTable joint_table(Index rows, Index positives, Index group1, double odds, int disadvantaged) {
  const double count = static_cast<double>(rows);
  const double share =
      joint_share(static_cast<double>(positives) / count, static_cast<double>(group1) / count,
                  disadvantaged == 1 ? odds : 1.0 / odds);
  const Index both =
      std::clamp<Index>(std::llround(share * count), std::max<Index>(0, positives + group1 - rows),
                        std::min(positives, group1));
  return {rows - positives - group1 + both, group1 - both, positives - both, both};
}

Labels assign_groups(const Labels& y, const JointTable& table, Seed seed, TaskId id) {
  Labels group = Labels::Zero(y.size());
  for (const int label : {0, 1}) {
    std::vector<Index> rows;
    for (Index i = 0; i < y.size(); ++i)
      if (y(i) == label) rows.push_back(i);
    const Stream stream(seed, Draw::groups, id, static_cast<std::uint64_t>(label));
    const auto members = sample_without_replacement(stream, static_cast<Index>(rows.size()),
                                                    label == 1 ? table.y1z1 : table.y0z1);
    for (const Index member : members) group(rows[static_cast<std::size_t>(member)]) = 1;
  }
  return group;
}

Vector shift_direction(Index columns, Seed seed, TaskId id) {
  const Matrix normals = Stream(seed, Draw::shift_direction, id).normals(1, columns);
  return normals.row(0).transpose() / normals.norm();
}

Matrix shift_groups(const Matrix& x, const Labels& group, double shift, const Vector& direction) {
  const Vector position = group.cast<double>().array() - 0.5;
  const double distance = shift * std::sqrt(static_cast<double>(x.cols())) / 2.0;
  return x + distance * position * direction.transpose();
}

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
