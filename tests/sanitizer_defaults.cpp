// Part of every program that is built with METASIEVE_SANITIZE: what the sanitizers should not report. A name
// of a library suppresses what it allocates; memory that our code allocates through the library is found by
// the tests that count open HDF5 ids.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)

extern "C" {

const char* __asan_default_options();
const char* __lsan_default_options();
const char* __lsan_default_suppressions();
const char* __tsan_default_options();
int dlclose(void* module);

/// A request that cannot be met throws std::bad_alloc, as without a sanitizer: some tests make one.
const char* __asan_default_options() { return "allocator_may_return_null=1"; }

/// Tests look at what programs print.
const char* __lsan_default_options() { return "print_suppressions=0"; }

const char* __lsan_default_suppressions() {
  return "leak:libhdf5\n"     // 1.10 forgets what it has read of an object header when the rest is damaged
         "leak:libopen-pal\n" // Open MPI 4.1 and what it brings free little of what MPI_Init allocates
         "leak:libopen-rte\n"
         "leak:libmpi.so\n"
         "leak:libmca_\n"
         "leak:/mca_\n"
         "leak:libpmix\n"
         "leak:libhwloc\n"
         "leak:libevent\n"
         "leak:vasprintf\n"; // theirs too: metasieve never calls asprintf
}

/// MPI, HDF5 and libomp are not instrumented: what they do among themselves cannot be judged. libomp tells
/// the sanitizer by way of Archer what waits for what.
const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1 halt_on_error=1"; }

/// Open MPI unloads its components before the leak sanitizer looks, which then cannot tell whose memory it
/// was.
int dlclose(void*) { return 0; }

} // extern "C"

#endif
