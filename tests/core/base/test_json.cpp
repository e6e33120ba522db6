#include "base/json.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace metasieve {
namespace {

TEST(Json, numbers_that_are_not_finite_are_null) {
  EXPECT_EQ(Json(std::numeric_limits<double>::quiet_NaN()).text(), "null");
  EXPECT_EQ(Json(-std::numeric_limits<double>::infinity()).text(), "null");
  EXPECT_EQ(Json(0.1).text(), "0.1"); // to the last bit, no further
  EXPECT_EQ(Json(1e300).text(), "1e+300");
  EXPECT_EQ(Json(std::numeric_limits<std::uint64_t>::max()).text(), "18446744073709551615");
  EXPECT_EQ(Json(std::uint8_t{7}).text(), "7"); // no character
  EXPECT_EQ(Json(true).text(), "true");
}

TEST(Json, text_is_escaped_and_utf8) {
  EXPECT_EQ(Json("a\"b\\c\n\t\x01").text(), R"("a\"b\\c\n\t\u0001")");
  EXPECT_EQ(Json("Z\xc3\xbcrich \xf0\x9f\x98\x80").text(), "\"Z\xc3\xbcrich \xf0\x9f\x98\x80\"");
  EXPECT_EQ(Json("\xff|\xc3").text(), R"("\ufffd|\ufffd")");
  EXPECT_EQ(Json("\xc0\xaf").text(), R"("\ufffd\ufffd")");           // an overlong slash
  EXPECT_EQ(Json("\xed\xa0\x80").text(), R"("\ufffd\ufffd\ufffd")"); // half of a surrogate pair
}

TEST(Json, nests_in_order) {
  const Json value = Json::object({{"b", Json::array({1, "x"})}, {"a", Json::object({})}, {"c", Json()}});

  EXPECT_EQ(value.text(), "{\n  \"b\": [\n    1,\n    \"x\"\n  ],\n  \"a\": {},\n  \"c\": null\n}");
}

} // namespace
} // namespace metasieve
