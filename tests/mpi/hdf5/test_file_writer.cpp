#include "hdf5/writer.hpp"

#include "base/version.hpp"
#include "hdf5/file_header.hpp"
#include "hdf5/reader.hpp"
#include "parallel/collective.hpp"

#include "support/collective_error.hpp"
#include "support/damage.hpp"
#include "support/scratch.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <numeric>

/// Calls of this rank, by HDF5: MPI lets a program put its own function before the library's.
static int collective_writes = 0;

extern "C" int MPI_File_write_at_all(MPI_File file, MPI_Offset offset, const void* data, int count,
                                     MPI_Datatype type, MPI_Status* status) {
  ++collective_writes;
  return PMPI_File_write_at_all(file, offset, data, count, type, status);
}

namespace metasieve {
namespace {

using test::collective_error;
using test::contains;
using test::Scratch;

/// [count] values, the ranks' one after the other 0, 1, 2 ...
std::vector<double> count_up(const Communicator& comm, Index count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), static_cast<double>(comm.exclusive_sum(count)));
  return values;
}

void write_numbers(const Communicator& comm, const std::filesystem::path& path, Index mine) {
  const std::vector<double> values = count_up(comm, mine);
  write_file(comm, path, FileType::results, {}, [&](FileWriter& file) {
    file.write("/values", std::span(values), {"numbers", "s"});
  });
}

TEST(FileWriter, writes_are_collective_whatever_the_ranks_give) {
  const Communicator comm;
  const Scratch scratch(comm);
  const std::vector<double> values = count_up(comm, comm.is_root() ? 0 : 10 * comm.rank());
  const std::vector<double> root_only(comm.is_root() ? 12 : 0, 1.5);

  write_file(comm, scratch / "f.h5", FileType::results, {}, [&](FileWriter& file) {
    file.group("/group");
    file.write("/group/uneven", std::span(values), {});
    file.write("/matrix", std::span(root_only), {}, 4);
    EXPECT_TRUE(file.all_collective());
  });

  if (comm.is_root()) {
    const FileReader file(scratch / "f.h5", FileType::results);
    std::vector<double> all(static_cast<std::size_t>(5 * comm.size() * (comm.size() - 1)));
    std::iota(all.begin(), all.end(), 0.0);
    EXPECT_EQ(file.values<double>("/group/uneven", 1), all);
    EXPECT_EQ(file.shape("/matrix", 2), (std::vector<Index>{3, 4}));
  }
  EXPECT_EQ(test::open_ids(), 0);
}

/// A rank that left out a collective write would leave the others waiting, or MPI-IO without its part.
TEST(FileWriter, ranks_without_rows_take_part_in_every_collective_write) {
  const Communicator comm;
  const Scratch scratch(comm);
  const Index much = 2 * transfer_bytes / 8 + 3; // three transfers
  for (int owner = 0; owner < comm.size(); ++owner) {
    const int before = collective_writes;
    write_numbers(comm, scratch / "f.h5", comm.rank() == owner ? much : 0);
    EXPECT_EQ(collective_writes - before, 3) << "rows on rank " << owner << " alone";
  }
}

/// A file of several data sets, of which most ranks have no rows in one or the other.
void write_uneven(const Communicator& comm, const std::filesystem::path& path, FileType type, FileIo io) {
  const std::vector<double> many =
      count_up(comm, comm.rank() == comm.size() - 1 ? transfer_bytes / 8 + 5 : 7);
  const std::vector<std::string> texts(static_cast<std::size_t>(comm.rank()), "text of a rank");
  const std::vector<double> root_only(comm.is_root() ? 12 : 0, 1.5);
  write_file(comm, path, type, {"[output]\n", std::nullopt, io}, [&](FileWriter& file) {
    file.attribute("number", std::int64_t{7});
    file.group("/group");
    file.write("/group/many", std::span(many), {"numbers", "s"});
    file.write("/texts", texts, {});
    file.write("/none", std::span<const double>(), {});
    file.write("/matrix", std::span(root_only), {}, 4);
    EXPECT_EQ(file.all_collective(), io == FileIo::collective);
  });
}

TEST(FileWriter, gathers_the_same_bytes_through_rank_0_without_collective_writes) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_uneven(comm, scratch / "collective.h5", FileType::policy, FileIo::collective);
  const int before = collective_writes;

  write_uneven(comm, scratch / "gather.h5", FileType::policy, FileIo::gather);

  EXPECT_EQ(collective_writes, before);
  if (comm.is_root()) {
    EXPECT_TRUE(test::bytes_of(scratch / "gather.h5") == test::bytes_of(scratch / "collective.h5"));
    EXPECT_FALSE(std::filesystem::exists(scratch / "gather.h5.part"));
  }
  EXPECT_EQ(test::open_ids(), 0);
}

