#include "files/dataset.hpp"
#include "files/file_layout.hpp"
#include "files/policy.hpp"
#include "files/results.hpp"
#include "files/verify.hpp"
#include "hdf5/raw_file.hpp"
#include "hdf5/writer.hpp"

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

TEST(ResultsFile, comes_back) {
  const Communicator comm;
  const Scratch scratch(comm);
  const Results saved = test::sample_results();
  write_file(comm, scratch / "r.h5", {}, comm.is_root() ? saved : Results{});

  const Results read = read_file<Results>(comm, scratch / "r.h5");

  EXPECT_EQ(read.history.size(), 2U);
  EXPECT_EQ(read.history[0].failed_tasks, 2);
  EXPECT_EQ(read.history[0].clipped_tasks, 1);
  EXPECT_EQ(read.history[1].seconds, 3);
  EXPECT_EQ(read.validation[1].iteration, 2);
  EXPECT_EQ(read.validation[1].loss, 0.4);
  EXPECT_EQ(read.validation[1].fairness_loss, 0.15);
  EXPECT_EQ(read.sessions[0].started, "2026-01-31T12:00:00Z");
  EXPECT_EQ(read.sessions[0].host, "node001");
  EXPECT_EQ(read.sessions[0].processor, "some processor");
  EXPECT_EQ(read.sessions[0].nodes, 2);
  EXPECT_EQ(read.sessions[0].energy.joules, 1500);
  EXPECT_EQ(read.sessions[0].energy.source, "rapl");
  EXPECT_EQ(read.sessions[0].slurm_job, "77");
  EXPECT_EQ(read.timing.size(), 2U);
  EXPECT_EQ(read.timing[1].phase, "train");
  EXPECT_EQ(read.timing[1].seconds, (std::vector<double>{3, 4}));
  const Matrix expected = comm.is_root() ? saved.meta_gradient : Matrix();
  EXPECT_EQ(comm.broadcast(std::string(reinterpret_cast<const char*>(expected.data()),
                                       static_cast<std::size_t>(expected.size()) * sizeof(double))),
            std::string(reinterpret_cast<const char*>(read.meta_gradient.data()),
                        static_cast<std::size_t>(read.meta_gradient.size()) * sizeof(double)));
}

TEST(ResultsFile, empty_ones_are_legal) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_file(comm, scratch / "r.h5", {}, Results{});
  const Results read = read_file<Results>(comm, scratch / "r.h5");
  EXPECT_TRUE(read.history.empty() && read.validation.empty() && read.timing.empty());
  EXPECT_EQ(read.meta_gradient.size(), 0);
}

/// The first files of version 1.0 had neither these fields nor /failures.
TEST(ResultsFile, of_an_older_program_lacks_what_came_later) {
  const Communicator comm;
  const Scratch scratch(comm);
  const Results saved = test::sample_results();
  const auto mine = [&](const auto& rows) { return std::span(rows).first(comm.is_root() ? rows.size() : 0); };
  struct TimingRow {
    std::string phase;
    std::int64_t rank = 0;
    double seconds = 0;
  };
  const h5::Records<TimingRow> timing(
      {{"phase", 32, &TimingRow::phase}, {"rank", &TimingRow::rank}, {"seconds", &TimingRow::seconds}});
  write_file(comm, scratch / "r.h5", FileType::results, {}, [&](FileWriter& file) {
    file.write("/history", history_records(), mine(saved.history), {});
    file.write("/validation", validation_records().without_optional(), mine(saved.validation), {});
    file.write("/sessions", session_records().without_optional(), mine(saved.sessions), {});
    file.write("/timing", timing, mine(std::vector<TimingRow>()), {});
  });

  const Results read = read_file<Results>(comm, scratch / "r.h5");

  EXPECT_EQ(read.history.size(), 2U);
  EXPECT_EQ(read.validation.size(), 2U);
  EXPECT_EQ(read.validation[0].accuracy, 0.8);
  EXPECT_EQ(read.validation[0].noise_rate_all, 0.15);
  EXPECT_TRUE(std::isnan(read.validation[0].loss) && std::isnan(read.validation[1].accuracy_loss));
  EXPECT_TRUE(read.failures.empty());
  EXPECT_EQ(read.sessions[0].seconds, 12.5);
  EXPECT_TRUE(read.sessions[0].started.empty() && read.sessions[0].host.empty());
  EXPECT_EQ(read.sessions[0].nodes, 0);
  EXPECT_TRUE(std::isnan(read.sessions[0].energy.joules));
  EXPECT_EQ(read.sessions[0].energy.source, "unknown");
  EXPECT_PRED2(contains, inspect_file(comm, scratch / "r.h5"), "records             2\n");
}

