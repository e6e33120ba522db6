#include "files/suite.hpp"
#include "files/suite_layout.hpp"
#include "hdf5/writer.hpp"

#include "support/collective_error.hpp"
#include "support/damage.hpp"
#include "support/sample_files.hpp"
#include "support/scratch.hpp"

namespace metasieve {
namespace {

using test::collective_error;
using test::contains;
using test::Scratch;

const Provenance provenance{"[suite]\ntasks = 23\n"};

/// Bits, so that NaN equals NaN.
std::string packed(const Metadata& metadata) { return metadata_records().pack({metadata}); }

void expect_same(const Split& a, const Split& b) {
  EXPECT_TRUE(a.x == b.x);
  EXPECT_TRUE(a.y == b.y);
  EXPECT_TRUE(a.group == b.group);
  EXPECT_TRUE(a.y_clean == b.y_clean);
  EXPECT_EQ(a.groups, b.groups);
}

void expect_same(const std::vector<Task>& a, const std::vector<Task>& b) {
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    EXPECT_EQ(a[i].id, b[i].id);
    EXPECT_EQ(packed(a[i].metadata), packed(b[i].metadata));
    expect_same(a[i].train, b[i].train);
    expect_same(a[i].test, b[i].test);
  }
}

TEST(SuiteFile, comes_back_bit_for_bit_on_another_distribution) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_suite(comm, scratch / "suite.h5", provenance, test::sample_tasks(test::share(comm, 23)));

  const SuiteReader reader(comm, scratch / "suite.h5");
  EXPECT_EQ(reader.task_count(), 23);
  EXPECT_EQ(reader.config(), provenance.config);
  for (std::size_t i = 0; i < reader.metadata().size(); ++i)
    EXPECT_EQ(packed(reader.metadata()[i]), packed(test::sample_task(i).metadata));

  // Ranges that overlap, in another order, and empty on one rank.
  const Range wanted{(comm.size() - 1 - comm.rank()) * 3, comm.rank() == 1 ? (comm.size() - 2) * 3 : 20};
  expect_same(reader.read(wanted), test::sample_tasks(wanted));
  expect_same(reader.read({0, 23}), test::sample_tasks({0, 23}));
  EXPECT_EQ(test::open_ids(), 0);
}

TEST(SuiteFile, of_five_groups_comes_back) {
  const Communicator comm;
  const Scratch scratch(comm);
  const auto tasks = test::sample_tasks_of_five_groups;
  write_suite(comm, scratch / "s.h5", provenance, tasks(test::share(comm, 11)));

  const SuiteReader reader(comm, scratch / "s.h5");

  expect_same(reader.read({0, 11}), tasks({0, 11}));
  expect_same({reader.read_alone(3)}, tasks({3, 4}));
  for (const Metadata& metadata : reader.metadata()) EXPECT_EQ(metadata.groups, 5);
}

TEST(SuiteFile, has_the_same_bytes_for_any_number_of_ranks) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_suite(comm, scratch / "together.h5", provenance, test::sample_tasks(test::share(comm, 23)));
  const Range all_on_last = comm.rank() == comm.size() - 1 ? Range{0, 23} : Range{};
  write_suite(comm, scratch / "last.h5", provenance, test::sample_tasks(all_on_last));
  if (comm.is_root()) {
    const Communicator alone(MPI_COMM_SELF);
    write_suite(alone, scratch / "alone.h5", provenance, test::sample_tasks({0, 23}));
    const std::string expected = test::bytes_of(scratch / "alone.h5");
    EXPECT_GT(expected.size(), 10000U);
    EXPECT_TRUE(test::bytes_of(scratch / "together.h5") == expected);
    EXPECT_TRUE(test::bytes_of(scratch / "last.h5") == expected);
  }
}

std::vector<TaskShape> shapes_of(const std::vector<Task>& tasks) {
  std::vector<TaskShape> shapes;
  for (const Task& task : tasks)
    shapes.push_back({task.train.rows(), task.test.rows(), task.train.columns()});
  return shapes;
}

TEST(SuiteFile, has_the_same_bytes_in_many_turns) {
  const Communicator comm;
  const Scratch scratch(comm);
  const std::vector<Task> mine = test::sample_tasks(test::share(comm, 23));
  write_suite(comm, scratch / "one.h5", provenance, mine);
  std::vector<Task> held;
  std::size_t most = 0, given = 0;

  write_suite(
      comm, scratch / "many.h5", provenance, shapes_of(mine),
      [&](Range places) {
        held.assign(mine.begin() + places.begin, mine.begin() + places.end); // the ones before are gone
        most = std::max(most, held.size());
        given += held.size();
        return std::span<const Task>(held);
      },
      1); // no two tasks fit

  EXPECT_EQ(given, mine.size());
  EXPECT_EQ(most, std::min<std::size_t>(mine.size(), 1));
  if (comm.is_root()) {
    EXPECT_TRUE(test::bytes_of(scratch / "many.h5") == test::bytes_of(scratch / "one.h5"));
  }
}

