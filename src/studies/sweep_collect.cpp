#include "studies/sweep_collect.hpp"

#include "base/text.hpp"
#include "files/sweep.hpp"
#include "hdf5/atomic_replace.hpp"
#include "parallel/collective.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "studies/sweep_run.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

namespace metasieve {
namespace {

using Kind = SweepColumn::Kind;

struct ValidationColumn {
  const char* name;
  double ValidationRow::*member;
};

constexpr std::array<ValidationColumn, 11> validation_columns{{
    {"validation.loss", &ValidationRow::loss},
    {"validation.accuracy_loss", &ValidationRow::accuracy_loss},
    {"validation.fairness_loss", &ValidationRow::fairness_loss},
    {"validation.accuracy", &ValidationRow::accuracy},
    {"validation.dp_gap", &ValidationRow::dp_gap},
    {"validation.eo_gap", &ValidationRow::eo_gap},
    {"validation.baseline_accuracy", &ValidationRow::baseline_accuracy},
    {"validation.baseline_dp_gap", &ValidationRow::baseline_dp_gap},
    {"validation.baseline_eo_gap", &ValidationRow::baseline_eo_gap},
    {"validation.noise_rate_selected", &ValidationRow::noise_rate_selected},
    {"validation.noise_rate_all", &ValidationRow::noise_rate_all},
}};

double number_of(const std::string& text) {
  double value = 0;
  const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && last == text.data() + text.size() ? value : std::nan("");
}

/// What the columns of a metric begin with: nothing where a point has one source, or the union of several;
/// else the source.
std::string prefix_of(const SummaryRow& row, const std::vector<SummaryRow>& summary) {
  const auto any = [&](const auto& is) { return std::any_of(summary.begin(), summary.end(), is); };
  const bool pooled = any([](const SummaryRow& r) { return r.source == "all"; });
  const bool several = any([&](const SummaryRow& r) { return r.source != row.source; });
  return several && !pooled ? row.source + "." : "";
}

/// Rows of the union alone, where there is one: columns must not depend on how many families a point has.
bool has_columns(const SummaryRow& row, const std::vector<SummaryRow>& summary) {
  return row.source == "all" ||
         std::none_of(summary.begin(), summary.end(), [](const SummaryRow& r) { return r.source == "all"; });
}

/// A copy of those columns whose place `keeps`.
SweepTable narrowed(const SweepTable& table, const auto& keeps) {
  SweepTable narrow;
  narrow.rows.resize(table.rows.size());
  for (std::size_t k = 0; k < table.columns.size(); ++k) {
    if (!keeps(k)) continue;
    const std::size_t to = narrow.add(table.columns[k].name, table.columns[k].kind);
    for (std::size_t i = 0; i < narrow.rows.size(); ++i) {
      narrow.rows[i].numbers[to] = table.rows[i].numbers[k];
      narrow.rows[i].texts[to] = table.rows[i].texts[k];
    }
  }
  return narrow;
}

/// Made by rank 0.
class Collection {
public:
  Collection(const SweepRequest& request, const SweepPoints& points) : points_(points) {
    table().rows.resize(static_cast<std::size_t>(points.size()));
    for (const SweepPoint& point : points.all()) {
      const std::filesystem::path folder = point_folder(request.output, point);
      statuses_.push_back(read_status(folder));
      results_.push_back(read_result(folder, statuses_.back()));
      if (statuses_.back().state != PointState::done || results_.back()) continue;
      statuses_.back().state = PointState::left; // damaged: the next run repeats it
      write_status(folder, statuses_.back());
    }
    add_points();
    add_results();
    add_metrics();
  }

  [[nodiscard]] const Sweep& sweep() const noexcept { return sweep_; }

  /// Without intervals, or all metrics, where HDF5 cannot hold so many columns in one table.
  [[nodiscard]] Sweep for_file() const {
    Sweep sweep = sweep_;
    if (!fits_one_table(sweep.table.columns))
      sweep.table = narrowed(sweep_.table, [&](std::size_t k) {
        return k < metrics_begin_ || sweep_.table.columns[k].name.ends_with(".mean");
      });
    if (!fits_one_table(sweep.table.columns))
      sweep.table = narrowed(sweep_.table, [&](std::size_t k) { return k < metrics_begin_; });
    return sweep;
  }

  [[nodiscard]] Index done() const {
    return std::count_if(results_.begin(), results_.end(),
                         [](const auto& result) { return result.has_value(); });
  }

  /// "highest validation.accuracy 0.84: point 3 (policy.keep = 0.7)", a line each.
  [[nodiscard]] std::string best() const {
    std::string text;
    for (const auto& [name, sign] : {std::pair("validation.accuracy", -1.0),
                                     {"validation.eo_gap", 1.0},
                                     {"meta_hard.accuracy.mean", -1.0},
                                     {"meta_hard.eo_gap.mean", 1.0}})
      text += best_of(name, sign);
    return text;
  }

private:
  [[nodiscard]] SweepTable& table() { return sweep_.table; }

