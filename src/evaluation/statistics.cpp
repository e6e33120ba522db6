#include "evaluation/statistics.hpp"

#include "methods/methods.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace metasieve {
namespace {

constexpr Index resamples = 1000, at_once = 50;

/// How often each of `count` rows is drawn in resamples [first, first + at_once). [at_once, count]
Matrix draws(Seed seed, Index first, Index count) {
  Matrix times = Matrix::Zero(at_once, count);
  for (Index b = 0; b < at_once; ++b) {
    const Stream stream(seed, Draw::bootstrap, TaskId{static_cast<std::uint64_t>(first + b)});
    for (Index i = 0; i < count; ++i) ++times(b, static_cast<Index>(stream.below(i, count)));
  }
  return times;
}

/// [resamples, k], NaN where a resample has no defined value.
Matrix resampled_means(const Matrix& known, const Matrix& defined, Seed seed) {
  Matrix means(resamples, known.cols());
  for (Index first = 0; first < resamples; first += at_once) {
    const Matrix times = draws(seed, first, known.rows());
    means.middleRows(first, at_once) = (times * known).array() / (times * defined).array();
  }
  return means;
}

Estimate estimate(double sum, double count, const Vector& means) {
  if (count == 0) return {};
  if (count == 1) return {.mean = sum, .count = 1}; // one value says nothing of its spread
  std::vector<double> sorted;
  for (const double mean : means)
    if (!std::isnan(mean)) sorted.push_back(mean);
  std::sort(sorted.begin(), sorted.end());
  const std::size_t tail = sorted.size() * 25 / 1000;
  return {sum / count, sorted[tail], sorted[sorted.size() - 1 - tail], static_cast<Index>(count)};
}

} // namespace

std::vector<Estimate> bootstrap(const Matrix& values, Seed seed) {
  const Matrix defined = values.array().isNaN().select(0.0, Matrix::Ones(values.rows(), values.cols()));
  const Matrix known = values.array().isNaN().select(0.0, values);
  const Matrix means = resampled_means(known, defined, seed);
  std::vector<Estimate> out;
  for (Index k = 0; k < values.cols(); ++k)
    out.push_back(estimate(known.col(k).sum(), defined.col(k).sum(), means.col(k)));
  return out;
}

namespace {

struct Quantity {
  const char* name;
  double (*value)(const EvaluationRow&);
  int better = 0; ///< +1: higher is better; -1: lower; 0: neither, not compared in pairs
};

#define METRIC(name, better)                                                                                 \
  {                                                                                                          \
#name, [](const EvaluationRow& r) { return r.metrics.name; }, better                                     \
  }
#define SELECTION(name, better)                                                                              \
  {                                                                                                          \
#name, [](const EvaluationRow& r) { return r.name; }, better                                             \
  }
constexpr std::array<Quantity, 17> quantities{{
    METRIC(accuracy, 1),
    METRIC(dp_gap, -1),
    METRIC(eo_gap, -1),
    METRIC(eopp_gap, -1),
    METRIC(roh_dp, -1),
    METRIC(roh_eo, -1),
    SELECTION(noise_rate_all, 0),
    SELECTION(noise_rate_selected, -1),
    SELECTION(noise_reduction, 0),
    SELECTION(minority_share, 0),
    SELECTION(selected, 0),
    METRIC(auc, 1),
    METRIC(balanced_accuracy, 1),
    METRIC(positive_rate, 0),
    METRIC(worst_group_accuracy, 1),
    METRIC(dp_floor, 0),
    METRIC(eo_floor, 0),
}};
#undef METRIC
#undef SELECTION

constexpr auto count = static_cast<Index>(quantities.size());
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

using Rows = std::vector<const EvaluationRow*>;

/// Sums over the policies where defined, split by split.
struct SplitSums {
  Matrix sum, defined; // [splits, quantities]
  explicit SplitSums(Index splits = 0)
      : sum(Matrix::Zero(splits, count)), defined(Matrix::Zero(splits, count)) {}
  void add(Index split, const EvaluationRow& row) {
    for (Index q = 0; q < count; ++q) {
      const double value = quantities[static_cast<std::size_t>(q)].value(row);
      if (std::isnan(value)) continue;
      sum(split, q) += value;
      ++defined(split, q);
    }
  }
  [[nodiscard]] Matrix means() const { return sum.array() / defined.array(); } // 0/0: NaN
};

/// One method's results on the splits of a source.
struct Column {
  std::string method;
  Matrix values;                 // [splits, quantities], mean over the policies
  std::vector<Vector> of_policy; // for each policy: means over the splits, [quantities]
};

/// All methods on the splits of one source, in the order of their appearance.
struct Block {
  std::string source;
  std::vector<Column> columns;

