/* Bit fields, packed and nested structures, unions by value, structures as arguments and results. */
#include "program.h"

struct fields {
  unsigned a : 3, b : 9, c : 20;
  signed d : 5, e : 11;
  u64 f : 40;
};
struct __attribute__((packed)) packed {
  char c;
  u32 w;
  u64 d;
  short h;
};
struct pair {
  double x, y;
};
struct wide {
  u64 words[5];
  struct pair pair;
};

static __attribute__((noinline)) struct pair turn(struct pair p) { return (struct pair){-p.y, p.x}; }
static __attribute__((noinline)) struct wide grow(struct wide w, int by) {
  for (int i = 0; i < 5; i++) w.words[i] = w.words[i] * 3 + (u64)by;
  w.pair = turn(w.pair);
  return w;
}

static volatile struct fields f;
static volatile struct packed p;

void run(u64* out) {
  int n = 0;
  for (u32 i = 0; i < 8; i++) {
    f.a = i;
    f.b = i * 77;
    f.c = i * 123457;
    f.d = (signed)i - 4;
    f.e = -(signed)i * 100;
    f.f = (u64)i * 0x123456789ull;
    out[n++] = f.a + 10 * f.b + (u64)f.c * 100000;
    out[n++] = (u64)(i64)(f.d * 1000 + f.e);
    out[n++] = f.f;
  }
  p.c = 'x', p.w = 0x12345678, p.d = 0x1122334455667788ull, p.h = -2;
  out[n++] = (u64)p.c + p.w + p.d + (u64)(i64)p.h;
  struct wide w = {{1, 2, 3, 4, 5}, {1.5, -2.5}};
  for (int i = 0; i < 4; i++) {
    w = grow(w, i);
    out[n++] = w.words[0] + w.words[4];
    out[n++] = bits_of(w.pair.x) ^ bits_of(w.pair.y) >> 1;
  }
}
