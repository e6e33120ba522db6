#include "files/journal.hpp"

#include "support/collective_error.hpp"
#include "support/sample_files.hpp"
#include "support/scratch.hpp"

#include "files/suite_layout.hpp"

#include <map>

namespace metasieve {
namespace {

using test::collective_error;
using test::contains;
using test::Scratch;

const std::string key = "meta.seed = 1\nsuite = 17\n"; // NOLINT(cert-err58-cpp)

/// Some are long, one is empty.
std::string result_of(std::uint64_t id) { return std::string((id * 37) % 200, static_cast<char>('a' + id)); }

void append(Journal& journal, std::vector<std::uint64_t> ids) {
  std::vector<JournalRecord> records;
  for (const std::uint64_t id : ids) records.push_back({id, result_of(id)});
  journal.append(records);
}

std::map<std::uint64_t, std::string> read_all(Journal& journal) {
  std::vector<std::uint64_t> ids;
  for (const JournalPlace& place : journal.kept()) ids.push_back(place.id);
  std::map<std::uint64_t, std::string> results;
  journal.read(ids, [&](std::uint64_t id, const std::string& result) { results[id] = result; });
  return results;
}

std::map<std::uint64_t, std::string> results_of(std::vector<std::uint64_t> ids) {
  std::map<std::uint64_t, std::string> results;
  for (const std::uint64_t id : ids) results[id] = result_of(id);
  return results;
}

TEST(Journal, keeps_what_all_ranks_of_several_runs_appended) {
  const Communicator comm;
  const Scratch scratch(comm);
  const auto rank = static_cast<std::uint64_t>(comm.rank()), ranks = static_cast<std::uint64_t>(comm.size());
  {
    Journal journal(comm, scratch / "e.h5", key, false);
    EXPECT_FALSE(journal.found_folder());
    append(journal, {rank});
    append(journal, {ranks + rank});
    comm.barrier();
  }
  {
    Journal journal(comm, scratch / "e.h5", key, true);
    EXPECT_EQ(journal.kept().size(), 2 * ranks);
    if (comm.is_root()) append(journal, {2 * ranks});
    comm.barrier();
  }

  Journal journal(comm, scratch / "e.h5", key, true);

  EXPECT_TRUE(journal.found_folder());
  std::vector<std::uint64_t> all(2 * ranks + 1);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  EXPECT_EQ(read_all(journal), results_of(all));
  EXPECT_EQ(journal.damaged_files() + journal.damaged_records(), 0);
  comm.barrier();
  journal.remove();
  EXPECT_FALSE(std::filesystem::exists(scratch / "e.h5.partial"));
}

TEST(Journal, makes_no_file_before_there_is_something_to_keep) {
  const Communicator comm;
  const Scratch scratch(comm);
  Journal journal(comm, scratch / "e.h5", key, true);
  journal.append({});
  EXPECT_FALSE(std::filesystem::exists(journal.folder()));
  journal.remove();
}

TEST(Journal, of_a_piece_done_twice_has_the_later_result) {
  const Communicator comm;
  const Scratch scratch(comm);
  for (const char* text : {"first", "second"}) {
    Journal journal(comm, scratch / "e.h5", key, true);
    const JournalRecord record{5, text};
    if (comm.is_root()) journal.append({&record, 1});
    comm.barrier();
  }

  Journal journal(comm, scratch / "e.h5", key, true);

  EXPECT_EQ(read_all(journal), (std::map<std::uint64_t, std::string>{{5, "second"}}));
}

TEST(Journal, started_again_forgets_but_leaves_what_is_not_its_own) {
  const Communicator comm;
  const Scratch scratch(comm);
  {
    Journal journal(comm, scratch / "e.h5", key, false);
    append(journal, {1});
    comm.barrier();
  }
  if (comm.is_root()) test::put_bytes(scratch / "e.h5.partial/notes.txt", "mine");
  comm.barrier();

  const Journal journal(comm, scratch / "e.h5", key, false);

  EXPECT_TRUE(journal.found_folder());
  EXPECT_TRUE(journal.kept().empty());
  EXPECT_TRUE(Journal(comm, scratch / "e.h5", key, true).kept().empty());
  EXPECT_EQ(test::bytes_of(scratch / "e.h5.partial/notes.txt"), "mine");
}

TEST(Journal, of_another_key_is_refused_and_left_as_it_is) {
  const Communicator comm;
  const Scratch scratch(comm);
  {
    Journal journal(comm, scratch / "e.h5", key, false);
    append(journal, {1});
    comm.barrier();
  }

  const std::string message = collective_error(
      comm, [&] { const Journal journal(comm, scratch / "e.h5", "meta.seed = 2\nsuite = 17\n", true); },
      ExitCode::usage);

  EXPECT_PRED2(contains, message, "e.h5.partial was made with other settings (meta.seed)");
  EXPECT_PRED2(contains, message, "without --resume");
  EXPECT_FALSE(Journal(comm, scratch / "e.h5", key, true).kept().empty());
}

TEST(Journal, whose_place_is_taken_by_a_file_is_an_error) {
  const Communicator comm;
  const Scratch scratch(comm);
  if (comm.is_root()) test::put_bytes(scratch / "e.h5.partial", "a file");
  comm.barrier();
  for (const bool resume : {false, true})
    EXPECT_PRED2(contains,
                 collective_error(comm, [&] { const Journal j(comm, scratch / "e.h5", key, resume); }),
                 "e.h5.partial: it is no folder");
}

TEST(DifferingNames, are_those_of_other_or_missing_lines) {
  EXPECT_EQ(differing_names("a = 1\nb = 2\n", "a = 1\nb = 2\n"), "");
  EXPECT_EQ(differing_names("a = 1\nb = 2\nc = \n", "a = 1\nb = 3\n"), "b, c");
  EXPECT_EQ(differing_names("a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n", ""), "a, b, c, d, e, ...");
}

/// The journal that rank 0 alone wrote, of records 0, 1, 2, to be damaged.
class DamagedJournal : public testing::Test {
protected:
  DamagedJournal() {
    Journal journal(comm_, scratch_ / "e.h5", key, false);
    for (const std::uint64_t id : {0U, 1U, 2U}) {
      if (comm_.is_root()) append(journal, {id});
      comm_.barrier();
      ends_.push_back(std::filesystem::file_size(file_));
      comm_.barrier();
    }
    good_ = test::bytes_of(file_);
  }

