#include "runtime/machine.hpp"

#include "base/for_each.hpp"
#include "runtime/phases.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

TEST(Placement, names_the_first_of_many_nodes_and_counts_the_others) {
  EXPECT_EQ(names_of({"a"}), "a");
  std::vector<std::string> hosts(16, "n");
  const std::string all = names_of(hosts);
  EXPECT_EQ(all.size(), 16U + 15 * 2);
  hosts.resize(128, "m");
  EXPECT_EQ(names_of(hosts), all + ", + 112 more");
}

TEST(InputRecord, has_a_hash_of_16_digits_and_the_name_without_folders) {
  EXPECT_EQ(input_record("policy", 0xabcU, "some/policy.h5"), "policy 0000000000000abc policy.h5");
  EXPECT_EQ(input_record("suite", std::nullopt, "my suite.h5"), "suite - my suite.h5");
}

TEST(JobMetadata, are_of_this_job_and_the_same_on_every_rank) {
  const Communicator comm;

  const JobMetadata facts = job_metadata(comm, wall_seconds() - 100);

  EXPECT_EQ(facts.ranks, comm.size());
  EXPECT_EQ(facts.threads, thread_count());
  EXPECT_EQ(facts.nodes, 1);
  EXPECT_EQ(facts.hosts, host_name());
  EXPECT_EQ(facts.processor, processor_model());
  EXPECT_GE(facts.seconds, 100);
  EXPECT_EQ(facts.mpi, mpi_version());
  EXPECT_FALSE(facts.usage.has_value()); // the caller knows of which part
  EXPECT_EQ(comm.broadcast(facts.hosts), facts.hosts);
}

} // namespace
} // namespace metasieve
