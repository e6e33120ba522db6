#include "base/for_each.hpp"

#include <omp.h>
#include <sched.h>

namespace metasieve {

int thread_count() { return omp_get_max_threads(); }

int thread_index() { return omp_get_thread_num(); }

void set_thread_count(int threads) { omp_set_num_threads(threads); }

std::vector<int> usable_cores() {
  std::vector<int> cores;
  // Where OpenMP binds threads, this one too is bound to a part: the places are the whole.
  for (int place = 0; place < omp_get_num_places(); ++place) {
    std::vector<int> processors(static_cast<std::size_t>(omp_get_place_num_procs(place)));
    omp_get_place_proc_ids(place, processors.data());
    cores.insert(cores.end(), processors.begin(), processors.end());
  }
  cpu_set_t allowed;
  if (cores.empty() && sched_getaffinity(0, sizeof allowed, &allowed) == 0)
    for (int core = 0; core < CPU_SETSIZE; ++core)
      if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  return cores;
}

} // namespace metasieve
