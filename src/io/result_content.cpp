#include "io/result_content.hpp"

#include "io/result_records.hpp"

#include <algorithm>

namespace metasieve {
namespace {

std::vector<TimingRow> timing_rows(const std::vector<PhaseSeconds>& timing) {
  std::vector<TimingRow> rows;
  for (const PhaseSeconds& phase : timing)
    for (std::size_t rank = 0; rank < phase.seconds.size(); ++rank)
      rows.push_back({phase.phase, static_cast<std::int64_t>(rank), phase.seconds[rank]});
  return rows;
}

/// Phases in order of appearance, ranks in the order of the rows.
std::vector<PhaseSeconds> phases_of(const std::vector<TimingRow>& rows) {
  std::vector<PhaseSeconds> phases;
  for (const TimingRow& row : rows) {
    auto phase =
        std::find_if(phases.begin(), phases.end(), [&](const auto& p) { return p.phase == row.phase; });
    if (phase == phases.end()) phase = phases.insert(phase, {row.phase, {}});
    phase->seconds.push_back(row.seconds);
  }
  return phases;
}

/// What rank 0 gives; nothing from the others.
template <class T>
std::span<const T> mine(const FileWriter& file, const std::vector<T>& values) {
  return std::span(values).first(file.communicator().is_root() ? values.size() : 0);
}

/// All but the gradients, each table as `pack` makes bytes of it.
void put_tables(ByteWriter& bytes, const Results& results, const auto& pack) {
  bytes.put(pack(history_records(), results.history))
      .put(pack(validation_records(), results.validation))
      .put(pack(failure_records(), results.failures))
      .put(pack(session_records(), results.sessions))
      .put(pack(timing_records(), timing_rows(results.timing)));
}

Matrix read_gradients(const FileReader& file) {
  constexpr const char* name = "/meta_gradient";
  if (!file.contains(name)) return {};
  const std::vector<Index> shape = file.shape(name, 2);
  const std::vector<double> values = file.values<double>(name, 2);
  return Eigen::Map<const Matrix>(values.data(), shape[0], shape[1]);
}

/// A table that files of 1.0 do not have yet.
template <class Record>
std::vector<Record> records_if_any(const FileReader& file, const std::string& name,
                                   const h5::Records<Record>& records) {
  return file.contains(name) ? file.records(name, records) : std::vector<Record>();
}

} // namespace

void write_result_content(FileWriter& file, const Results& results) {
  const Communicator& comm = file.communicator();
  const Index parameters = comm.max(std::int64_t{comm.is_root() ? results.meta_gradient.cols() : 0});
  const std::vector<TimingRow> timing = timing_rows(results.timing);
  file.write("/history", history_records(), mine(file, results.history),
             {"one record a meta-iteration, from 1: means over the batch; seconds of wall time", ""});
  file.write(
      "/validation", validation_records(), mine(file, results.validation),
      {"the policy on the validation tasks, means over tasks where defined; iteration 0 is the untrained "
       "policy; loss, accuracy_loss, fairness_loss: of the fit on all rows by their keep weights, the "
       "others: of the fit on the rows of the hard selection",
       ""});
  file.write("/failures", failure_records(), mine(file, results.failures),
             {"tasks that failed numerically, by kind: how often they were left out of a batch's means", ""});
  file.write("/sessions", session_records(), mine(file, results.sessions),
             {"one record for each time the run was started or resumed", ""});
  file.write("/timing", timing_records(), mine(file, timing),
             {"wall time of each phase on each rank, of the last session", "s"});
  if (comm.max(std::int64_t{std::ssize(results.flops)}) > 0)
    file.write("/flops", flops_records(), mine(file, results.flops),
               {"floating-point operations of each phase on all ranks, of the last session; a multiply-add "
                "counts two; estimated: by a formula, else counted from shapes",
                ""});
  if (parameters > 0) {
    const auto size = static_cast<std::size_t>(comm.is_root() ? results.gradient_rows() * parameters : 0);
    file.write("/meta_gradient", std::span(results.meta_gradient.data(), size),
               {"[iterations, parameters], mean over the batch before clipping; NaN where an earlier session "
                "did not keep it",
                ""},
               parameters);
  }
}

Results read_result_content(const FileReader& file) {
  return {file.records("/history", history_records()),
          file.records("/validation", validation_records()),
          records_if_any(file, "/failures", failure_records()),
          records_if_any(file, "/sessions", session_records()),
          phases_of(file.records("/timing", timing_records())),
          read_gradients(file)};
}

void put_results(ByteWriter& bytes, const Results& results) {
  put_tables(bytes, results, [](const auto& records, const auto& rows) { return records.pack(rows); });
  bytes.put(results.meta_gradient);
}

void put_required_values(ByteWriter& bytes, const Results& results) {
  put_tables(bytes, results,
             [](const auto& records, const auto& rows) { return records.without_optional().pack(rows); });
}

Results get_results(ByteReader& bytes) {
  Results results;
  results.history = history_records().unpack(bytes.text());
  results.validation = validation_records().unpack(bytes.text());
  results.failures = failure_records().unpack(bytes.text());
  results.sessions = session_records().unpack(bytes.text());
  results.timing = phases_of(timing_records().unpack(bytes.text()));
  results.meta_gradient = bytes.array<Matrix>();
  return results;
}

} // namespace metasieve
