// The memory of generated code: pieces run where they were put, a full cache refuses, a cleared one takes code again.
#include "cpu/jit/code_cache.h"

#include <asmjit/x86.h>

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::cpu;

namespace {

/// A function that returns `value`, followed by `padding` bytes.
void* add(jit::CodeCache& cache, u32 value, size_t padding = 0) {
  asmjit::CodeHolder code;
  code.init(asmjit::Environment::host());
  asmjit::x86::Assembler a(&code);
  a.mov(asmjit::x86::eax, value);
  a.ret();
  for (size_t n = 0; n < padding; n++) a.int3();
  return cache.add(code);
}
u32 call(void* function) { return reinterpret_cast<u32 (*)()>(function)(); }

}  // namespace

TEST_CASE("a code cache holds code until it is cleared", "[jit]") {
  jit::CodeCache cache(1);  // one large page
  void* const first = add(cache, 17);
  void* const second = add(cache, 18, 1'000'000);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(reinterpret_cast<size_t>(first) % 64 == 0);
  CHECK(reinterpret_cast<size_t>(second) % 64 == 0);
  CHECK(call(first) == 17);
  CHECK(call(second) == 18);
  REQUIRE(add(cache, 19, 900'000));
  CHECK(add(cache, 20, 900'000) == nullptr);
  CHECK(call(first) == 17);
  cache.clear();
  void* const again = add(cache, 21, 2'000'000);
  CHECK(again == first);
  CHECK(call(again) == 21);
}

TEST_CASE("what a code cache keeps survives clearing", "[jit]") {
  jit::CodeCache cache(1);
  void* const kept = add(cache, 42);
  cache.keep();
  REQUIRE(add(cache, 6));
  cache.clear();
  CHECK(add(cache, 7) != kept);
  CHECK(call(kept) == 42);
}
