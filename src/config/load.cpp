#include "config/load.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "config/keys.hpp"
#include "config/sweep_grammar.hpp"
#include "parallel/collective.hpp"

#include <fstream>
#include <functional>
#include <map>

namespace metasieve {

namespace fs = std::filesystem;

fs::path shipped_families() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (fs::path folder = program.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    fs::path families = folder / METASIEVE_SHARE / "configs/families";
    if (fs::is_directory(families, error)) return families;
  }
  return {};
}

namespace {

std::string read_text(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const auto fail = [&](const char* fault) { throw ConfigError(path.string() + ": " + fault); };
  if (!fs::exists(status)) fail("no such file");
  if (fs::is_directory(status)) fail("is a folder; an INI file is needed");
  // A pipe without a writer would wait for ever, /dev/zero never end.
  if (!fs::is_regular_file(status)) fail("is no regular file; an INI file is needed");
  const std::uintmax_t size = fs::file_size(path, error);
  if (error || size > 16'000'000) fail("is larger than 16 MB; an INI file is needed");
  std::string text(size, '\0');
  if (!std::ifstream(path, std::ios::binary).read(text.data(), std::streamsize(size)))
    fail("cannot read this configuration file");
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf"; // some editors put it first
  return text.starts_with(byte_order_mark) ? text.substr(byte_order_mark.size()) : text;
}

/// Sets these keys. A shorthand (evaluate.label_noise) must not contradict another of them.
void apply(Config& config, const KeyValues& entries, const std::string& origin) {
  std::map<std::string, std::string> corruption; // as the keys that set it have it
  for (const auto& [key, value] : entries) {
    try {
      set_key(config, key, value);
    } catch (const ConfigError& error) {
      throw ConfigError(origin + error.what());
    }
    if (key == "evaluate.corruption" || key == "evaluate.label_noise")
      corruption[key] = find_key("evaluate.corruption")->get(config);
  }
  if (corruption.size() == 2 && corruption.begin()->second != corruption.rbegin()->second)
    throw ConfigError(origin + "evaluate.label_noise is " + corruption["evaluate.label_noise"] +
                      ", and evaluate.corruption is " + corruption["evaluate.corruption"] +
                      "; give one of the two");
}

fs::path folder_of(const std::optional<fs::path>& file) { return file ? file->parent_path() : fs::path(); }

/// Reads the families that the mixture names and no section defines.
void add_family_files(Config& config, const fs::path& folder) {
  for (const auto& [name, share] : mixture_names(config.suite.mixture)) {
    if (find_family(config.families, name) != nullptr) continue;
    for (const fs::path& base : {folder / "families", shipped_families()}) {
      const fs::path file = base / (name + ".ini");
      if (!fs::is_regular_file(file)) continue;
      KeyValues knobs = parse_ini(read_text(file), file.string());
      for (auto& [key, value] : knobs) key = "family." + name + "." + key;
      if (knobs.empty()) throw ConfigError(file.string() + ": defines no knob");
      apply(config, knobs, file.string() + ": ");
      break;
    }
  }
}

/// Reads the families of each value of suite.mixture that is swept.
void add_families_of_points(Config& config, const fs::path& folder) {
  for (const auto& [key, values] : config.sweep.swept) {
    if (key != "suite.mixture") continue;
    for (const std::string& value : list_items(values)) {
      Config point = config;
      set_key(point, key, value);
      add_family_files(point, folder);
      config.families = point.families;
    }
  }
}

/// Collective: rank 0's configuration, which travels as the text of a sweep that can be run again.
Config config_from_root(const Communicator& comm, const std::function<Config()>& load) {
  std::string given;
  const std::string text = run_on_root_and_broadcast(comm, [&] {
    const Config config = load();
    for (const std::string& key : config.explicit_keys) given += key + "\n";
    return sweep_ini(config);
  });
  Config config;
  for (const auto& [key, value] : stored_ini(text)) set_key(config, key, value);
  const std::vector<std::string> keys = split(comm.broadcast(given), '\n');
  config.explicit_keys = {keys.begin(), keys.end()};
  return config;
}

} // namespace

Config load_config(const std::optional<fs::path>& file, const KeyValues& overrides, FamilyUse use) {
  Config config;
  if (file) apply(config, parse_ini(read_text(*file), file->string()), file->string() + ": ");
  KeyValues first, knobs; // an override of a knob changes one value of a family that a file defines
  for (const auto& entry : overrides) (entry.first.starts_with("family.") ? knobs : first).push_back(entry);
  apply(config, first, "");
  const std::set<std::string> given = config.explicit_keys;
  add_family_files(config, folder_of(file));
  config.explicit_keys = given;
  apply(config, knobs, "");
  validate(config, knobs, use);
  return config;
}

Config load_config(const Communicator& comm, const std::optional<fs::path>& file, const KeyValues& overrides,
                   FamilyUse use) {
  return config_from_root(comm, [&] { return load_config(file, overrides, use); });
}

Config load_sweep(const Communicator& comm, const std::optional<fs::path>& file, const KeyValues& overrides) {
  return config_from_root(comm, [&] {
    Config config = load_config(file, overrides);
    if (!config.explicit_keys.contains("output.checkpoint_every"))
      config.output.checkpoint_every = 0; // points are many and short; checkpoint_minutes still holds
    add_families_of_points(config, folder_of(file));
    for (std::string* files : {&config.sweep.suite, &config.sweep.datasets}) {
      if (files->empty()) continue;
      std::vector<std::string> names = list_items(*files);
      for (std::string& name : names)
        name = fs::absolute(name).string(); // DIR/sweep.ini serves from anywhere
      *files = joined(names, "; ");
    }
    return config;
  });
}

} // namespace metasieve
