#pragma once

#include "base/linalg.hpp"

#include <atomic>
#include <concepts>
#include <exception>
#include <mutex>
#include <vector>

namespace metasieve {

/// The only OpenMP loop: runs body(i) for every i of `items`, one item a thread, dynamic schedule. The first
/// exception is rethrown on the calling thread; items not yet begun are then skipped.
template <std::invocable<Index> Body>
void for_each_parallel(Range items, Body&& body) {
  std::exception_ptr first;
  std::mutex guard;
  std::atomic<bool> failed = false;
#pragma omp parallel for schedule(dynamic, 1)
  for (Index i = items.begin; i < items.end; ++i) {
    if (failed.load(std::memory_order_relaxed)) continue;
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(guard);
      if (!first) first = std::current_exception();
      failed = true;
    }
  }
  if (first) std::rethrow_exception(first);
}

/// Threads that for_each_parallel uses.
[[nodiscard]] int thread_count();
/// Inside for_each_parallel: which of them the caller is, from 0.
[[nodiscard]] int thread_index();
/// From now on. At least 1.
void set_thread_count(int threads);

/// The cores that this process was given to run on, whatever its threads are bound to.
[[nodiscard]] std::vector<int> usable_cores();

} // namespace metasieve
