#include "files/dataset.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

void require_rows(const FileReader& file, const std::string& name, Index count, const Dataset& data) {
  if (count != data.x.rows())
    file.fail(name, "has " + std::to_string(count) + " values; must have the " +
                        std::to_string(data.x.rows()) + " rows of x");
}

MatrixF read_features(const FileReader& file, const std::string& name, const Dataset&) {
  const std::vector<Index> shape = file.shape(name, 2);
  if (shape[0] == 0) file.fail(name, "has no rows");
  if (shape[1] == 0) file.fail(name, "has no columns");
  const std::vector<float> values = file.values<float>(name, 2);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) {
      const auto columns = static_cast<std::size_t>(shape[1]);
      file.fail(name, "row " + std::to_string(i / columns) + ", column " + std::to_string(i % columns) +
                          (std::isnan(values[i]) ? " is NaN" : " is infinite or too large for float32") +
                          "; features must be finite");
    }
  return Eigen::Map<const MatrixF>(values.data(), shape[0], shape[1]);
}

/// [rows], each 0 to kinds - 1.
Labels read_numbers(const FileReader& file, const std::string& name, const Dataset& data, Index kinds) {
  const Index rows = data.x.rows();
  require_rows(file, name, file.shape(name, 1).front(), data);
  // Read wide: a conversion to uint8 would clip -1 to 0 without a word.
  const std::vector<std::int64_t> values = file.values<std::int64_t>(name, 1);
  Labels numbers(rows);
  for (Index i = 0; i < rows; ++i) {
    const std::int64_t value = values[static_cast<std::size_t>(i)];
    if (value < 0 || value >= kinds)
      file.fail(name, "row " + std::to_string(i) + " is " + std::to_string(value) + "; must be " +
                          (kinds == 1   ? "0, as there is one group"
                           : kinds == 2 ? "0 or 1"
                                        : "0 to " + std::to_string(kinds - 1) + ", as there are " +
                                              std::to_string(kinds) + " groups"));
    numbers(i) = static_cast<std::uint8_t>(value);
  }
  return numbers;
}

/// [rows], each 0 or 1, and not all alike: `alike` says what it would mean if they were.
Labels read_labels(const FileReader& file, const std::string& name, const Dataset& data,
                   const std::string& alike) {
  Labels labels = read_numbers(file, name, data, 2);
  if (labels.minCoeff() == labels.maxCoeff())
    file.fail(name, "all values are " + std::to_string(labels(0)) + ": " + alike + "; both must be there");
  return labels;
}

constexpr const char* names_of_groups = "group_names";

/// The names in the file, or those of the groups that it has without naming them.
void read_group_names(const FileReader& file, Dataset& data) {
  if (auto names = file.attribute_if_any<std::vector<std::string>>(names_of_groups))
    data.group_names = std::move(*names);
  else if (!data.group_name.empty())
    data.group_names = {"not " + data.group_name, data.group_name};
  else
    data.group_names =
        file.contains("/z") ? std::vector<std::string>{"0", "1"} : std::vector<std::string>{"all"};
  const auto refuse = [&](const std::string& problem) {
    file.fail("/", std::string("attribute '") + names_of_groups + "' " + problem);
  };
  const std::vector<std::string>& names = data.group_names;
  if (names.empty() || std::ssize(names) > most_groups)
    refuse("has " + std::to_string(names.size()) + " names; must have 1 to " + std::to_string(most_groups));
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (name->empty()) refuse("has no name for group " + std::to_string(name - names.begin()));
    if (std::find(names.begin(), name, *name) != name)
      refuse("has the name '" + *name + "' twice; each group must have its own");
  }
}

/// [rows], each the number of a group; every group has rows.
Labels read_groups(const FileReader& file, const std::string& name, const Dataset& data) {
  const std::vector<std::string>& names = data.group_names;
  if (names.size() == 1 && !file.contains(name)) return Labels::Zero(data.x.rows());
  if (!file.has_attribute(names_of_groups)) return read_labels(file, name, data, "one group alone");
  Labels group = read_numbers(file, name, data, std::ssize(names));
  std::vector<bool> has_rows(names.size());
  for (const std::uint8_t each : group) has_rows[each] = true;
  const auto empty = std::find(has_rows.begin(), has_rows.end(), false);
  if (empty != has_rows.end())
    file.fail(name, "group '" + names[static_cast<std::size_t>(empty - has_rows.begin())] +
                        "' has no rows; leave it out of " + names_of_groups);
  return group;
}

auto labels_where(const std::string& alike) {
  return [alike](const FileReader& file, const std::string& name, const Dataset& data) {
    return read_labels(file, name, data, alike);
  };
}

RowNumbers read_row_numbers(const FileReader& file, const std::string& name, const Dataset& data) {
  require_rows(file, name, file.shape(name, 1).front(), data);
  std::vector<std::int64_t> values = file.values<std::int64_t>(name, 1);
  RowNumbers numbers = Eigen::Map<const RowNumbers>(values.data(), std::ssize(values));
  std::sort(values.begin(), values.end());
  if (values.front() < 0)
    file.fail(name, "has the row number " + std::to_string(values.front()) + "; must be 0 or more");
  const auto twice = std::adjacent_find(values.begin(), values.end());
  if (twice != values.end())
    file.fail(name, "has the row number " + std::to_string(*twice) + " twice; each must be there once");
  return numbers;
}

