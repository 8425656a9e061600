// Bit-field access and sign extension; all constexpr.
#pragma once

#include "base/int_types.h"

namespace ia64 {

/// A value with only bit `n` set. @param n 0..63
constexpr u64 bit(unsigned n) { return u64{1} << n; }

/// A mask of the low `n` bits. @param n 0..64
constexpr u64 low_mask(unsigned n) { return n >= 64 ? ~u64{0} : (u64{1} << n) - 1; }

/// The `len`-bit field of `v` that starts at bit `pos`.
constexpr u64 field(u64 v, unsigned pos, unsigned len) { return (v >> pos) & low_mask(len); }

/// `v` with its `len`-bit field at `pos` replaced by the low bits of `f`.
constexpr u64 with_field(u64 v, unsigned pos, unsigned len, u64 f) {
  const u64 m = low_mask(len) << pos;
  return (v & ~m) | ((f << pos) & m);
}

/// Sign-extends the low `n` bits of `v`. @param n 1..64
constexpr u64 sign_extend(u64 v, unsigned n) {
  const unsigned s = 64 - n;
  return static_cast<u64>(static_cast<i64>(v << s) >> s);
}

constexpr bool is_aligned(u64 v, u64 alignment) { return (v & (alignment - 1)) == 0; }
constexpr u64 align_down(u64 v, u64 alignment) { return v & ~(alignment - 1); }
constexpr u64 align_up(u64 v, u64 alignment) { return (v + alignment - 1) & ~(alignment - 1); }

}  // namespace ia64
