#include "files/checkpoint.hpp"
#include "files/policy.hpp"
#include "files/results.hpp"
#include "hdf5/raw_file.hpp"

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "support/collective_error.hpp"
#include "support/damage.hpp"
#include "support/sample_files.hpp"
#include "support/scratch.hpp"

namespace metasieve {
namespace {

using test::collective_error;
using test::contains;
using test::Scratch;

/// A checkpoint of so many iterations.
Checkpoint at_iteration(std::int64_t t) {
  Checkpoint checkpoint = test::sample_checkpoint();
  checkpoint.policy.trained_iterations = checkpoint.adam.step = t;
  checkpoint.results.meta_gradient.resize(0, 0);
  checkpoint.results.history.clear();
  for (std::int64_t i = 1; i <= t; ++i)
    checkpoint.results.history.push_back({i, 0.5, 0.25, 0.75, 1, 0, 0, 0.1});
  return checkpoint;
}

void write_to(const Communicator& comm, const std::filesystem::path& folder, std::int64_t t) {
  write_checkpoint(comm, folder / checkpoint_name, folder / previous_checkpoint_name, at_iteration(t));
}

std::int64_t found_iteration(const FoundCheckpoint& found) {
  return found.checkpoint ? found.checkpoint->policy.trained_iterations : -1;
}

TEST(FindCheckpoint, takes_the_newest_and_falls_back_to_the_one_before) {
  const Communicator comm;
  const Scratch scratch(comm);

  EXPECT_EQ(found_iteration(find_checkpoint(comm, scratch.folder())), -1);
  for (const std::int64_t t : {1, 2, 3}) {
    write_to(comm, scratch.folder(), t);
    EXPECT_EQ(found_iteration(find_checkpoint(comm, scratch.folder())), t);
  }
  comm.barrier();
  if (comm.is_root()) test::put_bytes(scratch / checkpoint_name, "damaged");
  comm.barrier();
  const FoundCheckpoint found = find_checkpoint(comm, scratch.folder());

  EXPECT_EQ(found_iteration(found), 2);
  EXPECT_EQ(found.path, scratch / previous_checkpoint_name);
  EXPECT_PRED2(contains, found.problem, "checkpoint.h5: is no HDF5 file");
}

/// The one before would be the wrong one then: newer work must not be thrown away.
TEST(FindCheckpoint, does_not_fall_back_from_one_of_a_newer_version) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_to(comm, scratch.folder(), 1);
  write_to(comm, scratch.folder(), 2);
  if (comm.is_root())
    test::edit(scratch / checkpoint_name, [](hid_t file) {
      test::set_attribute(file, "version", std::vector<std::int64_t>{2, 0});
    });
  comm.barrier();

