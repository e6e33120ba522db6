#pragma once

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace metasieve::test {

/// The message of the ConfigError that `action` throws; "no error" if it throws none.
template <class Action>
std::string config_error(Action&& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "no error";
}

} // namespace metasieve::test
