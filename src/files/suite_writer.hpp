#pragma once

#include "files/suite.hpp"

namespace metasieve {

/// Collective. Writes the suite at `plain`, which `write_suite` has made, as `path`, with the same contents,
/// its labels or all of its values shuffled and deflated. Each chunk is written once, in order, whatever rank
/// compresses it: the same bytes for any number of ranks. Memory: a few chunks a rank.
/// @throws AgreedError (exit code 3) naming the file that cannot be read or written
void pack_suite(const Communicator& comm, const std::filesystem::path& plain,
                const std::filesystem::path& path, Compression compression);

} // namespace metasieve
