#include "policy/network.hpp"

namespace metasieve {

std::vector<LayerView> layers(FeatureSet features, const std::vector<Index>& hidden) {
  std::vector<LayerView> views;
  Index inputs = feature_count(features), offset = 0;
  const auto append = [&](Index outputs) {
    views.push_back({inputs, outputs, offset, offset + inputs * outputs});
    offset += inputs * outputs + outputs;
    inputs = outputs;
  };
  for (const Index width : hidden) append(width);
  append(1);
  return views;
}

Index parameter_count(const Policy& policy) {
  const LayerView last = layers(policy).back();
  return last.bias_offset + last.outputs;
}

} // namespace metasieve
