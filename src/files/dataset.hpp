#pragma once

#include "base/split.hpp"
#include "files/file_layout.hpp"

#include <cstdint>
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

/// Refuses NaN or infinite features, no rows, labels or groups other than 0/1, one class, one group.
template <>
[[nodiscard]] const FileLayout<Dataset>& layout_of<Dataset>();

/// Collective: read_file, and the name. @throws CollectiveError (exit code 3)
[[nodiscard]] Dataset read_dataset(const Communicator& comm, const std::filesystem::path& path);

/// What a policy says of one row of a data set. Test rows of the data set's own split are not trained on:
/// their score is NaN, their weight and flag are 0.
struct ScoreRow {
  std::int64_t row;      ///< of the data set, from 0
  double score;          ///< the network's output u: higher is more trusted
  double weight;         ///< soft keep weight, in (0, 1)
  std::uint8_t selected; ///< 1 if among the floor(keep * n) training rows of highest score
  std::uint8_t y, group; ///< as in the data set
};

/// File type metasieve-scores: /scores, the rows of all ranks in rank order.
template <>
[[nodiscard]] const FileLayout<std::vector<ScoreRow>>& layout_of<std::vector<ScoreRow>>();

/// The rows as comma-separated text, numbers to their last bit: row,score,weight,selected,y,z. NaN: empty.
[[nodiscard]] std::string scores_csv(const std::vector<ScoreRow>& rows);

} // namespace metasieve
