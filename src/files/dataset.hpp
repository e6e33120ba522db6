#pragma once

#include "base/split.hpp"
#include "files/read_file.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// One real data set, as `python3 -m metasieve import` writes it.
struct Dataset {
  std::string name;              ///< file name without folder and extension
  MatrixF x;                     ///< [n, d], raw columns
  Labels y;                      ///< [n]
  Labels group;                  ///< [n]
  std::optional<Labels> y_clean; ///< [n]
  std::optional<Labels> split;   ///< [n]: 0 train, 1 test
  std::vector<std::string> feature_names;
  std::string group_name, positive_label, source, source_sha256;
};

[[nodiscard]] const FileLayout<Dataset>& dataset_layout();

/// Collective: the same on every rank. @throws CollectiveError (exit code 3) naming file and data set:
/// missing, not HDF5, another file type, newer version, truncated, wrong shape or type, empty, NaN or
/// infinite, labels or groups other than 0/1, one class, one group.
[[nodiscard]] Dataset read_dataset(const Communicator& comm, const std::filesystem::path& path);

/// Collective; rank 0's data set is written, as the importers do. @throws CollectiveError (exit code 3)
inline void write_dataset(const Communicator& comm, const std::filesystem::path& path,
                          const Provenance& provenance, const Dataset& data) {
  write_on_root(comm, path, provenance, dataset_layout(), data);
}

} // namespace metasieve
