#pragma once

#include "base/split.hpp"
#include "files/file_layout.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

using RowNumbers = Eigen::Matrix<std::int64_t, Eigen::Dynamic, 1>;

/// Bytes of an id at most.
inline constexpr std::size_t most_id_bytes = 1024;

/// One real data set, as `python3 -m metasieve import` writes it.
struct Dataset {
  std::string name;              ///< file name without folder and extension
  MatrixF x;                     ///< [n, d], raw columns
  Labels y;                      ///< [n]
  Labels group;                  ///< [n], 0 to K - 1
  std::optional<Labels> y_clean; ///< [n]
  std::optional<Labels> split;   ///< [n]: 0 train, 1 test
  std::vector<std::string> feature_names;
  std::string group_name, positive_label, source, source_sha256;
  std::optional<RowNumbers> row = {};              ///< [n]: number in the user's table, from 0; all different
  std::optional<std::vector<std::string>> id = {}; ///< [n]: the user's name of each row
  std::optional<Vector> weight = {};               ///< [n]: the user's weight of each row, >= 0
  /// [K] names of the groups, each of which has rows. A file that names none has the two groups `not
  /// GROUP_NAME` and GROUP_NAME, or 0 and 1; one group `all` if it has no group at all.
  std::vector<std::string> group_names = {};
};

/// Refuses NaN or infinite features, no rows, labels other than 0/1, one class, groups without a name or
/// rows, names of groups that are empty, there twice or more than most_groups, row numbers that are negative
/// or there twice, ids of more than most_id_bytes, and weights that are negative.
template <>
[[nodiscard]] const FileLayout<Dataset>& layout_of<Dataset>();

/// Collective: read_file, and the name. @throws CollectiveError (exit code 3)
[[nodiscard]] Dataset read_dataset(const Communicator& comm, const std::filesystem::path& path);

/// What a policy says of one row of a data set. Test rows of the data set's own split and rows of weight 0
/// are not trained on: their score is NaN, their weight and flag are 0.
struct ScoreRow {
  std::int64_t row;      ///< its number in the user's table, or where that is unknown in the data set; from 0
  double score;          ///< higher is more trusted: Selection::score
  double weight;         ///< soft keep weight, in (0, 1), times the user's weight if there is one
  std::uint8_t selected; ///< 1 if among the floor(keep * n) training rows of highest score
  std::uint8_t y, group; ///< as in the data set: the group by its number
};

struct ScoreTable {
  std::vector<ScoreRow> rows;
  std::vector<std::string> ids = {}; ///< of the rows; none if the data set has none
  // The estimate of hidden positives, see methods/hidden_positives.hpp; every rank gives the same.
  std::string hidden_group = {}; ///< name of the group; empty: there is no estimate
  double hidden_share = 0, hidden_evidence = 0;
};

/// File type metasieve-scores: /scores and, if there are ids, /id, the rows of all ranks in rank order. The
/// estimate of hidden positives, if there is one, is in the attributes hidden_positives_group, _share and
/// _evidence.
template <>
[[nodiscard]] const FileLayout<ScoreTable>& layout_of<ScoreTable>();

/// First line of scores_csv, with its line break.
[[nodiscard]] std::string scores_csv_header(bool has_ids);

/// The rows as comma-separated text, numbers to their last bit: row,score,weight,selected,y,z, with the id
/// after the row if there are ids. NaN: empty.
[[nodiscard]] std::string scores_csv(const ScoreTable& scores);

} // namespace metasieve
