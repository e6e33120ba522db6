#include "run/scaling_table.hpp"

#include "run/format.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace metasieve {
namespace {

/// The repeats at one point.
struct Measured {
  std::vector<const ScalingRow*> repeats;

  [[nodiscard]] const ScalingRow& first() const { return *repeats.front(); }
  [[nodiscard]] double cores() const { return static_cast<double>(first().ranks * first().threads); }
  /// Ascending.
  [[nodiscard]] std::vector<double> values(const std::function<double(const ScalingRow&)>& of) const {
    std::vector<double> all;
    for (const ScalingRow* row : repeats) all.push_back(of(*row));
    std::sort(all.begin(), all.end());
    return all;
  }
  [[nodiscard]] double median(const std::function<double(const ScalingRow&)>& of) const {
    const std::vector<double> all = values(of);
    return 0.5 * (all[(all.size() - 1) / 2] + all[all.size() / 2]);
  }
  /// Predicted work per second.
  [[nodiscard]] double rate() const {
    return median([](const ScalingRow& row) { return row.work / row.seconds_per_iteration; });
  }
};

/// Of one kind, by cores.
std::vector<Measured> points_of_kind(const Scaling& study, const std::string& kind) {
  std::vector<Measured> points;
  for (const ScalingRow& row : study.points) {
    if (row.kind != kind) continue;
    auto point = std::find_if(points.begin(), points.end(), [&](const Measured& known) {
      return known.first().ranks == row.ranks && known.first().threads == row.threads;
    });
    if (point == points.end()) point = points.insert(point, Measured{});
    point->repeats.push_back(&row);
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const Measured& a, const Measured& b) { return a.cores() < b.cores(); });
  return points;
}

std::string line_of(const Measured& point, const Measured& base) {
  const std::vector<double> seconds =
      point.values([](const ScalingRow& row) { return row.seconds_per_iteration; });
  const double speedup = point.rate() / base.rate();
  const ScalingRow& row = point.first();
  return format("  %5lld  %7lld  %5lld  %11.5f  %9.5f .. %-9.5f  %8.2f  %8.0f %%  %9.3f  %8.1f %%%s\n",
                static_cast<long long>(row.ranks), static_cast<long long>(row.threads),
                static_cast<long long>(row.nodes),
                point.median([](const ScalingRow& r) { return r.seconds_per_iteration; }), seconds.front(),
                seconds.back(), speedup, 100.0 * speedup * base.cores() / point.cores(),
                point.median([](const ScalingRow& r) { return r.imbalance; }),
                100.0 * point.median([](const ScalingRow& r) { return r.allreduce_share; }),
                row.oversubscribed != 0 ? "  oversubscribed" : "");
}

/// What the most cores that were not oversubscribed came to, and what cost most there.
std::string sentence(const std::string& kind, const std::vector<Measured>& points) {
  const Measured& base = points.front();
  const auto last = std::find_if(points.rbegin(), points.rend(),
                                 [](const Measured& point) { return point.first().oversubscribed == 0; });
  if (last == points.rend() || last->cores() == base.cores())
    return kind +
           ": more cores than those of the first point, not oversubscribed, would show how it scales\n";
  const double speedup = last->rate() / base.rate();
  const double lost = last->median([](const ScalingRow& row) { return 1.0 - 1.0 / row.imbalance; });
  const double reduced = last->median([](const ScalingRow& row) { return row.allreduce_share; });
  return format("%s: %.0f cores do %.2f times the work of %.0f (efficiency %.0f %%); cores wait for slower "
                "ones %.0f %% of the time, and the allreduce takes %.1f %%\n",
                kind.c_str(), last->cores(), speedup, base.cores(),
                100.0 * speedup * base.cores() / last->cores(), 100.0 * lost, 100.0 * reduced);
}

constexpr const char* heading = "  ranks  threads  nodes  s/iteration    least .. most        speed-up  "
                                "efficiency  imbalance  allreduce\n";

} // namespace

std::string scaling_table(const Scaling& study) {
  std::string text, sentences;
  for (const std::string kind : {"strong", "weak"}) {
    const std::vector<Measured> points = points_of_kind(study, kind);
    if (points.empty()) continue;
    text += format("%s scaling, median of up to %zu repeat(s)\n", kind.c_str(),
                   std::max_element(points.begin(), points.end(),
                                    [](const Measured& a, const Measured& b) {
                                      return a.repeats.size() < b.repeats.size();
                                    })
                       ->repeats.size()) +
            heading;
    for (const Measured& point : points) text += line_of(point, points.front());
    sentences += sentence(kind, points);
  }
  return text + sentences;
}

} // namespace metasieve
