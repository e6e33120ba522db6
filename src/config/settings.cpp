#include "config/settings.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <string_view>

namespace metasieve {
namespace {

constexpr std::string_view family_prefix = "family.", sweep_prefix = "sweep.";

struct KnobName {
  std::string family, knob;
};

/// Family and knob of family.NAME.knob. @throws ConfigError if there is no such knob
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
  const std::string swept = current_name(name.substr(sweep_prefix.size()));
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
    const bool is_set = key.name == "policy.features"; // whose first names stay, so that bytes do too
    add(key.name.substr(0, dot), key.name.substr(dot + 1),
        is_set ? std::string(name_in_files(config.policy.features)) : key.get(config));
  }
  void add(const Family& family) {
    for (const std::string& knob : family_keys()) add("family." + family.name, knob, knob_text(family, knob));
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
  std::string text_, section_;
};

/// The keys that affect `most` or what comes before it, and the families of the mixture.
std::string ini_text(const Config& config, Affects most) {
  IniText text;
  for (const ConfigKey& key : config_keys())
    if (key.affects <= most) text.add(config, key);
  for (const auto& [name, share] : mixture_names(config.suite.mixture))
    if (const Family* family = find_family(config.families, name)) text.add(*family);
  return text.text();
}

} // namespace

void set_key(Config& config, const std::string& given, const std::string& value) {
  if (given == "output.compress") return; // of older programs: suites are written as they are
  const std::string name = current_name(given);
  config.explicit_keys.insert({given, name});
  if (name.starts_with(family_prefix)) return set_family_knob(config, name, value);
  if (name.starts_with(sweep_prefix)) return set_sweep_key(config, name, value);
  std::vector<std::string> known;
  for (const ConfigKey& key : config_keys()) {
    if (key.name == name) return key.set(config, key, value);
    known.push_back(key.name);
  }
  throw ConfigError("unknown key " + name + ": did you mean " + nearest_name(name, known) + "?");
}

Affects affects_of(const std::string& name) {
  if (name.starts_with(family_prefix)) return Affects::tasks;
  const std::string current = current_name(name), section = name.substr(0, name.find('.') + 1);
  const ConfigKey* of_section = nullptr;
  for (const ConfigKey& key : config_keys()) {
    if (key.name == current) return key.affects;
    if (of_section == nullptr && key.name.starts_with(section)) of_section = &key;
  }
  return of_section == nullptr ? Affects::policy : of_section->affects;
}

std::string resolved_ini(const Config& config) { return ini_text(config, Affects::nothing); }

std::string sweep_ini(const Config& config) {
  IniText text;
  for (const ConfigKey& key : config_keys()) text.add(config, key);
  for (const Family& family : config.families) text.add(family);
  for (const ConfigKey& key : sweep_keys())
    if (!key.get(config).empty()) text.add(config, key); // names of files may be none
  for (const auto& [key, values] : config.sweep.swept) text.add("sweep", key, values);
  return text.text();
}

std::string reproducible_ini(const Config& config) { return ini_text(config, Affects::policy); }

} // namespace metasieve