  void add(const std::string& name, Kind kind, const auto& value_of) {
    const std::size_t column = table().add(name, kind);
    for (std::size_t i = 0; i < table().rows.size(); ++i)
      if constexpr (std::is_same_v<std::decay_t<decltype(value_of(i))>, std::string>)
        table().rows[i].texts[column] = value_of(i);
      else
        table().rows[i].numbers[column] = static_cast<double>(value_of(i));
  }

  void add_points() {
    const auto& all = points_.all();
    add("index", Kind::integer, [](std::size_t i) { return i; });
    add("hash", Kind::text, [&](std::size_t i) { return all[i].name(); });
    add("state", Kind::text, [&](std::size_t i) { return std::string(to_string(statuses_[i].state)); });
    std::vector<std::vector<std::string>> values;
    for (const SweepPoint& point : all) values.push_back(points_.values(point));
    const std::vector<std::string> keys = points_.keys();
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const bool numeric = std::none_of(values.begin(), values.end(), [&](const auto& of_point) {
        return std::isnan(number_of(of_point[k]));
      });
      if (numeric)
        add(keys[k], Kind::number, [&](std::size_t i) { return number_of(values[i][k]); });
      else
        add(keys[k], Kind::text, [&](std::size_t i) { return values[i][k]; });
    }
  }

  void add_results() {
    add("seconds", Kind::number, [&](std::size_t i) { return statuses_[i].seconds; });
    add("core_seconds", Kind::number, [&](std::size_t i) { return statuses_[i].core_seconds; });
    add("ranks", Kind::integer, [&](std::size_t i) { return statuses_[i].ranks; });
    add("threads", Kind::integer, [&](std::size_t i) { return statuses_[i].threads; });
    add("loss", Kind::number, [&](std::size_t i) { return results_[i] ? results_[i]->loss : std::nan(""); });
    for (const ValidationColumn& column : validation_columns)
      add(column.name, Kind::number, [&](std::size_t i) {
        const bool is_there = results_[i] && results_[i]->validation;
        return is_there ? (*results_[i]->validation).*column.member : std::nan("");
      });
  }

  /// Means and intervals; /summary has more of them.
  void add_metrics() {
    metrics_begin_ = table().columns.size();
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (!results_[i]) continue;
      const std::vector<SummaryRow>& summary = results_[i]->summary;
      for (const SummaryRow& row : summary) {
        sweep_.summary.push_back({row, static_cast<std::int64_t>(i)});
        if (!has_columns(row, summary)) continue;
        const std::string name = prefix_of(row, summary) + row.method + "." + row.metric;
        for (const auto& [ending, value] :
             {std::pair(".mean", row.mean), {".low", row.low}, {".high", row.high}}) {
          const auto [place, is_new] = places.try_emplace(name + ending, 0);
          if (is_new) place->second = table().add(name + ending, Kind::number);
          table().rows[i].numbers[place->second] = value;
        }
      }
    }
  }

  [[nodiscard]] std::string best_of(const std::string& name, double sign) const {
    const auto& columns = sweep_.table.columns;
    const auto column =
        std::find_if(columns.begin(), columns.end(), [&](const SweepColumn& c) { return c.name == name; });
    if (column == columns.end()) return "";
    const auto k = static_cast<std::size_t>(column - columns.begin());
    Index best = -1;
    double least = 0;
    for (std::size_t i = 0; i < sweep_.table.rows.size(); ++i) {
      const double value = sign * sweep_.table.rows[i].numbers[k];
      if (!std::isnan(value) && (best < 0 || value < least)) best = static_cast<Index>(i), least = value;
    }
    if (best < 0) return "";
    return format("%s %s %.4f: point %ld (", sign < 0 ? "highest" : "lowest", name.c_str(), sign * least,
                  static_cast<long>(best)) +
           points_.text(points_.at(best)) + ")\n";
  }

  const SweepPoints& points_;
  std::vector<PointStatus> statuses_;
  std::vector<std::optional<PointResult>> results_;
  Sweep sweep_;
  std::size_t metrics_begin_ = 0;
};

} // namespace

std::string collect_sweep(const Communicator& comm, const SweepRequest& request, const SweepPoints& points) {
  const std::filesystem::path file = request.output / "sweep.h5", csv = request.output / "sweep.csv";
  require_writable(comm, {file, csv});
  std::optional<Collection> collection;
  std::string text;
  static_cast<void>(from_root(comm, [&] {
    collection.emplace(request, points);
    text = sweep_csv(collection->sweep().table);
    return std::string();
  }));
  write_text(comm, csv, text);
  const Sweep sweep = collection ? collection->for_file() : Sweep();
  write_sweep(comm, file, {sweep_ini(request.config), job_metadata(comm, request.begin)}, sweep);
  if (!collection) return "";
  const SweepTable& all = collection->sweep().table;
  return (sweep.table.columns.size() < all.columns.size()
              ? "note: HDF5 holds no table of so many columns: /points of " + file.string() +
                    " has fewer, and /summary has all metrics\n"
              : "") +
         "wrote " + file.string() +
         format(" and sweep.csv: %zu points, %ld of them done, %zu columns\n", all.rows.size(),
                static_cast<long>(collection->done()), all.columns.size()) +
         collection->best();
}

} // namespace metasieve
