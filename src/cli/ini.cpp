#include "cli/ini.hpp"

#include "base/error.hpp"

#include <boost/program_options.hpp>

#include <set>
#include <sstream>

namespace metasieve {

IniEntries parse_ini(const std::string& text, const std::string& name) {
  namespace po = boost::program_options;
  IniEntries entries;
  std::set<std::string> seen;
  try {
    std::istringstream stream(text);
    const po::options_description none;
    for (const po::option& option : po::parse_config_file(stream, none, true).options) {
      if (!seen.insert(option.string_key).second)
        throw ConfigError(name + ": " + option.string_key + " is given twice: keep one");
      entries.emplace_back(option.string_key, option.value.empty() ? "" : option.value.front());
    }
  } catch (const po::error& error) {
    throw ConfigError(name + ": " + error.what() + ": expected [section], key = value, or # comment");
  }
  return entries;
}

} // namespace metasieve
