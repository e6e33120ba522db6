#include "base/text.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

TEST(DurationText, IsWhatAPersonWouldSay) {
  EXPECT_EQ(duration_text(0.44), "0.4 s");
  EXPECT_EQ(duration_text(9.96), "10 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 05 min");
  EXPECT_EQ(duration_text(277200), "3 d 05 h");
}

} // namespace
} // namespace metasieve
