#include "evaluation/statistics.hpp"

#include "methods/methods.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <variant>

namespace metasieve {
namespace {

constexpr Index resamples = 1000, at_once = 50;
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// A mean with its 95 % interval; NaN where nothing is defined; the interval also where only one value is.
struct Estimate {
  double mean = undefined, low = undefined, high = undefined;
  Index count = 0; ///< values that are defined
};

/// How often each of `count` rows is drawn in resamples [first, first + at_once). [at_once, count]
Matrix draws(Seed seed, Index first, Index count) {
  Matrix times = Matrix::Zero(at_once, count);
  for (Index b = 0; b < at_once; ++b) {
    const Stream stream(seed, Draw::bootstrap, TaskId{static_cast<std::uint64_t>(first + b)});
    for (Index i = 0; i < count; ++i) ++times(b, static_cast<Index>(stream.below(i, count)));
  }
  return times;
}

/// Estimate from the means of all resamples, NaN where a resample has no defined value.
Estimate estimate(double sum, double count, const Vector& means) {
  if (count == 0) return {};
  if (count == 1) return {.mean = sum, .count = 1}; // one value says nothing of its spread
  std::vector<double> sorted;
  std::ranges::remove_copy_if(means, std::back_inserter(sorted),
                              [](double mean) { return std::isnan(mean); });
  std::ranges::sort(sorted);
  const std::size_t tail = sorted.size() * 25 / 1000;
  return {sum / count, sorted[tail], sorted[sorted.size() - 1 - tail], static_cast<Index>(count)};
}

/// The mean of each column of values [splits, k], NaN left out, and its bootstrap interval over the rows.
/// Resample b of so many rows is the same for every column and call of a seed, so what is compared is
/// compared on the same resamples.
std::vector<Estimate> bootstrap(const Matrix& values, Seed seed) {
  const Matrix defined = values.array().isNaN().select(0.0, Matrix::Ones(values.rows(), values.cols()));
  const Matrix known = values.array().isNaN().select(0.0, values);
  Matrix means(resamples, values.cols());
  for (Index first = 0; first < resamples; first += at_once) {
    const Matrix times = draws(seed, first, values.rows());
    means.middleRows(first, at_once) = (times * known).array() / (times * defined).array();
  }
  std::vector<Estimate> out;
  for (Index k = 0; k < values.cols(); ++k)
    out.push_back(estimate(known.col(k).sum(), defined.col(k).sum(), means.col(k)));
  return out;
}

/// One number of each row.
struct Quantity {
  const char* name;
  std::variant<double Metrics::*, double EvaluationRow::*> member;
  int better; ///< +1: higher is better; -1: lower; 0: neither, not compared in pairs

