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
  double least, mean, most;

  explicit RankSpread(const std::vector<double>& seconds)
      : least(*std::min_element(seconds.begin(), seconds.end())),
        mean(sum(seconds) / static_cast<double>(seconds.size())),
        most(*std::max_element(seconds.begin(), seconds.end())) {}
  [[nodiscard]] double imbalance() const { return mean > 0 ? most / mean : 1.0; }
};

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

PhaseClock::PhaseClock(std::vector<Phase> phases)
    : phases_(std::move(phases)), seconds_(phases_.size(), 0.0), flops_(phases_.size(), 0) {}

void PhaseClock::add(Phase phase, double seconds) {
  const std::lock_guard lock(guard_);
  seconds_[place_of(phase)] += seconds;
}

void PhaseClock::count(Phase phase, std::int64_t flops) {
  const std::lock_guard lock(guard_);
  flops_[place_of(phase)] += flops;
}

double PhaseClock::seconds(Phase phase) const {
  const std::lock_guard lock(guard_);
  return seconds_[place_of(phase)];
}

std::size_t PhaseClock::place_of(Phase phase) const {
  const auto found = std::find(phases_.begin(), phases_.end(), phase);
  static_cast<void>(phases_.at(static_cast<std::size_t>(found - phases_.begin())));
  return static_cast<std::size_t>(found - phases_.begin());
}

std::vector<PhaseSeconds> PhaseClock::all_ranks(const Communicator& comm) const {
  const std::vector<double> all = comm.gather(seconds_); // [ranks][phases]
  std::vector<PhaseSeconds> timing;
  for (std::size_t p = 0; p < phases_.size(); ++p) {
    PhaseSeconds& row = timing.emplace_back(PhaseSeconds{to_string(phases_[p]), {}});
    for (std::size_t at = p; at < all.size(); at += phases_.size()) row.seconds.push_back(all[at]);
  }
  return timing;
}

Profile PhaseClock::profile(const Communicator& comm, double seconds, int threads) const {
  Profile profile{{}, comm.gather(std::vector<double>{seconds}), threads};
  PhaseProfile rest{Phase::rest, profile.seconds};
  std::vector<PhaseSeconds> timing = all_ranks(comm);
  for (std::size_t p = 0; p < phases_.size(); ++p) {
    std::vector<double>& taken = timing[p].seconds;
    for (std::size_t rank = 0; rank < taken.size(); ++rank)
      rest.seconds[rank] = std::max(rest.seconds[rank] - taken[rank], 0.0);
    profile.phases.push_back({phases_[p], std::move(taken), comm.sum(flops_[p])});
  }
  profile.phases.push_back(std::move(rest));
  return profile;
}

std::vector<PhaseFlops> counted(const Profile& profile) {
  std::vector<PhaseFlops> flops;
  for (const PhaseProfile& phase : profile.phases)
    if (phase.flops > 0) flops.push_back({to_string(phase.phase), phase.flops, 0});
  return flops;
}

std::string timing_table(const std::vector<PhaseSeconds>& timing) {
  std::string text = "  phase         min s    mean s     max s   max/mean\n";
  for (const PhaseSeconds& row : timing) {
    const RankSpread spread(row.seconds);
    text += format("  %-10s %8.2f  %8.2f  %8.2f   %8.2f\n", row.phase.c_str(), spread.least, spread.mean,
                   spread.most, spread.imbalance());
  }
  return text;
}

std::string profile_table(const Profile& profile) {
  const double whole = sum(profile.seconds);
  std::string text =
      format("profile of %zu rank(s) x %d thread(s)\n", profile.seconds.size(), profile.threads);
  text +=
      "  phase                 min s    mean s     max s  max/mean   share        GFLOP  GFLOP/s a core\n";
  const auto add = [&](const std::string& name, const std::vector<double>& seconds, std::int64_t flops) {
    const RankSpread spread(seconds);
    text += format("  %-17s %9.3f %9.3f %9.3f  %8.2f %6.1f%%", name.c_str(), spread.least, spread.mean,
                   spread.most, spread.imbalance(), whole > 0 ? 100.0 * sum(seconds) / whole : 0.0);
    if (flops > 0) {
      const double giga = 1e-9 * static_cast<double>(flops);
      text +=
          format("  %11.6g  %14.3g", giga, sum(seconds) > 0 ? giga / (sum(seconds) * profile.threads) : 0.0);
    }
    text += "\n";
  };
  for (const PhaseProfile& phase : profile.phases) add(to_string(phase.phase), phase.seconds, phase.flops);
  add("all", profile.seconds, 0);
  return text;
}

} // namespace metasieve
