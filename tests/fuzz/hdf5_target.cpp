#include "fuzz/hdf5_target.hpp"

#include "support/scratch.hpp"

#include <cstdlib>
#include <string_view>
#include <vector>

namespace metasieve::fuzz {
namespace {

bool is_file(Bytes input) {
  constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
  return input.size() >= 4 &&
         std::string_view(reinterpret_cast<const char*>(input.data()), 4) == signature.substr(0, 4);
}

bool edits_only() {
  static const char* const kind = std::getenv("METASIEVE_FUZZ_KIND");
  return kind != nullptr && std::string_view(kind) == "edits";
}

/// Writers need a folder.
std::vector<std::uint8_t> good_file(const Hdf5Target& target) {
  const test::Scratch scratch(world());
  target.write_good(scratch / "good.h5");
  return get_bytes(scratch / "good.h5");
}

} // namespace

bool try_hdf5(const Hdf5Target& target, Bytes input) {
  if (is_file(input)) {
    if (edits_only()) return false;
    put_bytes(input_file(), input);
  } else {
    static const std::vector<std::uint8_t> good = good_file(target);
    put_bytes(input_file(), good);
    edit_file(input_file(), input);
  }
  if (const char* copy = std::getenv("METASIEVE_FUZZ_KEEP")) put_bytes(copy, get_bytes(input_file()));
  expect_sound(ExitCode::data, [&] { target.read(input_file()); });
  return true;
}

void repair_input(std::span<std::uint8_t> input) {
  if (is_file(input)) repair_checksums(input);
}

} // namespace metasieve::fuzz