TEST(FileWriter, describes_itself) {
  const Communicator comm;
  const Scratch scratch(comm);
  const std::string config(200000, 'c'); // above HDF5's limit for attributes in the old format
  JobMetadata facts{3, 2, 3, "a, b, c", "some processor", "", 12.5};
  facts.inputs = {"policy 0123456789abcdef p.h5", "suite - s.h5"};
  facts.usage = {0.5, {}, true};
  write_file(comm, scratch / "r.h5", FileType::results, {comm.is_root() ? config : "other", facts},
             [](FileWriter&) {});
  write_file(comm, scratch / "p.h5", FileType::policy, {"", facts}, [](FileWriter&) {});
  if (comm.is_root()) {
    const FileReader results(scratch / "r.h5");
    EXPECT_EQ(results.type(), FileType::results);
    EXPECT_EQ(results.attribute<std::string>("created_by"), "metasieve " + std::string(version()));
    EXPECT_EQ(results.attribute<std::string>("git_commit"), git_commit());
    EXPECT_EQ(results.attribute<std::string>("created").size(), std::string("2026-01-01T00:00:00Z").size());
    EXPECT_TRUE(results.attribute<std::string>("config") == config);
    EXPECT_EQ(results.attribute<std::int64_t>("ranks"), 3);
    EXPECT_EQ(results.attribute<std::string>("hosts"), "a, b, c");
    EXPECT_EQ(results.attribute<double>("seconds"), 12.5);
    EXPECT_FALSE(results.has_attribute("flags")); // empty
    EXPECT_EQ(results.attribute<std::vector<std::string>>("inputs"), facts.inputs);
    EXPECT_EQ(results.attribute<double>("core_hours"), 0.5);
    EXPECT_FALSE(results.has_attribute("energy_joules")); // unknown
    EXPECT_EQ(results.attribute<std::string>("energy_source"), "unknown");
    EXPECT_EQ(results.attribute<std::string>("usage_of"), "last part");
    EXPECT_FALSE(FileReader(scratch / "p.h5").has_attribute("created"));
    EXPECT_FALSE(FileReader(scratch / "p.h5").has_attribute("ranks"));
    EXPECT_EQ(FileReader(scratch / "p.h5").attribute<std::string>("config"), "");
  }
}

TEST(FileWriter, transfers_in_several_pieces_when_ranks_have_much) {
  const Communicator comm;
  const Scratch scratch(comm);
  const Index piece = transfer_bytes / 8;
  const Index mine = comm.is_root() ? 2 * piece + 3 : comm.rank() == 1 ? 0 : 5;
  write_numbers(comm, scratch / "f.h5", mine);
  if (comm.is_root()) {
    const auto values = FileReader(scratch / "f.h5").values<double>("/values", 1);
    EXPECT_EQ(std::ssize(values), 2 * piece + 3 + 5 * std::max(comm.size() - 2, 0));
    bool counts_up = true;
    for (std::size_t i = 0; i < values.size(); ++i)
      counts_up = counts_up && values[i] == static_cast<double>(i);
    EXPECT_TRUE(counts_up);
  }
}

/// Slow, and needs 3 GB of disk: METASIEVE_TEST_LARGE=1.
TEST(FileWriter, more_than_2_GiB_from_one_rank) {
  const Communicator comm;
  if (std::getenv("METASIEVE_TEST_LARGE") == nullptr)
    GTEST_SKIP() << "set METASIEVE_TEST_LARGE=1 (3 GB of disk)";
  const Scratch scratch(comm);
  const Index large = (Index{1} << 31) + 12345;
  const auto source = [&](Range rows, std::byte* to) {
    for (Index i = rows.begin; i < rows.end; ++i) *to++ = static_cast<std::byte>(i % 251);
  };
  write_file(comm, scratch / "f.h5", FileType::results, {}, [&](FileWriter& file) {
    file.write("/values", H5T_STD_U8LE, comm.is_root() ? large : 10, 0, source, {});
    EXPECT_TRUE(file.all_collective());
  });
  if (comm.is_root()) {
    EXPECT_EQ(FileReader(scratch / "f.h5").shape("/values", 1).front(), large + 10 * (comm.size() - 1));
    std::ifstream file(scratch / "f.h5", std::ios::binary);
    // The data lie in one piece at the end of the file, but for the metadata behind them.
    std::string head(1 << 16, '\0'), wanted;
    for (int i = 0; i < 251; ++i) wanted += static_cast<char>(i);
    file.read(head.data(), std::ssize(head));
    const auto begin = head.find(wanted);
    EXPECT_NE(begin, std::string::npos);
    file.seekg(static_cast<std::streamoff>(begin) + large - 1);
    EXPECT_EQ(file.get(), static_cast<int>((large - 1) % 251));
  }
}

