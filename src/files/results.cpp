#include "files/results.hpp"

#include "base/bytes.hpp"

#include <algorithm>

namespace metasieve {

const h5::Records<HistoryRow>& history_records() {
  static const h5::Records<HistoryRow> records({
      {"iteration", &HistoryRow::iteration},
      {"loss", &HistoryRow::loss},
      {"accuracy_loss", &HistoryRow::accuracy_loss},
      {"fairness_loss", &HistoryRow::fairness_loss},
      {"gradient_norm", &HistoryRow::gradient_norm},
      {"failed_tasks", &HistoryRow::failed_tasks},
      {"clipped_tasks", &HistoryRow::clipped_tasks},
      {"seconds", &HistoryRow::seconds},
  });
  return records;
}

const h5::Records<ValidationRow>& validation_records() {
  using Field = h5::Field<ValidationRow>;
  static const h5::Records<ValidationRow> records({
      {"iteration", &ValidationRow::iteration},
      {"accuracy", &ValidationRow::accuracy},
      {"dp_gap", &ValidationRow::dp_gap},
      {"eo_gap", &ValidationRow::eo_gap},
      {"baseline_accuracy", &ValidationRow::baseline_accuracy},
      {"baseline_dp_gap", &ValidationRow::baseline_dp_gap},
      {"baseline_eo_gap", &ValidationRow::baseline_eo_gap},
      {"noise_rate_selected", &ValidationRow::noise_rate_selected},
      {"noise_rate_all", &ValidationRow::noise_rate_all},
      Field("loss", &ValidationRow::loss).optional(),
      Field("accuracy_loss", &ValidationRow::accuracy_loss).optional(),
      Field("fairness_loss", &ValidationRow::fairness_loss).optional(),
  });
  return records;
}

const h5::Records<FailureRow>& failure_records() {
  static const h5::Records<FailureRow> records({
      {"task_id", &FailureRow::task_id},
      {"kind", 32, &FailureRow::kind},
      {"count", &FailureRow::count},
      {"first_iteration", &FailureRow::first_iteration},
      {"last_iteration", &FailureRow::last_iteration},
  });
  return records;
}

const h5::Records<SessionRow>& session_records() {
  using Field = h5::Field<SessionRow>;
  static const h5::Records<SessionRow> records({
      {"first_iteration", &SessionRow::first_iteration},
      {"last_iteration", &SessionRow::last_iteration},
      {"ranks", &SessionRow::ranks},
      {"threads", &SessionRow::threads},
      {"seconds", &SessionRow::seconds},
      Field("started", 32, &SessionRow::started).optional(),
      Field("host", 64, &SessionRow::host).optional(),
      Field("processor", 64, &SessionRow::processor).optional(),
      Field("nodes", &SessionRow::nodes).optional(),
      Field("energy_joules", h5::nested(&SessionRow::energy, &Energy::joules)).optional(),
      Field("energy_source", 16, h5::nested(&SessionRow::energy, &Energy::source)).optional(),
      Field("slurm_job", 32, &SessionRow::slurm_job).optional(),
  });
  return records;
}

namespace {

/// One line of /timing.
struct TimingRow {
  std::string phase;
  std::int64_t rank;
  double seconds;
};

const h5::Records<TimingRow>& timing_records() {
  static const h5::Records<TimingRow> records({
      {"phase", 32, &TimingRow::phase},
      {"rank", &TimingRow::rank},
      {"seconds", &TimingRow::seconds},
  });
  return records;
}

void write_flops(FileWriter& file, const Results& results) {
  if (!results.with_flops) return;
  std::vector<PhaseSeconds> counted;
  for (const PhaseSeconds& phase : results.timing)
    if (phase.flops > 0) counted.push_back(phase);
  if (counted.empty()) return;
  static const h5::Records<PhaseSeconds> records({
      {"phase", 32, &PhaseSeconds::phase},
      {"flops", &PhaseSeconds::flops},
      h5::flag<PhaseSeconds>("estimated", [](const PhaseSeconds&) { return false; }),
  });
  file.write("/flops", records, std::span<const PhaseSeconds>(counted),
             {"floating-point operations of each phase on all ranks, of the last session; a "
              "multiply-add counts two; estimated: by a formula, else counted from shapes"});
}

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
    if (phase == phases.end()) phase = phases.insert(phase, {row.phase, {}, 0});
    phase->seconds.push_back(row.seconds);
  }
  return phases;
}

constexpr const char* gradient_name = "/meta_gradient";

void write_gradients(FileWriter& file, const Results& results) {
  const Index parameters = results.meta_gradient.cols();
  if (parameters == 0) return;
  const auto size = static_cast<std::size_t>(results.gradient_rows() * parameters);
  file.write(
      gradient_name, std::span(results.meta_gradient.data(), size),
      {"[iterations, parameters], mean over the batch before clipping; NaN where an earlier session did "
       "not keep it"},
      parameters);
}

void read_gradients(const FileReader& file, Results& results) {
  if (!file.contains(gradient_name)) return;
  const std::vector<Index> shape = file.shape(gradient_name, 2);
  const std::vector<double> values = file.values<double>(gradient_name, 2);
  results.meta_gradient = Eigen::Map<const Matrix>(values.data(), shape[0], shape[1]);
}

} // namespace

template <>
const FileLayout<Results>& layout_of<Results>() {
  static const auto layout =
      FileLayout<Results>(FileType::results)
          .table("/history", &Results::history, history_records(),
                 {"one record a meta-iteration, from 1: means over the batch; seconds of wall time"})
          .table(
              "/validation", &Results::validation, validation_records(),
              {"the policy on the validation tasks, means over tasks where defined; iteration 0 is the "
               "untrained policy; loss, accuracy_loss, fairness_loss: of the fit on all rows by their keep "
               "weights, the others: of the fit on the rows of the hard selection"})
          .table("/failures", &Results::failures, failure_records(),
                 {"tasks that failed numerically, by kind: how often they were left out of a batch's means"},
                 Presence::added_later)
          .table("/sessions", &Results::sessions, session_records(),
                 {"one record for each time the run was started or resumed"}, Presence::added_later)
          .part(
              [](FileWriter& file, const Results& results) {
                const std::vector<TimingRow> rows = timing_rows(results.timing);
                file.write("/timing", timing_records(), std::span(rows),
                           {"wall time of each phase on each rank, of the last session", "s"});
              },
              [](const FileReader& file, Results& results) {
                results.timing = phases_of(file.records("/timing", timing_records()));
              })
          .written(write_flops)
          .part(write_gradients, read_gradients);
  return layout;
}

std::string required_values(const Results& results) {
  ByteWriter bytes;
  const auto put = [&](const auto& records, const auto& rows) {
    bytes.put(records.without_optional().pack(rows));
  };
  put(history_records(), results.history);
  put(validation_records(), results.validation);
  put(failure_records(), results.failures);
  put(session_records(), results.sessions);
  put(timing_records(), timing_rows(results.timing));
  return bytes.take();
}

} // namespace metasieve
