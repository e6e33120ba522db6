#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "files/verify.hpp"
#include "hdf5/handles.hpp"
#include "parallel/communicator.hpp"
#include "runtime/stop_condition.hpp"
#include "runtime/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <thread>

namespace {

/// One line, whatever is in the names and values that it quotes.
void report(const std::string& where, std::string message) {
  for (char& c : message)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  const std::string name = metasieve::painted(STDERR_FILENO, metasieve::Paint::red, "metasieve:");
  std::fprintf(stderr, "%s %s%s\n", name.c_str(), where.c_str(), message.c_str());
}

} // namespace

int main(int argc, char** argv) {
  using namespace metasieve;
  if (const auto code = serve_file_check(argc, argv))
    return *code; // this process reads a file for another one
  if (const auto text =
          text_without_mpi(std::span(argv + 1, static_cast<std::size_t>(std::max(argc, 1) - 1)))) {
    std::fputs(text->c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : static_cast<int>(ExitCode::data);
  }
  // At once, for MPI takes its time. Other commands end soon, and may be killed.
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "generate" || command == "train" || command == "evaluate" || command == "sweep" ||
      command == "scaling")
    catch_stop_signals();
  std::signal(SIGXFSZ, SIG_IGN); // a limit on file sizes becomes an error that names the file
  const Environment mpi(argc, argv);
  const Communicator comm;
  try {
    run_command(comm, {argv + 1, argv + argc});
    return static_cast<int>(ExitCode::done);
  } catch (const CollectiveError& error) { // on every rank alike: all leave in step
    if (comm.is_root()) report("", error.what());
    if (comm.max(std::int64_t{h5::gave_up_file()}) > 0) { // of one rank or all; MPI_Finalize would crash
      comm.barrier();
      std::fflush(nullptr);
      std::_Exit(static_cast<int>(error.code()));
    }
    return static_cast<int>(error.code());
  } catch (
      const std::exception& error) { // this rank's own: the others may wait in a collective call for ever
    // Where many ranks fail at once, as of one full node, the first to speak ends the job for all.
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(50 * comm.rank(), 1000)));
    const bool memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
    report("rank " + std::to_string(comm.rank()) + " on " + host_name() + ": ",
           memory ? "out of memory: use more nodes or fewer ranks a node" : error.what());
    const auto* known = dynamic_cast<const Error*>(&error);
    comm.abort(known != nullptr ? known->code() : ExitCode::internal);
  }
}
