#include "run/placement.hpp"

#include "parallel/for_each.hpp"
#include "run/phase_clock.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace metasieve {
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

RunFacts run_facts(const Communicator& comm, double begin) {
  const Placement where = placement(comm, comm.size(), thread_count());
  return {comm.size(),       thread_count(),  std::ssize(where.hosts), names_of(where.hosts),
          processor_model(), METASIEVE_FLAGS, wall_seconds() - begin};
}

} // namespace metasieve
