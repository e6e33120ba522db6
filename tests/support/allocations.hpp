#pragma once

#include <cstddef>

namespace metasieve::test {

/// Whether this program's allocator has a counter: not with a sanitizer, nor without glibc.
[[nodiscard]] bool counts_allocations();

/// Calls of malloc, calloc, realloc and operator new so far, by the calling thread: MPI has threads of its
/// own.
[[nodiscard]] std::size_t allocations();

} // namespace metasieve::test
