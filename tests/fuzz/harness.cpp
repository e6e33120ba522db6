#include "fuzz/harness.hpp"

#include "hdf5/handles.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
namespace metasieve::fuzz {
namespace {

namespace fs = std::filesystem;

struct Session {
  int argc = 0;
  char** argv = nullptr;
  Environment environment{argc, argv};
  Communicator comm;
};

} // namespace

const Communicator& world() {
  setenv("OMPI_MCA_opal_signal", "",
         1); // Open MPI would take SIGABRT away from libFuzzer, and with it the input
  // Never ended: what MPI leaves behind then could not be told from a leak of ours.
  static const Session* const session = new Session;
  return session->comm;
}

const fs::path& input_file() {
  struct Removal {
    fs::path path;
    ~Removal() {
      std::error_code ignored;
      fs::remove(path, ignored);
    }
  };
  static const Removal file = [] {
    const bool memory = std::getenv("TMPDIR") == nullptr && access("/dev/shm", W_OK) == 0;
    const fs::path folder = memory ? fs::path("/dev/shm") : fs::temp_directory_path();
    return Removal{folder / ("metasieve-fuzz-" + std::to_string(getpid()) + ".h5")};
  }();
  return file.path;
}

void put_bytes(const fs::path& path, Bytes bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  if (!stream.flush()) found("cannot write " + path.string());
}

std::vector<std::uint8_t> get_bytes(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void expect_sound(ExitCode refusal, const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() != refusal)
      found("refused with exit code " + std::to_string(static_cast<int>(error.code())) + ": " + error.what());
    if (*error.what() == '\0') found("refused without a word");
  }
  if (H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) != 0) found("HDF5 ids are left open");
  if (h5::gave_up_file()) found("a file could not be closed");
}

void found(const std::string& what) {
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}

} // namespace metasieve::fuzz
