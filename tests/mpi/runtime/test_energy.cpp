#include "runtime/energy.hpp"

#include "support/scratch.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace metasieve {
namespace {

using test::put_bytes;
using test::Scratch;

constexpr const char* intel_range = "262143328850\n";

/// A zone of RAPL, as /sys has it.
void put_zone(const std::filesystem::path& root, const std::string& zone, const std::string& name,
              const std::string& microjoules, const std::string& range = intel_range) {
  const std::filesystem::path folder = root / "class/powercap" / zone;
  std::filesystem::create_directories(folder);
  put_bytes(folder / "name", name + "\n");
  put_bytes(folder / "energy_uj", microjoules + "\n");
  put_bytes(folder / "max_energy_range_uj", range);
}

void put_cray(const std::filesystem::path& root, const std::string& text) {
  std::filesystem::create_directories(root / "cray/pm_counters");
  put_bytes(root / "cray/pm_counters/energy", text);
}

/// A folder of each rank, below one that all share.
std::filesystem::path own_folder(const Communicator& comm, const Scratch& scratch) {
  return scratch / std::to_string(comm.rank());
}

void expect_unknown(NodeEnergy& node) {
  const Energy energy = node.used();
  EXPECT_TRUE(std::isnan(energy.joules)) << energy.joules;
  EXPECT_EQ(energy.source, "unknown");
}

TEST(NodeEnergy, of_a_cray_is_in_joules_and_comes_before_rapl) {
  const Communicator comm;
  const Scratch scratch(comm);
  const std::filesystem::path root = own_folder(comm, scratch);
  put_cray(root, "1000 J 1700000000 us\n");
  put_zone(root, "intel-rapl:0", "package-0", "5");
  NodeEnergy node(root);
  put_cray(root, "1250 J 1700000100 us\n");
  EXPECT_EQ(node.used().joules, 250);
  put_cray(root, "1300 J 1700000200 us\n");
  EXPECT_EQ(node.used().joules, 300);
  EXPECT_EQ(node.used().source, "pm_counters");

  put_cray(root, "20 J\n"); // the node was started again
  expect_unknown(node);
  put_cray(root, "1400 J\n");
  expect_unknown(node); // what was missed stays unknown
}

TEST(NodeEnergy, of_rapl_sums_packages_over_a_wrap_and_leaves_their_parts_out) {
  const Communicator comm;
  const Scratch scratch(comm);
  const std::filesystem::path root = own_folder(comm, scratch);
  put_zone(root, "intel-rapl:0", "package-0", "1000000");
  put_zone(root, "intel-rapl:1", "package-1", "262143000000");
  put_zone(root, "intel-rapl:2", "psys", "0");
  put_zone(root, "intel-rapl:0:0", "package-0", "0"); // by its place a part, whatever it is called
  put_zone(root, "intel-rapl-mmio:0", "package-0", "0");
  NodeEnergy node(root);
  for (const char* zone : {"intel-rapl:2", "intel-rapl:0:0", "intel-rapl-mmio:0"})
    put_zone(root, zone, "x", "99000000");
  put_zone(root, "intel-rapl:0", "package-0", "3500000");
  put_zone(root, "intel-rapl:1", "package-1", "671150"); // 0.328850 J to the end, 0.671150 J after it

  EXPECT_DOUBLE_EQ(node.used().joules, 2.5 + 1.0);
  EXPECT_EQ(node.used().source, "rapl");
  EXPECT_DOUBLE_EQ(node.used().joules, 3.5);
}

TEST(NodeEnergy, is_unknown_without_counters_and_where_one_cannot_be_read) {
  const Communicator comm;
  const Scratch scratch(comm);
  const std::filesystem::path root = own_folder(comm, scratch);
  NodeEnergy none(root);
  expect_unknown(none);

  put_zone(root, "intel-rapl:0", "package-0", "1000");
  put_zone(root, "intel-rapl:1", "package-1", "1000");
  const std::filesystem::path second = root / "class/powercap/intel-rapl:1/energy_uj";
  NodeEnergy later(root);
  std::filesystem::remove(second);
  std::filesystem::create_directory(second); // root may read any file, but this is none
  NodeEnergy one_of_two(root);
  expect_unknown(one_of_two);
  expect_unknown(later);

  std::filesystem::remove(second);
  put_bytes(second, "no number\n");
  NodeEnergy words(root);
  expect_unknown(words);

  put_zone(root, "intel-rapl:1", "package-1", "1000", "0\n"); // where it wraps is not known
  NodeEnergy endless(root);
  expect_unknown(endless);
}

TEST(NodeEnergy, is_unknown_where_a_counter_may_have_wrapped_twice) {
  const Communicator comm;
  const Scratch scratch(comm);
  const std::filesystem::path root = own_folder(comm, scratch);
  put_zone(root, "intel-rapl:0", "package-0", "1", "2\n"); // full in 2 ns at 1 kW
  NodeEnergy node(root);
  expect_unknown(node);
}

TEST(EnergyMeter, counts_a_node_once_and_says_the_same_on_every_rank) {
  const Communicator comm;
  const Scratch scratch(comm);
  if (comm.is_root()) put_zone(scratch.folder(), "intel-rapl:0", "package-0", "1000000");
  comm.barrier();
  EnergyMeter meter(comm, scratch.folder());
  comm.barrier();
  if (comm.is_root()) put_zone(scratch.folder(), "intel-rapl:0", "package-0", "3125000");
  comm.barrier();

  const Energy energy = meter.used();

  EXPECT_DOUBLE_EQ(energy.joules, 2.125); // all ranks of a test are on one node
  EXPECT_EQ(energy.source, "rapl");
  EnergyMeter none(comm, scratch / "nowhere");
  EXPECT_TRUE(std::isnan(none.used().joules));
}

TEST(Energy, of_two_parts_is_unknown_unless_the_same_counters_counted_both) {
  const Energy one{2, "rapl"}, other{3, "rapl"}, cray{4, "pm_counters"};
  EXPECT_EQ((one + other).joules, 5);
  EXPECT_EQ((one + other).source, "rapl");
  for (const Energy& sum : {one + cray, one + Energy{}, Energy{} + one, Energy{} + Energy{}}) {
    EXPECT_TRUE(std::isnan(sum.joules));
    EXPECT_EQ(sum.source, "unknown");
  }
}

} // namespace
} // namespace metasieve
