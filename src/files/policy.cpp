#include "files/policy.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

namespace metasieve {
namespace {

/// Far above what is of use; keeps the products of widths from overflowing.
constexpr Index most_width = 1 << 20;
constexpr std::size_t most_layers = 64;

FeatureSet read_feature_set(const FileReader& file) {
  const auto name = file.attribute<std::string>("feature_set");
  if (const std::optional<FeatureSet> set = parse_feature_set(name)) return *set;
  file.fail("/", "attribute 'feature_set' is '" + name +
                     "'; must be seed10, full16, context27, relative28 or fair56");
}

std::string fault_of_widths(const std::vector<Index>& hidden) {
  if (hidden.size() > most_layers) return "has more than 64 layers";
  for (const Index width : hidden)
    if (width < 1 || width > most_width)
      return "has width " + std::to_string(width) + "; must be 1 to 1048576";
  return {};
}

std::string layer_name(std::size_t layer) { return "/layers/" + std::to_string(layer); }

void write_layers(FileWriter& file, const Policy& policy) {
  file.group("/layers");
  const std::vector<LayerView> views = layers(policy);
  for (std::size_t i = 0; i < views.size(); ++i) {
    const auto values = [&](Index offset, Index count) {
      return std::span(policy.theta.data() + offset, static_cast<std::size_t>(count));
    };
    file.group(layer_name(i));
    file.write(layer_name(i) + "/weight", values(views[i].weight_offset, views[i].inputs * views[i].outputs),
               {"[inputs, outputs]"}, views[i].outputs);
    file.write(layer_name(i) + "/bias", values(views[i].bias_offset, views[i].outputs), {"[outputs]"});
  }
}

void require_shape(const FileReader& file, const std::string& name, const std::vector<Index>& shape) {
  if (file.shape(name, static_cast<int>(shape.size())) == shape) return;
  std::string wanted;
  for (const Index extent : shape) wanted += (wanted.empty() ? "" : ", ") + std::to_string(extent);
  file.fail(name,
            "has another shape than attributes feature_set and hidden ask for: must be [" + wanted + "]");
}

/// Reads the values of one data set to their place in theta.
void read_into(const FileReader& file, const std::string& name, int rank, double* to) {
  const std::vector<double> values = file.values<double>(name, rank);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) file.fail(name, "value " + std::to_string(i) + " is not finite");
  std::copy(values.begin(), values.end(), to);
}

void read_layers(const FileReader& file, Policy& policy) {
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
}

} // namespace

template <>
const FileLayout<Policy>& layout_of<Policy>() {
  static const auto layout =
      FileLayout<Policy>(FileType::policy)
          .part(
              [](FileWriter& file, const Policy& policy) {
                file.attribute("feature_set", std::string(name_in_files(policy.features)));
              },
              [](const FileReader& file, Policy& policy) { policy.features = read_feature_set(file); })
          .attribute("hidden", &Policy::hidden, fault_of_widths)
          .attribute("keep", &Policy::keep,
                     [](double keep) { return keep > 0 && keep < 1 ? "" : "must be between 0 and 1"; })
          .attribute("temperature", &Policy::temperature,
                     [](double t) { return t > 0 && std::isfinite(t) ? "" : "must be above 0"; })
          .attribute("use_group", &Policy::use_group)
          .attribute("trained_iterations", &Policy::trained_iterations,
                     [](std::int64_t count) { return count >= 0 ? "" : "must be at least 0"; })
          .part(write_layers, read_layers);
  return layout;
}

} // namespace metasieve
