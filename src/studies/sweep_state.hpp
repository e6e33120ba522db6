#pragma once

#include "config/requests.hpp"
#include "files/evaluation.hpp"
#include "training/trainer.hpp"

#include <array>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metasieve {

/// `left`: not begun, or stopped by request; `running`: begun and not ended, or its process died.
enum class PointState { left, running, done, failed };

inline constexpr std::array<std::string_view, 4> point_states{"left", "running", "done", "failed"};

[[nodiscard]] constexpr std::string_view to_string(PointState state) {
  return point_states[static_cast<std::size_t>(state)];
}

/// What is known of a point: POINT/status.txt, lines "name = value", small enough for 100,000 of them.
struct PointStatus {
  PointState state = PointState::left;
  std::string values;      ///< of the swept keys, for people
  std::int64_t deaths = 0; ///< starts that neither ended nor were stopped, this one included while it runs
  std::int64_t code = 0;   ///< exit code, where it failed
  std::string message;     ///< what it failed of
  std::string place;       ///< "HOST, process PID, since TIME" of the last start
  std::int64_t ranks = 0, threads = 0; ///< of the last start
  double seconds = 0;      ///< of wall time in training and evaluation, of all starts that were not killed
  double core_seconds = 0; ///< seconds * ranks * threads of each of them
  double predicted = 0;    ///< core-seconds, by the formulas of cost.hpp
};

/// Nothing where there is none, or it is damaged: the point is to be made then.
[[nodiscard]] PointStatus read_status(const std::filesystem::path& point);
/// @throws DataError
void write_status(const std::filesystem::path& point, const PointStatus& status);

/// What a point has found: POINT/result.bin, so that collecting opens no HDF5 file.
struct PointResult {
  double loss = std::numeric_limits<double>::quiet_NaN(); ///< of the last iteration
  std::vector<ValidationRow> validation;                  ///< the last one; none without validation tasks
  std::vector<SummaryRow> summary;                        ///< of its evaluation
};

[[nodiscard]] PointResult point_result(const Trained& trained, const EvaluationTables& tables);

/// Nothing where there is none, or it is damaged.
[[nodiscard]] std::optional<PointResult> read_result(const std::filesystem::path& point);
/// @throws DataError
void write_result(const std::filesystem::path& point, const PointResult& result);

} // namespace metasieve
