#include "parallel/collective.hpp"

namespace metasieve {

void agree_on_file(const Communicator& comm, const std::function<void()>& work) { comm.agree(work, false); }

void on_root(const Communicator& comm, const std::function<void()>& work) {
  agree_on_file(comm, [&] {
    if (comm.is_root()) work();
  });
}

std::string from_root(const Communicator& comm, const std::function<std::string()>& work) {
  std::string bytes;
  on_root(comm, [&] { bytes = work(); });
  return comm.broadcast(bytes);
}

} // namespace metasieve