/// An optional field may be missing; it may not be something else.
TEST(Records, with_an_optional_field_of_another_type_are_refused) {
  struct Row {
    std::int64_t a = 1;
    double b = 2.5;
  };
  const auto a = h5::Field<Row>("a", &Row::a);
  const h5::Records<Row> records({a, h5::Field<Row>("b", &Row::b).optional()});
  const h5::DataType good = records.type(), older = records.without_optional().type(),
                     other = h5::Records<Row>({a, h5::Field<Row>("b", &Row::a)}).type();

  EXPECT_EQ(records.unpack(records.blank()).front().a, 0);
  EXPECT_EQ(records.unpack(records.blank()).front().b, 2.5);
  EXPECT_NO_THROW(h5::require_fields(good.get(), records.layouts()));
  EXPECT_NO_THROW(h5::require_fields(older.get(), records.layouts()));
  EXPECT_THROW(h5::require_fields(older.get(), h5::Records<Row>({h5::Field<Row>("b", &Row::b)}).layouts()),
               DataError);
  EXPECT_THROW(h5::require_fields(other.get(), records.layouts()), DataError);
}

TEST(EvaluationFile, comes_back_in_rank_order_with_undefined_values) {
  const Communicator comm;
  const Scratch scratch(comm);
  std::vector<EvaluationRow> mine(static_cast<std::size_t>(comm.rank()),
                                  test::sample_row(comm.rank())); // none on 0
  if (comm.size() == 1) mine = {test::sample_row(1)};
  write_file(comm, scratch / "e.h5", {}, Evaluation{mine, {}});

  const Evaluation read = read_file<Evaluation>(comm, scratch / "e.h5");

  const int size = comm.size();
  EXPECT_EQ(std::ssize(read.rows), size == 1 ? 1 : size * (size - 1) / 2);
  EXPECT_EQ(read.rows.front().split, 1);
  EXPECT_EQ(read.rows.back().split, std::max(size - 1, 1));
  EXPECT_EQ(read.rows.front().method, "meta_hard");
  EXPECT_TRUE(std::isnan(read.rows.front().metrics.eo_gap));
  EXPECT_EQ(read.rows.front().metrics.worst_group_accuracy, 0.45);
  EXPECT_EQ(read.rows.front().selected, 70);
  EXPECT_EQ(read.rows.front().metrics.eo_floor, 0.03);
  EXPECT_EQ(read.rows.front().policy, 1);
  EXPECT_EQ(read.rows.front().family, "");
  if (size > 2) { // then rank 2 has rows too
    EXPECT_EQ(read.rows[1].family, "biased");
  }
  EXPECT_TRUE(read.tables.summary.empty() && read.tables.frontier.empty());
}

TEST(EvaluationFile, tables_of_rank_0_come_back_on_every_rank) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_file(comm, scratch / "e.h5", {},
             Evaluation{{}, comm.is_root() ? test::sample_tables() : EvaluationTables{}});

  const EvaluationTables read = read_file<Evaluation>(comm, scratch / "e.h5").tables;

  EXPECT_TRUE(read.summary.size() == 1 && read.paired.size() == 1 && read.detection.size() == 1);
  EXPECT_TRUE(read.response.size() == 1 && read.findings.size() == 1 && read.frontier.size() == 1);
  if (read.frontier.empty() || read.paired.empty()) return; // no ASSERT: another rank may go on
  EXPECT_EQ(read.summary[0].baseline_relative, 0.014);
  EXPECT_EQ(read.summary[0].splits, 9);
  EXPECT_EQ(read.summary[0].policies, 3);
  EXPECT_EQ(read.summary[0].policy_sd, 0.004);
  EXPECT_TRUE(std::isnan(read.summary[0].setting));
  EXPECT_EQ(read.frontier[0].setting, 0.3);
  EXPECT_EQ(read.frontier[0].mean, 0.7);
  EXPECT_EQ(read.paired[0].peer, "roh");
  EXPECT_EQ(read.paired[0].won, 0.75);
  EXPECT_EQ(read.detection[0].corruption, "uniform");
  EXPECT_EQ(read.detection[0].caught, 8);
  EXPECT_EQ(read.response[0].feature, "knn");
  EXPECT_EQ(read.response[0].keep, 0.7);
  EXPECT_EQ(read.findings[0].text, "WARNING: one class");
  EXPECT_EQ(read.findings[0].group, "größer");
  if (read.groups.size() != 1 || read.group_summary.size() != 1) {
    ADD_FAILURE() << "groups are lost";
    return;
  }
  const GroupRow& group = read.groups[0];
  EXPECT_TRUE(group.source == "compas" && group.split == 3 && group.policy == 1 &&
              group.method == "meta_hard");
  EXPECT_TRUE(group.group == 2 && group.rows == 25 && group.positives == 12);
  EXPECT_TRUE(group.rates.accuracy == 0.75 && group.rates.positive_rate == 0.5);
  EXPECT_TRUE(group.rates.true_positive_rate == 0.625 && std::isnan(group.rates.false_positive_rate));
  const GroupSummaryRow& rate = read.group_summary[0];
  EXPECT_TRUE(rate.group == 2 && rate.name == "größer" && rate.rows == 12.5);
  EXPECT_TRUE(rate.metric == "true_positive_rate" && rate.high == 0.8 && rate.baseline_change_high == 0.02);
  EXPECT_EQ(read.hidden.size(), 1U);
  for (const HiddenPositivesRow& hidden : read.hidden) {
    EXPECT_TRUE(hidden.source == "compas" && hidden.split == 3 && hidden.group == 2);
    EXPECT_TRUE(hidden.name == "größer" && hidden.share == 0.31 && hidden.evidence == 4.5);
  }
}

