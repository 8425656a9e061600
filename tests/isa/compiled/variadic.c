/* Variable arguments of every class, more than eight of them, and function pointers. */
#include <stdarg.h>
#include "program.h"

static __attribute__((noinline)) u64 mix(const char* kinds, ...) {
  va_list list;
  u64 sum = 0;
  va_start(list, kinds);
  for (; *kinds; kinds++) {
    sum = sum * 131;
    if (*kinds == 'i') sum += (u64)(i64)va_arg(list, int);
    if (*kinds == 'l') sum += va_arg(list, u64);
    if (*kinds == 'd') sum ^= bits_of(va_arg(list, double));
    if (*kinds == 's') sum += (u64)va_arg(list, const char*)[1];
  }
  va_end(list);
  return sum;
}

static u64 twice(u64 v) { return 2 * v; }
static u64 square(u64 v) { return v * v; }
static u64 (*volatile table[])(u64) = {twice, square, twice};

void run(u64* out) {
  out[0] = mix("i", -5);
  out[1] = mix("ild", 7, 1ull << 40, 2.5);
  out[2] = mix("dddddddddd", 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0);
  out[3] = mix("ilsdilsdilsd", 1, 2ull, "abc", 4.0, -5, 6ull, "xyz", 8.5, 9, 10ull, "123", -12.25);
  u64 v = 3;
  for (int i = 0; i < 12; i++) out[4 + i] = v = table[i % 3](v) + 1;
}
