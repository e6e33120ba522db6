#include "files/policy.hpp"

#include "files/foreign_file.hpp"

#include <cmath>

namespace metasieve {
namespace {

/// Far above what is of use; keeps the products of widths from overflowing.
constexpr std::int64_t most_width = 1 << 20;
constexpr std::size_t most_layers = 64;

FeatureSet feature_set_of(const FileReader& file) {
  const std::string name = file.text("feature_set");
  const std::optional<FeatureSet> set = parse_feature_set(name);
  if (!set) file.fail("/", "attribute 'feature_set' is '" + name + "'; must be seed10, full16 or context27");
  return *set;
}

std::vector<Index> hidden_of(const FileReader& file) {
  const std::vector<std::int64_t> widths = file.integers("hidden");
  if (widths.size() > most_layers) file.fail("/", "attribute 'hidden' has more than 64 layers");
  for (const std::int64_t width : widths)
    if (width < 1 || width > most_width)
      file.fail("/", "attribute 'hidden' has width " + std::to_string(width) + "; must be 1 to 1048576");
  return {widths.begin(), widths.end()};
}

void require_shape(const FileReader& file, const std::string& name, const std::vector<Index>& shape) {
  if (file.shape(name, static_cast<int>(shape.size())) == shape) return;
  std::string wanted;
  for (const Index extent : shape) wanted += (wanted.empty() ? "" : ", ") + std::to_string(extent);
  file.fail(name,
            "has another shape than attributes feature_set and hidden ask for: must be [" + wanted + "]");
}

/// The values of one data set, to their place in theta.
void read_into(const FileReader& file, const std::string& name, int rank, double* to) {
  const std::vector<double> values = file.values<double>(name, rank);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) file.fail(name, "value " + std::to_string(i) + " is not finite");
  std::copy(values.begin(), values.end(), to);
}

std::string layer_name(std::size_t layer) { return "/layers/" + std::to_string(layer); }

} // namespace

void write_policy_content(FileWriter& file, const Policy& policy) {
  const std::vector<std::int64_t> hidden(policy.hidden.begin(), policy.hidden.end());
  file.attribute("feature_set", std::string(name_in_files(policy.features)));
  file.attribute("hidden", std::span<const std::int64_t>(hidden));
  file.attribute("keep", policy.keep);
  file.attribute("temperature", policy.temperature);
  file.attribute("use_group", std::int64_t{policy.use_group});
  file.attribute("trained_iterations", policy.trained_iterations);
  file.group("/layers");
  const std::vector<LayerView> views = layers(policy);
  for (std::size_t i = 0; i < views.size(); ++i) {
    const LayerView& view = views[i];
    const auto values = [&](Index offset, Index count) {
      return std::span(policy.theta.data() + offset, static_cast<std::size_t>(count));
    };
    file.group(layer_name(i));
    file.write(layer_name(i) + "/weight", values(view.weight_offset, view.inputs * view.outputs),
               {"[inputs, outputs]", ""}, view.outputs);
    file.write(layer_name(i) + "/bias", values(view.bias_offset, view.outputs), {"[outputs]", ""});
  }
}

Policy read_policy_content(const FileReader& file) {
  Policy policy;
  policy.features = feature_set_of(file);
  policy.hidden = hidden_of(file);
  policy.keep = file.number("keep");
  policy.temperature = file.number("temperature");
  const std::int64_t use_group = file.integer("use_group");
  policy.trained_iterations = file.integer("trained_iterations");
  if (!(policy.keep > 0 && policy.keep < 1)) file.fail("/", "attribute 'keep' must be between 0 and 1");
  if (!(policy.temperature > 0 && std::isfinite(policy.temperature)))
    file.fail("/", "attribute 'temperature' must be above 0");
  if (use_group != 0 && use_group != 1) file.fail("/", "attribute 'use_group' must be 0 or 1");
  if (policy.trained_iterations < 0) file.fail("/", "attribute 'trained_iterations' must be at least 0");
  policy.use_group = use_group == 1;

  const std::vector<LayerView> views = layers(policy);
  if (file.member_count("/layers") != std::ssize(views))
    file.fail("/layers", "has " + std::to_string(file.member_count("/layers")) +
                             " layers; attribute 'hidden' asks for " + std::to_string(views.size()));
  // All shapes first: theta is allocated only once the file is known to hold it.
  for (std::size_t i = 0; i < views.size(); ++i) {
    require_shape(file, layer_name(i) + "/weight", {views[i].inputs, views[i].outputs});
    require_shape(file, layer_name(i) + "/bias", {views[i].outputs});
  }
  policy.theta.resize(parameter_count(policy));
  for (std::size_t i = 0; i < views.size(); ++i) {
    read_into(file, layer_name(i) + "/weight", 2, policy.theta.data() + views[i].weight_offset);
    read_into(file, layer_name(i) + "/bias", 1, policy.theta.data() + views[i].bias_offset);
  }
  return policy;
}

void write_policy(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                  const Policy& policy) {
  write_file_on_root(comm, path, FileType::policy, provenance,
                     [&](FileWriter& file) { write_policy_content(file, policy); });
}

Policy read_policy(const std::filesystem::path& path) {
  return read_policy_content(FileReader(path, FileType::policy));
}

Policy read_policy(const Communicator& comm, const std::filesystem::path& path) {
  return read_foreign_file(comm, path, FileType::policy, [](const auto& p) { return read_policy(p); });
}

} // namespace metasieve
