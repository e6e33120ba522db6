#include "runtime/machine.hpp"

#include "base/text.hpp"
#include "parallel/for_each.hpp"
#include "runtime/phases.hpp"

#include <malloc.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <sstream>

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

double number_in(const fs::path& file, double otherwise) {
  double value = 0;
  return std::ifstream(file) >> value ? value : otherwise;
}

/// Bytes of files that the group holds in memory only as long as nobody needs it.
double cached_bytes(const fs::path& group) {
  std::ifstream stream(group / "memory.stat");
  double total = 0, value = 0;
  for (std::string name; stream >> name >> value;)
    if (name == "inactive_file" || name == "active_file" || name == "total_inactive_file" ||
        name == "total_active_file")
      total = name.starts_with("total_") ? std::max(total, value) : total + value;
  return total;
}

/// What the control groups that a container or a batch system has put this process into leave it.
double control_group_bytes() {
  constexpr double none = std::numeric_limits<double>::infinity();
  double least = none;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const bool second = line.starts_with("0::"), first = line.find(":memory:") != std::string::npos;
    if (!second && !first) continue;
    const fs::path root = second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    for (fs::path group = root.native() + line.substr(line.rfind(':') + 1);
         group.native().size() >= root.native().size(); group = group.parent_path()) {
      const double limit = number_in(group / (second ? "memory.max" : "memory.limit_in_bytes"), none);
      const double used = number_in(group / (second ? "memory.current" : "memory.usage_in_bytes"), 0.0);
      least = std::min(least, limit - std::max(0.0, used - cached_bytes(group)));
    }
  }
  return least;
}

double variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? 0.0 : std::strtod(text, nullptr);
}

/// `--mem` or `--mem-per-cpu` of a SLURM job, in MB; 0 means all.
double slurm_bytes() {
  const double of_node = variable("SLURM_MEM_PER_NODE");
  const double of_cpus = variable("SLURM_MEM_PER_CPU") * variable("SLURM_CPUS_ON_NODE");
  const double value = of_node > 0 ? of_node : of_cpus;
  return value > 0 ? 1048576.0 * value : std::numeric_limits<double>::infinity();
}

std::string gigabytes(double bytes) { return format(bytes < 1e9 ? "%.3f GB" : "%.1f GB", 1e-9 * bytes); }

/// Bytes free for us where `folder` is, or will be made.
double free_bytes(const fs::path& folder) {
  std::error_code error;
  fs::path there = fs::absolute(folder.empty() ? fs::path(".") : folder, error);
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

double resident_bytes() { return line_of("/proc/self/status", "VmRSS:").value_or(0.0); }

void give_back_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void require_room(const Communicator& comm, const Needs& needs, const fs::path& folder,
                  const std::string& remedy) {
  const int ranks = comm.ranks_on_node();
  const double there = available_bytes();
  comm.agree([&] {
    const double needed = std::min(needs.rank_bytes * ranks, needs.own_bytes * ranks + needs.shared_bytes);
    if (needed > there)
      throw ConfigError("does not fit: " + std::to_string(ranks) + " rank(s) take " + gigabytes(needed) +
                        " on node " + host_name() + ", which has " + gigabytes(there) + "; " + remedy);
  });
  comm.agree([&] {
    const double free = comm.is_root() ? free_bytes(folder) : std::numeric_limits<double>::infinity();
    if (needs.file_bytes > free)
      throw DataError("does not fit: files of " + gigabytes(needs.file_bytes) + ", and " +
                      (folder.empty() ? fs::path(".") : folder).string() + " has room for " +
                      gigabytes(free) + "; give another --output");
  });
}

namespace {

constexpr std::size_t most_named = 16;

struct Node {
  std::string host;
  std::set<int> cores;
  std::size_t ranks = 0;
};

} // namespace

Placement placement(const Communicator& comm, int ranks, int threads) {
  std::string mine = host_name();
  for (const int core : usable_cores()) mine += " " + std::to_string(core);
  if (comm.rank() >= ranks) mine.clear();
  std::istringstream lines(comm.gather(mine.empty() ? mine : mine + "\n"));

  std::vector<Node> nodes;
  Placement out;
  const auto wanted = static_cast<std::size_t>(threads);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string host;
    words >> host;
    auto node = std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) { return n.host == host; });
    if (node == nodes.end()) node = nodes.insert(node, {host, {}, 0});
    ++node->ranks;
    std::size_t own = 0;
    for (int core = 0; words >> core; ++own) node->cores.insert(core);
    out.oversubscribed = out.oversubscribed || wanted > own; // bound to fewer cores than it has threads
  }
  for (const Node& node : nodes) {
    out.hosts.push_back(node.host);
    out.cores.push_back(static_cast<int>(node.cores.size()));
    out.oversubscribed = out.oversubscribed || node.ranks * wanted > node.cores.size();
  }
  return out;
}

std::string processor_model() {
  std::ifstream processors("/proc/cpuinfo");
  for (std::string line; std::getline(processors, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "unknown processor";
}

std::string names_of(const std::vector<std::string>& hosts) {
  std::string text;
  for (std::size_t i = 0; i < std::min(hosts.size(), most_named); ++i)
    text += (i == 0 ? "" : ", ") + hosts[i];
  const std::size_t left = hosts.size() - std::min(hosts.size(), most_named);
  return left == 0 ? text : text + ", + " + std::to_string(left) + " more";
}

JobMetadata job_metadata(const Communicator& comm, double begin) {
  const Placement where = placement(comm, comm.size(), thread_count());
  return {comm.size(),
          thread_count(),
          std::ssize(where.hosts),
          names_of(where.hosts),
          comm.broadcast(processor_model()),
          METASIEVE_FLAGS,
          comm.max(wall_seconds() - begin)};
}

} // namespace metasieve
