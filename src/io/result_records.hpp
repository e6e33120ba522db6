#pragma once

#include "io/records.hpp"
#include "io/results_file.hpp"

namespace metasieve {

[[nodiscard]] const h5::Records<HistoryRow>& history_records();
[[nodiscard]] const h5::Records<ValidationRow>& validation_records();
[[nodiscard]] const h5::Records<FailureRow>& failure_records();
[[nodiscard]] const h5::Records<SessionRow>& session_records();

/// One line of /timing.
struct TimingRow {
  std::string phase;
  std::int64_t rank;
  double seconds;
};
[[nodiscard]] const h5::Records<TimingRow>& timing_records();
[[nodiscard]] const h5::Records<PhaseFlops>& flops_records();

} // namespace metasieve