  [[nodiscard]] const Column* find(const std::string& method) const {
    const auto found =
        std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.method == method; });
    return found == columns.end() ? nullptr : &*found;
  }
};

std::vector<std::string> in_order_of_appearance(const Rows& rows, const std::string EvaluationRow::*field) {
  std::vector<std::string> names;
  for (const EvaluationRow* row : rows)
    if (std::find(names.begin(), names.end(), row->*field) == names.end()) names.push_back(row->*field);
  return names;
}

Vector column_means(const SplitSums& sums) {
  return sums.sum.colwise().sum().array() / sums.defined.colwise().sum().array();
}

Block block_of(const std::string& source, const Rows& rows) {
  std::map<std::pair<std::string, std::int64_t>, Index> split_number;
  for (const EvaluationRow* row : rows)
    split_number.try_emplace({row->source, row->split}, static_cast<Index>(split_number.size()));
  const auto splits = static_cast<Index>(split_number.size());

  std::map<std::string, SplitSums> sums;
  std::map<std::string, std::map<std::int64_t, SplitSums>> of_policy;
  for (const EvaluationRow* row : rows) {
    const Index split = split_number.at({row->source, row->split});
    sums.try_emplace(row->method, splits).first->second.add(split, *row);
    of_policy[row->method].try_emplace(row->policy, 1).first->second.add(0, *row);
  }
  Block block{source, {}};
  for (const std::string& method : in_order_of_appearance(rows, &EvaluationRow::method)) {
    Column column{method, sums.at(method).means(), {}};
    for (const auto& [policy, means] : of_policy.at(method)) column.of_policy.push_back(column_means(means));
    block.columns.push_back(std::move(column));
  }
  return block;
}

std::vector<Block> blocks_of(const std::vector<EvaluationRow>& rows, Pooling pooling) {
  Rows all;
  for (const EvaluationRow& row : rows) all.push_back(&row);
  std::vector<Block> blocks;
  for (const std::string& source : in_order_of_appearance(all, &EvaluationRow::source)) {
    Rows of_source;
    std::copy_if(all.begin(), all.end(), std::back_inserter(of_source),
                 [&](const EvaluationRow* row) { return row->source == source; });
    blocks.push_back(block_of(source, of_source));
  }
  if (pooling == Pooling::sources && blocks.size() > 1) blocks.push_back(block_of("all", all));
  return blocks;
}

/// Standard deviation between policies; NaN with one.
double spread(const std::vector<Vector>& of_policy, Index quantity) {
  const auto policies = static_cast<double>(of_policy.size());
  if (policies < 2) return undefined;
  double mean = 0, square = 0;
  for (const Vector& policy : of_policy) mean += policy(quantity) / policies;
  for (const Vector& policy : of_policy) square += std::pow(policy(quantity) - mean, 2);
  return std::sqrt(square / (policies - 1.0));
}

/// mean(own) / mean(base) - 1 over the splits where both are defined.
double relative_change(const Vector& own, const Vector& base) {
  const Eigen::ArrayXd change = own - base;
  const double own_sum = change.isNaN().select(0.0, own).sum();
  const double base_sum = change.isNaN().select(0.0, base).sum();
  return base_sum > 0 ? own_sum / base_sum - 1.0 : undefined;
}

