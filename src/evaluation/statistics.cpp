#include "evaluation/statistics.hpp"

#include "methods/methods.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>
#include <variant>

namespace metasieve {
namespace {

constexpr Index resamples = 1000, at_once = 50;
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// A mean with its 95 % interval and the p-value of "the mean is 0", two-sided; NaN where nothing is defined,
/// interval and p-value also where only one value is.
struct Estimate {
  double mean = undefined, low = undefined, high = undefined, p = undefined;
  Index count = 0; ///< values that are defined
};

/// How often each of `count` rows is drawn in resamples [first, first + at_once). [at_once, count]. Each
/// `part` of the rows has draws of its own.
Matrix draws(Seed seed, Index first, Index count, std::uint64_t part = 0) {
  Matrix times = Matrix::Zero(at_once, count);
  for (Index b = 0; b < at_once; ++b) {
    const Stream stream(seed, Draw::bootstrap, TaskId{static_cast<std::uint64_t>(first + b)}, part);
    for (Index i = 0; i < count; ++i) ++times(b, static_cast<Index>(stream.below(i, count)));
  }
  return times;
}

/// The interval and p-value of a mean from the means of resamples; NaN where a resample has no defined value.
Estimate estimate(double mean, Index count, const Vector& resampled) {
  std::vector<double> sorted;
  std::ranges::remove_copy_if(resampled, std::back_inserter(sorted), [](double x) { return std::isnan(x); });
  if (sorted.empty()) return {.mean = mean, .count = count};
  std::ranges::sort(sorted);
  const std::size_t tail = sorted.size() * 25 / 1000;
  const auto share = [&](auto on_this_side) {
    return (1.0 + static_cast<double>(std::ranges::count_if(sorted, on_this_side))) /
           (1.0 + static_cast<double>(sorted.size()));
  };
  const double p =
      2.0 * std::min(share([](double x) { return x <= 0; }), share([](double x) { return x >= 0; }));
  return {mean, sorted[tail], sorted[sorted.size() - 1 - tail], std::min(p, 1.0), count};
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
  for (Index k = 0; k < values.cols(); ++k) {
    const auto count = static_cast<Index>(defined.col(k).sum());
    const double mean = known.col(k).sum() / defined.col(k).sum();
    // One value says nothing of its spread.
    out.push_back(count < 2 ? Estimate{.mean = mean, .count = count} : estimate(mean, count, means.col(k)));
  }
  return out;
}

/// The mean of each column of values [splits, k], NaN left out, with the interval of Nadeau and Bengio 2003.
std::vector<Estimate> of_splits(const Matrix& values, double test_over_train) {
  std::vector<Estimate> out;
  for (const auto& column : values.colwise()) {
    std::vector<double> defined;
    std::ranges::remove_copy_if(column, std::back_inserter(defined), [](double x) { return std::isnan(x); });
    // One after the other: vectorised sums would depend on where the values lie.
    const auto j = static_cast<double>(defined.size());
    Estimate estimate{.count = std::ssize(defined)};
    if (!defined.empty()) estimate.mean = std::accumulate(defined.begin(), defined.end(), 0.0) / j;
    if (defined.size() > 1) {
      double squares = 0;
      for (const double x : defined) squares += (x - estimate.mean) * (x - estimate.mean);
      const double error = std::sqrt(squares / (j - 1.0)) * std::sqrt(1.0 / j + test_over_train);
      const boost::math::students_t student(j - 1.0);
      const double half = boost::math::quantile(student, 0.975) * error;
      estimate.low = estimate.mean - half, estimate.high = estimate.mean + half;
      // Differences that are all alike, but for rounding: 0, or without doubt not 0.
      const bool constant = error <= 1e-12 * std::abs(estimate.mean) + 1e-15;
      estimate.p = constant ? (std::abs(estimate.mean) > 1e-12 ? 0.0 : 1.0)
                            : 2.0 * boost::math::cdf(student, -std::abs(estimate.mean) / error);
    }
    out.push_back(estimate);
  }
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

/// The quantities of `metrics`; NaN for those that are not metrics.
Eigen::RowVectorXd quantities_of(const Metrics& metrics) {
  Eigen::RowVectorXd out = Eigen::RowVectorXd::Constant(count, undefined);
  for (Index q = 0; q < count; ++q)
    if (const auto* const metric =
            std::get_if<double Metrics::*>(&quantities[static_cast<std::size_t>(q)].member))
      out(q) = metrics.*(*metric);
  return out;
}

constexpr auto rate_count = static_cast<Index>(group_rates.size());

Eigen::RowVectorXd rates_as_row(const GroupRates& rates) {
  Eigen::RowVectorXd out(rate_count);
  for (Index q = 0; q < rate_count; ++q) out(q) = rates.*group_rates[static_cast<std::size_t>(q)].rate;
  return out;
}

/// What is summed up of an EvaluationRow.
struct OfAllRows {
  static std::string name(std::size_t q) { return quantities[q].name; }
  static Eigen::RowVectorXd values(const EvaluationRow& row) {
    Eigen::RowVectorXd out(count);
    for (Index q = 0; q < count; ++q) out(q) = quantities[static_cast<std::size_t>(q)].of(row);
    return out;
  }
  static Matrix resampled(const Resampled& method, const EvaluationRow&) { return method.metrics; }
};

/// What is summed up of a GroupRow.
struct OfGroup {
  static std::string name(std::size_t q) { return group_rates[q].name; }
  static Eigen::RowVectorXd values(const GroupRow& row) { return rates_as_row(row.rates); }
  static Matrix resampled(const Resampled& method, const GroupRow& row) {
    return method.rates_of_group.middleCols(rate_count * row.group, rate_count);
  }
};

template <class Row>
using Rows = std::vector<const Row*>;

template <class Row>
Rows<Row> pointers(const std::vector<Row>& rows) {
  Rows<Row> all;
  for (const Row& row : rows) all.push_back(&row);
  return all;
}

/// Sums where defined, one row of them for each split or each policy.
struct DefinedSums {
  Matrix sum, defined; // [n, quantities]
  DefinedSums(Index n, Index k) : sum(Matrix::Zero(n, k)), defined(Matrix::Zero(n, k)) {}
  void add(Index i, const Eigen::RowVectorXd& values) {
    for (Index q = 0; q < values.size(); ++q) {
      const double value = values(q);
      if (std::isnan(value)) continue;
      sum(i, q) += value;
      ++defined(i, q);
    }
  }
  [[nodiscard]] Matrix means() const { return sum.array() / defined.array(); } // 0/0: NaN
};

/// One method's results on the repeats of a source.
struct MethodMeans {
  std::string method;
  Matrix values;    // [repeats, quantities], mean over the policies
  Matrix of_policy; // [policies, quantities], mean over the repeats
  Matrix resampled; // [resamples, quantities], of a test part; empty: not known
};

/// All methods on the repeats of one source, in the order of their appearance.
struct SourceMeans {
  std::string source;
  const SourceDesign* design;
  std::vector<MethodMeans> methods;
};

/// The means of values [repeats, k], with intervals. resampled [resamples, k] of a test part, or empty.
std::vector<Estimate> estimates(const Matrix& values, const Matrix& resampled, const SourceDesign& design,
                                Seed seed) {
  if (design.kind == SourceDesign::Kind::tasks) return bootstrap(values, seed);
  std::vector<Estimate> out = of_splits(values, design.test_over_train);
  if (design.kind == SourceDesign::Kind::splits) return out;
  for (Index k = 0; k < values.cols(); ++k) {
    Estimate& each = out[static_cast<std::size_t>(k)];
    each = resampled.size() > 0 && each.count > 0 ? estimate(each.mean, each.count, resampled.col(k))
                                                  : Estimate{.mean = each.mean, .count = each.count};
  }
  return out;
}

/// own - peer of resamples; NaN where the peer has none, and empty without own ones.
Matrix difference(const Matrix& own, const Matrix& peer) {
  return peer.size() > 0 ? Matrix(own - peer) : Matrix(Matrix::Constant(own.rows(), own.cols(), undefined));
}

Matrix beside(const Matrix& left, const Matrix& right) {
  Matrix out(left.rows(), left.cols() + right.cols());
  out << left, right;
  return out;
}

/// The rows of each value of `field`, in the order of their appearance.
template <class Row, class Value>
std::vector<std::pair<Value, Rows<Row>>> grouped(const Rows<Row>& rows, Value Row::*field) {
  std::vector<std::pair<Value, Rows<Row>>> groups;
  for (const Row* row : rows) {
    auto group = std::ranges::find(groups, row->*field, &std::pair<Value, Rows<Row>>::first);
    if (group == groups.end()) group = groups.insert(group, {row->*field, {}});
    group->second.push_back(row);
  }
  return groups;
}

/// The type `Of` is OfAllRows or OfGroup.
template <class Of, class Row>
SourceMeans means_of(const std::string& source, const Rows<Row>& rows, const SourceDesign& design) {
  std::map<std::pair<std::string, std::int64_t>, Index> split_number;
  for (const Row* row : rows) split_number.try_emplace({row->source, row->split}, std::ssize(split_number));
  SourceMeans out{source, &design, {}};
  for (const auto& [method, own] : grouped(rows, &Row::method)) {
    std::map<std::int64_t, Index> policy_number; // ascending
    for (const Row* row : own) policy_number[row->policy];
    Index policies = 0;
    for (auto& [policy, number] : policy_number) number = policies++;
    const Index width = Of::values(*own.front()).size();
    DefinedSums of_split(std::ssize(split_number), width), of_policy(policies, width);
    for (const Row* row : own) {
      const Eigen::RowVectorXd values = Of::values(*row);
      of_split.add(split_number.at({row->source, row->split}), values);
      of_policy.add(policy_number.at(row->policy), values);
    }
    const auto known = design.resampled.find(method);
    out.methods.push_back(
        {method, of_split.means(), of_policy.means(),
         known != design.resampled.end() ? Of::resampled(known->second, *own.front()) : Matrix()});
  }
  return out;
}

std::vector<SourceMeans> means_by_source(const std::vector<EvaluationRow>& rows,
                                         const SourceDesigns& designs) {
  static const SourceDesign independent;
  const Rows<EvaluationRow> all = pointers(rows);
  std::vector<SourceMeans> sources;
  for (const auto& [source, own] : grouped(all, &EvaluationRow::source)) {
    const auto design = designs.of.find(source);
    sources.push_back(
        means_of<OfAllRows>(source, own, design != designs.of.end() ? design->second : independent));
  }
  if (designs.pooled && sources.size() > 1) sources.push_back(means_of<OfAllRows>("all", all, independent));
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

template <class Of>
std::vector<SummaryRow> summary_of(const SourceMeans& source, const MethodMeans& own, Seed seed) {
  const auto found = std::ranges::find_if(source.methods, is_baseline, &MethodMeans::method);
  MethodMeans none;
  none.values = Matrix::Constant(own.values.rows(), own.values.cols(), undefined);
  const MethodMeans& base = found != source.methods.end() ? *found : none;
  const auto means =
      estimates(beside(own.values, own.values - base.values),
                beside(own.resampled, difference(own.resampled, base.resampled)), *source.design, seed);
  std::vector<SummaryRow> out;
  for (Index q = 0; q < own.values.cols(); ++q) {
    const auto at = static_cast<std::size_t>(q);
    const Estimate &level = means[at], &change = means[at + means.size() / 2];
    out.push_back({source.source, own.method, Of::name(at), level.mean, level.low, level.high, change.mean,
                   change.low, change.high, relative_change(own.values.col(q), base.values.col(q)),
                   level.count, own.of_policy.rows(), spread(own.of_policy.col(q))});
    out.back().baseline_p = change.p;
  }
  return out;
}

/// Test rows of a split that a rate is a share of, mean over the `rows` of a group.
double mean_rows(const Rows<GroupRow>& rows, const GroupRate& rate) {
  std::int64_t sum = 0;
  for (const GroupRow* row : rows)
    sum += (rate.of_ones ? row->positives : 0) + (rate.of_zeros ? row->rows - row->positives : 0);
  return static_cast<double>(sum) / static_cast<double>(rows.size());
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

void add_pairs(std::vector<PairedRow>& out, const SourceMeans& source, const MethodMeans& own,
               const MethodMeans& peer, Seed seed) {
  const Matrix differences = own.values - peer.values;
  const auto means = estimates(differences, difference(own.resampled, peer.resampled), *source.design, seed);
  for (Index q = 0; q < count; ++q) {
    const Quantity& quantity = quantities[static_cast<std::size_t>(q)];
    if (quantity.better == 0) continue;
    const Estimate& mean = means[static_cast<std::size_t>(q)];
    out.push_back({source.source, own.method, peer.method, quantity.name, mean.mean, mean.low, mean.high,
                   share_won(differences.col(q), quantity.better), mean.count});
  }
}

} // namespace

GroupRates rates_of(Rate zeros, Rate ones) {
  const Rate correct{ones.hits + zeros.rows - zeros.hits, ones.rows + zeros.rows};
  return {correct.value(), (zeros + ones).value(), ones.value(), zeros.value()};
}

Resampled resampled_metrics(const Labels& y, const Labels& group, Index groups, const Matrix& predicted,
                            Seed seed) {
  const auto cell_count = static_cast<std::size_t>(2 * groups); // K y + z
  std::vector<std::vector<Index>> rows(cell_count);
  for (Index i = 0; i < y.size(); ++i) rows[static_cast<std::size_t>(groups * y(i) + group(i))].push_back(i);
  Resampled out{Matrix::Zero(resamples, count), Matrix::Zero(resamples, rate_count * groups)};
  const auto fits = static_cast<double>(predicted.cols());
  for (Index first = 0; first < resamples; first += at_once) {
    std::vector<Matrix> hits; // [at_once, fits]
    for (std::size_t c = 0; c < cell_count; ++c)
      hits.emplace_back(draws(seed, first, std::ssize(rows[c]), c) * predicted(rows[c], Eigen::all));
    for (Index b = 0; b < at_once; ++b)
      for (Index fit = 0; fit < predicted.cols(); ++fit) {
        Cells cells;
        for (std::size_t c = 0; c < cell_count; ++c)
          cells[2 * c / cell_count].push_back({hits[c](b, fit), static_cast<double>(rows[c].size())});
        out.metrics.row(first + b) += quantities_of(metrics_of(cells, groups <= 2)) / fits;
        for (std::size_t z = 0; z < cells[0].size(); ++z)
          out.rates_of_group.row(first + b).segment(rate_count * static_cast<Index>(z), rate_count) +=
              rates_as_row(rates_of(cells[0][z], cells[1][z])) / fits;
      }
  }
  return out;
}

std::vector<SummaryRow> summarise(const std::vector<EvaluationRow>& rows, const SourceDesigns& designs,
                                  Seed seed) {
  std::vector<SummaryRow> summary;
  for (const SourceMeans& source : means_by_source(rows, designs))
    for (const MethodMeans& own : source.methods)
      std::ranges::move(summary_of<OfAllRows>(source, own, seed), std::back_inserter(summary));
  return summary;
}

std::vector<GroupSummaryRow> summarise_groups(const std::vector<GroupRow>& rows, const SourceDesigns& designs,
                                              Seed seed) {
  std::vector<GroupSummaryRow> summary;
  for (const auto& [source, own] : grouped(pointers(rows), &GroupRow::source)) {
    const SourceDesign& design = designs.of.at(source);
    for (const auto& [group, of_group] : grouped(own, &GroupRow::group)) {
      const SourceMeans means = means_of<OfGroup>(source, of_group, design);
      for (const MethodMeans& method : means.methods) {
        std::vector<SummaryRow> rates = summary_of<OfGroup>(means, method, seed);
        for (std::size_t q = 0; q < rates.size(); ++q)
          summary.push_back({std::move(rates[q]), group,
                             design.group_names.at(static_cast<std::size_t>(group)),
                             mean_rows(of_group, group_rates[q])});
      }
    }
  }
  return summary;
}

std::vector<PairedRow> compare_in_pairs(const std::vector<EvaluationRow>& rows, const SourceDesigns& designs,
                                        Seed seed) {
  std::vector<PairedRow> pairs;
  for (const SourceMeans& source : means_by_source(rows, designs))
    for (const MethodMeans& own : source.methods)
      for (const MethodMeans& peer : source.methods)
        if (asks_policy(parse_method(own.method)) && peer.method != own.method)
          add_pairs(pairs, source, own, peer, seed);
  return pairs;
}

std::vector<SummaryRow> summarise_frontier(const std::vector<FrontierRow>& points,
                                           const std::vector<EvaluationRow>& rows,
                                           const SourceDesigns& designs, Seed seed) {
  SourceDesigns unresampled = designs; // the resamples are those of other settings
  for (auto& [source, design] : unresampled.of) design.resampled.clear();
  std::map<double, std::vector<EvaluationRow>> by_setting;
  for (const FrontierRow& point : points) by_setting[point.setting].push_back(point.row);
  std::vector<SummaryRow> frontier;
  for (auto& [setting, own] : by_setting) {
    std::vector<EvaluationRow> compared;
    std::ranges::copy_if(rows, std::back_inserter(compared), is_baseline, &EvaluationRow::method);
    std::ranges::move(own, std::back_inserter(compared));
    for (SummaryRow& row : summarise(compared, unresampled, seed)) {
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
