#include "files/file_layout.hpp"
#include "files/sweep.hpp"
#include "files/verify.hpp"

#include "support/collective_error.hpp"
#include "support/scratch.hpp"

#include <cmath>

namespace metasieve {
namespace {

using test::Scratch;
using Kind = SweepColumn::Kind;

/// Three points: index, a text, `numbers` numbers.
Sweep sample(std::size_t numbers) {
  Sweep sweep;
  SweepTable& table = sweep.table;
  table.rows.resize(3);
  const std::size_t index = table.add("index", Kind::integer), name = table.add("policy.hidden", Kind::text);
  for (std::size_t k = 0; k < numbers; ++k)
    table.add("meta_hard.noise_rate_selected.low." + std::to_string(k), Kind::number);
  for (std::size_t i = 0; i < 3; ++i) {
    table.rows[i].numbers[index] = static_cast<double>(i);
    table.rows[i].texts[name] = i == 1 ? "8,4" : "64 \"wide\"";
    if (i != 2) table.rows[i].numbers.back() = 0.5 + static_cast<double>(i);
  }
  SummaryRow row{"all", "baseline", "accuracy", 0.8, 0.7, 0.9, 0, 0, 0, 0, 5, 1, std::nan("")};
  sweep.summary = {{row, 1}};
  return sweep;
}

TEST(SweepFile, comes_back) {
  const Communicator comm;
  const Scratch scratch(comm);
  const Sweep saved = sample(2);
  write_file(comm, scratch / "s.h5", {}, comm.is_root() ? saved : Sweep());

  const Sweep read = read_file<Sweep>(comm, scratch / "s.h5");

  EXPECT_EQ(sweep_csv(read.table), sweep_csv(saved.table));
  EXPECT_EQ(read.summary.size(), 1U);
  EXPECT_EQ(read.summary.front().index, 1);
  EXPECT_EQ(read.summary.front().high, 0.9);
  EXPECT_PRED2(test::contains, verify_file(comm, scratch / "s.h5"), "sound metasieve-sweep file");
}

TEST(SweepFile, csv_quotes_texts_and_leaves_undefined_numbers_empty) {
  EXPECT_EQ(sweep_csv(sample(1).table), "index,policy.hidden,meta_hard.noise_rate_selected.low.0\n"
                                        "0,\"64 \"\"wide\"\"\",0.5\n1,\"8,4\",1.5\n2,\"64 \"\"wide\"\"\",\n");
}

TEST(SweepFile, what_is_said_to_fit_one_table_does) {
  const Communicator comm;
  const Scratch scratch(comm);
  std::size_t most = 500;
  while (fits_one_table(sample(most + 1).table.columns)) ++most;
  const Sweep saved = sample(most);

  write_file(comm, scratch / "s.h5", {}, saved);

  EXPECT_GT(most, 800U);
  EXPECT_EQ(sweep_csv(read_file<Sweep>(comm, scratch / "s.h5").table), sweep_csv(saved.table));
}

TEST(SweepFile, a_table_without_an_index_is_refused) {
  const Communicator comm;
  const Scratch scratch(comm);
  Sweep sweep = sample(1);
  sweep.table.columns.front().name = "number";
  write_file(comm, scratch / "s.h5", {}, sweep);

  const std::string message =
      test::collective_error(comm, [&] { static_cast<void>(read_file<Sweep>(comm, scratch / "s.h5")); });

  EXPECT_PRED2(test::contains, message, "/points: the first field must be the integer 'index'");
}

} // namespace
} // namespace metasieve