/// As older programs wrote them, and as those of suites are.
TEST(EvaluationFile, may_lack_the_tables_of_groups_and_hidden_positives) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_file(comm, scratch / "e.h5", {},
             Evaluation{{}, comm.is_root() ? test::sample_tables() : EvaluationTables{}});
  comm.barrier();
  if (comm.is_root())
    test::edit(scratch / "e.h5", [](hid_t f) {
      test::remove(f, "/groups"), test::remove(f, "/group_summary"), test::remove(f, "/hidden_positives");
    });
  comm.barrier();

  const EvaluationTables read = read_file<Evaluation>(comm, scratch / "e.h5").tables;

  EXPECT_TRUE(read.groups.empty() && read.group_summary.empty() && read.hidden.empty());
  EXPECT_EQ(read.findings.size(), 1U);
  write_file(comm, scratch / "none.h5", {}, Evaluation{});
  EXPECT_FALSE(FileReader(scratch / "none.h5").contains("/groups"));
}

TEST(EvaluationFile, cuts_long_names_instead_of_losing_an_evaluation) {
  const Communicator comm;
  const Scratch scratch(comm);
  EvaluationRow row = test::sample_row(0);
  row.source = std::string(100, 's');
  write_file(comm, scratch / "e.h5", {}, Evaluation{{row}, {}});
  EXPECT_EQ(read_file<Evaluation>(comm, scratch / "e.h5").rows[0].source, std::string(63, 's'));
}

TEST(ScoresFile, comes_back) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_file(comm, scratch / "s.h5", {}, ScoreTable{{{comm.rank(), -0.5, 0.25, 1, 0, 1}}});
  const ScoreTable read = read_file<ScoreTable>(comm, scratch / "s.h5");
  EXPECT_EQ(std::ssize(read.rows), comm.size());
  EXPECT_EQ(read.rows.back().row, comm.size() - 1);
  EXPECT_EQ(read.rows.back().weight, 0.25);
  EXPECT_EQ(read.rows.back().group, 1);
  EXPECT_TRUE(read.ids.empty() && read.hidden_group.empty());
}

TEST(ScoresFile, comes_back_with_the_estimate_of_hidden_positives) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_file(comm, scratch / "s.h5", {},
             ScoreTable{{{comm.rank(), -0.5, 0.25, 1, 0, 1}}, {}, "größer", 0.31, 4.5});
  const ScoreTable read = read_file<ScoreTable>(comm, scratch / "s.h5");
  EXPECT_TRUE(read.hidden_group == "größer" && read.hidden_share == 0.31 && read.hidden_evidence == 4.5);
}

TEST(ScoresFile, comes_back_with_ids_of_any_length) {
  const Communicator comm;
  const Scratch scratch(comm);
  const std::string mine(static_cast<std::size_t>(3 * comm.rank()), 'x'); // of rank 0 empty
  write_file(comm, scratch / "s.h5", {}, ScoreTable{{{comm.rank(), -0.5, 0.25, 1, 0, 1}}, {mine}});
  const ScoreTable read = read_file<ScoreTable>(comm, scratch / "s.h5");
  ASSERT_EQ(std::ssize(read.ids), comm.size());
  for (int rank = 0; rank < comm.size(); ++rank)
    EXPECT_EQ(read.ids[static_cast<std::size_t>(rank)], std::string(static_cast<std::size_t>(3 * rank), 'x'));
  EXPECT_PRED2(contains, verify_file(comm, scratch / "s.h5"), "2 checksums fit");
}

