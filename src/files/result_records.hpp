#pragma once

#include "base/bytes.hpp"
#include "files/results.hpp"
#include "hdf5/reader.hpp"
#include "hdf5/records.hpp"
#include "hdf5/writer.hpp"

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

/// What a results file and a checkpoint share: /history, /validation, /failures, /sessions, /timing, and
/// /meta_gradient where there are gradients. Collective; rank 0's are written.
void write_result_content(FileWriter& file, const Results& results);

/// @throws DataError naming file and data set
[[nodiscard]] Results read_result_content(const FileReader& file);

/// The tables without optional fields and gradients: what a checkpoint's checksum is of, for programs with
/// and without these fields read each other's.
void put_required_values(ByteWriter& bytes, const Results& results);
void put_results(ByteWriter& bytes, const Results& results);
[[nodiscard]] Results get_results(ByteReader& bytes);

} // namespace metasieve
