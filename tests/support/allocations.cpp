#include "support/allocations.hpp"

#include <cstdlib>

// Sanitizers have an allocator of their own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define METASIEVE_COUNTS_ALLOCATIONS 1
#endif

namespace {

thread_local std::size_t count = 0;

} // namespace

namespace metasieve::test {

bool counts_allocations() {
#ifdef METASIEVE_COUNTS_ALLOCATIONS
  return true;
#else
  return false;
#endif
}

std::size_t allocations() { return count; }

} // namespace metasieve::test

#ifdef METASIEVE_COUNTS_ALLOCATIONS
// glibc's allocator, with a counter before it: Eigen and operator new get their memory here. The other
// functions of the allocator go on as they were.
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++count;
  return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) {
  ++count;
  return __libc_calloc(number, size);
}

void* realloc(void* memory, std::size_t size) {
  ++count;
  return __libc_realloc(memory, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}

} // extern "C"
#endif
