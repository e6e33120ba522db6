#pragma once

#include "hdf5/file_header.hpp"
#include "parallel/communicator.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// Bytes of memory that the job may use on this node: what is free now, or less where SLURM or a control
/// group limits it.
[[nodiscard]] double available_bytes();

/// Bytes of disk free for us where `folder` is, or will be made.
[[nodiscard]] double free_bytes(const std::filesystem::path& folder);

/// "12.3 GB"
[[nodiscard]] std::string gigabytes(double bytes);

/// First line that a shell command prints; empty if it prints nothing or there is no such command.
[[nodiscard]] std::string first_line_of(const std::string& command);

/// Number of the SLURM job that this process belongs to; empty outside of SLURM.
[[nodiscard]] std::string slurm_job();

/// The same, but "123_4" for task 4 of an array, as squeue names it.
[[nodiscard]] std::string slurm_task();

/// The most memory that this process has held so far, in bytes.
[[nodiscard]] double peak_bytes();

/// The memory that this process holds now, in bytes.
[[nodiscard]] double resident_bytes();

/// Returns freed memory to the system, after work that needs much more than what follows.
void give_back_memory();

/// What a planned run needs.
struct Needs {
  double rank_bytes = 0;   ///< of memory, on the fullest rank
  double own_bytes = 0;    ///< of that, what each rank needs whatever its share of the tasks
  double shared_bytes = 0; ///< of memory, for all tasks together
  double file_bytes = 0;   ///< on disk, for all files together
};

/// Collective: checks that the ranks of each node fit into its memory and the files onto the disk that holds
/// `folder`. `remedy` says what would fit. @throws CollectiveError: exit code 2 naming the node, what is
/// needed and what is there; exit code 3 for the disk
void require_room(const Communicator& comm, const Needs& needs, const std::filesystem::path& folder,
                  const std::string& remedy);

/// Where ranks run.
struct Placement {
  std::vector<std::string> hosts; ///< [nodes], in rank order
  std::int64_t cores = 0;         ///< that the ranks may use, of all nodes
  bool oversubscribed = false;    ///< some node has more threads than cores
};

/// Collective: of the first `ranks` ranks, each with so many threads; the same on every rank.
[[nodiscard]] Placement placement(const Communicator& comm, int ranks, int threads);

/// Processors of this rank's node, whether or not this rank may use them: a launcher binds ranks to some.
[[nodiscard]] int node_processors();

/// "Intel(R) Xeon(R) ...", of this rank's node; "unknown processor" where the system does not say.
[[nodiscard]] std::string processor_model();

/// "a, b, c"; of more than 16 the first, then "+ 112 more".
[[nodiscard]] std::string names_of(const std::vector<std::string>& hosts);

/// "KIND HASH NAME" of an input file, as a file that was made of it records it: 16 hexadecimal digits of
/// hash_file, or "-" where that was not computed; the name without folders.
[[nodiscard]] std::string input_record(const std::string& kind, std::optional<std::uint64_t> hash,
                                       const std::filesystem::path& file);

/// Collective: describes this job, without inputs and usage, which began at `begin` (wall_seconds); the same
/// on every rank.
[[nodiscard]] JobMetadata job_metadata(const Communicator& comm, double begin);

} // namespace metasieve
