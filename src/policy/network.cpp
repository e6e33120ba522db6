#include "policy/network.hpp"

#include <cmath>

namespace metasieve {
namespace {

using ConstWeight = Eigen::Map<const Matrix>;
using ConstBias = Eigen::Map<const Eigen::RowVectorXd>;

ConstWeight weight(const Vector& theta, const LayerView& layer) {
  return {theta.data() + layer.weight_offset, layer.inputs, layer.outputs};
}

ConstBias bias(const Vector& theta, const LayerView& layer) {
  return {theta.data() + layer.bias_offset, layer.outputs};
}

} // namespace

Policy initialise(Policy shape, Seed seed) {
  const Stream stream(seed, Draw::policy, TaskId{0});
  shape.theta = Vector::Zero(parameter_count(shape));
  for (const LayerView& layer : layers(shape)) {
    const double scale = std::sqrt(2.0 / static_cast<double>(layer.inputs));
    for (Index i = layer.weight_offset; i < layer.bias_offset; ++i) shape.theta(i) = scale * stream.normal(i);
  }
  return shape;
}

PolicyTrace forward(const Policy& policy, const Matrix& features) {
  PolicyTrace trace{{features}, {}};
  const std::vector<LayerView> views = layers(policy);
  for (const LayerView& layer : views) {
    Matrix z(features.rows(), layer.outputs);
    z.noalias() = trace.activations.back() * weight(policy.theta, layer);
    z.rowwise() += bias(policy.theta, layer);
    if (&layer == &views.back())
      trace.u = z.col(0);
    else
      trace.activations.emplace_back(z.cwiseMax(0.0));
  }
  return trace;
}

Vector pullback(const Policy& policy, const PolicyTrace& trace, const Vector& d_u) {
  const std::vector<LayerView> views = layers(policy);
  Vector d_theta(policy.theta.size());
  Matrix d_z = d_u;
  for (std::size_t l = views.size(); l-- > 0;) {
    const LayerView& layer = views[l];
    const Matrix& input = trace.activations[l];
    Eigen::Map<Matrix>(d_theta.data() + layer.weight_offset, layer.inputs, layer.outputs).noalias() =
        input.transpose() * d_z;
    d_theta.segment(layer.bias_offset, layer.outputs) = d_z.colwise().sum();
    if (l == 0) break;
    Matrix d_input = d_z * weight(policy.theta, layer).transpose();
    d_input = (input.array() > 0.0).select(d_input, 0.0);
    d_z.swap(d_input); // not assigned: Eigen 3.4 frees a matrix twice that it cannot resize, out of memory
  }
  return d_theta;
}

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
