#include "studies/sweep_rows.hpp"

#include "base/text.hpp"
#include "config/settings.hpp"
#include "files/results.hpp"
#include "hdf5/raw_file.hpp"
#include "hdf5/reader.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

using Kind = SweepColumn::Kind;

constexpr std::array<std::pair<const char*, double ValidationRow::*>, 11> validation_columns{{
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

/// The name of a metric's columns: METHOD.METRIC, after the source where a point has several. Nothing for one
/// source where there is the union of all: columns do not depend on how many families a point has.
std::optional<std::string> column_of(const SummaryRow& row, const std::vector<SummaryRow>& summary) {
  const auto any = [&](const auto& is) { return std::any_of(summary.begin(), summary.end(), is); };
  const bool pooled = any([](const SummaryRow& other) { return other.source == "all"; });
  const bool several = any([&](const SummaryRow& other) { return other.source != row.source; });
  if (pooled && row.source != "all") return std::nullopt;
  return (several && !pooled ? row.source + "." : "") + row.method + "." + row.metric;
}

/// Which of the swept keys have only numbers as values.
std::vector<bool> are_numbers(const SweepPoints& points) {
  std::vector<bool> are(points.keys().size(), true);
  for (Index i = 0; i < points.size(); ++i) {
    const std::vector<std::string> values = points.values(i);
    for (std::size_t k = 0; k < values.size(); ++k) are[k] = are[k] && parse_number<double>(values[k]);
  }
  return are;
}

/// Whether a point waits, or trains no more.
bool has_results(const PointStatus& status) {
  return status.state == PointState::done || status.state == PointState::dropped ||
         status.state == PointState::waiting;
}

/// What a row of the table says of a point's training and evaluation.
struct PointResults {
  double loss = undefined;                                    ///< of the last iteration
  std::array<double, validation_columns.size()> validation{}; ///< as validation_columns
  std::vector<SummaryRow> summary;

  PointResults() { validation.fill(undefined); }
};

/// Reads the results of a point after so many iterations: from its row, if nothing else was kept.
PointResults results_of(const fs::path& folder, bool has_row, Index iterations, bool is_evaluated) {
  PointResults found;
  if (has_row) {
    const FileReader file(folder / row_name, FileType::sweep);
    const Sweep row = layout_of<Sweep>().read(file);
    const auto value = [&](const std::string& name) {
      const auto column = std::ranges::find(row.table.columns, name, &SweepColumn::name);
      if (column == row.table.columns.end() || row.table.rows.size() != 1)
        file.fail("/points", "must have one record with the field '" + name + "'");
      return row.table.rows[0].numbers[static_cast<std::size_t>(column - row.table.columns.begin())];
    };
    found.loss = value("loss");
    for (std::size_t k = 0; k < validation_columns.size(); ++k)
      found.validation[k] = value(validation_columns[k].first);
    found.summary.assign(row.summary.begin(), row.summary.end());
    return found;
  }
  const FileReader results(folder / "results.h5", FileType::results);
  const std::vector<HistoryRow> history = results.records("/history", history_records());
  const std::vector<ValidationRow> validation = results.records("/validation", validation_records());
  if (const HistoryRow* const step = row_of(history, iterations)) found.loss = step->loss;
  if (const ValidationRow* const row = row_of(validation, iterations))
    for (std::size_t k = 0; k < validation_columns.size(); ++k)
      found.validation[k] = row->*validation_columns[k].second;
  if (is_evaluated)
    found.summary =
        FileReader(folder / "evaluation.h5", FileType::evaluation).records("/summary", summary_records());
  return found;
}

/// The file of a single point's results.
Sweep row_of_point(const PointResults& results) {
  Sweep sweep;
  sweep.table.rows.resize(1);
  const auto number = [&](const std::string& name, double value, Kind kind = Kind::number) {
    const std::size_t k = sweep.table.add(name, kind);
    sweep.table.rows[0].numbers[k] = value;
  };
  number("index", 0, Kind::integer);
  number("loss", results.loss);
  for (std::size_t k = 0; k < validation_columns.size(); ++k)
    number(validation_columns[k].first, results.validation[k]);
  for (const SummaryRow& metric : results.summary) sweep.summary.push_back({metric, 0});
  return sweep;
}

/// Removes all files of a point but its row, status and claim; the policy too unless it is to be kept.
void remove_others(const fs::path& folder, bool keeps_policy) {
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name != row_name && name != "status.txt" && name != "claim" && (name != "policy.h5" || !keeps_policy))
      others.push_back(entry.path());
  }
  for (const fs::path& other : others) fs::remove_all(other);
}

} // namespace

std::vector<PointStatus> checked_statuses(const fs::path& sweep, const SweepPoints& points) {
  std::vector<PointStatus> statuses = read_statuses(sweep, points);
  bool has_changed = false;
  for (Index i = 0; i < points.size(); ++i) {
    PointStatus& status = statuses[static_cast<std::size_t>(i)];
    const fs::path folder = points.folder(sweep, i);
    if (!has_results(status)) continue;
    const bool is_same =
        status.files == files_hash(folder, status.row) &&
        (status.row == 0 || status.row == status.rungs || status.state == PointState::waiting);
    if (is_same) continue;
    has_changed = true;
    const auto claim = FileLock::try_lock(folder / "claim");
    if (!claim || read_status(folder).files != status.files) continue; // another job is at work on it
    status.state = PointState::left;
    status.losses.clear();
    status.row = 0;
    write_status(folder, status);
  }
  return has_changed ? read_statuses(sweep, points) : statuses;
}

