#include "parallel/for_each.hpp"

#include <omp.h>

namespace metasieve {

int thread_count() { return omp_get_max_threads(); }

} // namespace metasieve
