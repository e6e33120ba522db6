#pragma once

#include "hdf5/raw_file.hpp"

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace metasieve {

/// A piece of work that is done: its number, and its result as bytes.
struct JournalRecord {
  std::uint64_t id;
  std::string result;
};

/// Where the result of a piece lies.
struct JournalPlace {
  std::uint64_t id = 0;
  std::int64_t file = 0;             ///< number of the file
  std::int64_t offset = 0, size = 0; ///< of the result, in bytes
  std::uint64_t hash = 0;            ///< of the result
};

/// Results of pieces of work, kept in the folder OUTPUT.partial until OUTPUT can be written: one file a rank
/// and run, only ever appended to, so that a run that is killed spoils none of what earlier ones finished.
/// Each record has checksums: a damaged or unfinished one is left out, and its piece is to be done again.
class Journal {
public:
  /// Collective. `key`: all that decides the results, as lines "name = value", alike on every rank. With
  /// `resume`, finds what earlier runs have kept; else removes it. @throws CollectiveError (exit code 2)
  /// naming what differs if it was made with another key: nothing is changed then
  Journal(const Communicator& comm, const std::filesystem::path& output, std::string key, bool resume);

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// Whether there was a folder of an earlier run.
  [[nodiscard]] bool found_folder() const noexcept { return found_folder_; }
  /// One place a piece, by id; alike on every rank.
  [[nodiscard]] const std::vector<JournalPlace>& kept() const noexcept { return kept_; }
  /// The place of a piece, or nullptr if its result is not kept.
  [[nodiscard]] const JournalPlace* find(std::uint64_t id) const;

  using Take = std::function<void(std::uint64_t id, const std::string& result)>;
  /// Hands over the results of those of `ids` (ascending) that are kept, in any order; by this rank alone.
  void read(std::span<const std::uint64_t> ids, const Take& take);
  /// Number of the records of `kept` that this rank has found damaged when it read them.
  [[nodiscard]] std::int64_t damaged_records() const noexcept { return damaged_records_; }
  /// Files with damage that hides what comes after it; alike on every rank. A last record that is cut short
  /// is no damage: a run was killed while it wrote.
  [[nodiscard]] std::int64_t damaged_files() const noexcept { return damaged_files_; }

  /// Appends to this rank's file, which the first call makes; on disk when it returns. @throws DataError
  void append(std::span<const JournalRecord> records);

  /// Collective: removes the journals, once OUTPUT is written.
  void remove();

private:
  void find_kept(const Communicator& comm);

  const Communicator& comm_;
  std::filesystem::path folder_;
  std::string key_;
  bool found_folder_ = false;
  std::vector<std::string> files_; ///< names in the folder
  std::vector<JournalPlace> kept_;
  std::int64_t damaged_records_ = 0, damaged_files_ = 0;
  std::int64_t run_ = 1; ///< number of this run
  std::optional<RawFile> mine_;
};

/// The names of those lines "name = value" that are not the same in both texts; of more than five, the first
/// five.
[[nodiscard]] std::string differing_names(const std::string& a, const std::string& b);

} // namespace metasieve