std::vector<std::string> read_ids(const FileReader& file, const std::string& name, const Dataset& data) {
  require_rows(file, name, file.shape(name, 1).front(), data);
  std::vector<std::string> ids = file.texts(name);
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (ids[i].size() > most_id_bytes)
      file.fail(name, "row " + std::to_string(i) + " has " + std::to_string(ids[i].size()) +
                          " bytes; must be at most " + std::to_string(most_id_bytes));
  return ids;
}

Vector read_weights(const FileReader& file, const std::string& name, const Dataset& data) {
  require_rows(file, name, file.shape(name, 1).front(), data);
  const std::vector<double> values = file.values<double>(name, 1);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] >= 0) || !std::isfinite(values[i]))
      file.fail(name, "row " + std::to_string(i) + " is " + number_text(values[i]) +
                          "; must be finite and not negative");
  return Eigen::Map<const Vector>(values.data(), std::ssize(values));
}

void check_names(const FileReader& file, const Dataset& data) {
  if (!data.feature_names.empty() && std::ssize(data.feature_names) != data.x.cols())
    file.fail("/", "attribute 'feature_names' has " + std::to_string(data.feature_names.size()) +
                       " names; x has " + std::to_string(data.x.cols()) + " columns");
}

} // namespace

template <>
const FileLayout<Dataset>& layout_of<Dataset>() {
  static const auto layout =
      FileLayout<Dataset>(FileType::dataset)
          .optional_attribute("feature_names", &Dataset::feature_names)
          .optional_attribute("group_name", &Dataset::group_name)
          .part(
              [](FileWriter& file, const Dataset& data) {
                if (!data.group_names.empty()) file.attribute(names_of_groups, data.group_names);
              },
              read_group_names)
          .optional_attribute("positive_label", &Dataset::positive_label)
          .optional_attribute("source", &Dataset::source)
          .optional_attribute("source_sha256", &Dataset::source_sha256)
          .array("/x", &Dataset::x, {"features, raw [rows, columns]"}, read_features)
          .array("/y", &Dataset::y, {"label, 1 = positive_label"}, labels_where("one class alone"))
          .array("/z", &Dataset::group, {"sensitive group, by its place in group_names"}, read_groups)
          .array("/y_clean", &Dataset::y_clean, {"label without noise"}, labels_where("one class alone"))
          .array("/split", &Dataset::split, {"0 training, 1 test"},
                 labels_where("0 is training and 1 is test"))
          .array("/row", &Dataset::row, {"number of the row in the user's table, from 0"}, read_row_numbers)
          .array("/id", &Dataset::id, {"the user's name of the row"}, read_ids)
          .array("/weight", &Dataset::weight, {"the user's weight of the row"}, read_weights)
          .read_only(check_names);
  return layout;
}

Dataset read_dataset(const Communicator& comm, const std::filesystem::path& path) {
  Dataset data = read_file<Dataset>(comm, path);
  data.name = path.stem().string();
  return data;
}

template <>
const FileLayout<ScoreTable>& layout_of<ScoreTable>() {
  static const auto layout =
      FileLayout<ScoreTable>(FileType::scores, Writers::all_ranks)
          .part(
              [](FileWriter& file, const ScoreTable& scores) {
                if (scores.hidden_group.empty()) return;
                file.attribute("hidden_positives_group", scores.hidden_group);
                file.attribute("hidden_positives_share", scores.hidden_share);
                file.attribute("hidden_positives_evidence", scores.hidden_evidence);
              },
              [](const FileReader& file, ScoreTable& scores) {
                const auto group = file.attribute_if_any<std::string>("hidden_positives_group");
                if (!group) return;
                scores.hidden_group = *group;
                scores.hidden_share = file.attribute<double>("hidden_positives_share");
                scores.hidden_evidence = file.attribute<double>("hidden_positives_evidence");
              })
          .table("/scores", &ScoreTable::rows,
                 {{"row", &ScoreRow::row},
                  {"score", &ScoreRow::score},
                  {"weight", &ScoreRow::weight},
                  {"selected", &ScoreRow::selected},
                  {"y", &ScoreRow::y},
                  {"z", &ScoreRow::group}},
                 {"one record a row of the data set: output of the policy, soft keep weight, hard selection"})
          .part(
              [](FileWriter& file, const ScoreTable& scores) {
                if (file.communicator().sum(std::ssize(scores.ids)) > 0)
                  file.write("/id", scores.ids, {"the user's name of each row of /scores"});
              },
              [](const FileReader& file, ScoreTable& scores) {
                if (!file.contains("/id")) return;
                scores.ids = file.texts("/id");
                if (scores.ids.size() != scores.rows.size())
                  file.fail("/id", "has " + std::to_string(scores.ids.size()) + " values; must have the " +
                                       std::to_string(scores.rows.size()) + " rows of /scores");
              });
  return layout;
}

std::string scores_csv_header(bool has_ids) {
  return has_ids ? "row,id,score,weight,selected,y,z\n" : "row,score,weight,selected,y,z\n";
}

std::string scores_csv(const ScoreTable& scores) {
  const auto text = [](double value) { return std::isnan(value) ? std::string() : number_text(value); };
  const bool has_ids = !scores.ids.empty();
  std::string csv = scores_csv_header(has_ids);
  for (std::size_t i = 0; i < scores.rows.size(); ++i) {
    const ScoreRow& r = scores.rows[i];
    csv += std::to_string(r.row) + "," + (has_ids ? csv_field(scores.ids[i]) + "," : "") + text(r.score) +
           "," + text(r.weight) + "," + std::to_string(r.selected) + "," + std::to_string(r.y) + "," +
           std::to_string(r.group) + "\n";
  }
  return csv;
}

} // namespace metasieve
