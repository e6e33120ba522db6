#include "fuzz/hdf5_target.hpp"

#include "support/sample_files.hpp"

namespace metasieve::fuzz {
namespace {

void write_good(const std::filesystem::path& path) {
  write_checkpoint(world(), path, {}, test::sample_checkpoint());
}

/// What is accepted must be a state to go on from.
void read(const std::filesystem::path& path) {
  const Checkpoint state = read_file<Checkpoint>(world(), path);
  const Index size = parameter_count(state.policy);
  const bool sound = state.policy.theta.size() == size && state.adam.first_moment.size() == size &&
                     state.adam.second_moment.size() == size && state.adam.first_moment.allFinite() &&
                     state.adam.second_moment.allFinite() && state.adam.step >= 0;
  if (!sound) found("accepted a checkpoint that is none");
}

} // namespace

bool try_input(Bytes input) { return try_hdf5({write_good, read}, input); }

} // namespace metasieve::fuzz
