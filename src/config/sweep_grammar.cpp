#include "config/sweep_grammar.hpp"

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "config/settings.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

namespace metasieve {
namespace {

/// Pieces of `text` between separators outside of parentheses, trimmed.
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
  const std::string name(trimmed(value.substr(0, open)));
  const bool logarithmic = name == "log";
  if (open == std::string::npos || (name != "uniform" && !logarithmic)) return std::nullopt;
  const std::vector<std::string> bounds = divided(value.substr(open + 1, value.size() - open - 2), ',');
  const auto number = [&](std::size_t i) {
    return i < bounds.size() ? parse_number<double>(bounds[i]).value_or(NAN) : NAN;
  };
  const Distribution found{logarithmic, number(0), number(1)};
  const bool legal = value.ends_with(')') && bounds.size() == 2 && found.low < found.high &&
                     std::isfinite(found.high - found.low) && (!logarithmic || found.low > 0);
  if (!legal)
    reject(key, value,
           "must be " + name + "(LOW, HIGH), two numbers" + (logarithmic ? " > 0" : "") + " with LOW < HIGH");
  return found;
}

bool takes_whole_numbers(const std::string& name) {
  if (name.starts_with("family.")) return is_whole(name.substr(name.rfind('.') + 1));
  const ConfigKey* key = find_key(name);
  return key != nullptr && key->domain.starts_with("an integer");
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
  const TaskId id{hash_text(key)}; // by the key's name: another swept key leaves these draws as they are
  const Stream draws(sweep.seed, Draw::sweep, id);
  const std::vector<Index> strata = permutation(Stream(sweep.seed, Draw::sweep_strata, id), sweep.samples);
  const bool whole = takes_whole_numbers(key), latin = sweep.sampling == Sampling::latin;
  std::vector<std::string> values;
  for (Index i = 0; i < sweep.samples; ++i) {
    const double draw = draws.uniform(i), stratum = static_cast<double>(strata[static_cast<std::size_t>(i)]);
    values.push_back(
        value_at(distribution, whole, latin ? (stratum + draw) / static_cast<double>(sweep.samples) : draw));
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

/// The first key of its group of `together`, for each key there.
std::map<std::string, std::string> groups_of(const SweepConfig& sweep) {
  std::map<std::string, std::string> first_of;
  if (trimmed(sweep.together).empty()) return first_of;
  std::vector<std::string> swept;
  for (const auto& [name, values] : sweep.swept) swept.push_back(name);
  for (const std::string& group : divided(sweep.together, ';')) {
    const std::vector<std::string> keys = divided(group, ',');
    for (const std::string& key : keys) {
      if (std::find(swept.begin(), swept.end(), key) == swept.end())
        reject("together", sweep.together,
               key + " is not swept" +
                   (swept.empty() ? "" : "; did you mean " + nearest_name(key, swept) + "?"));
      if (!first_of.emplace(key, keys.front()).second)
        reject("together", sweep.together, key + " is there twice: keep one");
    }
  }
  return first_of;
}

} // namespace

std::vector<std::string> list_items(const std::string& list) {
  std::vector<std::string> items = divided(list, ';');
  return items.size() > 1 ? items : divided(list, ',');
}

std::vector<SweepAxis> sweep_axes(const SweepConfig& sweep) {
  constexpr const char* sampled = "(sampled)"; // the group of all sampled keys
  const std::map<std::string, std::string> groups = groups_of(sweep);
  std::vector<SweepAxis> axes;
  std::map<std::string, std::size_t> axis_of; // by group; a key of none is its own
  for (const auto& [key, list] : sweep.swept) {
    std::vector<std::string> values = values_of(key, list);
    std::string group = groups.contains(key) ? groups.at(key) : key;
    if (const auto distribution = distribution_of(key, values.front())) {
      if (groups.contains(key)) reject("together", sweep.together, key + " is sampled, as all such keys are");
      if (sweep.samples == 0) reject(key, list, "sweep.samples must say how many values to draw");
      values = samples_of(key, *distribution, sweep);
      group = sampled;
    }
    if (axis_of.emplace(group, axes.size()).second) axes.emplace_back();
    SweepAxis& axis = axes[axis_of.at(group)];
    if (!axis.keys.empty() && axis.size() != std::ssize(values))
      reject("together", sweep.together,
             axis.keys.front() + " has " + std::to_string(axis.size()) + " values and " + key + " has " +
                 std::to_string(values.size()) + "; must be as many");
    if (affects_of(key) == Affects::nothing) reject(key, list, "it changes no result; sweep other keys");
    axis.keys.push_back(key);
    axis.values.push_back(std::move(values));
  }
  if (axes.empty())
    throw ConfigError(
        "nothing to sweep: give lists of values in [sweep], as meta.learning_rate = 1e-3, 3e-3");
  if (sweep.samples > 0 && !axis_of.contains(sampled))
    throw ConfigError("sweep.samples = " + std::to_string(sweep.samples) +
                      ": no swept key is uniform(LOW, HIGH) or log(LOW, HIGH)");
  return axes;
}

} // namespace metasieve
