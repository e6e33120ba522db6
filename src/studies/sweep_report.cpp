#include "studies/sweep_report.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "parallel/collective.hpp"
#include "parallel/for_each.hpp"
#include "runtime/output_checks.hpp"
#include "studies/dry_run.hpp"
#include "studies/sweep_run.hpp"
#include "training/cost.hpp"
#include "training/task_source.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace metasieve {
namespace {

constexpr std::size_t most_named = 5;

/// Bytes of the small files of a point, and of the blocks that each of its files fills in part.
constexpr double small_files_bytes = 4e4;

std::string core_hours(double core_seconds) {
  return format(core_seconds < 36 ? "%.2g" : "%.3g", core_seconds / 3600.0);
}

std::string hash_text(const SweepPoints& points, Index i) {
  return std::to_string(i) + " (" + points.at(i).name() + ")";
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(std::max(width, text.size()) - text.size(), ' ');
}

struct LargestPoint {
  Index index = 0;
  double bytes = -1; ///< that all its tasks take in memory, by a sample of them
};

/// The point whose training holds most memory; its tasks are of `suite`, if there is one.
LargestPoint largest_point(const SweepPoints& points, const TaskSource* suite) {
  LargestPoint largest;
  for (Index i = 0; i < points.size(); ++i) {
    const Config config = points.config(points.at(i));
    const std::optional<TaskSource> generated =
        suite == nullptr ? std::optional(TaskSource::generator(config)) : std::nullopt;
    const TaskSource& source = generated ? *generated : *suite;
    const TaskUse use = task_use(config, source.is_generator());
    const double bytes = sampled_sum(source, [&](const TaskShape& task) { return held_bytes(task, use); });
    if (bytes > largest.bytes) largest = {i, bytes};
  }
  return largest;
}

} // namespace

Index SweepView::count(PointState state) const {
  return std::count_if(statuses.begin(), statuses.end(),
                       [&](const PointStatus& status) { return status.state == state; });
}

SweepView view_sweep(const SweepPoints& points, const std::filesystem::path& folder) {
  SweepView view;
  std::set<std::string> known;
  for (const SweepPoint& point : points.all()) {
    const std::filesystem::path place = point_folder(folder, point);
    known.insert(point.name());
    view.statuses.push_back(read_status(place));
    view.is_held.push_back(view.statuses.back().state == PointState::running && PointClaim::is_held(place));
  }
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "points", none))
    if (!known.contains(entry.path().filename().string())) view.orphans.push_back(entry.path());
  return view;
}

std::string overview(const SweepPoints& points, const SweepView& view, const std::filesystem::path& folder) {
  const Index done = view.count(PointState::done), failed = view.count(PointState::failed);
  const Index running = std::count(view.is_held.begin(), view.is_held.end(), 1);
  std::string text = std::to_string(points.size()) + " points of " + joined(points.keys()) + " in " +
                     folder.string() + ": " + std::to_string(done) + " done, ";
  if (running > 0) text += std::to_string(running) + " running, ";
  text += std::to_string(failed) + " failed, " + std::to_string(points.size() - done - failed - running) +
          " left";
  const auto fresh = std::count_if(view.statuses.begin(), view.statuses.end(),
                                   [](const PointStatus& status) { return status.place.empty(); });
  if (fresh > 0 && fresh < points.size()) text += " (" + std::to_string(fresh) + " new)";
  text += "\n";
  if (const Index same = points.combinations() - points.size(); same > 0)
    text += "note: " + std::to_string(same) + " more would be the same as others and are left out\n";
  if (!view.orphans.empty())
    text += "note: " + std::to_string(view.orphans.size()) + " points there (as " +
            view.orphans.front().filename().string() +
            ") are of another configuration or version of metasieve: kept, not collected\n";
  return text;
}

std::string list_text(const SweepPoints& points, const SweepView& view) {
  std::vector<std::size_t> widths;
  for (const std::string& key : points.keys()) widths.push_back(key.size());
  for (const SweepPoint& point : points.all()) {
    const std::vector<std::string> values = points.values(point);
    for (std::size_t k = 0; k < values.size(); ++k) widths[k] = std::max(widths[k], values[k].size());
  }
  const auto row = [&](const std::vector<std::string>& values) {
    std::string text;
    for (std::size_t k = 0; k < values.size(); ++k) text += "  " + padded(values[k], widths[k]);
    return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  };
  std::string text = " index  hash              state  " + row(points.keys());
  for (Index i = 0; i < points.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const PointState state = view.statuses[at].state;
    const bool died = state == PointState::running && view.is_held[at] == 0;
    text += format("%6ld  %s  %-7s", static_cast<long>(i), points.at(i).name().c_str(),
                   died ? "died" : std::string(to_string(state)).c_str()) +
            row(points.values(points.at(i)));
  }
  return text;
}

