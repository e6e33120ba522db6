#pragma once

#include "config/settings.hpp"
#include "files/journal.hpp"
#include "runtime/progress.hpp"
#include "runtime/stop_condition.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

namespace metasieve {

/// Lines "name = value" of all that decides this result of the program, but for the contents of its input
/// files: version, processor, and the keys that affect the result or what it is made from, which `resolved`
/// has (see resolved_ini).
[[nodiscard]] std::string deciding_settings(const std::string& resolved);

struct WorkSettings {
  std::filesystem::path output; ///< file that the results are for
  std::string key;              ///< all that decides the results: see Journal
  bool resume = false;
  std::int64_t pieces = 0;     ///< of all ranks
  double checkpoint_minutes{}; ///< between appends to the journal; 0: only when stopped
  RunConfig limits;
};

/// Pieces that this rank has still to do. A result is a pure function of the piece's id, so it does not
/// matter which run made it.
struct PendingPieces {
  std::vector<std::uint64_t> ids;
  std::function<void(std::size_t)> work;          ///< does the k-th; called by several threads at a time
  std::function<std::string(std::size_t)> result; ///< bytes of the k-th, which is done
};

/// Work in pieces that can be stopped, by a signal or the time limit, or killed, and resumed by another run
/// on any number of ranks: finished pieces are kept in a journal.
class ResumableWork {
public:
  /// Collective. @throws CollectiveError
  ResumableWork(const Communicator& comm, const WorkSettings& settings);

  [[nodiscard]] bool keeps(std::uint64_t id) const { return journal_.find(id) != nullptr; }
  /// Results of `ids` (ascending) that earlier runs have finished, without damaged ones; by this rank alone.
  void restore(std::span<const std::uint64_t> ids, const Journal::Take& take) { journal_.read(ids, take); }

  [[nodiscard]] std::int64_t kept() const { return std::ssize(journal_.kept()); } ///< pieces of earlier runs
  /// Says what earlier runs have left, and whether it is kept or was removed; "" if there is nothing to say.
  [[nodiscard]] std::string note() const;
  /// Prints the note, and from here on how far the work is. `progress` must outlive it.
  void report_to(Progress& progress);

  /// Collective; may be called again, for other pieces. Each run makes some progress, however short its time.
  /// @throws CollectiveError: exit code 75 after a stop, with all that is finished kept; the error of a piece
  void run(const PendingPieces& pieces);

  /// Collective: the output is written. Removes the journal.
  void finish() { journal_.remove(); }

private:
  void report_damage();
  [[nodiscard]] std::int64_t finished() const;
  [[nodiscard]] bool may_begin(Stop stop, double round_end);
  void do_one(const PendingPieces& pieces, std::size_t k);
  void append_if_due(const PendingPieces& pieces, bool at_once);
  void append(const PendingPieces& pieces);

  const Communicator& comm_;
  Progress* progress_ = nullptr;
  Journal journal_;
  StopCondition stop_condition_;
  bool resumes_;
  std::int64_t total_, reported_damage_ = 0;
  std::int64_t finished_before_ = 0, pending_ = 0; ///< pieces of all ranks at the beginning of run()
  std::atomic<bool> begun_ = false;                ///< this run has begun a piece
  std::mutex guard_;                               ///< of the next four
  std::int64_t done_ = 0, done_in_call_ = 0;       ///< pieces that this rank has done; in this call of run()
  double longest_seconds_ = 0;                     ///< of a piece
  std::vector<std::size_t> finished_;              ///< pieces that are not in the journal yet
  std::mutex append_guard_;                        ///< of the rest, and of the journal
  double append_every_, last_append_;              ///< seconds
};

} // namespace metasieve
