#include "tasks/family.hpp"

#include "base/error.hpp"
#include "base/split.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

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
  factors,
  discrete,
  skewed,
  interaction,
};

double uniform(const Stream& stream, Index index, Interval range) {
  return std::min(stream.uniform(index, range.low, range.high), range.high);
}

class Knobs {
public:
  Knobs(Seed seed, TaskId id) : stream_(seed, Draw::parameters, id) {}

  double real(Knob knob, Interval range) const { return uniform(stream_, static_cast<Index>(knob), range); }
  Index integer(Knob knob, Interval range) const {
    const auto low = static_cast<Index>(range.low), high = static_cast<Index>(range.high);
    return low + stream_.below(static_cast<Index>(knob), high - low + 1);
  }
  double log_uniform(Knob knob, Interval range) const {
    return metasieve::log_uniform(stream_, static_cast<Index>(knob), range);
  }
  bool chance(Knob knob, double probability) const {
    return stream_.uniform(static_cast<Index>(knob)) < probability;
  }

private:
  Stream stream_;
};

/// Draws K, apart from the knobs above, which stay as they are.
Index group_count(Interval range, Seed seed, TaskId id) {
  const auto low = static_cast<Index>(range.low), high = static_cast<Index>(range.high);
  return low == high ? low : low + Stream(seed, Draw::group_count, id).below(0, high - low + 1);
}

} // namespace

double log_uniform(const Stream& stream, Index index, Interval range) {
  if (range.low == range.high) return range.low;
  const double exponent = uniform(stream, index, {std::log(range.low), std::log(range.high)});
  return std::clamp(std::exp(exponent), range.low, range.high);
}

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
  const Index groups = group_count(family.groups, seed, id);
  TaskParameters drawn{.samples = samples,
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
                       .adversarial = knobs.chance(Knob::adversarial, family.adversarial_fraction),
                       .groups = groups,
                       .factors = knobs.integer(Knob::factors, family.factors),
                       .discrete = knobs.real(Knob::discrete, family.discrete_fraction),
                       .skewed = knobs.real(Knob::skewed, family.skewed_fraction),
                       .interaction = knobs.chance(Knob::interaction, family.interaction_fraction)};
  if (groups > 1) return drawn;
  drawn.minority = drawn.feature_shift = drawn.label_bias = 0.0;
  drawn.group_odds = 1.0;
  drawn.biased = false;
  return drawn;
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

