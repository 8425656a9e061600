/* Non-local jumps through the register stack, computed jumps, and string and byte order work. */
#include "program.h"

static void* buffer[16];

#ifdef __ia64__
int save_context(void** to) __attribute__((returns_twice));
void restore_context(void** from) __attribute__((noreturn));
#else
#define save_context __builtin_setjmp
#define restore_context(from) __builtin_longjmp(from, 1)
#endif

static volatile int depth;

static __attribute__((noinline)) u64 sink(int level) {
  depth = level;
  if (level == 0) restore_context(buffer);
  return sink(level - 1) + (u64)level;
}

static __attribute__((noinline)) u64 jump(int level) {
  if (save_context(buffer)) return 1000 + (u64)depth;
  return sink(level);
}

static u64 classify(unsigned v) {
  switch (v) {
    case 0: return 11;
    case 1: return 7;
    case 2: return 5;
    case 3: return 999;
    case 4: return 3;
    case 7: return 2;
    case 8: return 88;
    case 9: return 21;
    default: return 1;
  }
}

void run(u64* out) {
  static unsigned char text[64];
  int n = 0;
  for (int i = 1; i <= 120; i += 30) out[n++] = jump(i);
  for (unsigned i = 0; i < 12; i++) out[n++] = classify(i);
  for (int i = 0; i < 64; i++) text[i] = (unsigned char)(i * 37 + 11);
  u64 crc = ~0ull;
  for (int i = 0; i < 64; i++) {
    crc ^= text[i];
    for (int b = 0; b < 8; b++) crc = crc >> 1 ^ (crc & 1 ? 0xc96c5795d7870f42ull : 0);
  }
  out[n++] = crc;
  for (int i = 0; i + 8 <= 64; i += 8) {
    u64 big = 0;
    for (int b = 0; b < 8; b++) big = big << 8 | text[i + b];
    out[n++] = __builtin_bswap64(big);
  }
}