std::string status_text(const SweepPoints& points, const SweepView& view) {
  std::string text;
  double spent = 0, spent_on_done = 0;
  for (Index i = 0; i < points.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const PointStatus& status = view.statuses[at];
    spent += status.core_seconds;
    if (status.state == PointState::done) spent_on_done += status.core_seconds;
    if (status.state == PointState::running)
      text += (view.is_held[at] != 0 ? "running: " : "died, to be begun again: ") + hash_text(points, i) +
              " on " + status.place + "\n";
    if (status.state == PointState::failed)
      text += "failed: " + hash_text(points, i) + ", exit code " + std::to_string(status.code) + ": " +
              status.message + "\n";
  }
  const auto done = static_cast<double>(view.count(PointState::done));
  const auto left = static_cast<double>(view.count(PointState::left) + view.count(PointState::running));
  return text + "core-hours: " + core_hours(spent) + " spent" +
         (done > 0 || left == 0 ? ", about " + core_hours(left * spent_on_done / std::max(done, 1.0)) +
                                      " left, at the pace of the points that are done\n"
                                : "; how many are left shows once a point is done\n");
}

std::string failures_text(const SweepPoints& points, const std::vector<PointStatus>& statuses) {
  std::string named;
  std::size_t failed = 0;
  for (Index i = 0; i < points.size(); ++i) {
    const PointStatus& status = statuses[static_cast<std::size_t>(i)];
    if (status.state != PointState::failed || ++failed > most_named) continue;
    named += (failed == 1 ? "" : "; ") + hash_text(points, i) + ": " + status.message;
  }
  if (failed == 0) return "";
  return std::to_string(failed) + " of " + std::to_string(points.size()) + " points failed: " + named +
         (failed > most_named ? "; ..." : "") + "; remove the cause, then --retry repeats them";
}

std::string plan(const Communicator& comm, const SweepRequest& request) {
  require_writable(comm, {request.output / "sweep.ini"});
  const SweepPoints points(comm, request.config, sweep_inputs(comm, request.config.sweep));
  std::optional<TaskSource> suite;
  if (points.inputs().suite) suite = TaskSource::suite(comm, *points.inputs().suite);
  const std::string bytes = from_root(comm, [&] {
    const SweepView view = view_sweep(points, request.output);
    const auto left = static_cast<double>(points.size() - view.count(PointState::done));
    return ByteWriter()
        .put(left)
        .put(largest_point(points, suite ? &*suite : nullptr))
        .put(overview(points, view, request.output))
        .take();
  });
  ByteReader reader(bytes);
  const auto left = reader.get<double>();
  const auto most = reader.get<LargestPoint>();
  const Index largest = most.index;
  const std::string about = reader.text();

  const PointGroups groups(comm, request.config.sweep.ranks_per_point);
  const std::string remedy =
      "give each point more ranks (sweep.ranks_per_point), or run fewer ranks on each node";
  // Where half of what the sample says is too much, no need to look at each task.
  require_room(comm, {0.5 * most.bytes / groups.mine.size(), 0, 0.5 * most.bytes * groups.count, 0},
               request.output, remedy);
  const auto training = [&](Index point) {
    return TrainRequest{points.config(points.at(point)), point_folder(request.output, points.at(point)),
                        points.inputs().suite};
  };
  Needs needs = training_needs(groups.mine, training(largest));
  needs.rank_bytes = comm.max(needs.rank_bytes);
  needs.own_bytes = comm.max(needs.own_bytes);
  needs.shared_bytes *= groups.count;
  needs.file_bytes = (needs.file_bytes + small_files_bytes) * static_cast<double>(points.size());
  require_room(comm, needs, request.output, remedy);
  const Index typical = points.size() / 2;
  const double seconds = comm.max(training_seconds(groups.mine, training(typical)));
  return "dry run: nothing is written\n  " + about +
         format("  ranks            %d group(s) of %d rank(s) x %d thread(s)\n"
                "  memory per rank  %.0f MB, of point %ld\n"
                "  files            %.1f MB in %s\n"
                "  time             about %s: %.0f points left that train for %s, as point %ld, beside their "
                "evaluation\n",
                groups.count, groups.mine.size(), thread_count(), 1e-6 * needs.rank_bytes,
                static_cast<long>(largest), 1e-6 * needs.file_bytes, request.output.c_str(),
                duration_text(std::ceil(left / groups.count) * seconds).c_str(), left,
                duration_text(seconds).c_str(), static_cast<long>(typical));
}

} // namespace metasieve
