#include "run/phase_clock.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

namespace metasieve {

PhaseClock::Scope PhaseClock::measure(const std::string& phase) { return Scope(seconds_of(phase)); }

void PhaseClock::add(const std::string& phase, double seconds) { seconds_of(phase) += seconds; }

double& PhaseClock::seconds_of(const std::string& phase) {
  const auto found = std::find(phases_.begin(), phases_.end(), phase);
  return seconds_.at(static_cast<std::size_t>(found - phases_.begin()));
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

std::string timing_table(const std::vector<PhaseSeconds>& timing) {
  std::string text = "  phase         min s    mean s     max s   max/mean\n";
  for (const PhaseSeconds& row : timing) {
    const auto [low, high] = std::minmax_element(row.seconds.begin(), row.seconds.end());
    const double mean = std::accumulate(row.seconds.begin(), row.seconds.end(), 0.0) /
                        static_cast<double>(row.seconds.size());
    std::array<char, 128> line{};
    std::snprintf(line.data(), line.size(), "  %-10s %8.2f  %8.2f  %8.2f   %8.2f\n", row.phase.c_str(), *low,
                  mean, *high, mean > 0 ? *high / mean : 1.0);
    text += line.data();
  }
  return text;
}

} // namespace metasieve