namespace {

using Member =
    std::variant<Interval Family::*, double Family::*, Disadvantaged Family::*, BaseProblem Family::*>;

/// One line of a family file: its name, where it is kept, and its domain.
struct KnobInfo {
  std::string_view name;
  Member member;
  double minimum = 0, maximum = 0;
  bool whole = false;                      ///< whole numbers only
  bool open = false;                       ///< minimum and maximum excluded
  std::array<std::string_view, 2> words{}; ///< of a knob that is a word: in the order of its enumeration
};

const std::array<KnobInfo, 18> table{{
    {"samples", &Family::samples, 20, 1e8, true},
    {"features", &Family::features, 3, 10000, true},
    {"label_noise", &Family::label_noise, 0, 0.5},
    {"minority", &Family::minority, 0, 1, false, true},
    {"positive", &Family::positive, 0, 1, false, true},
    {"separability", &Family::separability, 0, 1000},
    {"biased_fraction", &Family::biased_fraction, 0, 1},
    {"group_odds", &Family::group_odds, 1, 1e6},
    {.name = "disadvantaged", .member = &Family::disadvantaged, .words = {"minority", "random"}},
    {"feature_shift", &Family::feature_shift, 0, 100},
    {"label_bias", &Family::label_bias, 0, 1},
    {"adversarial_fraction", &Family::adversarial_fraction, 0, 1},
    {"groups", &Family::groups, 1, most_groups, true},
    {.name = "base", .member = &Family::base, .words = {"clusters", "tabular"}},
    {"factors", &Family::factors, 1, 64, true},
    {"discrete_fraction", &Family::discrete_fraction, 0, 1},
    {"skewed_fraction", &Family::skewed_fraction, 0, 1},
    {"interaction_fraction", &Family::interaction_fraction, 0, 1},
}};

/// Shortest text that parses back to the same double; whole numbers without an exponent.
std::string knob_number(double value) {
  const bool plain = value == std::floor(value) && std::abs(value) < 1e15;
  return plain ? number_text(static_cast<std::int64_t>(value)) : number_text(value);
}

std::optional<double> parse_finite(std::string_view text) {
  const std::optional<double> value = parse_number<double>(trimmed(text));
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<Interval> parse_interval(std::string_view text) {
  const auto colon = text.find(':');
  const auto low = parse_finite(text.substr(0, colon));
  const auto high = colon == std::string_view::npos ? low : parse_finite(text.substr(colon + 1));
  if (!low || !high) return std::nullopt;
  return Interval{*low, *high};
}

/// What `text` says of a knob of this type; none if it says nothing.
template <class Value>
std::optional<Value> parsed(const KnobInfo& knob, std::string_view text) {
  if constexpr (std::is_same_v<Value, Interval>) {
    return parse_interval(text);
  } else if constexpr (std::is_same_v<Value, double>) {
    return parse_finite(text);
  } else {
    const auto word = std::ranges::find(knob.words, trimmed(text));
    if (word == knob.words.end()) return std::nullopt;
    return static_cast<Value>(word - knob.words.begin());
  }
}

std::string domain(const KnobInfo& knob) {
  if (!knob.words[0].empty())
    return "must be " + std::string(knob.words[0]) + " or " + std::string(knob.words[1]);
  const std::string low = knob_number(knob.minimum), high = knob_number(knob.maximum);
  if (std::holds_alternative<double Family::*>(knob.member))
    return "must be a number within " + low + ".." + high;
  const std::string less = knob.open ? " < " : " <= ";
  return "must be lo:hi or one number, " + std::string(knob.whole ? "whole, " : "") + low + less +
         "lo <= hi" + less + high;
}

[[noreturn]] void reject(const Family& family, const KnobInfo& knob, const std::string& value) {
  throw ConfigError("family." + family.name + "." + std::string(knob.name) + " = " + value + ": " +
                    domain(knob));
}

const KnobInfo& find_knob(const Family& family, const std::string& name) {
  const auto* const found =
      std::find_if(table.begin(), table.end(), [&](const KnobInfo& knob) { return knob.name == name; });
  if (found != table.end()) return *found;
  throw ConfigError("family." + family.name + "." + name + ": no such knob; there are " +
                    joined(family_keys()));
}

/// NaN fails every comparison, so it is never in the domain.
bool in_domain(const KnobInfo& knob, double value) {
  const bool inside = knob.open ? knob.minimum < value && value < knob.maximum
                                : knob.minimum <= value && value <= knob.maximum;
  return inside && (!knob.whole || value == std::floor(value));
}

bool in_domain(const KnobInfo& knob, Interval value) {
  return in_domain(knob, value.low) && in_domain(knob, value.high) && value.low <= value.high;
}

/// A word that was parsed is one of the knob's.
template <class Word>
requires std::is_enum_v<Word>
bool in_domain(const KnobInfo& /*knob*/, Word /*value*/) { return true; }

bool in_domain(const KnobInfo& knob, const Family& family) {
  return std::visit([&](auto member) { return in_domain(knob, family.*member); }, knob.member);
}

std::string text_of(const KnobInfo& /*knob*/, double value) { return knob_number(value); }

std::string text_of(const KnobInfo& /*knob*/, Interval value) {
  const std::string low = knob_number(value.low);
  return value.low == value.high ? low : low + ":" + knob_number(value.high);
}

template <class Word>
requires std::is_enum_v<Word> std::string text_of(const KnobInfo& knob, Word value) {
  return std::string(knob.words.at(static_cast<std::size_t>(value)));
}

std::string text_of(const KnobInfo& knob, const Family& family) {
  return std::visit([&](auto member) { return text_of(knob, family.*member); }, knob.member);
}

/// Refuses more groups than there are rows for.
void check_groups(const Family& family) {
  const auto refuse = [&](const std::string& right) {
    throw ConfigError("family." + family.name + ".groups = " + knob_text(family, "groups") + ": " + right);
  };
  const double most = family.groups.high, minority = least_group_share * (most - 1.0);
  if (most > 2 && minority > family.minority.low + 1e-9)
    refuse(format("each group but 0 has %.2f of the rows at least, so that minority = %s allows at most %.0f",
                  least_group_share, knob_text(family, "minority").c_str(),
                  std::max(2.0, 1.0 + std::floor(family.minority.low / least_group_share + 1e-9))) +
           (minority < 1.0 ? format("; or minority must begin at %.2f", minority) : ""));
  if (most > family.samples.low)
    refuse("each group has a row at least, so that samples = " + knob_text(family, "samples") +
           " allows at most " + knob_number(family.samples.low));
}

} // namespace

void validate(const Family& family) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  const std::string& name = family.name;
  if (name.empty() || name.size() > 31 || !std::all_of(name.begin(), name.end(), legal))
    throw ConfigError("family name \"" + name + "\": must be 1 to 31 letters, digits, _ or -");
  for (const KnobInfo& knob : table)
    if (!in_domain(knob, family)) reject(family, knob, text_of(knob, family));
  check_groups(family);
}

std::vector<std::string> family_keys() {
  std::vector<std::string> keys;
  for (const KnobInfo& knob : table) keys.emplace_back(knob.name);
  return keys;
}

bool is_whole(const std::string& knob) { return find_knob({}, knob).whole; }

void set_knob(Family& family, const std::string& knob_name, const std::string& value) {
  const KnobInfo& knob = find_knob(family, knob_name);
  std::visit(
      [&]<class Value>(Value Family::*member) {
        const std::optional<Value> given = parsed<Value>(knob, value);
        if (!given || !in_domain(knob, *given)) reject(family, knob, value);
        family.*member = *given;
      },
      knob.member);
}

std::string knob_text(const Family& family, const std::string& knob_name) {
  return text_of(find_knob(family, knob_name), family);
}

} // namespace metasieve