  [[nodiscard]] double of(const EvaluationRow& row) const {
    if (const auto* const metric = std::get_if<double Metrics::*>(&member)) return row.metrics.*(*metric);
    return row.*std::get<double EvaluationRow::*>(member);
  }
};

constexpr std::array<Quantity, 17> quantities{{
    {"accuracy", &Metrics::accuracy, 1},
    {"dp_gap", &Metrics::dp_gap, -1},
    {"eo_gap", &Metrics::eo_gap, -1},
    {"eopp_gap", &Metrics::eopp_gap, -1},
    {"roh_dp", &Metrics::roh_dp, -1},
    {"roh_eo", &Metrics::roh_eo, -1},
    {"noise_rate_all", &EvaluationRow::noise_rate_all, 0},
    {"noise_rate_selected", &EvaluationRow::noise_rate_selected, -1},
    {"noise_reduction", &EvaluationRow::noise_reduction, 0},
    {"minority_share", &EvaluationRow::minority_share, 0},
    {"selected", &EvaluationRow::selected, 0},
    {"auc", &Metrics::auc, 1},
    {"balanced_accuracy", &Metrics::balanced_accuracy, 1},
    {"positive_rate", &Metrics::positive_rate, 0},
    {"worst_group_accuracy", &Metrics::worst_group_accuracy, 1},
    {"dp_floor", &Metrics::dp_floor, 0},
    {"eo_floor", &Metrics::eo_floor, 0},
}};

constexpr auto count = static_cast<Index>(quantities.size());
constexpr auto is_baseline = [](const std::string& method) { return method == "baseline"; };

using Rows = std::vector<const EvaluationRow*>;

/// Sums where defined, one row of them for each split or each policy.
struct DefinedSums {
  Matrix sum, defined; // [n, quantities]
  explicit DefinedSums(Index n) : sum(Matrix::Zero(n, count)), defined(Matrix::Zero(n, count)) {}
  void add(Index i, const EvaluationRow& row) {
    for (Index q = 0; q < count; ++q) {
      const double value = quantities[static_cast<std::size_t>(q)].of(row);
      if (std::isnan(value)) continue;
      sum(i, q) += value;
      ++defined(i, q);
    }
  }
  [[nodiscard]] Matrix means() const { return sum.array() / defined.array(); } // 0/0: NaN
};

/// One method's results on the splits of a source.
struct MethodMeans {
  std::string method;
  Matrix values;    // [splits, quantities], mean over the policies
  Matrix of_policy; // [policies, quantities], mean over the splits
};

/// All methods on the splits of one source, in the order of their appearance.
struct SourceMeans {
  std::string source;
  std::vector<MethodMeans> methods;
};

/// The rows of each value of `field`, in the order of their appearance.
std::vector<std::pair<std::string, Rows>> grouped(const Rows& rows, const std::string EvaluationRow::*field) {
  std::vector<std::pair<std::string, Rows>> groups;
  for (const EvaluationRow* row : rows) {
    auto group = std::ranges::find(groups, row->*field, &std::pair<std::string, Rows>::first);
    if (group == groups.end()) group = groups.insert(group, {row->*field, {}});
    group->second.push_back(row);
  }
  return groups;
}

SourceMeans means_of(const std::string& source, const Rows& rows) {
  std::map<std::pair<std::string, std::int64_t>, Index> split_number;
  for (const EvaluationRow* row : rows)
    split_number.try_emplace({row->source, row->split}, std::ssize(split_number));
  SourceMeans out{source, {}};
  for (const auto& [method, own] : grouped(rows, &EvaluationRow::method)) {
    std::map<std::int64_t, Index> policy_number; // ascending
    for (const EvaluationRow* row : own) policy_number[row->policy];
    Index policies = 0;
    for (auto& [policy, number] : policy_number) number = policies++;
    DefinedSums of_split(std::ssize(split_number)), of_policy(policies);
    for (const EvaluationRow* row : own) {
      of_split.add(split_number.at({row->source, row->split}), *row);
      of_policy.add(policy_number.at(row->policy), *row);
    }
    out.methods.push_back({method, of_split.means(), of_policy.means()});
  }
  return out;
}

std::vector<SourceMeans> means_by_source(const std::vector<EvaluationRow>& rows, Pooling pooling) {
  Rows all;
  for (const EvaluationRow& row : rows) all.push_back(&row);
  std::vector<SourceMeans> sources;
  for (const auto& [source, own] : grouped(all, &EvaluationRow::source))
    sources.push_back(means_of(source, own));
  if (pooling == Pooling::sources && sources.size() > 1) sources.push_back(means_of("all", all));
  return sources;
}

/// Standard deviation between policies; NaN with one.
double spread(const Vector& of_policy) {
  const auto policies = static_cast<double>(of_policy.size());
  if (policies < 2) return undefined;
  double mean = 0, square = 0;
  for (const double policy : of_policy) mean += policy / policies;
  for (const double policy : of_policy) square += std::pow(policy - mean, 2);
  return std::sqrt(square / (policies - 1.0));
}

/// mean(own) / mean(base) - 1 over the splits where both are defined.
double relative_change(const Vector& own, const Vector& base) {
  const Eigen::ArrayXd change = own - base;
  const double own_sum = change.isNaN().select(0.0, own).sum();
  const double base_sum = change.isNaN().select(0.0, base).sum();
  return base_sum > 0 ? own_sum / base_sum - 1.0 : undefined;
}

void add_summary(std::vector<SummaryRow>& out, const SourceMeans& source, const MethodMeans& own, Seed seed) {
  const auto baseline = std::ranges::find_if(source.methods, is_baseline, &MethodMeans::method);
  const Matrix base = baseline != source.methods.end()
                          ? baseline->values
                          : Matrix(Matrix::Constant(own.values.rows(), count, undefined));
  Matrix levels_and_changes(own.values.rows(), 2 * count);
  levels_and_changes << own.values, own.values - base;
  const std::vector<Estimate> estimates = bootstrap(levels_and_changes, seed);
  for (Index q = 0; q < count; ++q) {
    const auto at = static_cast<std::size_t>(q);
    const Estimate &level = estimates[at], &change = estimates[at + quantities.size()];
    out.push_back({source.source, own.method, quantities[at].name, level.mean, level.low, level.high,
                   change.mean, change.low, change.high, relative_change(own.values.col(q), base.col(q)),
                   level.count, own.of_policy.rows(), spread(own.of_policy.col(q))});
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

void add_pairs(std::vector<PairedRow>& out, const std::string& source, const MethodMeans& own,
               const MethodMeans& peer, Seed seed) {
  const Matrix difference = own.values - peer.values;
  const std::vector<Estimate> estimates = bootstrap(difference, seed);
  for (Index q = 0; q < count; ++q) {
    const Quantity& quantity = quantities[static_cast<std::size_t>(q)];
    if (quantity.better == 0) continue;
    const Estimate& estimate = estimates[static_cast<std::size_t>(q)];
    out.push_back({source, own.method, peer.method, quantity.name, estimate.mean, estimate.low, estimate.high,
                   share_won(difference.col(q), quantity.better), estimate.count});
  }
}

} // namespace

std::vector<SummaryRow> summarise(const std::vector<EvaluationRow>& rows, Pooling pooling, Seed seed) {
  std::vector<SummaryRow> summary;
  for (const SourceMeans& source : means_by_source(rows, pooling))
    for (const MethodMeans& own : source.methods) add_summary(summary, source, own, seed);
  return summary;
}

std::vector<PairedRow> compare_in_pairs(const std::vector<EvaluationRow>& rows, Pooling pooling, Seed seed) {
  std::vector<PairedRow> pairs;
  for (const SourceMeans& source : means_by_source(rows, pooling))
    for (const MethodMeans& own : source.methods)
      for (const MethodMeans& peer : source.methods)
        if (asks_policy(parse_method(own.method)) && peer.method != own.method)
          add_pairs(pairs, source.source, own, peer, seed);
  return pairs;
}

std::vector<SummaryRow> summarise_frontier(const std::vector<FrontierRow>& points,
                                           const std::vector<EvaluationRow>& rows, Pooling pooling,
                                           Seed seed) {
  std::map<double, std::vector<EvaluationRow>> by_setting;
  for (const FrontierRow& point : points) by_setting[point.setting].push_back(point.row);
  std::vector<SummaryRow> frontier;
  for (auto& [setting, own] : by_setting) {
    std::vector<EvaluationRow> compared;
    std::ranges::copy_if(rows, std::back_inserter(compared), is_baseline, &EvaluationRow::method);
    std::ranges::move(own, std::back_inserter(compared));
    for (SummaryRow& row : summarise(compared, pooling, seed)) {
      if (is_baseline(row.method)) continue;
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