TEST(ScoresFile, as_text_has_every_bit_and_no_nan) {
  const std::vector<ScoreRow> rows{{0, -1.0 / 3, 0.25, 1, 0, 1}, {1, std::nan(""), 0, 0, 1, 0}};
  EXPECT_EQ(scores_csv({rows}),
            "row,score,weight,selected,y,z\n0,-0.3333333333333333,0.25,1,0,1\n1,,0,0,1,0\n");
  EXPECT_EQ(scores_csv({rows, {"a", "Müller, \"B\""}}),
            "row,id,score,weight,selected,y,z\n0,a,-0.3333333333333333,0.25,1,0,1\n1,\"Müller, "
            "\"\"B\"\"\",,0,0,1,0\n");
}

TEST(TextFile, replaces_what_was_there_and_leaves_no_part) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_text(comm, scratch / "new/a.csv", "first, which is longer\n");
  write_text(comm, scratch / "new/a.csv", "second\n");

  std::ifstream stream(scratch / "new/a.csv");
  std::ostringstream text;
  text << stream.rdbuf();
  EXPECT_EQ(text.str(), "second\n");
  EXPECT_FALSE(std::filesystem::exists(scratch / "new/a.csv.part"));
  comm.barrier();
  EXPECT_THROW(write_text(comm, scratch / "new", "x"), CollectiveError); // a folder
}

TEST(Inspect, describes_and_verifies_each_type) {
  const Communicator comm;
  const Scratch scratch(comm);
  const JobMetadata job{4, 2, 3, "a, b, c", "some processor", "-O3", 12.5};
  const Provenance provenance{"[suite]\ntasks = 40\n", job};
  write_suite(comm, scratch / "suite", provenance, test::sample_tasks(test::share(comm, 40)));
  write_file(comm, scratch / "dataset", provenance, test::sample_dataset());
  write_file(comm, scratch / "policy", provenance, test::sample_policy());
  write_checkpoint(comm, scratch / "checkpoint", {}, test::sample_checkpoint());
  write_file(comm, scratch / "results", provenance, test::sample_results());
  write_file(comm, scratch / "evaluation", provenance, Evaluation{{test::sample_row(0)}, {}});
  write_file(comm, scratch / "scores", provenance, ScoreTable());
  const std::vector<std::pair<const char*, const char*>> expected{
      {"suite", "family              biased_with_a_name_of_31_letter 20, seed_random 20\n"},
      {"dataset", "/y                  rows 20, least 0, greatest 1, mean 0.35\n"},
      {"policy", "hidden              5, 3\n"},
      {"checkpoint", "step                2\n"},
      {"results", "failed_tasks        least 0, greatest 2, mean 1, first 2, last 0\n"},
      {"evaluation", "method              meta_hard "},
      {"scores", "records             0\n"}};

  const std::set<std::string> says_who{"dataset", "results", "evaluation", "scores"};
  for (const auto& [name, part] : expected) {
    const std::string text = inspect_file(comm, scratch / name);
    EXPECT_PRED2(contains, text, "metasieve-" + std::string(name) + " 1.0");
    EXPECT_PRED2(contains, text, part);
    EXPECT_EQ(contains(text, "hosts               a, b, c\n"), says_who.contains(name));
    EXPECT_TRUE(text.ends_with("config:\n" + provenance.config)) << text;
    EXPECT_PRED2(contains, verify_file(comm, scratch / name), "every value checked");
  }
  EXPECT_EQ(test::open_ids(), 0);
}

TEST(Inspect, verify_finds_one_bad_value_in_the_last_task) {
  const Communicator comm;
  const Scratch scratch(comm);
  write_suite(comm, scratch / "suite", {}, test::sample_tasks(test::share(comm, 40)));
  if (comm.is_root())
    test::edit(scratch / "suite", [](hid_t f) {
      const h5::DataSet data_set(H5Dopen2(f, "/test/y", H5P_DEFAULT), "H5Dopen");
      const h5::DataSpace space(H5Dget_space(data_set.get()), "H5Dget_space");
      const auto last = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get()) - 1);
      test::set_value<std::uint8_t>(f, "/test/y", last, 3);
    });
  comm.barrier();
  EXPECT_PRED2(contains, inspect_file(comm, scratch / "suite"), "records             40\n");
  EXPECT_PRED2(contains,
               collective_error(comm, [&] { static_cast<void>(verify_file(comm, scratch / "suite")); }),
               "/test/y: task 39, row 4 is 3; must be 0 or 1");
}

} // namespace
} // namespace metasieve