TEST(FileWriter, says_why_a_path_cannot_be_written) {
  const Communicator comm;
  const Scratch scratch(comm);
  if (comm.is_root()) {
    test::put_bytes(scratch / "a_file", "text");
    std::filesystem::create_directory(scratch / "a_folder");
  }
  comm.barrier();
  const auto message = [&](const std::filesystem::path& path) {
    return collective_error(comm, [&] { write_numbers(comm, path, 3); });
  };

  EXPECT_PRED2(contains, message(scratch / "a_file" / "f.h5"), "Not a directory");
  EXPECT_PRED2(contains, message("/proc/f.h5"), "cannot write /proc/f.h5: ");
  EXPECT_PRED2(contains, message("/proc/folder/f.h5"), "cannot write /proc/folder/f.h5: folder /proc/folder");
  EXPECT_PRED2(contains, message(scratch / "a_folder"), "it is a folder");
  EXPECT_PRED2(contains, message("/dev/null"), "it is no regular file");
  EXPECT_PRED2(contains, message((scratch / "a_folder").string() + "/"), "it names no file");
  EXPECT_TRUE(std::filesystem::exists("/dev/null"));
  EXPECT_FALSE(std::filesystem::exists("/dev/null.part"));
  EXPECT_EQ(test::open_ids(), 0);
}

/// Any failure leaves what was at the path, and no .part file.
class FailingWriter : public testing::Test {
protected:
  FailingWriter() {
    write_numbers(comm_, path_, 2);
    before_ = test::bytes_of(path_);
  }
  void expect_untouched() {
    comm_.barrier();
    EXPECT_TRUE(test::bytes_of(path_) == before_);
    EXPECT_FALSE(std::filesystem::exists(path_.string() + ".part"));
  }

  Communicator comm_;
  Scratch scratch_{comm_};
  std::filesystem::path path_ = scratch_ / "f.h5";
  std::string before_;
};

TEST_F(FailingWriter, a_source_that_throws_on_one_rank) {
  const auto source = [&](Range, std::byte*) {
    if (comm_.rank() == comm_.size() - 1) throw DataError("no such values");
  };
  const std::string message = collective_error(comm_, [&] {
    write_file(comm_, path_, FileType::results, {},
               [&](FileWriter& file) { file.write("/values", H5T_IEEE_F64LE, 3, 0, source, {}); });
  });
  EXPECT_EQ(message, "no such values");
  expect_untouched();
  EXPECT_EQ(test::open_ids(), 0);
}

TEST_F(FailingWriter, a_source_that_throws_on_one_rank_of_those_that_gather) {
  const auto source = [&](Range, std::byte*) {
    if (comm_.rank() == comm_.size() - 1) throw DataError("no such values");
  };
  const std::string message = collective_error(comm_, [&] {
    write_file(comm_, path_, FileType::results, {"", std::nullopt, FileIo::gather},
               [&](FileWriter& file) { file.write("/values", H5T_IEEE_F64LE, 3, 0, source, {}); });
  });
  EXPECT_EQ(message, "no such values");
  expect_untouched();
  EXPECT_EQ(test::open_ids(), 0);
}

TEST_F(FailingWriter, the_same_name_twice) {
  const std::string message = collective_error(comm_, [&] {
    write_file(comm_, path_, FileType::results, {}, [&](FileWriter& file) {
      file.group("/group");
      file.group("/group");
    });
  });
  EXPECT_PRED2(contains, message, "cannot write " + path_.string() + ": H5Gcreate failed: ");
  expect_untouched();
  EXPECT_EQ(test::open_ids(), 0);
}

class NoRoom : public FailingWriter, public testing::WithParamInterface<FileIo> {};

INSTANTIATE_TEST_SUITE_P(FileWriter, NoRoom, testing::Values(FileIo::collective, FileIo::gather));

/// As on a full disk, with the limit on the size of a file in place of it. Emptying a file makes room on a
/// disk, but does not lift the limit, so the test does.
TEST_P(NoRoom, for_the_data) {
  const std::vector<double> values = count_up(comm_, 200000);
  FileWriter file(comm_, path_, FileType::results, {"", std::nullopt, GetParam()});
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{100000, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);

  const std::string message = collective_error(comm_, [&] {
    file.write("/values", std::span(values), {});
    file.finish();
  });

  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  file.discard();
  EXPECT_PRED2(contains, message, "cannot write " + path_.string());
  expect_untouched();
  EXPECT_EQ(test::open_ids(), 0);
}

} // namespace
} // namespace metasieve
