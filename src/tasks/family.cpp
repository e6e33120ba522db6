#include "tasks/family.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

/// Index of each knob in the stream Draw::parameters. Append only, or old seeds change meaning.
enum class Knob : Index {
  samples,
  features,
  label_noise,
  minority,
  positive,
  separability,
  biased,
  group_odds,
  disadvantaged,
  feature_shift,
  label_bias,
  adversarial,
};

class Knobs {
public:
  Knobs(Seed seed, TaskId id) : stream_(seed, Draw::parameters, id) {}

  double real(Knob knob, Interval range) const {
    return std::min(stream_.uniform(static_cast<Index>(knob), range.low, range.high), range.high);
  }
  Index integer(Knob knob, Interval range) const {
    const auto low = static_cast<Index>(range.low), high = static_cast<Index>(range.high);
    return low + stream_.below(static_cast<Index>(knob), high - low + 1);
  }
  double log_uniform(Knob knob, Interval range) const {
    if (range.low == range.high) return range.low;
    const double exponent = real(knob, {std::log(range.low), std::log(range.high)});
    return std::clamp(std::exp(exponent), range.low, range.high);
  }
  bool chance(Knob knob, double probability) const {
    return stream_.uniform(static_cast<Index>(knob)) < probability;
  }

private:
  Stream stream_;
};

} // namespace

TaskParameters draw_parameters(const Family& family, Seed seed, TaskId id) {
  validate(family);
  const Knobs knobs(seed, id);
  const Index samples = knobs.integer(Knob::samples, family.samples);
  const Index test_rows = (3 * samples + 9) / 10; // ceil(0.3 n)
  const double odds = knobs.chance(Knob::biased, family.biased_fraction)
                          ? knobs.log_uniform(Knob::group_odds, family.group_odds)
                          : 1.0;
  const bool group_zero =
      family.disadvantaged == Disadvantaged::random && knobs.chance(Knob::disadvantaged, 0.5);
  return {.samples = samples,
          .train_rows = samples - test_rows,
          .test_rows = test_rows,
          .features = knobs.integer(Knob::features, family.features),
          .label_noise = knobs.real(Knob::label_noise, family.label_noise),
          .minority = knobs.real(Knob::minority, family.minority),
          .positive = knobs.real(Knob::positive, family.positive),
          .separability = knobs.real(Knob::separability, family.separability),
          .biased = odds != 1.0,
          .group_odds = odds,
          .disadvantaged = group_zero ? 0 : 1,
          .feature_shift = knobs.real(Knob::feature_shift, family.feature_shift),
          .label_bias = knobs.real(Knob::label_bias, family.label_bias),
          .adversarial = knobs.chance(Knob::adversarial, family.adversarial_fraction)};
}

const Family& family_of(const Mixture& mixture, TaskId id) {
  double total = 0;
  for (const MixturePart& part : mixture) {
    if (!(part.share >= 0) || !std::isfinite(part.share))
      throw ConfigError("mixture: share of family " + part.family.name + " must be a number >= 0");
    total += part.share;
  }
  if (!(total > 0)) throw ConfigError("mixture: needs at least one family with a share > 0");

  // frac((id + 1/2) * golden ratio) in 64-bit fixed point: exact for every id.
  constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;
  const std::uint64_t fraction = static_cast<std::uint64_t>(id) * golden + golden / 2;
  const double point = static_cast<double>(fraction >> 11) * 0x1p-53 * total;

  const MixturePart* chosen = nullptr;
  double passed = 0;
  for (const MixturePart& part : mixture) {
    if (part.share == 0) continue;
    chosen = &part;
    passed += part.share;
    if (point < passed) break;
  }
  return chosen->family;
}

} // namespace metasieve
