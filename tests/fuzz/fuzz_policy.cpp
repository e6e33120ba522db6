#include "fuzz/hdf5_target.hpp"

#include "files/policy.hpp"

#include "support/sample_files.hpp"

namespace metasieve::fuzz {
namespace {

void write_good(const std::filesystem::path& path) {
  write_file(world(), path, {"[suite]\n"}, test::sample_policy());
}

/// What is accepted must give finite scores.
void read(const std::filesystem::path& path) {
  const Policy policy = read_file<Policy>(world(), path);
  const bool sound = policy.theta.size() == parameter_count(policy) && policy.theta.allFinite() &&
                     policy.keep > 0 && policy.keep < 1 && policy.temperature > 0;
  if (!sound) found("accepted a policy that is none");
  static_cast<void>(forward(policy, Matrix::Zero(2, feature_count(policy.features))));
}

} // namespace

bool try_input(Bytes input) { return try_hdf5({write_good, read}, input); }

} // namespace metasieve::fuzz
