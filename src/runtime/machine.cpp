#include "runtime/machine.hpp"

#include "base/for_each.hpp"
#include "base/stopwatch.hpp"
#include "base/text.hpp"
#include "hdf5/handles.hpp"
#include "runtime/output_checks.hpp"

#include <malloc.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <set>
#include <sstream>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double unlimited = std::numeric_limits<double>::infinity();
constexpr std::size_t most_named = 16;

/// The number after `name` in a file of words, or `otherwise`.
double number_after(const fs::path& file, const std::string& name, double otherwise) {
  std::ifstream stream(file);
  double value = 0;
  for (std::string word; stream >> word;)
    if (word == name && stream >> value) return value;
  return otherwise;
}

double number_in(const fs::path& file, double otherwise) {
  double value = 0;
  return std::ifstream(file) >> value ? value : otherwise;
}

/// Bytes left by the control groups that a container or a batch system has put this process into. Files that
/// a group only caches are not counted as used.
double control_group_bytes() {
  double least = unlimited;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const bool second = line.starts_with("0::"); // version 2, else 1
    if (!second && line.find(":memory:") == std::string::npos) continue;
    const std::string root = second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const std::string kind = second ? "" : "total_";
    for (fs::path group = root + line.substr(line.rfind(':') + 1); group.native().size() >= root.size();
         group = group.parent_path()) {
      const double limit = number_in(group / (second ? "memory.max" : "memory.limit_in_bytes"), unlimited);
      const double used = number_in(group / (second ? "memory.current" : "memory.usage_in_bytes"), 0.0);
      const double cached = number_after(group / "memory.stat", kind + "inactive_file", 0.0) +
                            number_after(group / "memory.stat", kind + "active_file", 0.0);
      least = std::min(least, limit - std::max(0.0, used - cached));
    }
  }
  return least;
}

std::string variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? "" : text;
}

double number(const char* name) { return std::strtod(variable(name).c_str(), nullptr); }

/// `--mem` or `--mem-per-cpu` of a SLURM job, in MB; 0 means all.
double slurm_bytes() {
  const double of_node = number("SLURM_MEM_PER_NODE");
  const double of_cpus = number("SLURM_MEM_PER_CPU") * number("SLURM_CPUS_ON_NODE");
  const double value = of_node > 0 ? of_node : of_cpus;
  return value > 0 ? 1048576.0 * value : unlimited;
}

} // namespace

std::string slurm_job() { return variable("SLURM_JOB_ID"); }

std::string slurm_task() {
  const std::string array = variable("SLURM_ARRAY_JOB_ID"), task = variable("SLURM_ARRAY_TASK_ID");
  return array.empty() || task.empty() ? slurm_job() : array + "_" + task;
}

std::string gigabytes(double bytes) { return format(bytes < 1e9 ? "%.3f GB" : "%.1f GB", 1e-9 * bytes); }

double free_bytes(const fs::path& folder) {
  struct statvfs disk {};
  if (::statvfs(existing_folder(folder / "file").c_str(), &disk) != 0) return unlimited;
  return static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
}

std::string first_line_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 256> line{};
  if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return {};
  return std::string(trimmed(line.data()));
}

double available_bytes() {
  const double free = 1024.0 * number_after("/proc/meminfo", "MemAvailable:", unlimited);
  return std::min({free, control_group_bytes(), slurm_bytes()});
}

double peak_bytes() { return 1024.0 * number_after("/proc/self/status", "VmHWM:", 0.0); }

double resident_bytes() { return 1024.0 * number_after("/proc/self/status", "VmRSS:", 0.0); }

void give_back_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void require_room(const Communicator& comm, const Needs& needs, const fs::path& folder,
                  const std::string& remedy) {
  const int ranks = comm.ranks_on_node();
  const double there = available_bytes();
  comm.run_collectively([&] {
    const double needed = std::min(needs.rank_bytes * ranks, needs.own_bytes * ranks + needs.shared_bytes);
    if (needed > there)
      throw ConfigError("does not fit: " + std::to_string(ranks) + " rank(s) take " + gigabytes(needed) +
                        " on node " + host_name() + ", which has " + gigabytes(there) + "; " + remedy);
  });
  comm.run_collectively([&] {
    const double free = comm.is_root() ? free_bytes(folder) : unlimited;
    if (needs.file_bytes > free)
      throw DataError("does not fit: files of " + gigabytes(needs.file_bytes) + ", and " +
                      (folder.empty() ? fs::path(".") : folder).string() + " has room for " +
                      gigabytes(free) + "; give another --output");
  });
}

Placement placement(const Communicator& comm, int ranks, int threads) {
  struct Node {
    std::set<int> cores;
    std::size_t threads = 0;
  };
  std::string mine = host_name();
  for (const int core : usable_cores()) mine += " " + std::to_string(core);
  std::istringstream lines(comm.gather(comm.rank() < ranks ? mine + "\n" : ""));

  Placement out;
  std::vector<Node> nodes;
  for (std::string line; std::getline(lines, line);) { // of a rank
    std::istringstream words(line);
    std::string host;
    words >> host;
    const auto at = std::find(out.hosts.begin(), out.hosts.end(), host) - out.hosts.begin();
    if (at == std::ssize(out.hosts)) out.hosts.push_back(host), nodes.emplace_back();
    Node& node = nodes[static_cast<std::size_t>(at)];
    node.threads += static_cast<std::size_t>(threads);
    int own = 0;
    for (int core = 0; words >> core; ++own) node.cores.insert(core);
    out.oversubscribed = out.oversubscribed || threads > own; // bound to fewer cores than it has threads
  }
  for (const Node& node : nodes) {
    out.cores += std::ssize(node.cores);
    out.oversubscribed = out.oversubscribed || node.threads > node.cores.size();
  }
  return out;
}

int node_processors() { return static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)); }

std::string processor_model() {
  std::ifstream processors("/proc/cpuinfo");
  for (std::string line; std::getline(processors, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "unknown processor";
}

std::string names_of(const std::vector<std::string>& hosts) {
  if (hosts.size() <= most_named) return joined(hosts);
  return joined({hosts.begin(), hosts.begin() + most_named}) + ", + " +
         std::to_string(hosts.size() - most_named) + " more";
}

std::string input_record(const std::string& kind, std::optional<std::uint64_t> hash, const fs::path& file) {
  const std::string digits = hash ? format("%016llx", static_cast<unsigned long long>(*hash)) : "-";
  return kind + " " + digits + " " + file.filename().string();
}

JobMetadata job_metadata(const Communicator& comm, double begin) {
  const Placement where = placement(comm, comm.size(), thread_count());
  return {comm.size(),
          thread_count(),
          std::ssize(where.hosts),
          names_of(where.hosts),
          comm.broadcast(processor_model()),
          METASIEVE_FLAGS,
          comm.max(wall_seconds() - begin),
          comm.broadcast(slurm_job()),
          __VERSION__,
          mpi_version(),
          hdf5_version()};
}

} // namespace metasieve
