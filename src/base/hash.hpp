#pragma once

#include "base/linalg.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace metasieve {

/// 64-bit FNV-1a (Fowler, Noll, Vo), continued from `hash`.
[[nodiscard]] inline std::uint64_t hash_bytes(std::span<const std::byte> bytes,
                                              std::uint64_t hash = 0xcbf29ce484222325ULL) {
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3ULL;
  return hash;
}

[[nodiscard]] inline std::uint64_t hash_bytes(const Vector& values,
                                              std::uint64_t hash = 0xcbf29ce484222325ULL) {
  return hash_bytes(std::as_bytes(std::span(values.data(), static_cast<std::size_t>(values.size()))), hash);
}

/// Hash of the characters, in order.
[[nodiscard]] inline std::uint64_t hash_text(std::string_view text) {
  return hash_bytes(std::as_bytes(std::span(text)));
}

} // namespace metasieve
