#pragma once

#include "base/stopwatch.hpp"
#include "hdf5/file_header.hpp"
#include "parallel/communicator.hpp"

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace metasieve {

/// Energy of this node since construction, from counters below `root`: Cray's pm_counters, which count the
/// whole node, else RAPL, which counts its processor packages. Unknown where there are none, where one of
/// them cannot be read, and where a counter of RAPL may have wrapped round more than once between two
/// readings; a thread of its own reads it often enough to see each wrap.
class NodeEnergy {
public:
  explicit NodeEnergy(const std::filesystem::path& root = "/sys");

  [[nodiscard]] Energy used();

private:
  struct Counter {
    std::filesystem::path file;
    std::uint64_t last = 0;  ///< the latest reading
    std::uint64_t range = 0; ///< its largest value, after which it is 0 again; 0: it never wraps
  };

  void find_packages(const std::filesystem::path& folder);
  void watch();
  void read(); ///< `guard_` is held

  std::string source_ = "unknown";
  std::vector<Counter> counters_; ///< none: unknown
  double joules_per_unit_ = 1;
  double longest_gap_;      ///< seconds between two readings in which no counter wraps twice
  std::uint64_t units_ = 0; ///< counted so far
  double last_read_ = wall_seconds();
  std::mutex guard_; ///< of all above
  std::condition_variable_any wake_;
  std::jthread watcher_; ///< ends before the rest
};

/// Energy of all nodes of a communicator since construction: one rank of each node reads its counters.
class EnergyMeter {
public:
  /// Collective. `comm` must outlive this.
  explicit EnergyMeter(const Communicator& comm, const std::filesystem::path& root = "/sys");

  /// Collective: the same on every rank; unknown unless it is known of every node, by counters of one kind.
  [[nodiscard]] Energy used();

private:
  const Communicator& comm_;
  std::unique_ptr<NodeEnergy> node_; ///< on the rank that reads
};

} // namespace metasieve
