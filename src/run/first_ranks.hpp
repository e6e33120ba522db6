#pragma once

#include "parallel/communicator.hpp"

#include <functional>

namespace metasieve {

/// Collective: the first `ranks` ranks do `work` together, on a communicator of their own; the others wait
/// asleep. What those throw alike, all ranks throw: AgreedError.
void on_first_ranks(const Communicator& comm, int ranks,
                    const std::function<void(const Communicator&)>& work);

} // namespace metasieve
