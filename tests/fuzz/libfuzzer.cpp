#include "fuzz/harness.hpp"

#include <cstdlib>

// What libFuzzer calls.

using metasieve::fuzz::Bytes;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  static_cast<void>(metasieve::fuzz::world());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return metasieve::fuzz::try_input(Bytes(data, size)) ? 0 : -1;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  const std::size_t changed = LLVMFuzzerMutate(data, size, most);
  if (seed % 4 != 0) metasieve::fuzz::repair_input({data, changed});
  return changed;
}
