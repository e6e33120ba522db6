#pragma once

#include <string>

namespace metasieve {

/// What every file says of its making: the resolved configuration as INI text, re-runnable.
struct Provenance {
  std::string config;
};

} // namespace metasieve
