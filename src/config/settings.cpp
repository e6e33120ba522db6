#include "config/settings.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <string_view>

namespace metasieve {
namespace {

constexpr std::string_view family_prefix = "family.", sweep_prefix = "sweep.";

[[noreturn]] void reject(const std::string& name, const std::vector<std::string>& known) {
  throw ConfigError("unknown key " + name + ": did you mean " + nearest_name(name, known) + "?");
}

/// Family and knob of family.NAME.knob. @throws ConfigError if there is no such knob
std::pair<std::string, std::string> family_and_knob(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot <= family_prefix.size())
    throw ConfigError("unknown key " + name + ": a family's knob is family.NAME.knob");
  const std::string family = name.substr(family_prefix.size(), dot - family_prefix.size());
  std::vector<std::string> known = family_keys();
  for (std::string& knob : known) knob = name.substr(0, dot + 1) + knob;
  if (std::find(known.begin(), known.end(), name) == known.end()) reject(name, known);
  return {family, name.substr(dot + 1)};
}

void set_family_knob(Config& config, const std::string& name, const std::string& value) {
  const auto [family, knob] = family_and_knob(name);
  auto found = std::ranges::find(config.families, family, &Family::name);
  if (found == config.families.end()) {
    found = config.families.emplace(found);
    found->name = family;
  }
  set_knob(*found, knob, value);
}

/// Sets the values of `name`, which is sweep.section.key.
void set_swept_key(Config& config, const std::string& name, const std::string& value) {
  const std::string swept = current_name(name.substr(sweep_prefix.size()));
  if (swept.starts_with(family_prefix)) {
    static_cast<void>(family_and_knob(swept));
  } else if (find_key(swept) == nullptr) {
    std::vector<std::string> known;
    for (const ConfigKey& key : config_keys())
      known.push_back((key.is_of_sweep() ? "" : "sweep.") + key.name);
    reject(name, known);
  }
  for (auto& [key, values] : config.sweep.swept)
    if (key == swept) return void(values = value);
  config.sweep.swept.emplace_back(swept, value);
}

/// INI text, section by section.
std::string ini_text(const KeyValues& entries) {
  std::string text, section;
  for (const auto& [name, value] : entries) {
    const std::size_t dot = name.starts_with(family_prefix) ? name.rfind('.') : name.find('.');
    if (name.substr(0, dot) != section) {
      section = name.substr(0, dot);
      text += (text.empty() ? "[" : "\n[") + section + "]\n";
    }
    text += name.substr(dot + 1) + " = " + value + "\n";
  }
  return text;
}

/// The values of all keys but those of [sweep] that affect `most` or a result before it.
KeyValues entries_of(const Config& config, Affects most) {
  KeyValues entries;
  for (const ConfigKey& key : config_keys())
    if (key.affects <= most && !key.is_of_sweep() && !key.is_shorthand)
      entries.emplace_back(key.name, key.name == "policy.features"
                                         ? std::string(name_in_files(config.policy.features))
                                         : key.get(config));
  return entries;
}

void add_knobs(KeyValues& entries, const Family& family) {
  for (const std::string& knob : family_keys())
    entries.emplace_back("family." + family.name + "." + knob, knob_text(family, knob));
}

} // namespace

void set_key(Config& config, const std::string& given, const std::string& value) {
  if (given == "output.compress") return; // a key of older programs
  const std::string name = current_name(given);
  config.explicit_keys.insert({given, name});
  if (const ConfigKey* key = find_key(name)) return key->set(config, value);
  if (name.starts_with(family_prefix)) return set_family_knob(config, name, value);
  if (name.starts_with(sweep_prefix)) return set_swept_key(config, name, value);
  std::vector<std::string> known;
  for (const ConfigKey& key : config_keys())
    if (!key.is_of_sweep()) known.push_back(key.name);
  reject(name, known);
}

Affects affects_of(const std::string& name) {
  if (name.starts_with(family_prefix)) return Affects::tasks;
  if (name.starts_with("sweep.")) return Affects::policy; // the policies of its points
  if (const ConfigKey* key = find_key(current_name(name))) return key->affects;
  for (const ConfigKey& key : config_keys())
    if (name.starts_with(key.section() + ".")) return key.affects;
  return Affects::policy;
}

std::string resolved_ini(const Config& config, Affects most) {
  KeyValues entries = entries_of(config, most);
  for (const auto& [name, share] : mixture_names(config.suite.mixture))
    if (const Family* family = find_family(config.families, name)) add_knobs(entries, *family);
  return ini_text(entries);
}

std::string sweep_ini(const Config& config) {
  KeyValues entries = entries_of(config, Affects::nothing);
  for (const Family& family : config.families) add_knobs(entries, family);
  for (const ConfigKey& key : config_keys())
    if (key.is_of_sweep() && !key.get(config).empty())
      entries.emplace_back(key.name, key.get(config)); // names of files may be none
  for (const auto& [key, values] : config.sweep.swept) entries.emplace_back("sweep." + key, values);
  return ini_text(entries);
}

} // namespace metasieve
