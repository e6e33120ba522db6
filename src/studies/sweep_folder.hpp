#pragma once

#include "files/evaluation.hpp"
#include "files/results.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace metasieve {

/// `left`: not begun, or stopped by request; `running`: begun and not ended, or its process died.
enum class PointState { left, running, done, failed };

inline constexpr std::array<std::string_view, 4> point_states{"left", "running", "done", "failed"};

[[nodiscard]] constexpr std::string_view to_string(PointState state) {
  return point_states[static_cast<std::size_t>(state)];
}

/// What is known of a point: POINT/status.txt, lines "name = value".
struct PointStatus {
  PointState state = PointState::left;
  std::string values;                  ///< of the swept keys, for people
  std::string message;                 ///< why it failed
  std::string place;                   ///< "HOST, process PID, since TIME" of the last start
  std::string job;                     ///< the same of the job that this start was part of
  std::int64_t attempts = 0;           ///< starts that neither ended nor were stopped, a running one included
  std::int64_t code = 0;               ///< exit code, where it failed
  std::int64_t ranks = 0, threads = 0; ///< of the last start
  double seconds = 0;      ///< of wall time in training and evaluation, of all starts that were not killed
  double core_seconds = 0; ///< seconds * ranks * threads of each of them
  std::uint64_t files = 0; ///< files_hash() when it was done
};

/// Default values where there is no status, or a damaged one: the point is to be run then.
[[nodiscard]] PointStatus read_status(const std::filesystem::path& point);
/// @throws DataError
void write_status(const std::filesystem::path& point, const PointStatus& status);

/// "HOST, process PID, since TIME" of this process.
[[nodiscard]] std::string this_place();

/// The right to work on a point. POINT/claim is created exclusively, names the job of its owner, and is
/// locked by him, so that the claim of a killed process is recognised by its free lock, and taken over. Where
/// a file system has no locks the claims of other jobs are taken for those of killed ones.
class PointClaim {
public:
  /// By one rank alone. @return nothing if another process is at work on the point. @throws DataError
  [[nodiscard]] static std::optional<PointClaim> take(const std::filesystem::path& point,
                                                      const std::string& job);
  /// Whether a process that lives has claimed the point.
  [[nodiscard]] static bool is_held(const std::filesystem::path& point);

  ~PointClaim(); ///< gives it back
  PointClaim(PointClaim&& other) noexcept
      : file_(std::exchange(other.file_, -1)), path_(std::exchange(other.path_, {})) {}
  PointClaim& operator=(PointClaim&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(path_, other.path_);
    return *this;
  }

private:
  explicit PointClaim(int file) : file_(file) {}

  int file_;                   ///< < 0: there is none
  std::filesystem::path path_; ///< empty: it is not ours
};

/// What a point has found.
struct PointResult {
  double loss = std::numeric_limits<double>::quiet_NaN(); ///< of the last iteration
  std::optional<ValidationRow> validation;                ///< the last one
  std::vector<SummaryRow> summary;                        ///< of its evaluation
};

/// Hash of the bytes of results.h5 and evaluation.h5.
[[nodiscard]] std::uint64_t files_hash(const std::filesystem::path& point);

/// By one rank alone: from the point's results.h5 and evaluation.h5. @return nothing unless it is done and
/// its files are as they were then
[[nodiscard]] std::optional<PointResult> read_result(const std::filesystem::path& point,
                                                     const PointStatus& status);

} // namespace metasieve
