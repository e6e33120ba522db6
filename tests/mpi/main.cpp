#include "files/verify.hpp"
#include "hdf5/handles.hpp"
#include "parallel/communicator.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace {

/// For ranks above 0: only failures, each with the rank.
class FailurePrinter : public testing::EmptyTestEventListener {
public:
  explicit FailurePrinter(int rank) : rank_(rank) {}
  // Remembered, for to ask GoogleTest while it reports would wait for ever.
  void OnTestStart(const testing::TestInfo& test) override {
    test_ = std::string(test.test_suite_name()) + "." + test.name();
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "rank %d: %s: %s:%d: %s\n", rank_, test_.c_str(),
                 result.file_name() == nullptr ? "" : result.file_name(), result.line_number(),
                 result.message());
  }

private:
  int rank_;
  std::string test_;
};

} // namespace

int main(int argc, char** argv) {
  if (const auto code = metasieve::serve_file_check(argc, argv)) return *code;
  const metasieve::Environment environment(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  const metasieve::Communicator world;
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (!world.is_root()) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailurePrinter(world.rank()));
  }
  int failed = RUN_ALL_TESTS();
  // A file that closing would have crashed on is given up on purpose, by a test of that.
  const ssize_t open = metasieve::h5::gave_up_file() ? 0 : H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL);
  if (open != 0) {
    std::fprintf(stderr, "rank %d: %zd HDF5 ids were never closed\n", world.rank(), open);
    failed = 1;
  }
  return static_cast<int>(world.max(std::int64_t{failed}));
}
