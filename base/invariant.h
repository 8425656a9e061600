// INVARIANT: an assertion on our own state that stays in every build. Guest-made data never reaches one.
#pragma once

namespace ia64 {
[[noreturn]] void invariant_failed(const char* condition, const char* file, int line);
}

#define INVARIANT(condition) \
  do { \
    if (!(condition)) [[unlikely]] ::ia64::invariant_failed(#condition, __FILE__, __LINE__); \
  } while (0)
