#include "runtime/phases.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace metasieve {
namespace {

double sum(const std::vector<double>& seconds) {
  return std::accumulate(seconds.begin(), seconds.end(), 0.0);
}

struct RankSpread {
  double least, mean, most, imbalance;
};

RankSpread spread(const std::vector<double>& seconds) {
  const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
  const double mean = sum(seconds) / static_cast<double>(seconds.size());
  return {*least, mean, *most, mean > 0 ? *most / mean : 1.0};
}

} // namespace

std::string to_string(Phase phase) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(Phase::first_method)> names{
      "read",   "tasks",  "make",   "features", "policy",     "inner",    "idle",
      "wait",   "reduce", "update", "validate", "checkpoint", "frontier", "response",
      "gather", "tables", "score",  "write",    "rest"};
  const int method = static_cast<int>(phase) - static_cast<int>(Phase::first_method);
  return std::string(method < 0 ? names[static_cast<std::size_t>(phase)]
                                : to_string(static_cast<Method>(method)));
}

PhaseClock::PhaseClock(const std::vector<Phase>& phases) {
  for (const Phase phase : phases) entries_.push_back({phase});
}

void PhaseClock::add(Phase phase, double seconds) {
  const std::lock_guard lock(guard_);
  entries_.at(place_of(phase)).seconds += seconds;
}

void PhaseClock::count(Phase phase, std::int64_t flops) {
  const std::lock_guard lock(guard_);
  entries_.at(place_of(phase)).flops += flops;
}

double PhaseClock::seconds(Phase phase) const {
  const std::lock_guard lock(guard_);
  return entries_.at(place_of(phase)).seconds;
}

/// Number of phases if it is none of them.
std::size_t PhaseClock::place_of(Phase phase) const {
  const auto is_it = [&](const Entry& entry) { return entry.phase == phase; };
  return static_cast<std::size_t>(std::find_if(entries_.begin(), entries_.end(), is_it) - entries_.begin());
}

std::vector<PhaseSeconds> PhaseClock::all_ranks(const Communicator& comm) const {
  std::vector<PhaseSeconds> timing;
  for (const Entry& entry : entries_)
    timing.push_back(
        {to_string(entry.phase), comm.gather(std::vector<double>{entry.seconds}), comm.sum(entry.flops)});
  return timing;
}

Profile PhaseClock::profile(const Communicator& comm, double seconds, int threads) const {
  Profile profile{all_ranks(comm), comm.gather(std::vector<double>{seconds}), threads};
  std::vector<double> rest = profile.seconds;
  for (const PhaseSeconds& phase : profile.phases)
    for (std::size_t rank = 0; rank < rest.size(); ++rank)
      rest[rank] = std::max(rest[rank] - phase.seconds[rank], 0.0);
  profile.phases.push_back({to_string(Phase::rest), std::move(rest), 0});
  return profile;
}

std::string timing_table(const std::vector<PhaseSeconds>& timing) {
  std::string text = "  phase         min s    mean s     max s   max/mean\n";
  for (const PhaseSeconds& row : timing) {
    const auto [least, mean, most, imbalance] = spread(row.seconds);
    text += format("  %-10s %8.2f  %8.2f  %8.2f   %8.2f\n", row.phase.c_str(), least, mean, most, imbalance);
  }
  return text;
}

std::string profile_table(const Profile& profile) {
  const double whole = sum(profile.seconds);
  std::string text =
      format("profile of %zu rank(s) x %d thread(s)\n", profile.seconds.size(), profile.threads) +
      "  phase                 min s    mean s     max s  max/mean   share        GFLOP  GFLOP/s a core\n";
  const auto add = [&](const std::string& name, const std::vector<double>& seconds, std::int64_t flops) {
    const auto [least, mean, most, imbalance] = spread(seconds);
    const double all = sum(seconds), giga = 1e-9 * static_cast<double>(flops);
    text += format("  %-17s %9.3f %9.3f %9.3f  %8.2f %6.1f%%", name.c_str(), least, mean, most, imbalance,
                   whole > 0 ? 100.0 * all / whole : 0.0);
    if (flops > 0) text += format("  %11.6g  %14.3g", giga, all > 0 ? giga / (all * profile.threads) : 0.0);
    text += "\n";
  };
  for (const PhaseSeconds& phase : profile.phases) add(phase.phase, phase.seconds, phase.flops);
  add("all", profile.seconds, 0);
  return text;
}

} // namespace metasieve
