#include "io/result_records.hpp"

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

} // namespace metasieve
