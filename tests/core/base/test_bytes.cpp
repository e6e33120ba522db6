#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

TEST(Bytes, come_back_in_the_same_order) {
  const MatrixF matrix = MatrixF::Random(2, 3);
  const std::string bytes =
      ByteWriter().put(7).put(std::string("seven")).put(std::vector<std::string>{"a", ""}).put(matrix).take();

  ByteReader reader(bytes);

  EXPECT_EQ(reader.get<int>(), 7);
  EXPECT_EQ(reader.text(), "seven");
  EXPECT_EQ(reader.texts(), (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(reader.array<MatrixF>(), matrix);
}

TEST(Bytes, end_too_early) {
  const std::string bytes = ByteWriter().put(std::string("seven")).take();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    EXPECT_THROW(static_cast<void>(ByteReader(cut).text()), DataError) << size;
    EXPECT_THROW(static_cast<void>(ByteReader(cut).texts()), DataError) << size;
  }
}

TEST(Bytes, array_of_any_shape_is_checked_before_memory_is_taken) {
  constexpr Index huge = Index{1} << 62;
  const std::pair<Index, Index> shapes[]{{-1, 1}, {1, -1}, {huge, 1}, {huge, 4}, {huge, huge}, {2, 2}};
  for (const auto& [rows, columns] : shapes) {
    const std::string bytes = ByteWriter().put(rows).put(columns).put(1.0F).put(2.0F).put(3.0F).take();
    EXPECT_THROW(static_cast<void>(ByteReader(bytes).array<MatrixF>()), DataError) << rows << " " << columns;
  }
}

TEST(Bytes, vector_has_one_column) {
  const std::string bytes = ByteWriter().put(Index{1}).put(Index{2}).put(1.0).put(2.0).take();

  EXPECT_THROW(static_cast<void>(ByteReader(bytes).array<Vector>()), DataError);
}

} // namespace
} // namespace metasieve
