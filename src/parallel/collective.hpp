#pragma once

#include "parallel/communicator.hpp"

#include <functional>
#include <string>

namespace metasieve {

/// Collective. As comm.run_collectively, but the message names no rank: for findings about the contents of a
/// file, which are the same whichever rank looks. @throws CollectiveError: the error of the lowest failing
/// rank
void run_collectively_on_file(const Communicator& comm, const std::function<void()>& work);

/// Collective. Runs `work` on rank 0 alone. @throws CollectiveError: its error.
void on_root(const Communicator& comm, const std::function<void()>& work);

/// Collective. As on_root. @return the bytes that `work` returned, on every rank.
[[nodiscard]] std::string run_on_root_and_broadcast(const Communicator& comm,
                                                    const std::function<std::string()>& work);

} // namespace metasieve
