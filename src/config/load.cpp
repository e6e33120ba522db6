#include "config/load.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "config/sweep_grammar.hpp"
#include "parallel/collective.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

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

constexpr std::uintmax_t most_bytes = 16'000'000;

std::string read_text(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw ConfigError(path.string() + ": no such file");
  if (std::filesystem::is_directory(path, error))
    throw ConfigError(path.string() + ": is a folder; an INI file is needed");
  // A pipe without a writer would wait for ever, /dev/zero never end.
  if (!std::filesystem::is_regular_file(path, error))
    throw ConfigError(path.string() + ": is no regular file; an INI file is needed");
  if (std::filesystem::file_size(path, error) > most_bytes)
    throw ConfigError(path.string() + ": is larger than 16 MB; an INI file is needed");
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) {
    if (stream && stream.peek() == std::ifstream::traits_type::eof()) return {}; // empty: all defaults
    throw ConfigError(path.string() + ": cannot read this configuration file");
  }
  const std::string content = text.str();
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf"; // some editors put it first
  return content.starts_with(byte_order_mark) ? content.substr(byte_order_mark.size()) : content;
}

void apply(Config& config, const KeyValues& entries, const std::string& origin) {
  for (const auto& [key, value] : entries) {
    try {
      set_key(config, key, value);
    } catch (const ConfigError& error) {
      throw ConfigError(origin + error.what());
    }
  }
}

/// Reads the families that the mixture names and no section defines.
void add_family_files(Config& config, const std::filesystem::path& folder) {
  for (const auto& [name, share] : mixture_names(config.suite.mixture)) {
    if (find_family(config.families, name) != nullptr) continue;
    for (const std::filesystem::path& base : {folder / "families", shipped_families()}) {
      const std::filesystem::path file = base / (name + ".ini");
      if (!std::filesystem::is_regular_file(file)) continue;
      KeyValues knobs = parse_ini(read_text(file), file.string());
      for (auto& [key, value] : knobs) key = "family." + name + "." + key;
      if (knobs.empty()) throw ConfigError(file.string() + ": defines no knob");
      apply(config, knobs, file.string() + ": ");
      break;
    }
  }
}

} // namespace

Config load_config(const std::optional<std::filesystem::path>& file, const KeyValues& overrides) {
  Config config;
  if (file) apply(config, parse_ini(read_text(*file), file->string()), file->string() + ": ");
  KeyValues first, knobs; // an override of a knob changes one value of a family that a file defines
  for (const auto& entry : overrides) (entry.first.starts_with("family.") ? knobs : first).push_back(entry);
  apply(config, first, "");
  const std::set<std::string> given = config.explicit_keys;
  add_family_files(config, file ? file->parent_path() : std::filesystem::path());
  config.explicit_keys = given;
  apply(config, knobs, "");
  require_used(config, knobs);
  validate(config);
  return config;
}

namespace {

/// Collective: rank 0's configuration, which travels as this text.
Config from_root_as(const Communicator& comm, std::string (*as_text)(const Config&),
                    const std::function<Config()>& load) {
  std::string given;
  const std::string resolved = from_root(comm, [&] {
    const Config config = load();
    for (const std::string& key : config.explicit_keys) given += key + "\n";
    return as_text(config);
  });
  Config config;
  for (const auto& [key, value] : stored_ini(resolved)) set_key(config, key, value);
  config.explicit_keys.clear();
  for (const std::string& key : split(comm.broadcast(given), '\n')) config.explicit_keys.insert(key);
  return config;
}

/// Reads the families of each value of suite.mixture that is swept.
void add_families_of_points(Config& config, const std::filesystem::path& folder) {
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

} // namespace

Config load_config(const Communicator& comm, const std::optional<std::filesystem::path>& file,
                   const KeyValues& overrides) {
  return from_root_as(comm, resolved_ini, [&] { return load_config(file, overrides); });
}

Config load_sweep(const Communicator& comm, const std::optional<std::filesystem::path>& file,
                  const KeyValues& overrides) {
  return from_root_as(comm, sweep_ini, [&] {
    Config config = load_config(file, overrides);
    if (!config.explicit_keys.contains("output.checkpoint_every"))
      config.output.checkpoint_every = 0; // points are many and short; checkpoint_minutes still holds
    add_families_of_points(config, file ? file->parent_path() : std::filesystem::path());
    for (std::string* files : {&config.sweep.suite, &config.sweep.datasets}) {
      std::string absolute; // so that DIR/sweep.ini may be used from anywhere
      if (!files->empty())
        for (const std::string& name : list_items(*files))
          absolute += (absolute.empty() ? "" : "; ") + std::filesystem::absolute(name).string();
      *files = absolute;
    }
    return config;
  });
}

} // namespace metasieve