/// The columns of `values`, each less the baseline's, follow those of `values` itself.
std::vector<Estimate> levels_and_changes(const Matrix& values, const Matrix& base, Seed seed) {
  Matrix both(values.rows(), 2 * count);
  both << values, values - base;
  return bootstrap(both, seed);
}

void add_summary(std::vector<SummaryRow>& out, const Block& block, const Column& column, Seed seed) {
  const Column* baseline = block.find("baseline");
  const Matrix base = baseline != nullptr ? baseline->values
                                          : Matrix(Matrix::Constant(column.values.rows(), count, undefined));
  const std::vector<Estimate> estimates = levels_and_changes(column.values, base, seed);
  for (Index q = 0; q < count; ++q) {
    const Estimate &level = estimates[static_cast<std::size_t>(q)],
                   &change = estimates[static_cast<std::size_t>(q + count)];
    out.push_back({block.source, column.method, quantities[static_cast<std::size_t>(q)].name, level.mean,
                   level.low, level.high, change.mean, change.low, change.high,
                   relative_change(column.values.col(q), base.col(q)), level.count,
                   std::ssize(column.of_policy), spread(column.of_policy, q)});
  }
}

double share_won(const Vector& difference, int better) {
  double won = 0, defined = 0;
  for (const double value : difference) {
    if (std::isnan(value)) continue;
    defined += 1.0;
    won += std::abs(value) < 1e-12 ? 0.5 : value * better > 0.0 ? 1.0 : 0.0;
  }
  return won / defined; // 0/0: NaN
}

void add_pairs(std::vector<PairedRow>& out, const Block& block, const Column& column, const Column& peer,
               Seed seed) {
  const Matrix difference = column.values - peer.values;
  const std::vector<Estimate> estimates = bootstrap(difference, seed);
  for (Index q = 0; q < count; ++q) {
    const Quantity& quantity = quantities[static_cast<std::size_t>(q)];
    if (quantity.better == 0) continue;
    const Estimate& estimate = estimates[static_cast<std::size_t>(q)];
    out.push_back({block.source, column.method, peer.method, quantity.name, estimate.mean, estimate.low,
                   estimate.high, share_won(difference.col(q), quantity.better), estimate.count});
  }
}

} // namespace

std::vector<SummaryRow> summarise(const std::vector<EvaluationRow>& rows, Pooling pooling, Seed seed) {
  std::vector<SummaryRow> summary;
  for (const Block& block : blocks_of(rows, pooling))
    for (const Column& column : block.columns) add_summary(summary, block, column, seed);
  return summary;
}

std::vector<PairedRow> compare_in_pairs(const std::vector<EvaluationRow>& rows, Pooling pooling, Seed seed) {
  std::vector<PairedRow> pairs;
  for (const Block& block : blocks_of(rows, pooling))
    for (const Column& column : block.columns)
      for (const Column& peer : block.columns)
        if (asks_policy(parse_method(column.method)) && peer.method != column.method)
          add_pairs(pairs, block, column, peer, seed);
  return pairs;
}

std::vector<SummaryRow> summarise_frontier(const std::vector<FrontierRow>& points,
                                           const std::vector<EvaluationRow>& baseline, Pooling pooling,
                                           Seed seed) {
  std::set<double> settings;
  for (const FrontierRow& point : points) settings.insert(point.setting);
  std::vector<SummaryRow> frontier;
  for (const double setting : settings) {
    std::vector<EvaluationRow> rows = baseline;
    for (const FrontierRow& point : points)
      if (point.setting == setting) rows.push_back(point.row);
    for (SummaryRow& row : summarise(rows, pooling, seed)) {
      if (row.method == "baseline") continue;
      row.setting = setting;
      frontier.push_back(row);
    }
  }
  std::stable_sort(frontier.begin(), frontier.end(), [](const SummaryRow& a, const SummaryRow& b) {
    return std::tie(a.source, a.method) < std::tie(b.source, b.method); // then by setting, as they are
  });
  return frontier;
}

} // namespace metasieve
