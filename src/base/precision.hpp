#pragma once

namespace metasieve {

/// In what the hot path computes: float64 is the reference, float32 the fast form that tests hold to it.
enum class Precision { float32, float64 };

} // namespace metasieve
