#pragma once

#include "io/evaluation_file.hpp"
#include "io/records.hpp"

namespace metasieve {

// How the records of an evaluation file are stored.
[[nodiscard]] const h5::Records<EvaluationRow>& evaluation_records();
[[nodiscard]] const h5::Records<SummaryRow>& summary_records();
[[nodiscard]] const h5::Records<SummaryRow>& frontier_records(); ///< a summary with the field `setting`
[[nodiscard]] const h5::Records<PointSummaryRow>&
point_summary_records(); ///< a summary after the field `index`
[[nodiscard]] const h5::Records<PairedRow>& paired_records();
[[nodiscard]] const h5::Records<DetectionRow>& detection_records();
[[nodiscard]] const h5::Records<ResponseRow>& response_records();
[[nodiscard]] const h5::Records<FindingRow>& finding_records();

} // namespace metasieve
