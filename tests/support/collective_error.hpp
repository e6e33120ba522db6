#pragma once

#include "parallel/communicator.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace metasieve::test {

/// The message of the CollectiveError (of this exit code) that `work` must throw on all ranks alike.
inline std::string collective_error(const Communicator& comm, const std::function<void()>& work,
                                    ExitCode code = ExitCode::data) {
  std::string message;
  try {
    work();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const CollectiveError& error) {
    message = error.what();
    EXPECT_EQ(error.code(), code) << message;
  }
  std::string repeated;
  for (int rank = 0; rank < comm.size(); ++rank) repeated += message;
  EXPECT_EQ(comm.gather(message), repeated) << "ranks disagree";
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  return message;
}

/// For EXPECT_PRED2(contains, text, part).
inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace metasieve::test
