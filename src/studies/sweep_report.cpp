#include "studies/sweep_report.hpp"

#include "base/for_each.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "files/sweep.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/collective.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "studies/dry_run.hpp"
#include "studies/measured_pace.hpp"
#include "studies/sweep_rows.hpp"
#include "training/cost.hpp"
#include "training/task_source.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

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

/// The plan of the rungs, and a note where a swept key makes their losses hard to compare; "" with one rung.
std::string rungs_text(const SweepPoints& points) {
  const Halving& halving = points.halving();
  if (halving.rungs == 1) return "";
  const std::vector<Index> counts = halving.points(points.size());
  std::vector<std::string> rungs;
  Index divisor = 1;
  for (auto count = counts.rbegin(); count != counts.rend(); ++count, divisor *= halving.factor)
    rungs.push_back(std::to_string(*count) + " for " +
                    (divisor == 1 ? "all" : "1/" + std::to_string(divisor)));
  std::reverse(rungs.begin(), rungs.end());
  std::string text = "rungs: " + joined(rungs) + " of their iterations\n";
  std::vector<std::string> unlike = points.keys();
  std::erase_if(unlike, [](const std::string& key) {
    return !key.starts_with("suite.") && !key.starts_with("family.") && !key.starts_with("meta.fairness") &&
           key != "meta.accuracy_loss";
  });
  if (!unlike.empty())
    text += "note: sweep.halving compares validation losses, and " + joined(unlike, " and ") +
            " changes what they measure\n";
  return text;
}

} // namespace

Index count(const std::vector<PointStatus>& statuses, PointState state) {
  return std::count_if(statuses.begin(), statuses.end(),
                       [&](const PointStatus& status) { return status.state == state; });
}

std::string overview(const SweepPoints& points, const std::vector<PointStatus>& statuses,
                     const fs::path& folder) {
  const Index done = count(statuses, PointState::done), failed = count(statuses, PointState::failed);
  const Index running = count(statuses, PointState::running), dropped = count(statuses, PointState::dropped);
  const Index left = points.size() - done - dropped - failed - running;
  std::string text = std::to_string(points.size()) + " points of " + joined(points.keys()) + " in " +
                     folder.string() + ": " + std::to_string(done) + " done, ";
  if (dropped > 0) text += std::to_string(dropped) + " dropped, ";
  if (running > 0) text += std::to_string(running) + " running, ";
  text += std::to_string(failed) + " failed, " + std::to_string(left) + " left";
  const auto fresh = std::count_if(statuses.begin(), statuses.end(),
                                   [](const PointStatus& status) { return status.place.empty(); });
  if (fresh > 0 && fresh < points.size()) text += " (" + std::to_string(fresh) + " new)";
  text += "\n";
  if (const Index same = points.combinations() - points.size(); same > 0)
    text += "note: " + std::to_string(same) + " more would be the same as others and are left out\n";
  text += rungs_text(points);

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
    if (points.halving().rungs > 1)
      row.emplace_back("rung", std::to_string(statuses[static_cast<std::size_t>(i)].rungs));
    const std::vector<std::string> values = points.values(i);
    for (std::size_t k = 0; k < keys.size(); ++k) row.emplace_back(keys[k], values[k]);
    rows.push_back(Json::object(std::move(row)));
  }
  return Json::object({{"points", Json::array(rows)}}).outline();
}

std::string status_text(const SweepPoints& points, const std::vector<PointStatus>& statuses) {
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
  const std::vector<Index> expected = points.halving().points(points.size());
  for (Index rung = 1; std::ssize(expected) > 1 && rung <= std::ssize(expected); ++rung)
    text += format("rung %ld: %ld of %ld points have passed it\n", static_cast<long>(rung),
                   static_cast<long>(std::ranges::count_if(
                       statuses, [&](const PointStatus& status) { return status.rungs >= rung; })),
                   static_cast<long>(expected[static_cast<std::size_t>(rung - 1)]));
  const Index done = count(statuses, PointState::done);
  const Index left = std::ssize(statuses) - done - count(statuses, PointState::failed);
  text += "core-hours: " + core_hours(spent) + " spent";
  if (std::ssize(expected) > 1) return text + "\n";
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
    left = points.size() - count(statuses, PointState::done) - count(statuses, PointState::dropped);
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
  const double rounds =
      std::ceil(static_cast<double>(left) * points.halving().share(points.size()) / groups.count);
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
    const std::vector<PointStatus> statuses = checked_statuses(request.output, points);
    sweep = sweep_rows(request.output, points, statuses, {".mean", ".low", ".high"});
    rows = sweep_csv(sweep.table);
    summary = "wrote " + file.string() +
              format(" and sweep.csv: %zu points, %ld of them done, %zu columns\n", statuses.size(),
                     static_cast<long>(count(statuses, PointState::done)), sweep.table.columns.size());
    if (fits_one_table(sweep.table.columns)) return;
    sweep = sweep_rows(request.output, points, statuses, {".mean"});
    if (!fits_one_table(sweep.table.columns)) sweep = sweep_rows(request.output, points, statuses, {});
    summary += "note: HDF5 holds no table of so many columns: /points of " + file.string() +
               " has fewer, and /summary has all metrics\n";
  });
  write_text(comm, csv, rows);
  write_file(comm, file,
             {sweep_ini(request.config), job_metadata(comm, request.begin), request.config.output.io}, sweep);
  return summary;
}

} // namespace metasieve
