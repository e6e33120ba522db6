#pragma once

#include "hdf5/provenance.hpp"
#include "hdf5/reader.hpp"
#include "parallel/communicator.hpp"

#include <optional>
#include <string>

namespace metasieve {

/// Collective: rank 0's on every rank.
[[nodiscard]] RunFacts broadcast_facts(const Communicator& comm, const RunFacts& facts);

/// Root attributes ranks, threads, nodes, hosts, processor, flags, seconds. Texts that are empty are left
/// out.
void write_run_facts(hid_t file, const RunFacts& facts);

/// Nothing where the file does not say. @throws DataError naming the file
[[nodiscard]] std::optional<RunFacts> read_run_facts(const FileReader& file);

/// "2 rank(s) x 4 thread(s) on 1 node(s), 12.3 s: a; Intel(R) Xeon(R) ..."
[[nodiscard]] std::string to_string(const RunFacts& facts);

} // namespace metasieve
