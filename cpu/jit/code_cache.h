// Where generated code lies.
#pragma once

#include <asmjit/core.h>

#include <cstddef>

#include "base/int_types.h"

namespace ia64::cpu::jit {

/// One piece of executable memory that is filled from its beginning and emptied as a whole. Code that runs after each other was mostly
/// made after each other, and lies in few large pages: a guest that wakes now and then finds little of it in the host's caches. CPU
/// thread only.
class CodeCache {
 public:
  /// Reserves room for `size_bytes`; memory is taken as it is filled.
  explicit CodeCache(size_t size_bytes);
  ~CodeCache();
  CodeCache(const CodeCache&) = delete;
  CodeCache& operator=(const CodeCache&) = delete;

  /// Puts finished code at its final address. @returns nullptr when there is no room or no memory
  u8* add(asmjit::CodeHolder& code);
  /// Keeps what is in it now through clear().
  void keep() { kept_ = used_; }
  /// Forgets everything else. Not while code in it is on the stack.
  void clear() { used_ = kept_; }

 private:
  u8* base_ = nullptr;   ///< begins a large page; nullptr: no memory
  void* mapping_ = nullptr;
  size_t mapped_ = 0, size_ = 0, used_ = 0, kept_ = 0;
};

}  // namespace ia64::cpu::jit
