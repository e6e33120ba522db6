#pragma once

#include "base/split.hpp"
#include "files/file_layout.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// One real data set, as analysis/import_dataset.py writes it.
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

/// Refuses NaN or infinite features, no rows, labels or groups other than 0/1, one class, one group.
template <>
[[nodiscard]] const FileLayout<Dataset>& layout_of<Dataset>();

/// Collective: read_file, and the name. @throws CollectiveError (exit code 3)
[[nodiscard]] Dataset read_dataset(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