Sweep sweep_rows(const fs::path& sweep, const SweepPoints& points, const std::vector<PointStatus>& statuses,
                 const std::set<std::string>& endings) {
  Sweep all;
  all.table.rows.resize(statuses.size());
  std::map<std::string, std::size_t> places;
  const auto place = [&](const std::string& name, Kind kind) {
    const auto [found, is_new] = places.try_emplace(name, places.size());
    if (is_new) all.table.add(name, kind);
    return found->second;
  };
  const std::vector<std::string> keys = points.keys();
  const std::vector<bool> numeric = are_numbers(points);
  const Index rungs = points.halving().rungs;
  for (Index i = 0; i < points.size(); ++i) {
    SweepRow& row = all.table.rows[static_cast<std::size_t>(i)];
    const PointStatus& status = statuses[static_cast<std::size_t>(i)];
    const auto text = [&](const std::string& name, const std::string& value) {
      const std::size_t k = place(name, Kind::text);
      row.texts[k] = value;
    };
    const auto number = [&](const std::string& name, double value, Kind kind = Kind::number) {
      const std::size_t k = place(name, kind);
      row.numbers[k] = value;
    };
    const fs::path folder = points.folder(sweep, i);
    const Index rung = status.state == PointState::done ? rungs : status.rungs;
    const Index iterations = rung == 0 ? 0 : points.rungs(i)[static_cast<std::size_t>(rung - 1)];
    PointResults found;
    const bool is_evaluated = rung == rungs && points.evaluates();
    const bool is_of_rung = status.row == 0 || status.row == rung; // else the rung is undecided again
    if (has_results(status) && is_of_rung) try {
        found = results_of(folder, status.row > 0, iterations, is_evaluated);
      } catch (const DataError&) { // a run may just have kept the row alone
        if (status.row > 0 || read_status(folder).row == 0) throw;
        found = results_of(folder, true, iterations, is_evaluated);
      }
    number("index", static_cast<double>(i), Kind::integer);
    text("hash", points.name(i));
    text("state", std::string(to_string(status.state)));
    const std::vector<std::string> values = points.values(i);
    for (std::size_t k = 0; k < keys.size(); ++k)
      if (numeric[k])
        number(keys[k], *parse_number<double>(values[k]));
      else
        text(keys[k], values[k]);
    number("seconds", status.seconds);
    number("core_seconds", status.core_seconds);
    number("ranks", static_cast<double>(status.ranks), Kind::integer);
    number("threads", static_cast<double>(status.threads), Kind::integer);
    if (rungs > 1) {
      number("rung", static_cast<double>(rung), Kind::integer);
      number("iterations", static_cast<double>(iterations), Kind::integer);
    }
    number("loss", found.loss);
    for (std::size_t k = 0; k < validation_columns.size(); ++k)
      number(validation_columns[k].first, found.validation[k]);
    for (const SummaryRow& metric : found.summary) {
      all.summary.push_back({metric, std::int64_t{i}});
      const std::optional<std::string> name = column_of(metric, found.summary);
      for (const auto& [ending, value] :
           {std::pair(".mean", metric.mean), {".low", metric.low}, {".high", metric.high}})
        if (name && endings.contains(ending)) number(*name + ending, value);
    }
  }
  return all;
}

std::optional<Index> best_point(const std::vector<PointStatus>& statuses) {
  std::optional<Index> best;
  const auto loss = [&](Index i) {
    const std::vector<double>& losses = statuses[static_cast<std::size_t>(i)].losses;
    return ordered_loss(losses.empty() ? undefined : losses.back());
  };
  for (Index i = 0; i < std::ssize(statuses); ++i)
    if (statuses[static_cast<std::size_t>(i)].state == PointState::done && (!best || loss(i) < loss(*best)))
      best = i;
  return best;
}

void keep_rows_only(const Communicator& alone, const fs::path& sweep, const SweepPoints& points,
                    const std::vector<PointStatus>& statuses, double begin) {
  const std::optional<Index> best = best_point(statuses);
  for (Index i = 0; i < points.size(); ++i) {
    const PointStatus& decided = statuses[static_cast<std::size_t>(i)];
    if (decided.state != PointState::done && decided.state != PointState::dropped) continue;
    const fs::path folder = points.folder(sweep, i);
    const auto claim = FileLock::try_lock(folder / "claim");
    if (!claim) continue; // another job does the same
    PointStatus status = read_status(folder);
    if (status.files != decided.files) continue;
    if (status.row == 0) {
      if (status.files != files_hash(folder, 0)) continue; // changed: --collect finds it
      const Index rung = decided.state == PointState::done ? points.halving().rungs : decided.rungs;
      const PointResults results =
          results_of(folder, false, points.rungs(i)[static_cast<std::size_t>(rung - 1)],
                     rung == points.halving().rungs && points.evaluates());
      write_file(alone, folder / row_name, {resolved_ini(points.config(i)), job_metadata(alone, begin)},
                 row_of_point(results));
      status.row = rung;
      status.files = files_hash(folder, rung);
      write_status(folder, status); // from here on the row counts
    }
    remove_others(folder, best == i);
  }
}

} // namespace metasieve
