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
  const metasieve::Environment environment(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  const metasieve::Communicator world;
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (!world.is_root()) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailurePrinter(world.rank()));
  }
  return static_cast<int>(world.max(std::int64_t{RUN_ALL_TESTS()}));
}
