#pragma once

#include "base/linalg.hpp"
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
  void assign(const Eigen::Ref<const MatrixF>& features, std::span<const Index> rows);

  /// u [n], zeros beyond up to whole registers. Valid until the next assign.
  [[nodiscard]] const float* forward(const PackedPolicy<P>& policy);

  /// d_u [n] -> d_theta [p], of the last forward.
  void pullback(const PackedPolicy<P>& policy, const float* d_u, Vector& d_theta);

private:
  // For rows begin to end - 1, in layer l:
  void forward_layer(const PackedPolicy<P>& policy, std::size_t l, Index begin, Index end);
  void forward_last(const PackedPolicy<P>& policy, Index begin, Index end);
  void pullback_last(const PackedPolicy<P>& policy, const float* d_u, Index begin, Index end);
  void pullback_weights(const PackedPolicy<P>& policy, std::size_t l, Index begin, Index end);
  void pullback_inputs(const PackedPolicy<P>& policy, std::size_t l, Index begin, Index end);
  void copy_gradient(const PackedPolicy<P>& policy, Vector& d_theta) const;

  Index rows_ = 0;
  std::vector<simd::Buffer<float>> activations_; ///< of each layer's inputs
  simd::Buffer<float> u_;
  // One for each hidden layer: of a block of rows, and [panel of outputs][inputs + 1][panel].
  std::vector<simd::Buffer<float>> d_outputs_, d_weights_;
  simd::Buffer<float> d_last_;
  float d_last_bias_ = 0;
};

/// The network's output for rows, without what a pullback needs, asked again and again in memory that is
/// kept.
class Scorer {
public:
  /// `policy` must outlive this, and stay as it is.
  Scorer(const Policy& policy, Precision precision);

  /// features [n, f] -> u [n]. In blocks of rows, so that activations do not grow with n.
  [[nodiscard]] Vector operator()(const MatrixF& features);
  /// u [n] of features in double precision, which only float64 reads as they are.
  [[nodiscard]] Vector operator()(const Matrix& features);

private:
  Precision precision_;
  PackedPolicy<> packed_;
  Network<> network_;
};

/// features [n, f] -> u [n].
[[nodiscard]] Vector scores(const Policy& policy, const MatrixF& features, Precision precision);

} // namespace metasieve::kernels