  EXPECT_PRED2(contains,
               collective_error(comm, [&] { static_cast<void>(find_checkpoint(comm, scratch.folder())); }),
               "checkpoint.h5: has format version 2.0");
}

TEST(FindCheckpoint, names_both_when_none_is_sound) {
  const Communicator comm;
  const Scratch scratch(comm);
  if (comm.is_root())
    for (const char* name : {checkpoint_name, previous_checkpoint_name}) test::put_bytes(scratch / name, "x");
  comm.barrier();

  const std::string message =
      collective_error(comm, [&] { static_cast<void>(find_checkpoint(comm, scratch.folder())); });

  EXPECT_PRED2(contains, message, "checkpoint.h5: is no HDF5 file");
  EXPECT_PRED2(contains, message, "checkpoint_prev.h5: is no HDF5 file");
}

TEST(FindCheckpoint, does_not_hide_that_the_only_one_is_damaged) {
  const Communicator comm;
  const Scratch scratch(comm);
  if (comm.is_root()) test::put_bytes(scratch / checkpoint_name, "x");
  comm.barrier();

  EXPECT_PRED2(contains,
               collective_error(comm, [&] { static_cast<void>(find_checkpoint(comm, scratch.folder())); }),
               "checkpoint.h5: is no HDF5 file");
}

TEST(CheckpointFile, with_a_gap_in_its_history_is_refused) {
  const Communicator comm;
  const Scratch scratch(comm);
  Checkpoint checkpoint = at_iteration(3);
  checkpoint.results.history[1].iteration = 3;
  write_checkpoint(comm, scratch / checkpoint_name, {}, checkpoint);

  EXPECT_PRED2(contains,
               collective_error(
                   comm, [&] { static_cast<void>(read_file<Checkpoint>(comm, scratch / checkpoint_name)); }),
               "/history: record 1 is of iteration 3; must be 2");
}

/// Written before there were optional fields: its checksum fits, though it is of fewer values.
TEST(CheckpointFile, of_an_older_program_is_read) {
  const Communicator comm;

  const Results results =
      read_file<Checkpoint>(comm, METASIEVE_SOURCE_DIR "/tests/fuzz/corpus/checkpoint/good").results;

  ASSERT_EQ(results.validation.empty() || results.sessions.empty(), false); // alike on every rank
  EXPECT_NEAR(results.validation.back().accuracy, 0.8, 1e-12);
  EXPECT_TRUE(std::isnan(results.validation.back().loss));
  EXPECT_EQ(results.sessions.back().ranks, 1);
  EXPECT_EQ(results.sessions.back().host, "");
}

/// The checkpoint's own checksum does not cover it.
TEST(CheckpointFile, with_a_changed_optional_value_is_refused) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_to(comm, scratch.folder(), 2);
  if (comm.is_root())
    test::edit(scratch / checkpoint_name, [](hid_t file) {
      const h5::DataSet table(H5Dopen2(file, "/validation", H5P_DEFAULT), "H5Dopen");
      const h5::DataType loss = h5::compound_type({{"loss", sizeof(double), &h5::type_of<double>}});
      const std::array<double, 2> values{0.5, 0.41}; // 0.4 was there
      h5::check(H5Dwrite(table.get(), loss.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "H5Dwrite");
    });
  comm.barrier();

  EXPECT_PRED2(contains,
               collective_error(
                   comm, [&] { static_cast<void>(read_file<Checkpoint>(comm, scratch / checkpoint_name)); }),
               "/validation: does not fit its checksum");
}

/// All that two reads must agree in.
std::string state(const Checkpoint& checkpoint) {
  const Policy& policy = checkpoint.policy;
  ByteWriter bytes;
  bytes.put(policy.features).put(policy.keep).put(policy.temperature).put(policy.use_group);
  bytes.put(policy.trained_iterations).put(policy.theta);
  for (const Index width : policy.hidden) bytes.put(width);
  bytes.put(checkpoint.adam.first_moment)
      .put(checkpoint.adam.second_moment)
      .put(checkpoint.adam.step)
      .put(checkpoint.tasks);
  bytes.put(checkpoint.config).put(checkpoint.commit).put(required_values(checkpoint.results));
  bytes.put(validation_records().pack(checkpoint.results.validation));
  bytes.put(session_records().pack(checkpoint.results.sessions)).put(checkpoint.results.meta_gradient);
  return bytes.take();
}

/// Wherever a bit flips, the file is refused, or the bit meant nothing. On one rank: it reads thousands of
/// files.
TEST(CheckpointFile, with_a_flipped_bit_is_refused_or_the_same) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_to(comm, scratch.folder(), 2);
  if (comm.size() == 1) {
    const std::string good = test::bytes_of(scratch / checkpoint_name);
    const std::string wanted = state(read_file<Checkpoint>(comm, scratch / checkpoint_name));
    const Stream stream(Seed{5}, Draw::parameters, TaskId{});
    int refused = 0, same = 0;
    for (Index i = 0; i < 1500; ++i) {
      std::string bad = good;
      const auto bit = static_cast<std::size_t>(stream.uniform(i) * 8.0 * static_cast<double>(good.size()));
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
      test::put_bytes(scratch / "bad.h5", bad);
      try {
        EXPECT_EQ(state(read_file<Checkpoint>(comm, scratch / "bad.h5")), wanted) << "bit " << bit;
        ++same;
      } catch (const CollectiveError& error) {
        EXPECT_EQ(error.code(), ExitCode::data);
        ++refused;
      }
    }
    EXPECT_GT(refused, 500);
    EXPECT_GT(same, 10); // `created`, unused room
  }
}

TEST(AtomicReplace, keeps_the_file_before_under_its_second_name) {
  const Communicator comm;
  const Scratch scratch(comm);
  if (comm.is_root()) {
    for (const char* words : {"one", "two", "three"}) {
      test::put_bytes(scratch / "a.part", words);
      atomic_replace(scratch / "a.part", scratch / "a", scratch / "before");
    }
    EXPECT_EQ(test::bytes_of(scratch / "a"), "three");
    EXPECT_EQ(test::bytes_of(scratch / "before"), "two");

    // Killed between the two steps, both names are one file: nothing is lost, and nothing is left over.
    std::filesystem::remove(scratch / "before");
    std::filesystem::create_hard_link(scratch / "a", scratch / "before");
    test::put_bytes(scratch / "a.part", "four");
    atomic_replace(scratch / "a.part", scratch / "a", scratch / "before");
    EXPECT_EQ(test::bytes_of(scratch / "a"), "four");
    EXPECT_EQ(test::bytes_of(scratch / "before"), "three");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch.folder()), {}), 2);
  }
}

} // namespace
} // namespace metasieve
