#include "fuzz/hdf5_target.hpp"

#include "files/suite.hpp"

#include "support/sample_files.hpp"

namespace metasieve::fuzz {
namespace {

void write_good(const std::filesystem::path& path) {
  write_suite(world(), path, {"[suite]\n"}, test::sample_tasks({0, 3}));
}

/// What is accepted must be what features can be made of.
void read(const std::filesystem::path& path) {
  const SuiteReader suite(world(), path);
  for (const Task& task : suite.read({0, suite.task_count()}))
    for (const Split* split : {&task.train, &task.test}) {
      const bool sound = split->rows() > 0 && split->columns() > 0 && split->x.allFinite() &&
                         split->y.size() == split->rows() && split->y.maxCoeff() <= 1 &&
                         split->group.maxCoeff() < split->groups && split->y_clean.maxCoeff() <= 1;
      if (!sound) found("accepted a suite that is none");
    }
}

} // namespace

bool try_input(Bytes input) { return try_hdf5({write_good, read}, input); }

} // namespace metasieve::fuzz
