#include "tasks/generate.hpp"

#include "fairness/metrics.hpp"
#include "tasks/corruption.hpp"
#include "tasks/groups.hpp"
#include "tasks/resample.hpp"
#include "tasks/tabular.hpp"

#include <algorithm>
#include <array>
#include <cmath>

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

namespace {

/// Nearest count to share * rows that leaves neither label without rows.
Index label_count(double share, Index rows) {
  return std::clamp<Index>(std::llround(share * static_cast<double>(rows)), 1, rows - 1);
}

/// The rows before they have groups. With `tabular` the features are still the factors of the table.
Classification base_problem(BaseProblem base, const TaskParameters& parameters, Seed seed, TaskId id) {
  const Index n = parameters.samples, positives = label_count(parameters.positive, n);
  if (base == BaseProblem::clusters)
    return make_classification({n, positives, parameters.features, parameters.separability}, seed, id);
  const Matrix factors = Stream(seed, Draw::covariates, id).normals(n, parameters.factors);
  return {factors, table_labels(factors, positives, parameters, seed, id)};
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

Split make_split(const Matrix& x, const Labels& y, const Labels& group, Index groups,
                 const std::vector<Index>& rows, const ColumnScale& scale) {
  const Matrix part = x(rows, Eigen::all);
  return {scaled(part, scale).cast<float>(), y(rows), group(rows), y(rows), groups};
}

Labels corrupted(const Split& train, const TaskParameters& parameters,
                 const std::vector<GroupParameters>& groups, Seed seed, TaskId id) {
  const Index count = flip_count(parameters.label_noise, train.rows());
  const auto rows =
      parameters.adversarial ? lowest_loss_rows(train, count) : uniform_rows(train.rows(), count, seed, id);
  const Labels flipped = flip_labels(train.y_clean, rows);
  std::vector<bool> disadvantaged;
  for (const GroupParameters& group : groups) disadvantaged.push_back(group.disadvantaged);
  return hide_positives(flipped, train.group, disadvantaged, parameters.label_bias, seed, id);
}

/// P(y=1) of all rows, of group 0 and of the other groups, with the share of these; and the gap of the
/// labels.
struct Rates {
  double positive, minority, positive_z0, positive_z1, dp_gap;
};

Rates rates(const Split& split) {
  const Cells cells = cells_of(split.y, split.y, split.group, split.groups); // the labels predict themselves
  const Rate zero = cells[0][0] + cells[1][0];
  Rate others;
  for (std::size_t z = 1; z < cells[0].size(); ++z) others = others + cells[0][z] + cells[1][z];
  const Rate all = zero + others;
  return {all.value(), Rate{others.rows, all.rows}.value(), zero.value(), others.value(),
          metrics_of(cells, false).dp_gap};
}

/// The group of least positive odds among those that label bias may hide positives of; the first of several.
Index most_disadvantaged(const std::vector<GroupParameters>& groups) {
  std::size_t worst = 0;
  for (std::size_t k = 1; k < groups.size(); ++k)
    if (groups[k].disadvantaged && (!groups[worst].disadvantaged || groups[k].odds > groups[worst].odds))
      worst = k;
  return static_cast<Index>(worst);
}

Metadata describe(const Family& family, const TaskParameters& parameters,
                  const std::vector<GroupParameters>& groups, const Split& train, const Split& test,
                  Seed seed, TaskId id) {
  const Rates in_train = rates(train), in_test = rates(test);
  const bool biased =
      std::ranges::any_of(groups, [](const GroupParameters& group) { return group.odds != 1.0; });
  return {.task_id = static_cast<std::uint64_t>(id),
          .n_samples = parameters.samples,
          .n_train = train.rows(),
          .n_test = test.rows(),
          .n_features = parameters.features,
          .noise_rate = parameters.label_noise,
          .group_imbalance = parameters.minority,
          .class_imbalance = parameters.positive,
          .separability = parameters.separability,
          .add_group_bias = static_cast<std::uint8_t>(biased),
          .seed = static_cast<std::uint64_t>(seed),
          .train_pos_rate = in_train.positive,
          .train_minority_rate = in_train.minority,
          .train_actual_noise_rate = static_cast<double>((train.y.array() != train.y_clean.array()).count()) /
                                     static_cast<double>(train.rows()),
          .train_dp_gap = in_train.dp_gap,
          .test_pos_rate = in_test.positive,
          .test_minority_rate = in_test.minority,
          .test_dp_gap = in_test.dp_gap,
          .train_pos_rate_z0 = in_train.positive_z0,
          .train_pos_rate_z1 = in_train.positive_z1,
          .test_pos_rate_z0 = in_test.positive_z0,
          .test_pos_rate_z1 = in_test.positive_z1,
          .family = family.name,
          .disadvantaged = most_disadvantaged(groups),
          .feature_shift = parameters.feature_shift,
          .label_bias = parameters.label_bias,
          .adversarial = static_cast<std::uint8_t>(parameters.adversarial),
          .groups = parameters.groups};
}

} // namespace

Task generate_task(const Family& family, Seed seed, TaskId id) {
  const TaskParameters parameters = draw_parameters(family, seed, id);
  const std::vector<GroupParameters> groups = draw_groups(family, parameters, seed, id);

  const Classification base = base_problem(family.base, parameters, seed, id);
  const Index positives = base.y.cast<Index>().sum();
  const Labels group = assign_groups(base.y, joint_table(parameters.samples, positives, groups), seed, id);
  const Matrix shifts = group_shifts(parameters.groups, base.x.cols(), seed, id);
  Matrix x = shift_groups(scaled(base.x, column_scale(base.x)), group, parameters.feature_shift, shifts);
  if (family.base == BaseProblem::tabular) x = table_columns(x, parameters, seed, id);

  const Partition partition = stratified_partition(base.y, parameters.test_rows, seed, id);
  const ColumnScale scale = column_scale(x(partition.train, Eigen::all));
  Task task{id,
            make_split(x, base.y, group, parameters.groups, partition.train, scale),
            make_split(x, base.y, group, parameters.groups, partition.test, scale),
            {}};
  task.train.y = corrupted(task.train, parameters, groups, seed, id);
  task.metadata = describe(family, parameters, groups, task.train, task.test, seed, id);
  return task;
}

} // namespace metasieve
