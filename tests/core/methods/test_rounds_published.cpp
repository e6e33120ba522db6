// Rounds on the clustered flips of Roh et al. 2021, on their files.

#include "methods/selection.hpp"
#include "support/npy.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace metasieve {
namespace {

using namespace test;

/// Labels -1 and 1, or groups 0 and 1.
Labels positive(const Matrix& column) { return (column.col(0).array() > 0.0).cast<std::uint8_t>(); }

TEST(RoundsPublished, detectors_contradict_each_other_on_clustered_flips) {
  const char* const given = std::getenv("METASIEVE_DATA");
  const std::filesystem::path root =
      given != nullptr ? std::filesystem::path(given) : METASIEVE_SOURCE_DIR "/../shared/data";
  const std::filesystem::path folder = root / "roh2021";
  if (!std::filesystem::exists(folder / "xz_train.npy"))
    GTEST_SKIP() << "the data of Roh et al. 2021 are not in " << folder << ": set METASIEVE_DATA";
  const auto agreement = [&](const char* labels) {
    Task task;
    task.train.x = read_npy(folder / "xz_train.npy").leftCols(2).cast<float>();
    task.train.y = task.train.y_clean = positive(read_npy(folder / labels));
    task.train.group = positive(read_npy(folder / "z_train.npy"));
    task.test = task.train;
    return detector_agreement(prepare(std::move(task), {FeatureSet::full, true, 1e-3, Seed{1}}),
                              FeatureSet::full);
  };

  EXPECT_LT(agreement("y_noise_general.npy"), 0.3);
  EXPECT_GT(agreement("y_train.npy"), 0.5); // without the flips they do not
}

} // namespace
} // namespace metasieve
