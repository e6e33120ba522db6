#include "studies/sweep_report.hpp"

#include "base/for_each.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "files/results.hpp"
#include "files/sweep.hpp"
#include "hdf5/raw_file.hpp"
#include "hdf5/reader.hpp"
#include "parallel/collective.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "studies/dry_run.hpp"
#include "studies/measured_pace.hpp"
#include "training/cost.hpp"
#include "training/task_source.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr double small_files_bytes = 4e4; ///< a point's other files, with the blocks that each fills in part

std::string core_hours(double core_seconds) {
  return format(core_seconds < 36 ? "%.2g" : "%.3g", core_seconds / 3600.0);
}

/// Bytes that the tasks of a training take in memory, by a sample of them; they are of `suite`, if any.
double sampled_bytes(const Config& config, const std::optional<TaskSource>& suite) {
  std::optional<TaskSource> generated;
  if (!suite) generated.emplace(TaskSource::generator(config));
  const TaskSource& source = suite ? *suite : *generated;
  const TaskUse use = task_use(config, source.is_generator());
  const Index all = source.task_count(), sampled = std::min<Index>(all, 100); // points may be many
  const double bytes =
      TaskSample(source, {0, sampled}).sum([&](const TaskShape& task) { return held_bytes(task, use); });
  return bytes * static_cast<double>(all) / static_cast<double>(sampled);
}

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

/// Reads the results of all done points; called by one rank. One row a point; metrics have the columns with
/// these `endings`. A point whose files are not as they were when it was done becomes `left`.
Sweep read_results(const fs::path& sweep, const SweepPoints& points, std::vector<PointStatus>& statuses,
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
  for (Index i = 0; i < points.size(); ++i) {
    SweepRow& row = all.table.rows[static_cast<std::size_t>(i)];
    PointStatus& status = statuses[static_cast<std::size_t>(i)];
    const auto text = [&](const std::string& name, const std::string& value) {
      const std::size_t k = place(name, Kind::text);
      row.texts[k] = value;
    };
    const auto number = [&](const std::string& name, double value, Kind kind = Kind::number) {
      const std::size_t k = place(name, kind);
      row.numbers[k] = value;
    };
    const fs::path folder = points.folder(sweep, i);
    if (status.state == PointState::done && status.files != files_hash(folder)) {
      status.state = PointState::left; // the next run repeats it
      write_status(folder, status);
    }
    std::vector<HistoryRow> history;
    std::vector<ValidationRow> validation;
    std::vector<SummaryRow> summary;
    if (status.state == PointState::done) {
      const FileReader results(folder / "results.h5", FileType::results);
      history = results.records("/history", history_records());
      validation = results.records("/validation", validation_records());
      if (points.evaluates())
        summary =
            FileReader(folder / "evaluation.h5", FileType::evaluation).records("/summary", summary_records());
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
    number("loss", history.empty() ? undefined : history.back().loss);
    for (const auto& [name, member] : validation_columns)
      number(name, validation.empty() ? undefined : validation.back().*member);
    for (const SummaryRow& metric : summary) {
      all.summary.push_back({metric, std::int64_t{i}});
      const std::optional<std::string> name = column_of(metric, summary);
      for (const auto& [ending, value] :
           {std::pair(".mean", metric.mean), {".low", metric.low}, {".high", metric.high}})
        if (name && endings.contains(ending)) number(*name + ending, value);
    }
  }
  return all;
}

} // namespace

Index count(const std::vector<PointStatus>& statuses, PointState state) {
  return std::count_if(statuses.begin(), statuses.end(),
                       [&](const PointStatus& status) { return status.state == state; });
}

std::string overview(const SweepPoints& points, const std::vector<PointStatus>& statuses,
                     const fs::path& folder) {
  const Index done = count(statuses, PointState::done), failed = count(statuses, PointState::failed);
  const Index running = count(statuses, PointState::running);
  const Index left = points.size() - done - failed - running;
  std::string text = std::to_string(points.size()) + " points of " + joined(points.keys()) + " in " +
                     folder.string() + ": " + std::to_string(done) + " done, ";
  if (running > 0) text += std::to_string(running) + " running, ";
  text += std::to_string(failed) + " failed, " + std::to_string(left) + " left";
  const auto fresh = std::count_if(statuses.begin(), statuses.end(),
                                   [](const PointStatus& status) { return status.place.empty(); });
  if (fresh > 0 && fresh < points.size()) text += " (" + std::to_string(fresh) + " new)";
  text += "\n";
  if (const Index same = points.combinations() - points.size(); same > 0)
    text += "note: " + std::to_string(same) + " more would be the same as others and are left out\n";

  std::set<std::string> known;
  for (Index i = 0; i < points.size(); ++i) known.insert(points.name(i));
  std::vector<std::string> others;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder / "points", none))
    if (const std::string name = entry.path().filename(); !known.contains(name)) others.push_back(name);
  if (!others.empty())
    text += "note: " + std::to_string(others.size()) + " points there (as " + others.front() +
            ") are of another configuration or version of metasieve: kept, not collected\n";
  return text;
}

std::string list_text(const SweepPoints& points, const std::vector<PointStatus>& statuses) {
  const std::vector<std::string> keys = points.keys();
  std::vector<Json> rows;
  for (Index i = 0; i < points.size(); ++i) {
    const PointState state = statuses[static_cast<std::size_t>(i)].state;
    JsonMembers row{{" index", format("%6ld", static_cast<long>(i))},
                    {"hash", points.name(i)},
                    {"state", std::string(to_string(state))}};
    const std::vector<std::string> values = points.values(i);
    for (std::size_t k = 0; k < keys.size(); ++k) row.emplace_back(keys[k], values[k]);
    rows.push_back(Json::object(std::move(row)));
  }
  return Json::object({{"points", Json::array(rows)}}).outline();
}

