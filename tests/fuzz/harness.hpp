#pragma once

#include "parallel/communicator.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

/// What the fuzz targets share. Each target defines the functions of "target" below and links either
/// libFuzzer or replay.cpp.
namespace metasieve::fuzz {

using Bytes = std::span<const std::uint8_t>;

// ------------------------------------------------------------------------------------------------ target

/// Offers one input to the reader under test, by way of `expect_sound`.
/// @return false if the input is of no use, and should not become part of a corpus.
bool try_input(Bytes input);

/// Changes a mutated input in place so that it comes further, as by correcting checksums.
void repair_input(std::span<std::uint8_t> input);

// ------------------------------------------------------------------------------------------------ harness

/// MPI on this process alone, from the first call to the end of the process.
[[nodiscard]] const Communicator& world();

/// The one file of this process: in TMPDIR, or in memory. Removed at exit, but not if the process dies.
[[nodiscard]] const std::filesystem::path& input_file();

void put_bytes(const std::filesystem::path& path, Bytes bytes);
[[nodiscard]] std::vector<std::uint8_t> get_bytes(const std::filesystem::path& path);

/// Runs `read`: it must return, or throw our Error with exit code `refusal` and something to say, and leave
/// no HDF5 id open. Ends the process otherwise.
void expect_sound(ExitCode refusal, const std::function<void()>& read);

/// Ends the process: the target has found something.
[[noreturn]] void found(const std::string& what);

} // namespace metasieve::fuzz
