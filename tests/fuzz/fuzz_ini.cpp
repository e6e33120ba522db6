#include "fuzz/harness.hpp"

#include "base/text.hpp"
#include "config/settings.hpp"

namespace metasieve::fuzz {
namespace {

Config config_of(const std::string& text) {
  Config config;
  for (const auto& [key, value] : parse_ini(text, "input.ini")) set_key(config, key, value);
  return config;
}

/// Keys that are refused do not keep the others from being tried.
void try_each(const std::string& text) {
  Config config;
  for (const auto& entry : parse_ini(text, "input.ini"))
    expect_sound(ExitCode::usage, [&] { set_key(config, entry.first, entry.second); });
}

/// What is accepted must be written so that it is read back the same: files keep it, and ranks exchange it.
void round_trip(const std::string& text) {
  const Config config = config_of(text);
  validate(config);
  const std::string resolved = resolved_ini(config);
  if (resolved_ini(config_of(resolved)) != resolved)
    found("the resolved configuration reads back differently");
}

} // namespace

bool try_input(Bytes input) {
  const std::string text(input.begin(), input.end());
  expect_sound(ExitCode::usage, [&] { try_each(text); });
  expect_sound(ExitCode::usage, [&] { round_trip(text); });
  return true;
}

void repair_input(std::span<std::uint8_t>) {}

} // namespace metasieve::fuzz
