#include "base/text.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace metasieve {
namespace {

TEST(Text, split_trims_pieces_and_drops_nothing_but_an_empty_end) {
  EXPECT_EQ(split(" a , b b,,c", ','), (std::vector<std::string>{"a", "b b", "", "c"}));
  EXPECT_EQ(split("a,", ','), (std::vector<std::string>{"a"}));
  EXPECT_EQ(split(",", ','), (std::vector<std::string>{""}));
  EXPECT_TRUE(split("", ',').empty());
}

TEST(Text, cut_text_ends_between_characters) {
  EXPECT_EQ(cut_text("größe", 5), "grö"); // of 1 + 1 + 2 + 2 + 1 bytes
  EXPECT_EQ(cut_text("größe", 7), "größe");
  EXPECT_EQ(cut_text("größe", 6), "größ");
  EXPECT_EQ(cut_text("größe", 3), "gr");
  EXPECT_EQ(cut_text("größe", 4), "grö");
  EXPECT_EQ(cut_text("\xF0\x9F\x98\x80", 3), "");
  EXPECT_EQ(cut_text("plain", 5), "plain");
  EXPECT_EQ(cut_text("plain", 4), "plai");
}

TEST(Text, a_number_is_the_whole_text) {
  EXPECT_EQ(parse_number<double>("1e-3"), 1e-3);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  for (const char* text : {"", " 1", "1 ", "1x", "0x1", "--1", "1e9999"})
    EXPECT_FALSE(parse_number<double>(text)) << text;
  EXPECT_FALSE(parse_number<std::int64_t>("9223372036854775808"));
}

TEST(Text, number_reads_back_to_the_same_bits) {
  for (const double number : {0.1, 1.0 / 3, 1e-300, 5e-324, 1e15, -0.0})
    EXPECT_EQ(parse_number<double>(number_text(number)), number);
}

TEST(DurationText, is_what_a_person_would_say) {
  EXPECT_EQ(duration_text(0.44), "0.4 s");
  EXPECT_EQ(duration_text(9.96), "10 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 05 min");
  EXPECT_EQ(duration_text(277200), "3 d 05 h");
}

TEST(CsvField, is_in_quotes_where_it_must_be) {
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("plain text; of a 'kind'"), "plain text; of a 'kind'");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"no\""), "\"say \"\"no\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
}

} // namespace
} // namespace metasieve
