#include "config/config.hpp"

#include "config/keys.hpp"

#include "base/error.hpp"
#include "methods/selection.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <numeric>
#include <sstream>
#include <utility>

namespace metasieve {
namespace {

constexpr std::string_view family_prefix = "family.", sweep_prefix = "sweep.";

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

struct KnobName {
  std::string family, knob;
};

/// Of family.NAME.knob.
KnobName knob_name(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot <= family_prefix.size() || dot == std::string::npos)
    throw ConfigError("unknown key " + name + ": a family's knob is family.NAME.knob");
  const std::string family = name.substr(family_prefix.size(), dot - family_prefix.size());
  const std::string knob = name.substr(dot + 1);
  const std::vector<std::string> knobs = family_keys();
  if (std::find(knobs.begin(), knobs.end(), knob) == knobs.end())
    throw ConfigError("unknown key " + name + ": did you mean family." + family + "." +
                      nearest_name(knob, knobs) + "?");
  return {family, knob};
}

void set_family_knob(Config& config, const std::string& name, const std::string& value) {
  const auto [family, knob] = knob_name(name);
  auto found = std::find_if(config.families.begin(), config.families.end(),
                            [&, wanted = family](const Family& known) { return known.name == wanted; });
  if (found == config.families.end()) {
    config.families.emplace_back().name = family;
    found = std::prev(config.families.end());
  }
  set_knob(*found, knob, value);
}

/// A setting of [sweep], or the values of a key.
void set_sweep_key(Config& config, const std::string& name, const std::string& value) {
  const std::string swept = name.substr(sweep_prefix.size());
  std::vector<std::string> known;
  for (const ConfigKey& key : sweep_keys()) {
    if (key.name == name) return key.set(config, key, value);
    known.push_back(key.name);
  }
  bool is_key = swept.starts_with(family_prefix);
  if (is_key) static_cast<void>(knob_name(swept));
  for (const ConfigKey& key : config_keys()) {
    is_key = is_key || key.name == swept;
    known.push_back("sweep." + key.name);
  }
  if (!is_key) throw ConfigError("unknown key " + name + ": did you mean " + nearest_name(name, known) + "?");
  for (auto& [key, values] : config.sweep.swept)
    if (key == swept) return void(values = value);
  config.sweep.swept.emplace_back(swept, value);
}

const Family* find_family(const Config& config, const std::string& name) {
  const auto found = std::find_if(config.families.begin(), config.families.end(),
                                  [&](const Family& known) { return known.name == name; });
  return found == config.families.end() ? nullptr : &*found;
}

} // namespace

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  const auto distance = [&](const std::string& other) {
    return other.ends_with("." + name) ? 0 : edit_distance(name, other);
  };
  return *std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
    return distance(a) < distance(b);
  });
}

EvaluateConfig::EvaluateConfig() {
  for (const std::string& name : method_names())
    if (!name.starts_with("trained_")) methods.push_back(parse_method(name));
}

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

void set_key(Config& config, const std::string& name, const std::string& value) {
  if (name == "output.compress") return; // of older programs: suites are written as they are
  config.explicit_keys.insert(name);
  if (name.starts_with(family_prefix)) return set_family_knob(config, name, value);
  if (name.starts_with(sweep_prefix)) return set_sweep_key(config, name, value);
  std::vector<std::string> known;
  for (const ConfigKey& key : config_keys()) {
    if (key.name == name) return key.set(config, key, value);
    known.push_back(key.name);
  }
  throw ConfigError("unknown key " + name + ": did you mean " + nearest_name(name, known) + "?");
}

SelectionOptions Config::selection_options() const {
  AdaptOptions adapt = evaluate.adapt;
  adapt.inner = inner_options();
  adapt.outer.fairness = evaluate.fairness;
  adapt.seed = evaluate.seed;
  return {evaluate.rounds, evaluate.rounds_agreement, inner.ridge, adapt};
}

void validate(const Config& config) {
  if (config.suite.validation_tasks >= config.suite.tasks)
    throw ConfigError("suite.validation_tasks = " + std::to_string(config.suite.validation_tasks) +
                      ": must be less than suite.tasks = " + std::to_string(config.suite.tasks) +
                      ", or nothing is left to train on");
  if (config.suite.hold == Hold::memory && !config.suite.hold_features)
    throw ConfigError(
        "suite.hold_features = false: needs suite.hold = regenerate; tasks in memory have features");
  for (const Family& family : config.families) validate(family);
  for (const MixturePart& part : mixture(config)) static_cast<void>(part);
}

