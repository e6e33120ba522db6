#include "studies/sweep_report.hpp"

#include "base/text.hpp"
#include "runtime/folder_lock.hpp"
#include "studies/sweep_run.hpp"

#include <algorithm>
#include <set>

namespace metasieve {
namespace {

constexpr std::size_t most_named = 5;

std::string core_hours(double core_seconds) {
  return format(core_seconds < 36 ? "%.2g" : "%.3g", core_seconds / 3600.0);
}

std::string hash_text(const SweepPoints& points, Index i) {
  return std::to_string(i) + " (" + points.at(i).name() + ")";
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(std::max(width, text.size()) - text.size(), ' ');
}

} // namespace

Index SweepView::count(PointState state) const {
  return std::count_if(statuses.begin(), statuses.end(),
                       [&](const PointStatus& status) { return status.state == state; });
}

double SweepView::slowness() const {
  double measured = 0, expected = 0;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].state != PointState::done) continue;
    measured += statuses[i].core_seconds;
    expected += predicted[i];
  }
  return expected > 0 && measured > 0 ? measured / expected : 1.0;
}

SweepView view_sweep(const SweepPoints& points, const std::filesystem::path& folder, SweepCosts& costs,
                     const Speed& speed) {
  SweepView view;
  std::set<std::string> known;
  for (Index i = 0; i < points.size(); ++i) {
    const SweepPoint& point = points.at(i);
    const std::filesystem::path place = point_folder(folder, point);
    known.insert(point.name());
    view.predicted.push_back(costs.of(points.config(point)).seconds(speed));
    view.statuses.push_back(read_status(place));
    view.is_held.push_back(view.statuses.back().state == PointState::running && FolderLock::is_held(place));
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
  std::string text = " index  hash               core-s  state  " + row(points.keys());
  double total = 0;
  for (Index i = 0; i < points.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    total += view.predicted[at];
    const bool died = view.statuses[at].state == PointState::running && view.is_held[at] == 0;
    text +=
        format("%6ld  %s  %7.3g  %-7s", static_cast<long>(i), points.at(i).name().c_str(), view.predicted[at],
               died ? "died" : std::string(to_string(view.statuses[at].state)).c_str()) +
        row(points.values(points.at(i)));
  }
  return text + "predicted: " + core_hours(total) + " core-hours in all\n";
}

std::string status_text(const SweepPoints& points, const SweepView& view) {
  std::string text;
  double spent = 0, left = 0;
  for (Index i = 0; i < points.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const PointStatus& status = view.statuses[at];
    spent += status.core_seconds;
    if (status.state == PointState::left || status.state == PointState::running) left += view.predicted[at];
    if (status.state == PointState::running)
      text += (view.is_held[at] != 0 ? "running: " : "died, to be begun again: ") + hash_text(points, i) +
              " on " + status.place + "\n";
    if (status.state == PointState::failed)
      text += "failed: " + hash_text(points, i) + ", exit code " + std::to_string(status.code) + ": " +
              status.message + "\n";
  }
  return text + "core-hours: " + core_hours(spent) + " spent, about " + core_hours(left * view.slowness()) +
         format(" left (points take %.2f times what is predicted)\n", view.slowness());
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
         (failed > most_named ? "; ..." : "") + "; mend the cause, and --retry makes them anew";
}

} // namespace metasieve