  /// With these bytes in the file; the same on every rank.
  Journal journal_of(const std::string& bytes) {
    comm_.barrier();
    if (comm_.is_root()) test::put_bytes(file_, bytes);
    comm_.barrier();
    return {comm_, scratch_ / "e.h5", key, true};
  }

  Communicator comm_;
  Scratch scratch_{comm_};
  std::filesystem::path file_ = scratch_ / "e.h5.partial/0001-00000.journal";
  std::vector<std::uintmax_t> ends_; // of the records
  std::string good_;
};

TEST_F(DamagedJournal, cut_anywhere_gives_the_records_before_the_cut) {
  for (std::size_t size = 0; size <= good_.size(); ++size) {
    Journal journal = journal_of(good_.substr(0, size));

    std::vector<std::uint64_t> whole;
    for (std::uint64_t id = 0; id < ends_.size(); ++id)
      if (ends_[id] <= size) whole.push_back(id);
    EXPECT_EQ(read_all(journal), results_of(whole)) << size;
    EXPECT_EQ(journal.damaged_files() + journal.damaged_records(), 0) << size; // a run was killed: no damage
  }
}

TEST_F(DamagedJournal, with_a_changed_byte_gives_right_results_or_none_and_tells) {
  const std::map<std::uint64_t, std::string> all = results_of({0, 1, 2});
  for (std::size_t at = 0; at < good_.size(); ++at) {
    std::string bytes = good_;
    bytes[at] = static_cast<char>(bytes[at] ^ (at % 2 == 0 ? 0x01 : 0x80));
    Journal journal = journal_of(bytes);

    const auto results = read_all(journal);
    for (const auto& [id, result] : results) EXPECT_EQ(result, all.at(id)) << at;
    EXPECT_LT(results.size(), all.size()) << at;
    EXPECT_EQ(journal.damaged_files() + journal.damaged_records(), 1) << at;
  }
}

TEST_F(DamagedJournal, goes_on_in_another_file) {
  {
    Journal journal = journal_of(good_.substr(0, ends_[1] + 3));
    if (comm_.is_root()) append(journal, {2, 3});
    comm_.barrier();
  }

  Journal journal(comm_, scratch_ / "e.h5", key, true);

  EXPECT_EQ(read_all(journal), results_of({0, 1, 2, 3}));
}

TEST_F(DamagedJournal, of_zeros_or_of_anything_else_is_empty) {
  for (const std::string& bytes :
       {std::string(300, '\0'), std::string("not a journal at all, but a text that is longer than a head")}) {
    Journal journal = journal_of(bytes);
    EXPECT_TRUE(journal.kept().empty());
    EXPECT_EQ(journal.damaged_files(), 1);
  }
}

TEST(TaskBytes, give_the_task_back_bit_for_bit) {
  for (const Task& task : {test::sample_task(0), test::sample_task(1), test::sample_task(3),
                           test::sample_tasks_of_five_groups({3, 4}).front()}) {
    const Task back = task_of_bytes(task_bytes(task));

    EXPECT_EQ(back.id, task.id);
    EXPECT_EQ(back.metadata.family, task.metadata.family);
    EXPECT_EQ(back.metadata.seed, task.metadata.seed);
    EXPECT_EQ(back.train.groups, task.metadata.groups);
    EXPECT_EQ(back.test.groups, task.metadata.groups);
    EXPECT_EQ(task_bytes(back), task_bytes(task));
    EXPECT_TRUE(back.train.x == task.train.x && back.test.x == task.test.x);
    EXPECT_TRUE(back.train.y == task.train.y && back.train.group == task.train.group);
    EXPECT_TRUE(back.test.y_clean == task.test.y_clean);
  }
}

TEST(HashFile, is_that_of_the_bytes_for_any_number_of_ranks) {
  const Communicator comm;
  const Scratch scratch(comm);
  std::string bytes(std::size_t{9} << 20U, 'a'); // three blocks
  if (comm.is_root()) {
    test::put_bytes(scratch / "a", bytes);
    bytes[std::size_t{5} << 20U] = 'b';
    test::put_bytes(scratch / "b", bytes);
  }
  comm.barrier();

  const std::uint64_t a = hash_file(comm, scratch / "a"), b = hash_file(comm, scratch / "b");

  EXPECT_NE(a, b);
  EXPECT_TRUE(comm.all_equal(a));
  EXPECT_EQ(a, hash_file(Communicator(MPI_COMM_SELF), scratch / "a"));
  EXPECT_PRED2(contains,
               collective_error(comm, [&] { static_cast<void>(hash_file(comm, scratch / "none")); }),
               "cannot read");
  comm.barrier();
}

} // namespace
} // namespace metasieve