std::vector<std::pair<std::string, double>> mixture_names(const Config& config) {
  const std::string expected =
      ": must be NAME:SHARE,NAME:SHARE, shares > 0, as in seed_random:0.5,biased:0.5";
  const auto fail = [&] { throw ConfigError("suite.mixture = " + config.suite.mixture + expected); };
  std::vector<std::pair<std::string, double>> parts;
  std::istringstream text(config.suite.mixture);
  for (std::string part; std::getline(text, part, ',');) {
    part.erase(std::remove_if(part.begin(), part.end(), [](unsigned char c) { return std::isspace(c); }),
               part.end());
    const std::size_t colon = part.rfind(':');
    const std::string name = part.substr(0, colon);
    double share = 1.0;
    if (colon != std::string::npos) {
      const char *const begin = part.data() + colon + 1, *const end = part.data() + part.size();
      const auto [last, error] = std::from_chars(begin, end, share);
      if (error != std::errc{} || last != end) fail();
    }
    const bool repeated =
        std::any_of(parts.begin(), parts.end(), [&](const auto& other) { return other.first == name; });
    const bool legal = std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-'; // it becomes a file name
    });
    if (name.empty() || !legal || repeated || !(share > 0.0) || share > 1e9) fail();
    parts.emplace_back(name, share);
  }
  if (parts.empty()) fail();
  return parts;
}

Mixture mixture(const Config& config) {
  Mixture out;
  double total = 0.0;
  for (const auto& [name, share] : mixture_names(config)) {
    const Family* family = find_family(config, name);
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

void require_used(const Config& config, const KeyValues& knobs) {
  const auto names = mixture_names(config);
  for (const auto& [key, value] : knobs) {
    const bool used = std::any_of(names.begin(), names.end(), [&, name = key](const auto& part) {
      return name.starts_with("family." + part.first + ".");
    });
    if (!used)
      throw ConfigError(key + " = " + value + ": suite.mixture = " + config.suite.mixture +
                        " does not use this family");
  }
}

namespace {

/// INI text, section by section.
class IniText {
public:
  void add(const std::string& section, const std::string& key, const std::string& value) {
    if (section != section_) text_ += (text_.empty() ? "[" : "\n[") + section + "]\n";
    section_ = section;
    text_ += key + " = " + value + "\n";
  }
  void add(const Config& config, const ConfigKey& key) {
    const std::size_t dot = key.name.find('.');
    add(key.name.substr(0, dot), key.name.substr(dot + 1), key.get(config));
  }
  void add(const Family& family) {
    for (const std::string& knob : family_keys()) add("family." + family.name, knob, knob_text(family, knob));
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
  std::string text_, section_;
};

std::string ini_text(const Config& config, const std::function<bool(const std::string&)>& wanted) {
  IniText text;
  for (const ConfigKey& key : config_keys())
    if (wanted(key.name)) text.add(config, key);
  for (const auto& [name, share] : mixture_names(config))
    if (const Family* family = find_family(config, name)) text.add(*family);
  return text.text();
}

bool is_of_evaluation(const std::string& key) { return key.starts_with("evaluate."); }

} // namespace

std::string resolved_ini(const Config& config) {
  return ini_text(config, [](const std::string&) { return true; });
}

std::string sweep_ini(const Config& config) {
  IniText text;
  for (const ConfigKey& key : config_keys()) text.add(config, key);
  for (const Family& family : config.families) text.add(family);
  for (const ConfigKey& key : sweep_keys())
    if (!key.get(config).empty()) text.add(config, key); // names of files may be none
  for (const auto& [key, values] : config.sweep.swept) text.add("sweep", key, values);
  return text.text();
}

std::string reproducible_ini(const Config& config) {
  return ini_text(config,
                  [](const std::string& key) { return changes_results(key) && !is_of_evaluation(key); });
}

bool changes_results(const std::string& key) {
  return !key.starts_with("output.") && !key.starts_with("run.") && !key.starts_with("suite.hold") &&
         !key.starts_with("scaling.");
}

bool changes_training(const std::string& key) {
  return changes_results(key) && !is_of_evaluation(key) && key != "meta.validate_every" &&
         key != "meta.iterations";
}

} // namespace metasieve
