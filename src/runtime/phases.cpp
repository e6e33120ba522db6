#include "runtime/phases.hpp"

#include "base/text.hpp"
#include "parallel/for_each.hpp"

#include <algorithm>
#include <numeric>

namespace metasieve {
namespace {

double sum(const std::vector<double>& seconds) {
  return std::accumulate(seconds.begin(), seconds.end(), 0.0);
}

struct Spread {
  double least, mean, most;

  explicit Spread(const std::vector<double>& seconds)
      : least(*std::min_element(seconds.begin(), seconds.end())),
        mean(sum(seconds) / static_cast<double>(seconds.size())),
        most(*std::max_element(seconds.begin(), seconds.end())) {}
  [[nodiscard]] double imbalance() const { return mean > 0 ? most / mean : 1.0; }
};

} // namespace

PhaseClock::PhaseClock(std::vector<std::string> phases)
    : phases_(std::move(phases)), seconds_(phases_.size(), 0.0), flops_(phases_.size()) {}

void PhaseClock::add(const std::string& phase, double seconds) {
  const std::lock_guard lock(guard_);
  seconds_[place_of(phase)] += seconds;
}

void PhaseClock::count(const std::string& phase, Flops flops) {
  const std::lock_guard lock(guard_);
  Flops& sum = flops_[place_of(phase)];
  sum.count += flops.count;
  sum.estimated = sum.estimated || flops.estimated;
}

double PhaseClock::seconds(const std::string& phase) const {
  const std::lock_guard lock(guard_);
  return seconds_[place_of(phase)];
}

std::size_t PhaseClock::place_of(const std::string& phase) const {
  const auto found = std::find(phases_.begin(), phases_.end(), phase);
  static_cast<void>(phases_.at(static_cast<std::size_t>(found - phases_.begin())));
  return static_cast<std::size_t>(found - phases_.begin());
}

std::vector<PhaseSeconds> PhaseClock::all_ranks(const Communicator& comm) const {
  const std::vector<double> all = comm.gather(seconds_); // [ranks][phases]
  std::vector<PhaseSeconds> timing;
  for (std::size_t p = 0; p < phases_.size(); ++p) {
    PhaseSeconds& row = timing.emplace_back(PhaseSeconds{phases_[p], {}});
    for (std::size_t at = p; at < all.size(); at += phases_.size()) row.seconds.push_back(all[at]);
  }
  return timing;
}

Profile PhaseClock::profile(const Communicator& comm, double seconds, int threads) const {
  Profile profile{{}, comm.gather(std::vector<double>{seconds}), threads};
  PhaseProfile rest{"rest", profile.seconds, {}};
  for (PhaseSeconds& phase : all_ranks(comm)) {
    const Flops& mine = flops_[place_of(phase.phase)];
    const Flops all{comm.sum(mine.count), comm.max(std::int64_t{mine.estimated}) > 0};
    std::transform(rest.seconds.begin(), rest.seconds.end(), phase.seconds.begin(), rest.seconds.begin(),
                   [](double left, double of_phase) { return std::max(left - of_phase, 0.0); });
    profile.phases.push_back({std::move(phase.phase), std::move(phase.seconds), all});
  }
  profile.phases.push_back(std::move(rest));
  return profile;
}

std::vector<PhaseFlops> counted(const Profile& profile) {
  std::vector<PhaseFlops> flops;
  for (const PhaseProfile& phase : profile.phases)
    if (phase.flops.count > 0)
      flops.push_back({phase.phase, phase.flops.count, static_cast<std::uint8_t>(phase.flops.estimated)});
  return flops;
}

std::string timing_table(const std::vector<PhaseSeconds>& timing) {
  std::string text = "  phase         min s    mean s     max s   max/mean\n";
  for (const PhaseSeconds& row : timing) {
    const Spread spread(row.seconds);
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
  bool estimates = false;
  const auto add = [&](const std::string& name, const std::vector<double>& seconds, const Flops& flops) {
    const Spread spread(seconds);
    text += format("  %-17s %9.3f %9.3f %9.3f  %8.2f %6.1f%%", name.c_str(), spread.least, spread.mean,
                   spread.most, spread.imbalance(), whole > 0 ? 100.0 * sum(seconds) / whole : 0.0);
    if (flops.count > 0) {
      const double giga = 1e-9 * static_cast<double>(flops.count);
      const char* const mark = flops.estimated ? "~" : " ";
      estimates = estimates || flops.estimated;
      text += format(" %s%11.6g %s%14.3g", mark, giga, mark,
                     sum(seconds) > 0 ? giga / (sum(seconds) * profile.threads) : 0.0);
    }
    text += "\n";
  };
  for (const PhaseProfile& phase : profile.phases) add(phase.phase, phase.seconds, phase.flops);
  add("all", profile.seconds, {});
  return text + (estimates
                     ? "  ~ estimated by formulas; the others counted from shapes, a multiply-add as two\n"
                     : "");
}

void print_profile(const Communicator& comm, const PhaseClock& clock, double begin) {
  const Profile profile = clock.profile(comm, wall_seconds() - begin, thread_count());
  if (comm.is_root()) std::fputs(profile_table(profile).c_str(), stdout);
}

} // namespace metasieve