TEST(SuiteFile, refuses_a_task_of_another_shape_than_announced_on_one_rank_and_leaves_nothing) {
  const Communicator comm;
  const Scratch scratch(comm);
  const std::vector<Task> mine = test::sample_tasks(test::share(comm, 8));
  std::vector<TaskShape> shapes = shapes_of(mine);
  if (comm.rank() == comm.size() - 1) shapes.back().columns += 1;

  const std::string message = collective_error(comm, [&] {
    write_suite(comm, scratch / "s.h5", provenance, shapes,
                [&](Range) { return std::span<const Task>(mine); });
  });

  EXPECT_PRED2(contains, message, "task 7: has another shape than was announced");
  EXPECT_FALSE(std::filesystem::exists(scratch / "s.h5"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "s.h5.part"));
}

TEST(SuiteFile, gives_single_tasks_to_a_rank_alone) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_suite(comm, scratch / "s.h5", provenance, test::sample_tasks(test::share(comm, 9)));
  const SuiteReader reader(comm, scratch / "s.h5");

  for (Index i = 8 - comm.rank(); i >= 0; i -= 2) // others on each rank, none in step
    expect_same({reader.read_alone(i)}, test::sample_tasks({i, i + 1}));
}

/// Tasks of 4 x 60,000 values: no task ends where a block of bytes that is read at once does.
TEST(SuiteFile, larger_than_what_is_read_at_once_comes_back) {
  const Communicator comm;
  const Scratch scratch(comm);
  const auto large_tasks = [](Range ids) {
    std::vector<Task> tasks = test::sample_tasks(ids);
    for (Task& task : tasks) {
      task.metadata.n_train = 60000 + static_cast<Index>(task.metadata.task_id);
      task.metadata.n_samples = task.metadata.n_train + task.metadata.n_test;
      task.metadata.n_features = 4;
      task.train = test::sample_split(Stream(Seed{6}, Draw::covariates, task.id), task.metadata.n_train, 4);
      task.test = test::sample_split(Stream(Seed{7}, Draw::covariates, task.id), task.metadata.n_test, 4);
    }
    return tasks;
  };
  write_suite(comm, scratch / "s.h5", provenance, large_tasks(test::share(comm, 9)));

  const Range wanted{comm.rank() == 1 ? 9 : 2, 9}; // none on rank 1
  expect_same(SuiteReader(comm, scratch / "s.h5").read(wanted), large_tasks(wanted));
}

TEST(SuiteFile, that_was_cut_short_after_it_was_opened_gives_no_task) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_suite(comm, scratch / "s.h5", provenance, test::sample_tasks(test::share(comm, 9)));
  const SuiteReader reader(comm, scratch / "s.h5");
  comm.barrier();
  if (comm.is_root()) std::filesystem::resize_file(scratch / "s.h5", 900);
  comm.barrier();

  EXPECT_THROW(static_cast<void>(reader.read_alone(8)), DataError);
}

TEST(SuiteFile, leaves_no_part_file_and_replaces_an_old_one) {
  const Communicator comm;
  const Scratch scratch(comm);
  for (const Index count : {5, 4})
    write_suite(comm, scratch / "deep" / "er" / "suite.h5", provenance,
                test::sample_tasks(test::share(comm, count)));
  EXPECT_EQ(SuiteReader(comm, scratch / "deep" / "er" / "suite.h5").task_count(), 4);
  EXPECT_FALSE(std::filesystem::exists(scratch / "deep" / "er" / "suite.h5.part"));
}

TEST(SuiteFile, first_id_need_not_be_zero) {
  const Communicator comm;
  const Scratch scratch(comm);
  const Range mine = test::share(comm, 9);
  write_suite(comm, scratch / "s.h5", provenance, test::sample_tasks({100 + mine.begin, 100 + mine.end}));
  expect_same(SuiteReader(comm, scratch / "s.h5").read({2, 5}), test::sample_tasks({102, 105}));
}

TEST(SuiteFile, refuses_tasks_that_do_not_fit_together) {
  const Communicator comm;
  const Scratch scratch(comm);
  const auto path = scratch / "s.h5";
  const auto message = [&](const auto& change) {
    std::vector<Task> tasks = test::sample_tasks(test::share(comm, 8));
    if (!tasks.empty()) change(tasks.back());
    return collective_error(comm, [&] { write_suite(comm, path, provenance, tasks); });
  };

  EXPECT_PRED2(contains, message([](Task& t) { t.train.y.resize(1); }), "y must have one value a row");
  EXPECT_PRED2(contains, message([](Task& t) { ++t.metadata.n_test; }), "rows differ from metadata");
  EXPECT_PRED2(contains, message([](Task& t) { t.test.groups = 3; }), "groups differ from metadata");
  EXPECT_PRED2(contains, message([](Task& t) { t.metadata.family = std::string(32, 'x'); }), "31 characters");
  EXPECT_PRED2(contains, message([](Task& t) { t.metadata.task_id = 99, t.id = TaskId{99}; }), "consecutive");
  EXPECT_PRED2(contains, collective_error(comm, [&] { write_suite(comm, path, provenance, {}); }),
               "at least one task");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SuiteFile, refuses_a_range_outside) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_suite(comm, scratch / "s.h5", provenance, test::sample_tasks(test::share(comm, 4)));
  const SuiteReader reader(comm, scratch / "s.h5");
  const auto read = [&] { static_cast<void>(reader.read({0, comm.rank() == comm.size() - 1 ? 5 : 1})); };
  EXPECT_PRED2(contains, collective_error(comm, read), "tasks 0 to 5 asked for; it has 4");
}

} // namespace
} // namespace metasieve
