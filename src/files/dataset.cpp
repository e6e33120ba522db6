#include "files/dataset.hpp"

#include "files/foreign_file.hpp"
#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"

#include <cmath>

namespace metasieve {
namespace {

MatrixF read_features(const FileReader& file) {
  const std::vector<Index> shape = file.shape("/x", 2);
  if (shape[0] == 0) file.fail("/x", "has no rows");
  if (shape[1] == 0) file.fail("/x", "has no columns");
  const std::vector<float> values = file.values<float>("/x", 2);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) {
      const auto columns = static_cast<std::size_t>(shape[1]);
      file.fail("/x", "row " + std::to_string(i / columns) + ", column " + std::to_string(i % columns) +
                          (std::isnan(values[i]) ? " is NaN" : " is infinite or too large for float32") +
                          "; features must be finite");
    }
  return Eigen::Map<const MatrixF>(values.data(), shape[0], shape[1]);
}

/// [rows], each 0 or 1, and not all alike: `alike` says what it would mean if they were.
Labels read_labels(const FileReader& file, const std::string& name, Index rows, const std::string& alike) {
  const std::vector<Index> shape = file.shape(name, 1);
  if (shape[0] != rows)
    file.fail(name, "has " + std::to_string(shape[0]) + " values; must have the " + std::to_string(rows) +
                        " rows of x");
  // Read wide: a conversion to uint8 would clip -1 to 0 without a word.
  const std::vector<std::int64_t> values = file.values<std::int64_t>(name, 1);
  Labels labels(rows);
  Index ones = 0;
  for (Index i = 0; i < rows; ++i) {
    const std::int64_t value = values[static_cast<std::size_t>(i)];
    if (value != 0 && value != 1)
      file.fail(name, "row " + std::to_string(i) + " is " + std::to_string(value) + "; must be 0 or 1");
    labels(i) = static_cast<std::uint8_t>(value);
    ones += value;
  }
  if (ones == 0 || ones == rows)
    file.fail(name, "all values are " + std::to_string(labels(0)) + ": " + alike);
  return labels;
}

} // namespace

Dataset read_dataset(const std::filesystem::path& path) {
  const FileReader file(path, FileType::dataset);
  Dataset data;
  data.name = path.stem().string();
  data.x = read_features(file);
  const Index rows = data.x.rows();
  data.y = read_labels(file, "/y", rows, "one class alone; both must be there");
  data.group = read_labels(file, "/z", rows, "one group alone; both must be there");
  if (file.contains("/y_clean"))
    data.y_clean = read_labels(file, "/y_clean", rows, "one class alone; both must be there");
  if (file.contains("/split"))
    data.split = read_labels(file, "/split", rows, "0 is training and 1 is test; both must be there");
  if (file.has_attribute("feature_names")) data.feature_names = file.texts("feature_names");
  if (!data.feature_names.empty() && std::ssize(data.feature_names) != data.x.cols())
    file.fail("/", "attribute 'feature_names' has " + std::to_string(data.feature_names.size()) +
                       " names; x has " + std::to_string(data.x.cols()) + " columns");
  data.group_name = file.text_if_any("group_name");
  data.positive_label = file.text_if_any("positive_label");
  data.source = file.text_if_any("source");
  data.source_sha256 = file.text_if_any("source_sha256");
  return data;
}

Dataset read_dataset(const Communicator& comm, const std::filesystem::path& path) {
  return read_foreign_file(comm, path, FileType::dataset, [](const auto& p) { return read_dataset(p); });
}

void write_dataset(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                   const Dataset& data) {
  const auto all = [](const auto& values) {
    return std::span(values.data(), static_cast<std::size_t>(values.size()));
  };
  write_file_on_root(comm, path, FileType::dataset, provenance, [&](FileWriter& file) {
    file.attribute("feature_names", data.feature_names);
    file.attribute("group_name", data.group_name);
    file.attribute("positive_label", data.positive_label);
    file.attribute("source", data.source);
    file.attribute("source_sha256", data.source_sha256);
    file.write("/x", all(data.x), {"features, raw [rows, columns]", ""}, data.x.cols());
    file.write("/y", all(data.y), {"label, 1 = positive_label", ""});
    file.write("/z", all(data.group), {"sensitive group, 1 = group_name", ""});
    if (data.y_clean) file.write("/y_clean", all(*data.y_clean), {"label without noise", ""});
    if (data.split) file.write("/split", all(*data.split), {"0 training, 1 test", ""});
  });
}

} // namespace metasieve
