#include "hdf5/job_metadata.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "hdf5/attribute.hpp"

#include <sstream>

namespace metasieve {
namespace {

/// Calls `use(name, member)` for each fact.
void for_each_fact(auto& facts, const auto& use) {
  use("ranks", facts.ranks);
  use("threads", facts.threads);
  use("nodes", facts.nodes);
  use("hosts", facts.hosts);
  use("processor", facts.processor);
  use("flags", facts.flags);
  use("seconds", facts.seconds);
}

} // namespace

RunFacts broadcast_facts(const Communicator& comm, const RunFacts& facts) {
  ByteWriter mine;
  for_each_fact(facts, [&](const char*, const auto& value) { mine.put(value); });
  const std::string bytes = comm.broadcast(mine.take());
  ByteReader reader(bytes);
  RunFacts all;
  for_each_fact(all, [&]<class Value>(const char*, Value& value) {
    if constexpr (std::is_same_v<Value, std::string>)
      value = reader.text();
    else
      value = reader.get<Value>();
  });
  return all;
}

void write_run_facts(hid_t file, const RunFacts& facts) {
  for_each_fact(facts, [&]<class Value>(const char* name, const Value& value) {
    if constexpr (std::is_same_v<Value, std::string>)
      if (value.empty()) return;
    h5::write_attribute(file, name, value);
  });
}

std::optional<RunFacts> read_run_facts(const FileReader& file) {
  if (!file.has_attribute("ranks")) return std::nullopt;
  RunFacts facts;
  for_each_fact(facts, [&]<class Value>(const char* name, Value& value) {
    if (!file.has_attribute(name)) return;
    if constexpr (std::is_same_v<Value, std::string>)
      value = joined(file.texts(name)); // the hosts of a scaling study are a list
    else if constexpr (std::is_same_v<Value, double>)
      value = file.number(name);
    else
      value = file.integer(name);
  });
  return facts;
}

std::string to_string(const RunFacts& facts) {
  std::ostringstream out;
  out << facts.ranks << " rank(s) x " << facts.threads << " thread(s) on " << facts.nodes << " node(s), "
      << facts.seconds << " s: " << facts.hosts << "; " << facts.processor;
  return out.str();
}

} // namespace metasieve
