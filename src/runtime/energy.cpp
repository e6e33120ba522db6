#include "runtime/energy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double most_watts = 1000; // of a processor package
constexpr auto between_readings = std::chrono::seconds(20);
constexpr std::array<std::string_view, 3> sources{"unknown", "pm_counters", "rapl"};

/// The number that a file begins with. Allocates nothing.
std::optional<std::uint64_t> number_in(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::array<char, 64> text{};
  const ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  std::uint64_t number = 0;
  const bool is_number =
      size > 0 && std::from_chars(text.data(), text.data() + size, number).ec == std::errc{};
  return is_number ? std::optional(number) : std::nullopt;
}

/// "intel-rapl:0", but not its parts "intel-rapl:0:1"; processors of AMD have the same name. A zone that is
/// no package, such as "psys", counts what packages count too.
bool is_package(const fs::path& zone) {
  constexpr std::string_view prefix = "intel-rapl:";
  const std::string name = zone.filename().string();
  if (!name.starts_with(prefix) || name.find(':', prefix.size()) != std::string::npos) return false;
  std::string kind;
  std::ifstream(zone / "name") >> kind;
  return kind.starts_with("package");
}

} // namespace

NodeEnergy::NodeEnergy(const fs::path& root) : longest_gap_(std::numeric_limits<double>::infinity()) {
  const fs::path cray = root / "cray/pm_counters/energy";
  if (const auto joules = number_in(cray)) {
    source_ = "pm_counters";
    counters_.push_back({cray, *joules});
  } else
    find_packages(root / "class/powercap");
  if (std::isfinite(longest_gap_)) watch();
}

void NodeEnergy::find_packages(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator zone(folder, error), end; !error && zone != end; zone.increment(error)) {
    if (!is_package(zone->path())) continue;
    const auto now = number_in(zone->path() / "energy_uj"),
               range = number_in(zone->path() / "max_energy_range_uj");
    if (!now || range.value_or(0) == 0) return counters_.clear(); // readable for root alone on many machines
    counters_.push_back({zone->path() / "energy_uj", *now, *range});
    longest_gap_ = std::min(longest_gap_, 1e-6 * static_cast<double>(*range) / most_watts);
  }
  if (counters_.empty()) return;
  source_ = "rapl";
  joules_per_unit_ = 1e-6;
}

/// Counters of RAPL wrap round within minutes.
void NodeEnergy::watch() {
  if (counters_.empty()) return;
  try {
    watcher_ = std::jthread([this](const std::stop_token& stop) {
      std::unique_lock lock(guard_);
      while (!stop.stop_requested()) {
        wake_.wait_for(lock, stop, between_readings, [] { return false; });
        read();
      }
    });
  } catch (const std::system_error&) { // the system allows no more threads
    counters_.clear();
  }
}

void NodeEnergy::read() {
  const double now = wall_seconds();
  bool is_known = now - last_read_ <= longest_gap_;
  for (Counter& counter : counters_) {
    const auto value = number_in(counter.file);
    const bool wraps = value && *value < counter.last;
    is_known = is_known && value && (!wraps || (counter.range > 0 && counter.last <= counter.range));
    if (!is_known) break;
    units_ += wraps ? *value + (counter.range - counter.last) : *value - counter.last;
    counter.last = *value;
  }
  last_read_ = now;
  if (!is_known) counters_.clear();
}

Energy NodeEnergy::used() {
  const std::lock_guard lock(guard_);
  read();
  if (counters_.empty()) return {};
  return {joules_per_unit_ * static_cast<double>(units_), source_};
}

EnergyMeter::EnergyMeter(const Communicator& comm, const fs::path& root) : comm_(comm) {
  if (comm.on_node().is_root()) node_ = std::make_unique<NodeEnergy>(root);
}

Energy EnergyMeter::used() {
  const Energy mine = node_ ? node_->used() : Energy{};
  const auto kind = std::find(sources.begin(), sources.end(), mine.source) - sources.begin();
  const std::int64_t greatest = comm_.max(node_ ? kind : std::int64_t{0}),
                     least = -comm_.max(node_ ? -kind : -std::ssize(sources));
  if (least != greatest || greatest == 0) return {};
  const std::int64_t millijoules = comm_.sum(node_ ? std::llround(1e3 * mine.joules) : 0LL);
  return {1e-3 * static_cast<double>(millijoules), std::string(sources[static_cast<std::size_t>(greatest)])};
}

} // namespace metasieve