std::string status_text(const std::vector<PointStatus>& statuses) {
  std::string text;
  double spent = 0, spent_on_done = 0;
  for (const PointStatus& status : statuses) {
    spent += status.core_seconds;
    if (status.state == PointState::done) spent_on_done += status.core_seconds;
    if (status.state == PointState::running)
      text += "running: " + status.point + " on " + status.place + "\n";
    if (status.state == PointState::died)
      text += "died, to be begun again: " + status.point + " on " + status.place + "\n";
    if (status.state == PointState::failed)
      text += "failed: " + status.point + ", exit code " + std::to_string(status.code) + ": " +
              status.message + "\n";
  }
  const Index done = count(statuses, PointState::done);
  const Index left = std::ssize(statuses) - done - count(statuses, PointState::failed);
  text += "core-hours: " + core_hours(spent) + " spent";
  if (done == 0 && left > 0) return text + "; how many are left shows once a point is done\n";
  const double each = spent_on_done / static_cast<double>(std::max<Index>(done, 1));
  return text + ", about " + core_hours(static_cast<double>(left) * each) +
         " left, at the pace of the points that are done\n";
}

std::string failures_text(const std::vector<PointStatus>& statuses) {
  std::vector<std::string> failed;
  for (const PointStatus& status : statuses)
    if (status.state == PointState::failed) failed.push_back(status.point + ": " + status.message);
  if (failed.empty()) return "";
  return std::to_string(failed.size()) + " of " + std::to_string(statuses.size()) +
         " points failed: " + first_few(failed, "; ") + "; remove the cause, then --retry repeats them";
}

std::string plan(const Communicator& comm, const SweepRequest& request) {
  require_writable(comm, {request.output / "sweep.ini"});
  const SweepPoints points(comm, request.config);
  std::optional<TaskSource> suite;
  if (points.suite()) suite = TaskSource::suite(comm, *points.suite());
  Index largest = 0, left = 0;
  const std::string about = run_on_root_and_broadcast(comm, [&] {
    const std::vector<PointStatus> statuses = read_statuses(request.output, points);
    left = points.size() - count(statuses, PointState::done);
    double most = 0;
    for (Index i = 0; i < points.size(); ++i)
      if (const double bytes = sampled_bytes(points.config(i), suite); bytes > most)
        largest = i, most = bytes;
    return overview(points, statuses, request.output);
  });
  largest = comm.max(std::int64_t{largest}); // rank 0's; the others have 0
  left = comm.max(std::int64_t{left});

  const PointGroups groups(comm, request.config.sweep.ranks_per_point);
  const auto training = [&](Index i) {
    return TrainRequest{points.config(i), points.folder(request.output, i), points.suite()};
  };
  Needs needs = training_needs(groups.mine, training(largest));
  needs.rank_bytes = comm.max(needs.rank_bytes);
  needs.own_bytes = comm.max(needs.own_bytes);
  needs.shared_bytes *= groups.count;
  needs.file_bytes = (needs.file_bytes + small_files_bytes) * static_cast<double>(points.size());
  require_room(comm, needs, request.output,
               "give each point more ranks (sweep.ranks_per_point), or run fewer ranks on each node");
  const Index typical = points.size() / 2;
  const double seconds = comm.max(training_seconds(groups.mine, training(typical)));
  const double rounds = std::ceil(static_cast<double>(left) / groups.count);
  return "dry run: nothing is written\n  " + about +
         format("  ranks            %d group(s) of %d rank(s) x %d thread(s)\n"
                "  memory per rank  %.0f MB, of point %ld\n"
                "  files            %.1f MB in %s\n"
                "  time             about %s: %ld points left that train for %s, as point %ld, beside their "
                "evaluation\n",
                groups.count, groups.mine.size(), thread_count(), 1e-6 * needs.rank_bytes,
                static_cast<long>(largest), 1e-6 * needs.file_bytes, request.output.c_str(),
                duration_text(rounds * seconds).c_str(), static_cast<long>(left),
                duration_text(seconds).c_str(), static_cast<long>(typical));
}

std::string collect_sweep(const Communicator& comm, const SweepRequest& request, const SweepPoints& points) {
  const fs::path file = request.output / "sweep.h5", csv = request.output / "sweep.csv";
  require_writable(comm, {file, csv});
  Sweep sweep;
  std::string rows, summary;
  on_root(comm, [&] {
    std::vector<PointStatus> statuses = read_statuses(request.output, points);
    sweep = read_results(request.output, points, statuses, {".mean", ".low", ".high"});
    rows = sweep_csv(sweep.table);
    summary = "wrote " + file.string() +
              format(" and sweep.csv: %zu points, %ld of them done, %zu columns\n", statuses.size(),
                     static_cast<long>(count(statuses, PointState::done)), sweep.table.columns.size());
    if (fits_one_table(sweep.table.columns)) return;
    sweep = read_results(request.output, points, statuses, {".mean"});
    if (!fits_one_table(sweep.table.columns)) sweep = read_results(request.output, points, statuses, {});
    summary += "note: HDF5 holds no table of so many columns: /points of " + file.string() +
               " has fewer, and /summary has all metrics\n";
  });
  write_text(comm, csv, rows);
  write_file(comm, file,
             {sweep_ini(request.config), job_metadata(comm, request.begin), request.config.output.io}, sweep);
  return summary;
}

} // namespace metasieve
