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

/// See WorkSettings::most_waiting_bytes.
inline constexpr std::size_t most_waiting_bytes = std::size_t{128} << 20;

/// The settings of a run of pieces of work.
struct WorkSettings {
  std::filesystem::path output; ///< that the pieces are for
  std::string key;              ///< all that decides their results: see Journal
  bool resume = false;
  std::int64_t pieces = 0;     ///< in all
  double longest_seconds = 0;  ///< predicted, of a piece
  double checkpoint_minutes{}; ///< between appends to the journal; 0: only when stopped
  /// Of results that wait in the memory of a rank between calls of run; with more, they are appended at once.
  std::size_t most_waiting_bytes = metasieve::most_waiting_bytes;
  RunConfig limits;
};

/// Pieces that this rank has still to do. Each result is a pure function of the piece's id, so it does
/// not matter which run made it.
struct PendingPieces {
  std::vector<std::uint64_t> ids;
  std::function<void(std::size_t)> work;          ///< does the k-th; several at a time
  std::function<std::string(std::size_t)> result; ///< of the k-th, which is done, as bytes
  std::function<double(std::size_t)> cost;        ///< predicted of the k-th, for the progress
  std::size_t kind = 0;                           ///< of work, there
};

/// Work in pieces that can be stopped, by a signal or the time limit, or killed, and gone on with by another
/// run on any number of ranks: finished pieces are kept in a journal.
class ResumableWork {
public:
  /// Collective. @throws AgreedError
  ResumableWork(const Communicator& comm, const WorkSettings& settings);

  [[nodiscard]] bool keeps(std::uint64_t id) const;
  /// Results of `ids` (ascending) that earlier runs have finished, but for damaged ones; by this rank alone.
  void restore(std::span<const std::uint64_t> ids, const Journal::Take& take) { journal_.read(ids, take); }

  [[nodiscard]] std::int64_t kept() const { return std::ssize(journal_.kept()); } ///< pieces, by earlier runs
  /// What earlier runs have left, and whether it is kept or was removed; "" if there is nothing to say.
  [[nodiscard]] std::string note() const;
  /// Says the note, and from here on how far rank 0 is, whose share of the work stands for that of all.
  void report_to(Progress& progress);

  /// Collective; may be called again, for other pieces. Each run makes some progress, however short its time.
  /// @throws AgreedError: exit code 75 after a stop, with all that is finished kept; the error of a piece
  void run(const PendingPieces& pieces);

  /// Collective: the output is written. Removes the journal.
  void finish() { journal_.remove(); }

private:
  void report_damage();
  [[nodiscard]] std::int64_t finished() const;
  bool may_begin(double round_end);
  void do_one(const PendingPieces& pieces, std::size_t k);
  void append_if_due(const PendingPieces& pieces, bool at_once);
  void to_records(const PendingPieces& pieces, const std::function<void(JournalRecord)>& take);
  void keep_finished(const PendingPieces& pieces);

  const Communicator& comm_;
  Progress* progress_ = nullptr;
  Journal journal_;
  StopCondition stop_condition_;
  bool resumes_;
  std::int64_t total_, reported_ = 0;
  std::atomic<bool> begun_ = false;   ///< a piece, by this run
  std::mutex guard_;                  ///< of the next three
  std::int64_t done_ = 0;             ///< pieces that this rank has done in this run
  double longest_seconds_ = 0;        ///< of one of them
  std::vector<std::size_t> finished_; ///< those that are not yet in the journal
  std::mutex append_guard_;           ///< of the rest, and of the journal
  double append_every_, last_append_; ///< seconds
  std::vector<JournalRecord> waiting_;
  std::size_t waiting_bytes_ = 0, most_waiting_bytes_;
};

} // namespace metasieve
