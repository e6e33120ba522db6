#include "fuzz/harness.hpp"

#include "base/text.hpp"
#include "config/settings.hpp"

#include <cmath>
#include <set>

namespace metasieve::fuzz {
namespace {

/// What is accepted must have shares that can be drawn from, and names that can be files.
void check_mixture(const std::string& text) {
  Config config;
  set_key(config, "suite.mixture", text);
  std::set<std::string> names;
  for (const auto& [name, share] : mixture_names(config.suite.mixture)) {
    const bool legal = name.find_first_of(std::string_view("/.\0 \n=#[]", 9)) == std::string::npos;
    if (name.empty() || !legal || !names.insert(name).second || !(share > 0) || !std::isfinite(share))
      found("accepted a mixture that is none");
    config.families.emplace_back().name = name;
  }
  double total = 0;
  const Mixture drawn = mixture(config);
  for (const MixturePart& part : drawn) total += part.share;
  if (!(std::abs(total - 1) < 1e-9)) found("shares of a mixture do not add up to 1");
  for (std::uint64_t id = 0; id < 4; ++id) static_cast<void>(family_of(drawn, TaskId{id}));

  Config again;
  const std::string resolved = resolved_ini(config);
  for (const auto& [key, value] : parse_ini(resolved, "resolved")) set_key(again, key, value);
  if (mixture_names(again.suite.mixture) != mixture_names(config.suite.mixture))
    found("a mixture reads back differently");
}

} // namespace

bool try_input(Bytes input) {
  expect_sound(ExitCode::usage, [&] { check_mixture(std::string(input.begin(), input.end())); });
  return true;
}

void repair_input(std::span<std::uint8_t>) {}

} // namespace metasieve::fuzz
