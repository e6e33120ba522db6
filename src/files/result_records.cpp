#include "files/result_records.hpp"

#include <algorithm>

namespace metasieve {

const h5::Records<HistoryRow>& history_records() {
  const auto number = [](const char* name, auto member) { return h5::number<HistoryRow>(name, member); };
  static const h5::Records<HistoryRow> records({
      number("iteration", &HistoryRow::iteration),
      number("loss", &HistoryRow::loss),
      number("accuracy_loss", &HistoryRow::accuracy_loss),
      number("fairness_loss", &HistoryRow::fairness_loss),
      number("gradient_norm", &HistoryRow::gradient_norm),
      number("failed_tasks", &HistoryRow::failed_tasks),
      number("clipped_tasks", &HistoryRow::clipped_tasks),
      number("seconds", &HistoryRow::seconds),
  });
  return records;
}

const h5::Records<ValidationRow>& validation_records() {
  const auto number = [](const char* name, auto member) { return h5::number<ValidationRow>(name, member); };
  const auto later = [&](const char* name, auto member) { return h5::optional(number(name, member)); };
  static const h5::Records<ValidationRow> records({
      number("iteration", &ValidationRow::iteration),
      number("accuracy", &ValidationRow::accuracy),
      number("dp_gap", &ValidationRow::dp_gap),
      number("eo_gap", &ValidationRow::eo_gap),
      number("baseline_accuracy", &ValidationRow::baseline_accuracy),
      number("baseline_dp_gap", &ValidationRow::baseline_dp_gap),
      number("baseline_eo_gap", &ValidationRow::baseline_eo_gap),
      number("noise_rate_selected", &ValidationRow::noise_rate_selected),
      number("noise_rate_all", &ValidationRow::noise_rate_all),
      later("loss", &ValidationRow::loss),
      later("accuracy_loss", &ValidationRow::accuracy_loss),
      later("fairness_loss", &ValidationRow::fairness_loss),
  });
  return records;
}

const h5::Records<FailureRow>& failure_records() {
  static const h5::Records<FailureRow> records({
      h5::number<FailureRow>("task_id", &FailureRow::task_id),
      h5::text<FailureRow>("kind", 32, &FailureRow::kind),
      h5::number<FailureRow>("count", &FailureRow::count),
      h5::number<FailureRow>("first_iteration", &FailureRow::first_iteration),
      h5::number<FailureRow>("last_iteration", &FailureRow::last_iteration),
  });
  return records;
}

const h5::Records<SessionRow>& session_records() {
  const auto later_text = [](const char* name, std::size_t size, auto member) {
    return h5::optional(h5::text<SessionRow>(name, size, member));
  };
  static const h5::Records<SessionRow> records({
      h5::number<SessionRow>("first_iteration", &SessionRow::first_iteration),
      h5::number<SessionRow>("last_iteration", &SessionRow::last_iteration),
      h5::number<SessionRow>("ranks", &SessionRow::ranks),
      h5::number<SessionRow>("threads", &SessionRow::threads),
      h5::number<SessionRow>("seconds", &SessionRow::seconds),
      later_text("started", 32, &SessionRow::started),
      later_text("host", 64, &SessionRow::host),
      later_text("processor", 64, &SessionRow::processor),
      h5::optional(h5::number<SessionRow>("nodes", &SessionRow::nodes)),
  });
  return records;
}

const h5::Records<TimingRow>& timing_records() {
  static const h5::Records<TimingRow> records({
      h5::text<TimingRow>("phase", 32, &TimingRow::phase),
      h5::number<TimingRow>("rank", &TimingRow::rank),
      h5::number<TimingRow>("seconds", &TimingRow::seconds),
  });
  return records;
}

const h5::Records<PhaseFlops>& flops_records() {
  static const h5::Records<PhaseFlops> records({
      h5::text<PhaseFlops>("phase", 32, &PhaseFlops::phase),
      h5::number<PhaseFlops>("flops", &PhaseFlops::flops),
      h5::number<PhaseFlops>("estimated", &PhaseFlops::estimated),
  });
  return records;
}

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
