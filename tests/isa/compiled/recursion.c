/* Deep and mutual recursion: the register stack spills and refills. */
#include "program.h"

static __attribute__((noinline)) u64 ackermann(u64 m, u64 n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

static __attribute__((noinline)) u64 fibonacci(u64 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static __attribute__((noinline)) u64 many(u64 depth, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g) {
  if (depth == 0) return a ^ b ^ c ^ d ^ e ^ f ^ g;
  const u64 below = many(depth - 1, b + 1, c * 3, d ^ a, e + b, f - c, g + d, a);
  return below * 31 + a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g;
}

static __attribute__((noinline)) u64 odd(u64 n);
static __attribute__((noinline)) u64 even(u64 n) { return n == 0 ? 1 : odd(n - 1) + 2; }
static __attribute__((noinline)) u64 odd(u64 n) { return n == 0 ? 0 : even(n - 1) * 3; }

void run(u64* out) {
  out[0] = ackermann(2, 9);
  out[1] = fibonacci(17);
  for (int i = 0; i < 20; i++) out[2 + i] = many((u64)i * 17, 1, 2, 3, 4, 5, 6, 7);
  out[22] = even(200);
  out[23] = odd(333);
}
