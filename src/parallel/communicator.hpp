#pragma once

#include "base/error.hpp"
#include "base/linalg.hpp"

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace metasieve {

/// A failing MPI call, named. Exit code 70.
struct MpiError : Error {
  explicit MpiError(const std::string& message) : Error(ExitCode::internal, message) {}
};

/// An error that every rank of the communicator throws alike, so all can leave in step: rank 0 alone reports
/// it. The message names the rank where it arose, unless all ranks saw the same.
struct CollectiveError : Error {
  using Error::Error;
};

/// MPI_Init_thread (funneled) to MPI_Finalize. Does not finalise while an exception unwinds: a rank that
/// finalises while the others are in a collective call hangs the job.
class Environment {
public:
  Environment(int& argc, char**& argv);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
};

/// Owns a duplicated MPI_Comm; move-only. Every call is checked and throws MpiError. All members are
/// collective but rank, size, receive and abort.
class Communicator {
public:
  static constexpr std::int64_t most_at_once = std::numeric_limits<int>::max(); ///< counts are int in MPI 3

  explicit Communicator(MPI_Comm parent = MPI_COMM_WORLD);
  ~Communicator();
  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;

  [[nodiscard]] int rank() const noexcept { return rank_; }
  [[nodiscard]] int size() const noexcept { return size_; }
  [[nodiscard]] bool is_root() const noexcept { return rank_ == 0; }
  [[nodiscard]] MPI_Comm get() const noexcept { return comm_; }

  /// Element by element over all ranks, in place. Integer sums: the same bits for any number of ranks.
  void sum(std::span<std::int64_t> values) const;
  [[nodiscard]] std::int64_t sum(std::int64_t value) const;
  /// Modulo 2^64.
  [[nodiscard]] std::uint64_t wrapping_sum(std::uint64_t value) const;
  [[nodiscard]] std::int64_t max(std::int64_t value) const;
  [[nodiscard]] double max(double value) const;
  [[nodiscard]] bool all_equal(std::uint64_t value) const;
  /// Sum of the values on lower ranks; 0 on rank 0.
  [[nodiscard]] std::int64_t exclusive_sum(std::int64_t value) const;
  /// Rank 0's text on every rank.
  [[nodiscard]] std::string broadcast(const std::string& text) const;
  /// All ranks' values, in rank order, on every rank. Every rank gives the same count.
  [[nodiscard]] std::vector<double> gather(std::span<const double> values) const;
  /// All ranks' bytes, concatenated in rank order, on every rank. Counts may differ, and their sum may be
  /// any: at most `most` bytes (at least one a rank) travel at once.
  [[nodiscard]] std::string gather(const std::string& bytes, std::int64_t most = most_at_once) const;
  /// Receives what the other rank sends to this one, in order: see Sends. Waits for it.
  void receive(std::span<std::byte> bytes, int from) const;
  void barrier() const;
  /// Like barrier, but a rank that waits sleeps, a millisecond at a time, and leaves its core to those that
  /// work.
  void idle_barrier() const;
  /// The ranks that give the same `group` >= 0, in their order here.
  [[nodiscard]] Communicator split(int group) const;
  /// The ranks on this rank's node, in their order here.
  [[nodiscard]] Communicator on_node() const;
  /// Number of ranks on this rank's node.
  [[nodiscard]] int ranks_on_node() const;

  /// Runs `work` on every rank; if it throws on any, all ranks throw the same CollectiveError (the lowest
  /// failing rank's message and exit code; unless `names_rank` is false or all failed, the message begins
  /// with the rank). `work` must not call collectives that another rank's exception would leave waiting.
  void run_collectively(const std::function<void()>& work, bool names_rank = true) const;

  /// Ends the job on all ranks.
  [[noreturn]] void abort(ExitCode code) const noexcept;

private:
  struct Adopted {};
  Communicator(Adopted, MPI_Comm comm); ///< takes `comm` over

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
};

/// Bytes on their way to other ranks, while this one goes on: no rank waits for one that waits for a third.
class Sends {
public:
  explicit Sends(const Communicator& comm) : comm_(comm) {} ///< which must outlive this
  /// `bytes` must stay as they are until finish(), and `to` must receive them in as many pieces.
  void add(std::span<const std::byte> bytes, int to);
  /// Waits until all are sent.
  void finish();

private:
  const Communicator& comm_;
  std::vector<MPI_Request> requests_;
};

[[nodiscard]] std::string host_name();

/// How many threads may call MPI: "single", "funneled", "serialized" or "multiple".
[[nodiscard]] std::string mpi_thread_level();

/// Name and version of the MPI library in use, on one line.
[[nodiscard]] std::string mpi_version();

} // namespace metasieve
