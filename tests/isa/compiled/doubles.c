/* Doubles and floats: arithmetic, division, conversion, comparison, a polynomial, an iteration. */
#include "program.h"

static volatile double one = 1.0, three = 3.0, huge = 1e300, tiny = 1e-300;
static volatile float third = 1.0f / 3.0f;

void run(u64* out) {
  int n = 0;
  u64 state = 1234567;
  out[n++] = bits_of(one / three);
  out[n++] = bits_of(huge * huge);
  out[n++] = bits_of(tiny * tiny);
  out[n++] = bits_of(tiny * 1e-15);
  out[n++] = bits_of((double)(third * third));
  out[n++] = bits_of((double)(float)(one / three));
  double x = 2.0;
  for (int i = 0; i < 6; i++) x = x / 2 + one / x;  // the square root of 2
  out[n++] = bits_of(x);
  for (int i = 0; i < 16; i++) {
    const double a = (double)(i64)next_random(&state), b = (double)next_random(&state);
    out[n++] = bits_of(a / b);
    out[n++] = (u64)(i64)(a / 1048576.0) + (u64)(b / 65536.0);
    out[n++] = (u64)(a < b) | (u64)(a == a) << 1 | (u64)(-a > b) << 2;
  }
}
