#pragma once

#include "numerics/registers.hpp"
#include "policy/network.hpp"

#include <span>
#include <vector>

namespace metasieve::kernels {

/// A policy with its weights in float32 too, in the order in which Network reads them: packed once for a
/// step, and read by all threads.
template <class P = simd::Register<float>>
class PackedPolicy {
public:
  /// `policy` must outlive the uses of this, and stay as it is.
  void pack(const Policy& policy);
  /// The policy that was packed last.
  [[nodiscard]] const Policy& policy() const noexcept { return *policy_; }

  struct Layer {
    LayerView view;
    simd::Buffer<float> forward;  ///< [panel of outputs][inputs][panel]
    simd::Buffer<float> bias;     ///< [panel of outputs][panel]
    simd::Buffer<float> backward; ///< [panel of inputs][outputs][panel]; not of the first
  };
  [[nodiscard]] const std::vector<Layer>& hidden() const noexcept { return hidden_; }
  [[nodiscard]] const LayerView& last() const noexcept { return last_; }
  [[nodiscard]] const float* last_weight() const noexcept { return last_weight_.data(); }
  [[nodiscard]] float last_bias() const noexcept { return last_bias_; }

private:
  void arrange(const Policy& policy);

  const Policy* policy_ = nullptr;
  FeatureSet features_{};
  std::vector<Index> widths_; ///< of the hidden layers; empty: none was packed yet
  std::vector<Layer> hidden_;
  LayerView last_{};
  simd::Buffer<float> last_weight_; ///< [panel of inputs][panel]
  float last_bias_ = 0;
};

/// `forward` and `pullback` of policy/network.hpp in float32, for one thread, block of rows by block of rows,
/// so that activations stay in cache. Rows are in panels: value j of row i is at (j / panel * rows + i) *
/// panel + j % panel. Keeps its memory; its results depend on nothing that it held before.
template <class P = simd::Register<float>>
class Network {
public:
  /// Copies the rows `rows` [n] of features [.., f]; all of them where it is empty.
  void assign(const MatrixF& features, std::span<const Index> rows);
  /// Copies features [n, f], row-major.
  void assign(const float* features, Index rows, Index columns);

  /// u [n], padded with zeros to whole packets. Valid until the next assign.
  [[nodiscard]] const float* forward(const PackedPolicy<P>& policy);

  /// d_u [n] -> d_theta [p], of the last forward.
  void pullback(const PackedPolicy<P>& policy, const float* d_u, Vector& d_theta);

private:
  template <class RowOf>
  void copy_rows(const float* features, Index columns, RowOf row_of);
  // Of rows begin to end - 1, in layer l.
  void forward_layer(const PackedPolicy<P>& policy, std::size_t l, Index begin, Index end);
  void forward_last(const PackedPolicy<P>& policy, Index begin, Index end);
  void pullback_last(const PackedPolicy<P>& policy, const float* d_u, Index begin, Index end);
  void pullback_weights(const PackedPolicy<P>& policy, std::size_t l, Index begin, Index end);
  void pullback_inputs(const PackedPolicy<P>& policy, std::size_t l, Index begin, Index end);
  void copy_gradient(const PackedPolicy<P>& policy, Vector& d_theta) const;

  Index rows_ = 0;
  std::vector<simd::Buffer<float>> activations_; ///< of each layer's inputs
  simd::Buffer<float> u_;
  std::vector<simd::Buffer<float>> d_outputs_; ///< of each hidden layer, of a block of rows
  std::vector<simd::Buffer<float>>
      d_weights_; ///< of each hidden layer, [panel of outputs][inputs + 1][panel]
  simd::Buffer<float> d_last_;
  float d_last_bias_ = 0;
};

} // namespace metasieve::kernels
