// What every fuzzer has: a function of a seed, and a random source with a taste for awkward values.
#pragma once

#include <array>
#include <random>

#include "base/int_types.h"

namespace ia64::fuzz {

/// One run. Must depend on nothing but the seed. Implemented by each fuzzer.
void fuzz_one(u64 seed);

/// Ends the process with the seed when `ok` is false.
void check(bool ok, const char* what);

class Random {
 public:
  explicit Random(u64 seed) : engine_(seed) {}
  u64 next() { return engine_(); }
  /// 0 .. n-1
  u64 below(u64 n) { return engine_() % n; }
  bool one_in(u64 n) { return below(n) == 0; }
  template <class T, size_t N>
  T pick(const T (&from)[N]) {
    return from[below(N)];
  }
  /// Small numbers, powers of two and their neighbours, all ones, anything.
  u64 awkward() {
    switch (below(5)) {
      case 0: return below(16);
      case 1: return (u64{1} << below(64)) - below(3) + 1;
      case 2: return ~u64{0} - below(4);
      case 3: return u64{1} << below(33);
      default: return next();
    }
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace ia64::fuzz
