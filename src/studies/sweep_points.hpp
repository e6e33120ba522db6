#pragma once

#include "config/sweep_grammar.hpp"
#include "parallel/communicator.hpp"
#include "studies/halving.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metasieve {

/// The points of a sweep, by number; the same on every rank. Each is a combination of values of the axes.
class SweepPoints {
public:
  /// Collective: checks and hashes every point; of points that decide the same results only the first is
  /// kept.
  /// @throws CollectiveError: exit code 2 naming point, key, value and what would be right; 3 naming a file
  /// that cannot be read
  SweepPoints(const Communicator& comm, Config base);

  [[nodiscard]] Index size() const { return std::ssize(points_); }
  [[nodiscard]] Index combinations() const;            ///< points that decide the same results included
  [[nodiscard]] std::vector<std::string> keys() const; ///< the swept ones
  /// The value of each swept key at point i.
  [[nodiscard]] std::vector<std::string> values(Index i) const;
  /// The rungs that the points train in; one without sweep.halving.
  [[nodiscard]] const Halving& halving() const { return halving_; }
  /// Iterations of point i at the end of each rung.
  [[nodiscard]] std::vector<Index> rungs(Index i) const { return halving_.iterations(at(i).iterations); }
  /// "policy.keep = 0.7, meta.batch = 8"
  [[nodiscard]] std::string text(Index i) const;
  /// 16 hexadecimal digits: a hash of all that decides the results of the point.
  [[nodiscard]] std::string name(Index i) const;
  /// "4 (00112233445566ff)"
  [[nodiscard]] std::string label(Index i) const { return std::to_string(i) + " (" + name(i) + ")"; }
  [[nodiscard]] Config config(Index i) const; ///< @throws ConfigError
  /// SWEEP/points/NAME: policy.h5, results.h5, checkpoint.h5, evaluation.h5, status.txt, log.txt; and claim,
  /// which the process at work on the point holds locked.
  [[nodiscard]] std::filesystem::path folder(const std::filesystem::path& sweep, Index i) const {
    return sweep / "points" / name(i);
  }

  [[nodiscard]] std::optional<std::filesystem::path> suite() const;  ///< all points train on it
  [[nodiscard]] std::vector<std::filesystem::path> datasets() const; ///< all points are evaluated on them
  /// Whether the policies are evaluated.
  [[nodiscard]] bool evaluates() const {
    return !base_.sweep.datasets.empty() || base_.sweep.evaluate_tasks > 0;
  }

private:
  struct Point {
    Index combination;  ///< its number among all
    std::uint64_t hash; ///< covers all that decides its results
    Index iterations;   ///< of its whole training
  };
  [[nodiscard]] const Point& at(Index i) const { return points_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] std::uint64_t hash_of(const Config& config, const std::string& files) const;

  Config base_;
  std::vector<SweepAxis> axes_;
  std::vector<Point> points_;
  Halving halving_;
};

/// `left`: not begun, stopped by request, or promoted; `running`: a process is at work on it; `died`: its
/// process has; `waiting`: for others of its rung; `dropped`: not promoted. The last two are in no file: they
/// follow from the losses of all points.
enum class PointState { left, running, died, waiting, done, dropped, failed };

[[nodiscard]] std::string_view to_string(PointState state);

/// Progress of a point: POINT/status.txt, lines "name = value".
struct PointStatus {
  PointState state = PointState::left;
  std::string point;                   ///< "4 (00112233445566ff)"; not in the file
  std::string values;                  ///< swept keys, for people
  std::string message;                 ///< why it failed, or was stopped
  std::string place;                   ///< "HOST, process PID, since TIME" of the last start
  std::string job;                     ///< the place of rank 0 of the job that made this start
  std::int64_t attempts = 0;           ///< starts that neither ended nor were stopped, a running one included
  std::int64_t code = 0;               ///< exit code, where it failed
  std::int64_t ranks = 0, threads = 0; ///< at the last start
  double seconds = 0;         ///< wall time of training and evaluation, over all starts that were not killed
  double core_seconds = 0;    ///< seconds * ranks * threads, over these starts
  std::uint64_t files = 0;    ///< files_hash() at the end of its last rung
  std::vector<double> losses; ///< validation losses at the ends of the rungs that it has passed
  std::int64_t row = 0;       ///< rungs passed when all but its row was removed; 0: nothing was
  Index rungs = 0;            ///< rungs passed that count, by standings(); not in the file
};

/// Default values where there is no status, or a damaged one: the point is to be run then.
[[nodiscard]] PointStatus read_status(const std::filesystem::path& point);
/// Called by one rank. Failed points that are `open` for another start keep their rung undecided.
/// @return [points]
[[nodiscard]] std::vector<PointStatus>
read_statuses(const std::filesystem::path& sweep, const SweepPoints& points,
              const std::function<bool(const PointStatus&)>& is_open = {});
/// @throws DataError
void write_status(const std::filesystem::path& point, const PointStatus& status);

/// File of a point of which only a row was kept: as sweep.h5 of that point alone.
constexpr const char* row_name = "row.h5";

/// Hash of the bytes of results.h5 and evaluation.h5 of a point; of its row, if that alone was kept.
[[nodiscard]] std::uint64_t files_hash(const std::filesystem::path& point, std::int64_t row);

/// The ranks of a job in groups of at least `ranks_per_point` (0, or more than there are: one of all), each
/// of which runs a point at a time.
struct PointGroups {
  int count;
  int number; ///< this rank's group
  Communicator mine;
  PointGroups(const Communicator& comm, Index ranks_per_point); ///< collective
};

} // namespace metasieve
