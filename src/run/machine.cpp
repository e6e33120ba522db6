#include "run/machine.hpp"

#include "run/format.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// The number after `name` in a file of "name: value kB" lines, in bytes.
std::optional<double> line_of(const char* file, const std::string& name) {
  std::ifstream stream(file);
  for (std::string word; stream >> word;) {
    double kilobytes = 0;
    if (word == name && stream >> kilobytes) return 1024.0 * kilobytes;
  }
  return std::nullopt;
}

/// Limit less use of the innermost control group that a container or a batch system has put this process
/// into.
double control_group_bytes() {
  double least = std::numeric_limits<double>::infinity();
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::")) continue; // version 2; version 1 is on its way out
    for (fs::path group = "/sys/fs/cgroup" + line.substr(3); group.native().size() > 14;
         group = group.parent_path()) {
      double limit = 0, used = 0;
      if (std::ifstream(group / "memory.max") >> limit && std::ifstream(group / "memory.current") >> used)
        least = std::min(least, limit - used);
    }
  }
  return least;
}

/// `--mem` of a SLURM job, in MB; 0 means all.
double slurm_bytes() {
  const char* const megabytes = std::getenv("SLURM_MEM_PER_NODE");
  const double value = megabytes == nullptr ? 0.0 : std::strtod(megabytes, nullptr);
  return value > 0 ? 1048576.0 * value : std::numeric_limits<double>::infinity();
}

std::string gigabytes(double bytes) { return format(bytes < 1e9 ? "%.3f GB" : "%.1f GB", 1e-9 * bytes); }

/// Bytes free for us where `folder` is, or will be made.
double free_bytes(const fs::path& folder) {
  std::error_code error;
  fs::path there = fs::absolute(folder, error);
  while (there.has_relative_path() && !fs::exists(there, error)) there = there.parent_path();
  struct statvfs disk {};
  if (::statvfs(there.c_str(), &disk) != 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
}

} // namespace

double available_bytes() {
  const double free =
      line_of("/proc/meminfo", "MemAvailable:").value_or(std::numeric_limits<double>::infinity());
  return std::min({free, control_group_bytes(), slurm_bytes()});
}

double peak_bytes() { return line_of("/proc/self/status", "VmHWM:").value_or(0.0); }

void require_room(const Communicator& comm, const Needs& needs, const fs::path& folder,
                  const std::string& remedy) {
  const int ranks = comm.ranks_on_node();
  const double there = available_bytes();
  comm.agree([&] {
    if (needs.rank_bytes * ranks > there)
      throw ConfigError("does not fit: " + std::to_string(ranks) + " rank(s) of " +
                        gigabytes(needs.rank_bytes) + " on node " + host_name() + ", which has " +
                        gigabytes(there) + "; " + remedy);
  });
  comm.agree([&] {
    const double free = comm.is_root() ? free_bytes(folder) : std::numeric_limits<double>::infinity();
    if (needs.file_bytes > free)
      throw DataError("does not fit: files of " + gigabytes(needs.file_bytes) + ", and " +
                      (folder.empty() ? fs::path(".") : folder).string() + " has room for " +
                      gigabytes(free) + "; give another --output");
  });
}

} // namespace metasieve
