/* What every program shares: it fills `results` and uses no library. */
#ifndef PROGRAM_H
#define PROGRAM_H
typedef unsigned long long u64;
typedef long long i64;
typedef unsigned int u32;
typedef int i32;
#define RESULTS 64
extern u64 results[RESULTS];
void run(u64* out);

static inline u64 bits_of(double d) {
  union {
    double d;
    u64 u;
  } v = {d};
  return v.u;
}

/* A small generator, so that programs have varied data without input. */
static inline u64 next_random(u64* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}
#endif
