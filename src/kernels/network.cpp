#include "kernels/network.hpp"

#include "numerics/tiles.hpp"

#include <algorithm>
#include <cstring>

namespace metasieve::kernels {
namespace {

using namespace simd;

/// Rows of a block: their activations and derivatives stay in the first or second cache.
constexpr Index block_rows = 48;

template <class P>
Index panels(Index values) {
  return (values + panel_width<P> - 1) / panel_width<P>;
}

/// How many of `values` columns the panel `panel` has.
template <class P>
Index width(Index values, Index panel) {
  return std::min(panel_width<P>, values - panel * panel_width<P>);
}

/// source(row, column) -> [panel of columns][rows][panel], zeros beyond the last column.
template <class P, class Source>
void pack_panels(Buffer<float>& out, Index rows, Index columns, Source source) {
  float* to = out.resize_uninitialized(panels<P>(columns) * rows * panel_width<P>);
  for (Index panel = 0; panel < panels<P>(columns); ++panel)
    for (Index row = 0; row < rows; ++row)
      for (Index j = 0; j < panel_width<P>; ++j)
        *to++ =
            j < width<P>(columns, panel) ? static_cast<float>(source(row, panel * panel_width<P> + j)) : 0.0F;
}

/// The sums of `lanes` registers, each of its own values.
template <class P>
P sums(RegisterBlock<P>& block) {
  transpose(block);
  for (Index step = lanes<P> / 2; step > 0; step /= 2)
    for (Index i = 0; i < step; ++i) block.packet[i] = block.packet[i] + block.packet[i + step];
  return block.packet[0];
}

/// `value` where the ReLU's output a[0..lanes-1] is above 0, and 0 elsewhere.
template <class P>
EIGEN_ALWAYS_INLINE P where_active(const float* a, const P& value) {
  return bit_and(less(broadcast<P>(0.0F), load<P>(a)), value);
}

} // namespace

template <class P>
void PackedPolicy<P>::pack(const Policy& policy) {
  policy_ = &policy;
  if (widths_.empty() || policy.features != features_ || policy.hidden != widths_) { // another shape
    const std::vector<LayerView> views = layers(policy);
    features_ = policy.features;
    widths_ = policy.hidden;
    hidden_.resize(widths_.size());
    for (std::size_t l = 0; l < hidden_.size(); ++l) hidden_[l].view = views[l];
    last_ = views.back();
  }
  const Vector& theta = policy.theta;
  for (std::size_t l = 0; l < hidden_.size(); ++l) {
    Layer& layer = hidden_[l];
    const LayerView& view = layer.view;
    const auto weight = [&](Index i, Index j) { return theta(view.weight_offset + i * view.outputs + j); };
    pack_panels<P>(layer.forward, view.inputs, view.outputs, weight);
    pack_panels<P>(layer.bias, 1, view.outputs, [&](Index, Index j) { return theta(view.bias_offset + j); });
    if (l > 0)
      pack_panels<P>(layer.backward, view.outputs, view.inputs,
                     [&](Index j, Index i) { return weight(i, j); });
  }
  pack_panels<P>(last_weight_, 1, last_.inputs,
                 [&](Index, Index i) { return theta(last_.weight_offset + i); });
  last_bias_ = static_cast<float>(theta(last_.bias_offset));
}

template <class P>
void Network<P>::assign(const Eigen::Ref<const MatrixF>& features, std::span<const Index> rows) {
  const Index columns = features.cols();
  rows_ = rows.empty() ? features.rows() : std::ssize(rows);
  if (activations_.empty()) activations_.resize(1);
  float* to = activations_[0].resize_uninitialized(panels<P>(columns) * rows_ * panel_width<P>);
  for (Index panel = 0; panel < panels<P>(columns); ++panel) {
    const auto bytes = static_cast<std::size_t>(width<P>(columns, panel)) * sizeof(float);
    for (Index i = 0; i < rows_; ++i, to += panel_width<P>) {
      const Index row = rows.empty() ? i : rows[static_cast<std::size_t>(i)];
      std::memcpy(to, features.data() + row * features.outerStride() + panel * panel_width<P>, bytes);
    }
  }
}

template <class P>
const float* Network<P>::forward(const PackedPolicy<P>& policy) {
  activations_.resize(policy.hidden().size() + 1);
  for (std::size_t l = 0; l < policy.hidden().size(); ++l)
    activations_[l + 1].resize_uninitialized(panels<P>(policy.hidden()[l].view.outputs) * rows_ *
                                             panel_width<P>);
  whole_registers(u_, rows_);
  for (Index begin = 0; begin < rows_; begin += block_rows) {
    const Index end = std::min(begin + block_rows, rows_);
    for (std::size_t l = 0; l < policy.hidden().size(); ++l) forward_layer(policy, l, begin, end);
    forward_last(policy, begin, end);
  }
  clear_beyond(u_.data(), rows_);
  return u_.data();
}

template <class P>
void Network<P>::forward_layer(const PackedPolicy<P>& policy, std::size_t l, Index begin, Index end) {
  const auto& layer = policy.hidden()[l];
  const Index inputs = layer.view.inputs;
  const float* const in = activations_[l].data();
  const P zero = broadcast<P>(0.0F);
  for (Index out = 0; out < panels<P>(layer.view.outputs); ++out) {
    const float* const weight = layer.forward.data() + out * inputs * panel_width<P>;
    const float* const bias = layer.bias.data() + out * panel_width<P>;
    const P bias_low = load<P>(bias), bias_high = load<P>(bias + lanes<P>);
    float* const to = activations_[l + 1].data() + (out * rows_ + begin) * panel_width<P>;
    over_tiles<P>(end - begin, [&](Index first, auto rows) {
      Tile<P, rows> z;
      static_for<rows>([&](auto r) { z[r] = {bias_low, bias_high}; });
      for (Index panel = 0; panel < panels<P>(inputs); ++panel)
        multiply_add(z, {in + (panel * rows_ + begin + first) * panel_width<P>, panel_width<P>, 1},
                     weight + panel * panel_width<P> * panel_width<P>, panel_width<P>,
                     width<P>(inputs, panel));
      static_for<rows>([&](auto r) {
        float* const row = to + (first + r) * panel_width<P>;
        store(row, max(z[r][0], zero));
        store(row + lanes<P>, max(z[r][1], zero));
      });
    });
  }
}

template <class P>
void Network<P>::forward_last(const PackedPolicy<P>& policy, Index begin, Index end) {
  const float* const in = activations_.back().data();
  for (Index i = begin; i < end; i += lanes<P>) {
    RegisterBlock<P> products;
    for (Index lane = 0; lane < lanes<P>; ++lane) {
      const Index row = std::min(i + lane, end - 1); // beyond the end: once more, and never read
      P product = broadcast<P>(0.0F);
      for (Index panel = 0; panel < panels<P>(policy.last().inputs); ++panel) {
        const float* const a = in + (panel * rows_ + row) * panel_width<P>;
        const float* const weight = policy.last_weight() + panel * panel_width<P>;
        product = fma(load<P>(a), load<P>(weight), product);
        product = fma(load<P>(a + lanes<P>), load<P>(weight + lanes<P>), product);
      }
      products.packet[lane] = product;
    }
    store(u_.data() + i, sums<P>(products) + broadcast<P>(policy.last_bias()));
  }
}

template <class P>
void Network<P>::pullback(const PackedPolicy<P>& policy, const float* d_u, Vector& d_theta) {
  const auto& hidden = policy.hidden();
  d_outputs_.resize(hidden.size());
  d_weights_.resize(hidden.size());
  for (std::size_t l = 0; l < hidden.size(); ++l) {
    const Index outputs = panels<P>(hidden[l].view.outputs) * panel_width<P>;
    d_outputs_[l].resize_uninitialized(outputs * block_rows);
    d_weights_[l].fill(outputs * (hidden[l].view.inputs + 1), 0.0F);
  }
  d_last_.fill(panels<P>(policy.last().inputs) * panel_width<P>, 0.0F);
  d_last_bias_ = 0.0F;
  for (Index begin = 0; begin < rows_; begin += block_rows) {
    const Index end = std::min(begin + block_rows, rows_);
    pullback_last(policy, d_u, begin, end);
    for (std::size_t l = hidden.size(); l-- > 0;) {
      pullback_weights(policy, l, begin, end);
      if (l > 0) pullback_inputs(policy, l, begin, end);
    }
  }
  copy_gradient(policy, d_theta);
}

template <class P>
void Network<P>::copy_gradient(const PackedPolicy<P>& policy, Vector& d_theta) const {
  const auto& hidden = policy.hidden();
  for (std::size_t l = 0; l < hidden.size(); ++l) {
    const LayerView& view = hidden[l].view;
    for (Index i = 0; i <= view.inputs; ++i) // the bias is the input after the last
      for (Index j = 0; j < view.outputs; ++j)
        d_theta(view.weight_offset + i * view.outputs + j) = static_cast<double>(
            d_weights_[l]
                .data()[(j / panel_width<P> * (view.inputs + 1) + i) * panel_width<P> + j % panel_width<P>]);
  }
  for (Index i = 0; i < policy.last().inputs; ++i)
    d_theta(policy.last().weight_offset + i) = static_cast<double>(d_last_.data()[i]);
  d_theta(policy.last().bias_offset) = static_cast<double>(d_last_bias_);
}

template <class P>
void Network<P>::pullback_last(const PackedPolicy<P>& policy, const float* d_u, Index begin, Index end) {
  for (Index i = begin; i < end; ++i) d_last_bias_ += d_u[i];
  for (Index panel = 0; panel < panels<P>(policy.last().inputs); ++panel)
    for (Index half = 0; half < panel_width<P>; half += lanes<P>) {
      const Index at = panel * panel_width<P> + half;
      const P weight = load<P>(policy.last_weight() + at);
      P sum = load<P>(d_last_.data() + at);
      const float* a = activations_.back().data() + (panel * rows_ + begin) * panel_width<P> + half;
      float* d_a = d_outputs_.back().data() + panel * block_rows * panel_width<P> + half;
      for (Index i = begin; i < end; ++i, a += panel_width<P>, d_a += panel_width<P>) {
        const P upstream = broadcast<P>(d_u[i]);
        sum = fma(upstream, load<P>(a), sum);
        store(d_a, where_active(a, upstream * weight));
      }
      store(d_last_.data() + at, sum);
    }
}

template <class P>
void Network<P>::pullback_weights(const PackedPolicy<P>& policy, std::size_t l, Index begin, Index end) {
  const LayerView& view = policy.hidden()[l].view;
  const float* const in = activations_[l].data();
  const P one = broadcast<P>(1.0F);
  for (Index out = 0; out < panels<P>(view.outputs); ++out) {
    const float* const d_out = d_outputs_[l].data() + out * block_rows * panel_width<P>;
    float* const d_weight = d_weights_[l].data() + out * (view.inputs + 1) * panel_width<P>;
    for (Index panel = 0; panel < panels<P>(view.inputs); ++panel) {
      const float* const a = in + (panel * rows_ + begin) * panel_width<P>;
      over_tiles<P>(width<P>(view.inputs, panel), [&](Index first, auto rows) {
        float* const to = d_weight + (panel * panel_width<P> + first) * panel_width<P>;
        Tile<P, rows> sum;
        static_for<rows>([&](auto r) {
          const float* const row = to + r * panel_width<P>;
          sum[r] = {load<P>(row), load<P>(row + lanes<P>)};
        });
        multiply_add(sum, {a + first, 1, panel_width<P>}, d_out, panel_width<P>, end - begin);
        static_for<rows>([&](auto r) {
          float* const row = to + r * panel_width<P>;
          store(row, sum[r][0]);
          store(row + lanes<P>, sum[r][1]);
        });
      });
    }
    for (Index half = 0; half < panel_width<P>; half += lanes<P>) {
      float* const d_bias = d_weight + view.inputs * panel_width<P> + half;
      P sum = load<P>(d_bias);
      for (Index i = 0; i < end - begin; ++i) sum = fma(one, load<P>(d_out + i * panel_width<P> + half), sum);
      store(d_bias, sum);
    }
  }
}

template <class P>
void Network<P>::pullback_inputs(const PackedPolicy<P>& policy, std::size_t l, Index begin, Index end) {
  const auto& layer = policy.hidden()[l];
  const Index inputs = layer.view.inputs, outputs = layer.view.outputs;
  for (Index panel = 0; panel < panels<P>(inputs); ++panel) {
    const float* const a = activations_[l].data() + (panel * rows_ + begin) * panel_width<P>;
    const float* const weight = layer.backward.data() + panel * outputs * panel_width<P>;
    float* const to = d_outputs_[l - 1].data() + panel * block_rows * panel_width<P>;
    over_tiles<P>(end - begin, [&](Index first, auto rows) {
      Tile<P, rows> d_in{};
      for (Index out = 0; out < panels<P>(outputs); ++out)
        multiply_add(d_in,
                     {d_outputs_[l].data() + (out * block_rows + first) * panel_width<P>, panel_width<P>, 1},
                     weight + out * panel_width<P> * panel_width<P>, panel_width<P>, width<P>(outputs, out));
      static_for<rows>([&](auto r) {
        const Index at = (first + r) * panel_width<P>;
        store(to + at, where_active(a + at, d_in[r][0]));
        store(to + at + lanes<P>, where_active(a + at + lanes<P>, d_in[r][1]));
      });
    });
  }
}

// One for each width of register, so that the tests of one machine reach them all.
#define METASIEVE_INSTANTIATE(P)                                                                             \
  template class PackedPolicy<P>;                                                                            \
  template class Network<P>
METASIEVE_INSTANTIATE(Register<float>);
#ifdef EIGEN_VECTORIZE
METASIEVE_INSTANTIATE(float);
#endif
#ifdef EIGEN_VECTORIZE_AVX512
METASIEVE_INSTANTIATE(Float8);
#endif
#ifdef EIGEN_VECTORIZE_AVX
METASIEVE_INSTANTIATE(Float4);
#endif
#undef METASIEVE_INSTANTIATE

Scorer::Scorer(const Policy& policy, Precision precision) : precision_(precision) { packed_.pack(policy); }

Vector Scorer::operator()(const Matrix& features) {
  if (precision_ == Precision::float64) return metasieve::forward(packed_.policy(), features).u;
  return (*this)(MatrixF(features.cast<float>()));
}

Vector Scorer::operator()(const MatrixF& features) {
  // In float32 the activations of a block fill some 250 kB.
  const Index rows_at_once = precision_ == Precision::float32 ? 480 : 4096;
  Vector u(features.rows());
  for (Index begin = 0; begin < u.size(); begin += rows_at_once) {
    const Index count = std::min(rows_at_once, u.size() - begin);
    const auto rows = features.middleRows(begin, count);
    auto out = u.segment(begin, count);
    if (precision_ == Precision::float64) {
      out = metasieve::forward(packed_.policy(), rows.cast<double>()).u;
      continue;
    }
    network_.assign(rows, {});
    out = Eigen::Map<const Eigen::VectorXf>(network_.forward(packed_), count).cast<double>();
  }
  return u;
}

Vector scores(const Policy& policy, const MatrixF& features, Precision precision) {
  return Scorer(policy, precision)(features);
}

} // namespace metasieve::kernels
