#include "config/sweep_grammar.hpp"

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "config/settings.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace metasieve {
namespace {

/// Pieces of `text` between separators outside of parentheses.
std::vector<std::string> divided(const std::string& text, char separator) {
  std::vector<std::string> pieces(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == separator && depth <= 0)
      pieces.emplace_back();
    else
      pieces.back() += c;
  }
  for (std::string& piece : pieces) piece = std::string(trimmed(piece));
  return pieces;
}

[[noreturn]] void reject(const std::string& key, const std::string& value, const std::string& right) {
  throw ConfigError("sweep." + key + " = " + value + ": " + right);
}

/// uniform(low, high) or log(low, high).
struct Distribution {
  bool logarithmic = false;
  double low = 0, high = 0;
};

std::optional<Distribution> distribution_of(const std::string& key, const std::string& value) {
  const std::size_t open = value.find('(');
  const std::string name(trimmed(std::string_view(value).substr(0, open)));
  if (open == std::string::npos || (name != "uniform" && name != "log")) return std::nullopt;
  const auto fail = [&] {
    reject(key, value,
           "must be " + name + "(LOW, HIGH), two numbers" + (name == "log" ? " > 0" : "") +
               " with LOW < HIGH");
  };
  if (!value.ends_with(')')) fail();
  const std::vector<std::string> bounds = divided(value.substr(open + 1, value.size() - open - 2), ',');
  const auto number = [&](const std::string& text) {
    const std::optional<double> parsed = parse_number<double>(text);
    if (!parsed || !std::isfinite(*parsed)) fail();
    return *parsed;
  };
  if (bounds.size() != 2) fail();
  const Distribution found{name == "log", number(bounds[0]), number(bounds[1])};
  if (!(found.low < found.high) || (found.logarithmic && !(found.low > 0))) fail();
  return found;
}

bool takes_whole_numbers(const std::string& key) {
  if (key.starts_with("family.")) return is_whole(key.substr(key.rfind('.') + 1));
  const auto& keys = config_keys();
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& k) { return k.name == key; });
  return found != keys.end() && found->domain.starts_with("an integer");
}

/// The value at `share` in [0, 1) of the way.
std::string value_at(const Distribution& distribution, bool whole, double share) {
  const double low = distribution.low, high = whole ? std::floor(distribution.high) + 1 : distribution.high;
  const double value =
      distribution.logarithmic ? low * std::pow(high / low, share) : low + share * (high - low);
  if (!whole) return format("%.6g", value);
  return format("%.0f", std::max(std::min(std::floor(value), high - 1), std::ceil(low)));
}

std::vector<std::string> samples_of(const std::string& key, const Distribution& distribution,
                                    const SweepConfig& sweep) {
  // By the key's name: another swept key leaves these draws as they are.
  const TaskId id{hash_text(key)};
  const Stream draws(sweep.seed, Draw::sweep, id);
  std::vector<Index> strata;
  if (sweep.sampling == Sampling::latin)
    strata = permutation(Stream(sweep.seed, Draw::sweep_strata, id), sweep.samples);
  const bool whole = takes_whole_numbers(key);
  std::vector<std::string> values;
  for (Index i = 0; i < sweep.samples; ++i) {
    const double draw = draws.uniform(i);
    const double share = strata.empty() ? draw
                                        : (static_cast<double>(strata[static_cast<std::size_t>(i)]) + draw) /
                                              static_cast<double>(sweep.samples);
    values.push_back(value_at(distribution, whole, share));
  }
  return values;
}

std::vector<std::string> values_of(const std::string& key, const std::string& list) {
  if (trimmed(list).empty()) reject(key, list, "has no value; must be a list, as V1, V2, V3");
  std::vector<std::string> values = list_items(list);
  for (const std::string& value : values) {
    if (value.empty()) reject(key, list, "has an empty value between its separators");
    if (values.size() > 1 && distribution_of(key, value))
      reject(key, list, "uniform() or log() must stand alone");
  }
  return values;
}

/// Groups of keys of `together`.
std::vector<std::vector<std::string>> groups_of(const SweepConfig& sweep) {
  std::vector<std::vector<std::string>> groups;
  std::set<std::string> seen;
  if (trimmed(sweep.together).empty()) return groups;
  for (const std::string& group : divided(sweep.together, ';')) {
    groups.push_back(divided(group, ','));
    for (const std::string& key : groups.back()) {
      std::vector<std::string> swept;
      for (const auto& [name, values] : sweep.swept) swept.push_back(name);
      if (swept.empty() || std::find(swept.begin(), swept.end(), key) == swept.end())
        reject("together", sweep.together,
               key + " is not swept" +
                   (swept.empty() ? "" : "; did you mean " + nearest_name(key, swept) + "?"));
      if (!seen.insert(key).second) reject("together", sweep.together, key + " is there twice: keep one");
    }
  }
  return groups;
}

void require_sensible(const SweepConfig& sweep, const std::vector<SweepAxis>& axes, bool sampled) {
  if (axes.empty())
    throw ConfigError(
        "nothing to sweep: give lists of values in [sweep], as meta.learning_rate = 1e-3, 3e-3");
  if (!sampled && sweep.samples > 0)
    throw ConfigError("sweep.samples = " + std::to_string(sweep.samples) +
                      ": no swept key is uniform(LOW, HIGH) or log(LOW, HIGH)");
  for (const auto& [key, values] : sweep.swept)
    if (affects_of(key) == Affects::nothing) reject(key, values, "it changes no result; sweep other keys");
}

} // namespace

std::vector<std::string> list_items(const std::string& list) {
  std::vector<std::string> items = divided(list, ';');
  return items.size() > 1 ? items : divided(list, ',');
}

std::vector<SweepAxis> sweep_axes(const SweepConfig& sweep) {
  const std::vector<std::vector<std::string>> groups = groups_of(sweep);
  std::vector<SweepAxis> axes;
  const auto axis_with = [&](const std::string& key) -> SweepAxis& { // made where there is none yet
    for (SweepAxis& axis : axes)
      if (std::find(axis.keys.begin(), axis.keys.end(), key) != axis.keys.end()) return axis;
    return axes.emplace_back();
  };
  std::string first_sampled;
  for (const auto& [key, list] : sweep.swept) {
    std::vector<std::string> values = values_of(key, list);
    const auto group = std::find_if(groups.begin(), groups.end(), [&, wanted = key](const auto& keys) {
      return std::find(keys.begin(), keys.end(), wanted) != keys.end();
    });
    std::string companion = key;
    if (const auto distribution = distribution_of(key, values.front())) {
      if (group != groups.end())
        reject("together", sweep.together, key + " is sampled, as all such keys are");
      if (sweep.samples == 0) reject(key, list, "sweep.samples must say how many values to draw");
      values = samples_of(key, *distribution, sweep);
      if (first_sampled.empty()) first_sampled = key;
      companion = first_sampled;
    } else if (group != groups.end()) {
      for (const std::string& other : *group)
        for (const SweepAxis& axis : axes)
          if (std::find(axis.keys.begin(), axis.keys.end(), other) != axis.keys.end()) companion = other;
    }
    SweepAxis& axis = axis_with(companion);
    if (!axis.keys.empty() && axis.size() != std::ssize(values))
      reject("together", sweep.together,
             axis.keys.front() + " has " + std::to_string(axis.size()) + " values and " + key + " has " +
                 std::to_string(values.size()) + "; must be as many");
    axis.keys.push_back(key);
    axis.values.push_back(std::move(values));
  }
  require_sensible(sweep, axes, !first_sampled.empty());
  return axes;
}

} // namespace metasieve
