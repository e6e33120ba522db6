#include "config/config.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "methods/selection.hpp"

#include <algorithm>
#include <cctype>

namespace metasieve {

InnerOptions Config::inner_options() const {
  if (inner.method == InnerMethod::implicit) return {Implicit{}, inner.ridge};
  Unrolled unrolled = inner.unrolled;
  unrolled.first_order = inner.method == InnerMethod::first_order;
  return {unrolled, inner.ridge};
}

MetaOptions Config::meta_options() const { return {inner_options(), meta.outer, meta.support, meta.seed}; }

PrepareOptions Config::prepare_options(Seed of_features) const {
  return {policy.features, inner.use_group, inner.ridge, of_features, precision};
}

SelectionOptions Config::selection_options() const {
  SelectionOptions selection = evaluate.selection;
  selection.ridge = inner.ridge;
  selection.adapt.inner = inner_options();
  selection.adapt.outer.fairness = evaluate.fairness;
  selection.adapt.seed = evaluate.seed;
  return selection;
}

void validate(const Config& config, const KeyValues& knobs, FamilyUse use) {
  const auto names = mixture_names(config.suite.mixture);
  for (const auto& [key, value] : knobs)
    if (std::ranges::none_of(names, [&, knob = key](const auto& part) {
          return knob.starts_with("family." + part.first + ".");
        }))
      throw ConfigError(key + " = " + value + ": suite.mixture = " + config.suite.mixture +
                        " does not use this family");
  if (config.suite.validation_tasks >= config.suite.tasks)
    throw ConfigError("suite.validation_tasks = " + std::to_string(config.suite.validation_tasks) +
                      ": must be less than suite.tasks = " + std::to_string(config.suite.tasks) +
                      ", or nothing is left to train on");
  if (config.suite.hold == Hold::memory && !config.suite.hold_features)
    throw ConfigError(
        "suite.hold_features = false: needs suite.hold = regenerate; tasks in memory have features");
  for (const Family& family : config.families) validate(family);
  if (use == FamilyUse::needed) static_cast<void>(mixture(config));
}

std::vector<std::pair<std::string, double>> mixture_names(const std::string& mixture) {
  const auto fail = [&] {
    throw ConfigError("suite.mixture = " + mixture +
                      ": must be NAME:SHARE,NAME:SHARE, shares > 0, as in seed_random:0.5,biased:0.5");
  };
  std::vector<std::pair<std::string, double>> parts;
  for (const std::string& part : split(mixture, ',')) {
    const std::size_t colon = part.rfind(':');
    const std::string name(trimmed(part.substr(0, colon)));
    const std::optional<double> share =
        colon == std::string::npos ? 1.0 : parse_number<double>(trimmed(part.substr(colon + 1)));
    const bool repeated = std::ranges::any_of(parts, [&](const auto& other) { return other.first == name; });
    const bool legal = std::ranges::all_of(name, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-'; // it becomes a file name
    });
    if (name.empty() || !legal || repeated || !share || !(*share > 0.0) || *share > 1e9) fail();
    parts.emplace_back(name, *share);
  }
  if (parts.empty()) fail();
  return parts;
}

const Family* find_family(const std::vector<Family>& families, const std::string& name) {
  const auto found = std::ranges::find(families, name, &Family::name);
  return found == families.end() ? nullptr : &*found;
}

Mixture mixture(const Config& config) {
  Mixture out;
  double total = 0.0;
  for (const auto& [name, share] : mixture_names(config.suite.mixture)) {
    const Family* family = find_family(config.families, name);
    if (family == nullptr)
      throw ConfigError("suite.mixture = " + config.suite.mixture + ": no family " + name +
                        ": give a section [family." + name + "] or a file families/" + name +
                        ".ini beside the configuration");
    out.push_back({*family, share});
    total += share;
  }
  for (MixturePart& part : out) part.share /= total;
  return out;
}

} // namespace metasieve
