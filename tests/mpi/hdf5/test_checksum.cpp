#include "files/policy.hpp"
#include "files/verify.hpp"
#include "hdf5/checksum.hpp"
#include "hdf5/reader.hpp"

#include "support/collective_error.hpp"
#include "support/damage.hpp"
#include "support/sample_files.hpp"
#include "support/scratch.hpp"

#include <set>

namespace metasieve {
namespace {

using test::collective_error;
using test::contains;
using test::Scratch;

std::vector<std::byte> numbered(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(37 * i + i / 5);
  return bytes;
}

TEST(Checksum, is_the_same_in_whatever_pieces_rows_come) {
  for (const std::size_t row_bytes : {1U, 4U, 8U, 13U, 77U}) {
    const std::vector<std::byte> bytes = numbered(30 * row_bytes);
    const std::span all(bytes);
    const std::uint64_t whole = checksum(0, row_bytes, all);
    for (const std::size_t cut : {0U, 1U, 17U, 30U})
      EXPECT_EQ(whole, checksum(0, row_bytes, all.first(cut * row_bytes)) +
                           checksum(static_cast<std::int64_t>(cut), row_bytes, all.subspan(cut * row_bytes)))
          << row_bytes << " " << cut;
  }
}

/// By the letter of its definition, a byte at a time.
std::uint64_t plain_checksum(std::uint64_t first_row, std::size_t row_bytes,
                             std::span<const std::byte> bytes) {
  const std::size_t words = (row_bytes + 7) / 8;
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row < bytes.size() / row_bytes; ++row)
    for (std::size_t w = 0; w < words; ++w) {
      std::uint64_t x = 0;
      for (std::size_t b = 8 * w; b < std::min(row_bytes, 8 * w + 8); ++b)
        x |= std::to_integer<std::uint64_t>(bytes[row * row_bytes + b]) << (8 * (b - 8 * w));
      x += 0x9e3779b97f4a7c15ULL * ((first_row + row) * words + w + 1);
      x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
      x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
      sum += x ^ (x >> 31U);
    }
  return sum;
}

TEST(Checksum, is_what_it_was_for_rows_of_any_size) {
  for (const std::size_t row_bytes : {1U, 2U, 3U, 4U, 7U, 8U, 9U, 16U, 226U})
    for (const std::size_t rows : {0U, 1U, 3U, 37U})
      for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{1} << 40U}) {
        const std::vector<std::byte> bytes = numbered(rows * row_bytes);
        EXPECT_EQ(checksum(static_cast<std::int64_t>(first), row_bytes, bytes),
                  plain_checksum(first, row_bytes, bytes))
            << row_bytes << " " << rows << " " << first;
      }
}

TEST(Checksum, tells_every_flipped_bit_and_every_exchange_of_rows) {
  constexpr std::size_t row_bytes = 12;
  std::vector<std::byte> bytes = numbered(5 * row_bytes);
  std::set<std::uint64_t> sums{checksum(0, row_bytes, bytes)};
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto flip = static_cast<std::byte>(1U << bit % 8);
    bytes[bit / 8] ^= flip;
    sums.insert(checksum(0, row_bytes, bytes));
    bytes[bit / 8] ^= flip;
  }
  std::swap_ranges(bytes.begin(), bytes.begin() + row_bytes, bytes.begin() + 2 * row_bytes);
  sums.insert(checksum(0, row_bytes, bytes));

  EXPECT_EQ(sums.size(), 8 * bytes.size() + 2);
}

TEST(FileChecksums, are_there_for_every_data_set_and_fit_on_any_ranks) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_suite(comm, scratch / "suite.h5", {}, test::sample_tasks(test::share(comm, 7)));

  if (comm.is_root()) {
    const FileReader file(scratch / "suite.h5");
    EXPECT_EQ(file.data_sets().size(), 13U); // metadata, and six in each part
    for (const ValueLayout& data_set : file.data_sets())
      EXPECT_EQ(file.checksum_fits(data_set.name), true) << data_set.name;
  }
  EXPECT_PRED2(contains, verify_file(comm, scratch / "suite.h5"), "13 checksums fit");
}

TEST(FileChecksums, find_a_changed_value_that_is_legal_otherwise) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_suite(comm, scratch / "suite.h5", {}, test::sample_tasks(test::share(comm, 7)));
  if (comm.is_root())
    test::edit(scratch / "suite.h5", [](hid_t file) { test::set_value(file, "/train/x", 3, 0.125F); });
  comm.barrier();

  const std::string message =
      collective_error(comm, [&] { static_cast<void>(verify_file(comm, scratch / "suite.h5")); });

  EXPECT_PRED2(contains, message, "suite.h5: /train/x: does not fit its checksum");
  EXPECT_PRED2(contains, message, "generate it again");
}

TEST(FileChecksums, of_a_policy_are_checked_before_it_is_used) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_file(comm, scratch / "policy.h5", {}, test::sample_policy());
  if (comm.is_root())
    test::edit(scratch / "policy.h5",
               [](hid_t file) { test::set_value(file, "/layers/1/weight", 3, 0.125); });
  comm.barrier();

  for (const std::function<void()>& use :
       {std::function<void()>([&] { static_cast<void>(read_file<Policy>(comm, scratch / "policy.h5")); }),
        std::function<void()>([&] { static_cast<void>(verify_file(comm, scratch / "policy.h5")); })})
    EXPECT_PRED2(contains, collective_error(comm, use),
                 "policy.h5: /layers/1/weight: does not fit its checksum");
}

TEST(FileChecksums, of_files_without_any_are_not_asked_for) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_file(comm, scratch / "policy.h5", {}, test::sample_policy());
  if (comm.is_root())
    test::edit(scratch / "policy.h5", [](hid_t file) {
      test::replace(file, "/layers/0/bias", {5}, std::vector<double>{1, 2, 3, 4, 5});
    });
  comm.barrier();

  EXPECT_PRED2(contains, verify_file(comm, scratch / "policy.h5"), "5 checksums fit, 1 data sets have none");
}

} // namespace
} // namespace metasieve
