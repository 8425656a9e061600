/* 64-bit arithmetic: multiplication, division and remainder of both signs, shifts, narrowing. */
#include "program.h"

void run(u64* out) {
  u64 state = 88172645463325252ull;
  int n = 0;
  for (int i = 0; i < 9; i++) {
    const u64 a = next_random(&state), b = next_random(&state) >> (i * 7);
    const i64 sa = (i64)a, sb = (i64)(b | 1);
    out[n++] = a * b;
    out[n++] = a / (b | 1);
    out[n++] = a % (b | 1);
    out[n++] = (u64)(sa / sb);
    out[n++] = (u64)(sa % sb);
    out[n++] = (u64)(i64)((i32)a / ((i32)b | 1)) ^ (a >> (b & 63)) ^ (u64)(sa >> (b & 63));
    out[n++] = (u64)(i64)(signed char)a + (u64)(i64)(short)(a >> 8) + (unsigned short)(a >> 16) + (unsigned char)(a >> 40);
  }
}
